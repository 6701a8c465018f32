#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tests in guests and KUnit on a kernel that looks for mistakes: that of
# dev/kernel-debug.config. Each word of KASAN, UBSAN, lockdep or kmemleak is a
# failure. Loads in which allocations fail are tested on this kernel alone.
#
#	TESTS=	some of them
#
# Closes with one line "N passed, M failed, K skipped".

export FLAVOUR=debug
. "$(dirname "$0")/lib.sh"

"$ROOT/dev/kernel.sh"
"$ROOT/dev/tools.sh"
# those of bcc's tools take hours on this kernel
export TESTS=${TESTS:-kunit run run-core-relo run-fault-injection run-leaks
	run-mode-plain run-mode-signed run-races}
TESTS=$(echo $TESTS)
exec "$ROOT/dev/test.sh"
