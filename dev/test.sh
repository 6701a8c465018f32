#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs all tests: on the host, some minutes of fuzzing, in the kernel (KUnit), and
# in guests. Closes with one line "N passed, M failed, K skipped".
#
# A guest test is a script run.sh or run-NAME.sh in
# tools/testing/selftests/bpf_signed that prints TAP. Comments in its head say
# what machine it wants, for example
#
#	# APPEND: lockdown=integrity bpf_lockdown=signed
#	# CPUS: 2
#	# MEMORY: 3G
#	# TIMEOUT: 1200
#	# BEFORE: dev/libbpf-tools.sh
#	# FLAVOUR: debug
#
# BEFORE is what has to be made on the host first; several lines are run in turn.
# FLAVOUR tells which kernel alone will do; NIGHTLY that it is run only by its name,
# as `make test-full` does.
#
# It is run in the directory of the built selftests, and finds the lines of
# `make paths` in its environment. TESTS= picks some: TESTS='host kunit run-x'.
#
# Guests run side by side, as many as there are CPUs (JOBS=) and memory for.
#
# With FLAVOUR=debug the guests run that kernel, with more time and memory and
# fewer rounds of what is repeated, and what dev/debug-guest.sh and the kernel's
# log say counts as well.

. "$(dirname "$0")/lib.sh"
load_env

logs=$BUILD/test$SUFFIX
mkdir -p "$logs"
# What no kernel may say; a debug kernel finds more words for it
bad_news='BUG:|WARNING:|Oops|general protection|BUG at'
slow=1 extra_memory=0 wrapper=
# see rounds() of the selftests
fewer_rounds=${FEWER_ROUNDS:-}
if [ "${FLAVOUR:-}" = debug ]; then
	bad_news="$bad_news|KASAN|UBSAN|kmemleak: [0-9]+ new|INFO: (task|rcu|lockdep|trying)"
	bad_news="$bad_news|refcount_t|DEBUG_LOCKS_WARN|rust_kernel: panicked|still has locks held"
	slow=6 extra_memory=2 wrapper=$ROOT/dev/debug-guest.sh
	fewer_rounds=${fewer_rounds:-10}
fi
selftests=$LINUX/tools/testing/selftests/bpf_signed
host=$LINUX/tools/testing/bpf_signed_host
passed=0 failed=0 skipped=0 started=

TESTS=$(echo ${TESTS:-})
mapfile -t known < <(test_names)
all_known "$TESTS" "${known[@]}"

# here and in the guests, which share the host's files, not its environment
paths=$BUILD/paths$SUFFIX.env
"$ROOT/dev/paths.sh" | sed "s/=\(.*\)/='\1'/" >"$paths"
set -a
# shellcheck source=/dev/null
. "$paths"
set +a

# What the caller wants for `make vm` is not meant for the tests
unset CMD APPEND CPUS MEMORY TIMEOUT RO

chosen() {
	[ -z "${TESTS:-}" ] && return
	case " $TESTS " in *" $1 "*) return 0 ;; esac
	return 1
}

# count NAME FORMAT FILE STATUS: adds up, and takes a bad exit status without a
# failed test for a failure
count() {
	local p f s
	read -r p f s < <("$ROOT/dev/count.py" "$2" "$3")
	if [ "$4" != 0 ] && [ "$f" = 0 ]; then
		printf '    FAILED: %s ended with status %s, see %s\n' "$1" "$4" "$3" >&2
		f=1
	fi
	if [ "$4" = 0 ] && [ $((p + f + s)) = 0 ]; then
		printf '    FAILED: %s reported no test, see %s\n' "$1" "$3" >&2
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	note "$1: $p passed, $f failed, $s skipped${started:+, $((SECONDS - started)) s}"
}

# The rest runs side by side. What a step says is told when it has ended.
slots=$JOBS
declare -A step_of=() cost_of=()

# end_steps: stops what is running
end_steps() {
	local pid
	for pid in "${!step_of[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
}
trap end_steps EXIT
trap 'exit 130' INT TERM HUP

# reap: waits for a step to end, and takes its counts
reap() {
	local pid name rc=0 p f s
	wait -n -p pid "${!step_of[@]}" || rc=$?
	name=${step_of[$pid]}
	slots=$((slots + cost_of[$pid]))
	unset "step_of[$pid]" "cost_of[$pid]"
	cat "$logs/$name.said" >&2
	if [ $rc = 0 ] && read -r p f s <"$logs/$name.counts"; then
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	else
		printf '    FAILED: %s: the step ended with status %s\n' "$name" "$rc" >&2
		failed=$((failed + 1))
	fi
}

