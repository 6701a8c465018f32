#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each mode of lockdown, with only signed programs allowed.
#
# APPEND: bpf_lockdown=signed
# CPUS: 2
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests lockdown
