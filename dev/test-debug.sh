#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tests in guests and KUnit on a kernel that looks for mistakes: that of
# dev/kernel-debug.config. Each word of KASAN, UBSAN, lockdep or kmemleak is a
# failure. Loads in which allocations fail are tested on this kernel alone.
#
#	TESTS=		some of them, or others of dev/test.sh
#	FEWER_ROUNDS=1	as often as on other kernels what is repeated there
#
# Closes with one line "N passed, M failed, K skipped".

export FLAVOUR=debug
. "$(dirname "$0")/lib.sh"

# Without those that take hours on this kernel: bcc's tools, and each way to kernel
# memory in each mode.
TESTS=${TESTS:-kunit run run-core-relo run-events run-fault-injection run-leaks run-load run-mix
	run-mode-audit run-mode-restricted run-mode-signed run-mode-unknown run-races}
TESTS=$(echo $TESTS)
export TESTS
mapfile -t names < <(test_names)
all_known "$TESTS" "${names[@]}"

"$ROOT/dev/kernel.sh"
"$ROOT/dev/tools.sh"
exec "$ROOT/dev/test.sh"
