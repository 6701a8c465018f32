#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Refused loads leave nothing behind.
#
# APPEND: lockdown=integrity bpf_lockdown=signed
# CPUS: 2
# TIMEOUT: 1500

. "$(dirname "$0")/common.sh"
run_tests leaks
