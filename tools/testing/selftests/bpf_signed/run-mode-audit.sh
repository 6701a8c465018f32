#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each mode of lockdown, with unsigned programs recorded only.
#
# APPEND: bpf_lockdown=audit audit=1 bpf_lockdown_audit=all audit_backlog_limit=8192 sysctl.kernel.printk_ratelimit=0
# CPUS: 2
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests lockdown
