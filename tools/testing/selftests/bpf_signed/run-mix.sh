#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Signed and unsigned programs beside each other.
#
# APPEND: bpf_lockdown=restricted
# CPUS: 1
# TIMEOUT: 300

. "$(dirname "$0")/common.sh"
run_tests mix
