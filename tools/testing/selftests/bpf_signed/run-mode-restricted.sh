#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each mode of lockdown, as it is without a word about BPF on the command line; keys of users count.
#
# CPUS: 2
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests keys lockdown
