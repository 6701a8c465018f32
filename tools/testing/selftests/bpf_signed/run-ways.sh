#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What BPF programs can have of the kernel while nobody keeps them from it: each
# leak is shown to be one. And all of them load, signed or not.
#
# APPEND: lockdown=none
# CPUS: 1
# MEMORY: 2G
# TIMEOUT: 2400

. "$(dirname "$0")/common.sh"
run_tests "ways/ways --prove" "ways/useful unsigned" "ways/useful"
