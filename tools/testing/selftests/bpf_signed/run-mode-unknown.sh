#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each mode of lockdown, with words that the kernel does not know.
#
# APPEND: bpf_lockdown=nonsense bpf_lockdown_ceiling=kernel,user-read,nonsense bpf_lockdown_audit=nonsense
# CPUS: 2
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests lockdown
