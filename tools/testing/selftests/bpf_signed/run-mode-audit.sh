#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each mode of lockdown, with unsigned programs recorded only.
#
# APPEND: bpf_lockdown=audit
# CPUS: 2
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests lockdown
