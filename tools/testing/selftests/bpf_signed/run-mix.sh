#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Signed and unsigned programs beside each other.
#
# APPEND: bpf_lockdown=restricted audit=1 audit_backlog_limit=8192 sysctl.kernel.printk_ratelimit=0
# CPUS: 1
# TIMEOUT: 300

. "$(dirname "$0")/common.sh"
run_tests mix
