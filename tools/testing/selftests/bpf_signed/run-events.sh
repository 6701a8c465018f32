#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a program was signed for holds without lockdown, too.
#
# APPEND: bpf_lockdown_audit=all audit=1 audit_backlog_limit=8192 sysctl.kernel.printk_ratelimit=0
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests events
