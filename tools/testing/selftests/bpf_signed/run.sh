#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Everything that a locked-down machine allows.
#
# APPEND: lockdown=integrity bpf_lockdown=signed
# CPUS: 2
# MEMORY: 2G
# TIMEOUT: 1500

. "$(dirname "$0")/common.sh"
run_tests errors tamper format attach resolve events modules maps keys privs payloads lsm lockdown
