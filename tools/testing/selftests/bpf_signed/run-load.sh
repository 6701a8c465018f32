#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What libbpf makes of signed objects, and what a tool may do with them.
#
# APPEND: lockdown=none

. "$(dirname "$0")/common.sh"
run_tests "user/load user/load.signed.o user/load.bpf.o user/load.foreign.o"