# free_memory: in GiB
free_memory() {
	awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo
}

# fits CPUS GIB: is there a place for a step?
fits() {
	[ ${#step_of[@]} -gt 0 ] || return 0
	# what has just been started has not taken its memory yet
	[ "$slots" -ge "$1" ] && [ "$(free_memory)" -ge $(($2 + 2 * ${#step_of[@]})) ]
}

# start NAME CPUS FUNCTION
start() {
	local name=$1 cost=$2
	note "$name (log: $logs/$name.log)"
	slots=$((slots - cost))
	rm -f "$logs/$name.counts"
	# a group of processes of its own, to be stopped with all that it has started
	set -m
	(
		set +m
		trap - EXIT
		passed=0 failed=0 skipped=0 started=$SECONDS
		"$3" "$name"
		echo $passed $failed $skipped >"$logs/$name.counts"
	) >"$logs/$name.said" 2>&1 </dev/null &
	set +m
	step_of[$!]=$name cost_of[$!]=$cost
}

# step NAME CPUS GIB FUNCTION: to be started by run_steps, with its name as argument
steps=()
step() {
	steps+=("$1 $(($2 < JOBS ? $2 : JOBS)) $3 $4")
}

# run_steps: all of them, in their order as far as there is a place
run_steps() {
	local i found name cpus gib function
	while [ ${#steps[@]} -gt 0 ]; do
		found=
		for i in "${!steps[@]}"; do
			read -r name cpus gib function <<<"${steps[i]}"
			fits "$cpus" "$gib" || continue
			start "$name" "$cpus" "$function"
			unset "steps[i]"
			found=1
		done
		[ -n "$found" ] || reap
	done
	while [ ${#step_of[@]} -gt 0 ]; do
		reap
	done
}

# guest NAME OUTPUT: like dev/vm.sh. An emulated guest with several CPUs dies
# now and then while the kernel patches itself. That is the emulator's fault,
# and known by its words; such a guest gets another chance.
guest() {
	local name=$1 out=$2 dir=$BUILD/vm/test.$$.$1 rc
	rm -f "$logs/$name.console"
	for _ in 1 2 3; do
		rc=0
		VM_DIR=$dir "$ROOT/dev/vm.sh" >"$out" 2>"$logs/$name.err" || rc=$?
		case $rc in
		124|125) ;;
		*) break ;;
		esac
		grep -q 'Oops: int3' "$dir/console" || break
		note "$name: the emulated CPUs tripped over patched code, once more"
	done
	cp "$dir/console" "$logs/$name.console" 2>/dev/null || true
	rm -rf "$dir"
	return $rc
}

# The kernel has an opinion on the test, too
kernel_is_silent() {
	[ -s "$logs/$1.console" ] || {
		printf '    FAILED: %s: its kernel has left no log\n' "$1" >&2
		return 1
	}
	grep -qE "$bad_news" "$logs/$1.console" || return 0
	grep -nE -A 5 "$bad_news" "$logs/$1.console" | head -n 40 >&2
	return 1
}

# Real tools: their objects for the host tests, they themselves for the guest
if chosen host || chosen run-tools; then
	"$ROOT/dev/libbpf-tools.sh"
fi
if chosen host; then
	"$ROOT/dev/core-objects.sh"
fi

if chosen host && [ -e "$host/Cargo.toml" ]; then
	note "host tests (log: $logs/host.log)"
	rc=0
	# What the tests on real data want, see src/lib.rs
	mkdir -p "$BUILD/host"
	"llvm-objcopy$LLVM" --dump-section .BTF="$BUILD/host/vmlinux.btf" \
		"$VMLINUX" /dev/null
	# other kernels are for dev/test-full.sh
	(cd "$host" && BTF=$BUILD/host/vmlinux.btf CARGO_TARGET_DIR=$BUILD/host \
		BPF_OBJECTS=$BUILD/libbpf-tools/unsigned CORE_OBJECTS=$BUILD/core-objects \
		"$CARGO" test --release -- --include-ignored --skip other_kernels) \
		>"$logs/host.log" 2>&1 || rc=$?
	[ $rc = 0 ] || grep -nE -A 6 '^(error|----)' "$logs/host.log" | head -n 40 >&2 || true
	count host cargo "$logs/host.log" $rc
fi

if chosen fuzz; then
	note "fuzzing (log: $logs/fuzz.log)"
	rc=0
	"$ROOT/dev/fuzz.sh" >"$logs/fuzz.log" || rc=$?
	count fuzz line "$logs/fuzz.log" $rc
fi

sign() {
	local rc=0
	"$selftests/user/sign.sh" >"$logs/sign.log" 2>"$logs/sign.err" || rc=$?
	count sign tap "$logs/sign.log" $rc
}

kunit() {
	local rc=0 cmd=dmesg
	# as dev/debug-guest.sh does; what is found, is told to the log
	[ -z "$wrapper" ] ||
		cmd="for i in 1 2; do sleep 6; echo scan >/sys/kernel/debug/kmemleak; done; dmesg"
	CMD=$cmd TIMEOUT=$((300 * slow)) MEMORY=$((2 + extra_memory))G \
	APPEND='kunit.enable=1 kunit.autorun=1 kunit.filter_glob=bpf_signed*' \
		guest kunit "$logs/kunit.log" || rc=$?
	kernel_is_silent kunit || [ $rc != 0 ] || rc=kernel-warning
	count kunit tap "$logs/kunit.log" $rc
}

# want SCRIPT WORD: what its head says
want() {
	sed -n "1,30s/^# $2: *//p" "$1" | head -n 1
}

# gib_of SCRIPT: the memory of its guest
gib_of() {
	local memory
	memory=$(want "$1" MEMORY)
	memory=${memory:-2G}
	echo $((${memory%G} + extra_memory))
}

# guest_test NAME
guest_test() {
	local name=$1 script=$selftests/$1.sh append before=$wrapper timeout rc=0
	timeout=$(want "$script" TIMEOUT)
	append=$(want "$script" APPEND)
	case $wrapper:$append in
	?*:lockdown=integrity*)
		# kmemleak is closed on a machine that is locked down: open it first
		append=${append#lockdown=integrity}
		before="LOCKDOWN=integrity $wrapper" ;;
	esac
	CMD="set -a; . '$paths'; FEWER_ROUNDS=$fewer_rounds
		cd '$TOOLS/bpf_signed' && $before '$script'" \
	APPEND=$append CPUS=$(want "$script" CPUS) MEMORY=$(gib_of "$script")G \
	TIMEOUT=$((${timeout:-600} * slow)) \
		guest "$name" "$logs/$name.log" || rc=$?
	kernel_is_silent "$name" || [ $rc != 0 ] || rc=kernel-warning
	count "$name" tap "$logs/$name.log" $rc
}

# what takes longest first
by_timeout() {
	local script timeout
	for script in "$@"; do
		timeout=$(want "$script" TIMEOUT)
		echo "${timeout:-600} $script"
	done | sort -s -k1,1nr | cut -d' ' -f2-
}

mapfile -t scripts < <(by_timeout "$selftests"/run.sh "$selftests"/run-*.sh)
for script in "${scripts[@]}"; do
	name=$(basename "$script" .sh)
	chosen "$name" || continue
	flavour=$(want "$script" FLAVOUR)
	if [ -n "$flavour" ] && [ "$flavour" != "${FLAVOUR:-}" ]; then
		[ -n "${TESTS:-}" ] || continue
		printf '    FAILED: %s is for the %s kernel alone\n' "$name" "$flavour" >&2
		failed=$((failed + 1))
		continue
	fi
	[ -z "$(want "$script" NIGHTLY)" ] || [ -n "${TESTS:-}" ] || continue
	before=$(sed -n '1,30s/^# BEFORE: *//p' "$script")
	if [ -n "$before" ] && ! (cd "$ROOT" && bash -ec "$before") >"$logs/$name.before" 2>&1; then
		tail -n 20 "$logs/$name.before" >&2
		printf '    FAILED: %s: %s\n' "$name" "$before" >&2
		failed=$((failed + 1))
		continue
	fi
	cpus=$(want "$script" CPUS)
	step "$name" "${cpus:-1}" "$(gib_of "$script")" guest_test
done
if chosen kunit; then
	step kunit 1 $((2 + extra_memory)) kunit
fi
if chosen sign; then
	step sign 1 1 sign
fi
run_steps

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
