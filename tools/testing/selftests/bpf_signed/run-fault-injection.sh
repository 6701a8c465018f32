#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Loads in which memory runs out. The test locks the machine down.
#
# FLAVOUR: debug
# APPEND: lockdown=none bpf_lockdown=signed
# CPUS: 2
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests fault_injection
