#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What takes too long for each change, and belongs into a night:
#
#   - the CO-RE engine against relo_core.c on a million pairs of generated BTF, on
#     the objects of bcc's libbpf-tools and of the kernel's selftests, and on the
#     BTF of this kernel and of others; against relo_core.c as the series leaves it,
#     and once more, on a tenth of the pairs, as it is in the base tree
#   - fuzzing of image parser and engine
#   - the faults of the engine in C, which have to show on the base kernel
#   - what each mode of lockdown says to each way to kernel memory, for each signer
#   - the kernel's own selftests, on the base kernel and on the patched one
#
#	PAIRS=1000000   how many pairs
#	SEED=0		which: from this number on
#	TIME=600	seconds of fuzzing for each target
#	TESTS=		some of: pairs fuzz faults guests selftests
#
# Closes with one line "N passed, M failed, K skipped".

. "$(dirname "$0")/lib.sh"
load_env

PAIRS=${PAIRS:-1000000}; : "${PAIRS:=1000000}"
export TIME=${TIME:-600}; : "${TIME:=600}"
all='pairs fuzz faults guests selftests'
TESTS=${TESTS:-$all}; : "${TESTS:=$all}"
# shellcheck disable=SC2086
all_known "$TESTS" $all
logs=$BUILD/test-full
mkdir -p "$logs"
passed=0 failed=0 skipped=0

add() {
	passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
	note "$1: $2 passed, $3 failed, $4 skipped"
}

# compare NAME TREE PAIRS: the engine against relo_core.c of that tree
compare() {
	local name=$1 log=$logs/pairs-$1.log rc=0 p f s
	note "engine against relo_core.c of the $name tree, $3 pairs (log: $log)"
	# half of the pairs of each of two sorts
	(cd "$LINUX/tools/testing/bpf_signed_host" &&
	 LINUX=$2 PAIRS=$(($3 / 2)) SEED=${SEED:-0} CARGO_TARGET_DIR=$BUILD/host-$name \
	 BTF=$BUILD/host/vmlinux.btf BTFS=$BUILD/cache/btf \
	 BPF_OBJECTS=$BUILD/libbpf-tools/unsigned CORE_OBJECTS=$BUILD/core-objects \
		"$CARGO" test --release --locked differential -- --include-ignored --nocapture) \
		>"$log" 2>&1 || rc=$?
	if [ $rc != 0 ]; then
		grep -nE -A 6 '^error|panicked at|that was pair' "$log" | head -n 40 >&2 || true
	fi
	grep -E 'pairs: ' "$log" >&2 || true
	read -r p f s < <("$ROOT/dev/count.py" cargo "$log")
	[ $rc = 0 ] || [ "$f" != 0 ] || f=1
	add "engine against relo_core.c, $name" "$p" "$f" "$s"
}

# step NAME COMMAND...: one that closes with the counts itself
step() {
	local name=$1 log=$logs/$1.log rc=0 p f s
	shift
	note "$name (log: $log)"
	# what it says on the way is for whoever waits
	"$@" >"$log" || rc=$?
	grep -E '^    ' "$log" || true
	read -r p f s < <("$ROOT/dev/count.py" line "$log")
	if [ "$f" = 0 ] && { [ $rc != 0 ] || [ "$p" = 0 ]; }; then
		note "$name: FAILED with status $rc, see $log"
		f=1
	fi
	add "$name" "$p" "$f" "$s"
}

# faults: each case of core_relo_faults that is about a fault has to fail on the base
# kernel, and those about (a) by an oops. That leaves the mutex locked, so that each of
# them has a guest of its own.
faults() {
	local log=$logs/faults-guests.log passed=0 failed=0 name
	local guest=(env APPEND= RO= VM_DIR= CPUS=1 MEMORY=1G TIMEOUT=600 "$ROOT/dev/vm.sh")
	local names=() run="cd '$TOOLS/bpf_signed' && sysctl -qw kernel.panic_on_oops=0"

	FLAVOUR=base "$ROOT/dev/kernel.sh" >&2
	CMD="$run && ./core_relo_faults" BZIMAGE=$KOUT/arch/x86/boot/bzImage \
		"${guest[@]}" >"$log" 2>&1 || true
	mapfile -t names < <(sed -nE 's/^(not )?ok [0-9]+ (\([a-e]\) .*)$/\2/p' "$log")
	on_base() {
		CMD="$run; ./core_relo_faults '$1' || true" \
			BZIMAGE=$BUILD/kernel-base/arch/x86/boot/bzImage "${guest[@]}" \
			>"$log.one" 2>&1 || true
		cat "$log.one" >>"$log"
	}
	# shows NAME: the case failed, and if it is of (a) the kernel oopsed in it
	shows() {
		sed -nE 's/^not ok [0-9]+ //p' "$log.one" | grep -qxF "$1" &&
			{ [ "${1#(a)}" = "$1" ] || grep -q 'the kernel oopsed' "$log.one"; }
	}
	for name in "${names[@]}"; do
		on_base "$name"
		if shows "$name"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "    does not show on the base kernel: $name"
		fi
	done
	for name in a b c d e; do
		printf '%s\n' "${names[@]}" | grep -q "^($name)" || failed=$((failed + 1))
	done
	echo "$passed passed, $failed failed, 0 skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

if [[ " $TESTS " = *" pairs "* ]]; then
	"$ROOT/dev/libbpf-tools.sh"
	"$ROOT/dev/core-objects.sh"
	"$ROOT/dev/kernel-btf.sh"
	FLAVOUR=base "$ROOT/dev/tree.sh"
	mkdir -p "$BUILD/host"
	"llvm-objcopy$LLVM" --dump-section .BTF="$BUILD/host/vmlinux.btf" "$KOUT/vmlinux" /dev/null
	compare patched "$LINUX" "$PAIRS"
	compare base "$BUILD/linux-base" $((PAIRS / 10))
fi
if [[ " $TESTS " = *" fuzz "* ]]; then
	step fuzz "$ROOT/dev/fuzz.sh"
fi
if [[ " $TESTS " = *" faults "* ]]; then
	step faults faults # guests in faults-guests.log
fi
if [[ " $TESTS " = *" guests "* ]]; then
	step guests env TESTS="run-ways-rest run-ways-audit run-ways-signed" \
		"$ROOT/dev/test.sh"
fi
if [[ " $TESTS " = *" selftests "* ]]; then
	step selftests "$ROOT/dev/selftests.sh"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
