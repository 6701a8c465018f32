#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a program was signed for holds without lockdown, too.
#
# TIMEOUT: 900

. "$(dirname "$0")/common.sh"
run_tests events
