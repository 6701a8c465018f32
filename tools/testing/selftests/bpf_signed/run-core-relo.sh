#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Hostile CO-RE records. They come with programs that are not signed, so that
# the machine is not locked down.
#
# CPUS: 1
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests core_relo_faults
