#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each mode of lockdown, with a word that the kernel does not know.
#
# APPEND: bpf_lockdown=nonsense
# CPUS: 2
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests lockdown
