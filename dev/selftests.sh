#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs those of the kernel's own BPF selftests that relocate, or load a light
# skeleton, or read BTF: built from the base tree as it is, and run on the base
# kernel and on the patched one, which have to give the same result, test by
# test.
#
#	dev/selftests.sh [TEST...]	some tests, as `test_progs -t` takes them
#
# Prints each difference, and what both kernels fail or skip. Closes with one line
# "N passed, M failed, K skipped": passed on both; different; skipped or failed by
# both.
#
# dev/selftests.differ lists tests that cannot but differ. For these it is the
# selftests of the patched tree that have to pass on the patched kernel. All of
# those have to build.
#
#	RERUN=0   take the results of the last run

. "$(dirname "$0")/lib.sh"
load_env
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

out=$BUILD/selftests
dir=tools/testing/selftests/bpf
base=$(base_commit)
mkdir -p "$out"
[ -r "$KOUT/arch/x86/boot/bzImage" ] || die "there is no kernel: run 'make kernel'"

# Which files in prog_tests. Those without a word on CO-RE or BTF in their name
# use light skeletons.
tests='core_.*|signed_loader|btf|btf_.*|map_btf|test_btf_ext|resolve_btfids'
tests="$tests|atomics|fentry_fexit|fentry_test|fexit_sleep|fexit_test|global_data_init"
tests="$tests|kernel_flag|kfunc_call|ksyms_btf|ksyms_module|map_ptr|ringbuf"
tests="$tests|trace_printk|trace_vprintk|verif_stats"

# Leaves in the current directory, $dir of a tree, what these tests need. All of
# it would take half an hour to build.
prune() {
	local keep
	keep=$({
		cd prog_tests || exit
		find . -name '*.c' | sed 's,^\./,,' | grep -E "^($tests)\.c$" |
			xargs grep -ohE '[a-zA-Z0-9_]+\.(l|sub)?skel\.h|[a-zA-Z0-9_]+\.bpf\.o' |
			sed 's/\..*//'
		cd ../progs || exit
		# names that the tests put together
		find . -name 'btf__*.c' -o -name 'btf_dump_test_case_*.c' \
			-o -name btf_data.c | sed 's,^\./,,; s,\.c$,,'
		# these the Makefile asks for
		sed -n '/^LSKELS/,/^$/p' ../Makefile | grep -oE '[a-zA-Z0-9_]+\.c' |
			sed 's/\.c$//'
	} | sort -u)
	find progs -name '*.c' | sed 's,^progs/\(.*\)\.c$,\1,' |
		grep -vxF "$keep" | sed 's,.*,progs/&.c,' | xargs rm
	find prog_tests -name '*.c' | grep -vE "^prog_tests/($tests)\.c$" | xargs rm
}

# build NAME TREE-ISH KERNEL STRICT: test_progs in $out/NAME/bin. If not STRICT, what
# does not compile is left out, and listed in the log.
build() {
	local name=$1 tree
	tree=$(base_git rev-parse "$2^{tree}")
	if [ "$(cat "$out/$name/id" 2>/dev/null)" != "$tree" ]; then
		rm -rf "${out:?}/$name"
		mkdir -p "$out/$name/bin"
		base_git archive "$tree" tools scripts kernel/bpf include/uapi |
			tar -xf - -C "$out/$name"
		(cd "$out/$name/$dir" && prune)
		printf '%s\n' "$tree" >"$out/$name/id"
	fi
	# O= is where the kernel's configuration is; an empty list stands for
	# programs linked of several objects, none of which is in use here. A
	# submake asks the environment for the linker.
	(cd "$out/$name/$dir" &&
	 with_progress "$out/$name.log" "selftests of the $name tree" env CLANG="$CLANG" \
		make -j"$JOBS" BPF_STRICT_BUILD="$4" LLVM="$LLVM" SKIP_LLVM=1 SKIP_DOCS=1 LINKED_SKELS= \
		O="$3" VMLINUX_BTF="$3/vmlinux" OUTPUT="$out/$name/bin" \
		TRUNNER_EXTRA_FILES="verify_sig_setup.sh $out/$name/bin/sign-file $(echo progs/btf_dump_test_case_*.c)" \
		"$out/$name/bin/test_progs")
}

# modules NAME TREE KERNEL: the test modules for that kernel in $out/kmods-NAME
modules() {
	local to=$out/kmods-$1
	if [ "$3/vmlinux" -nt "$to/bpf_testmod.ko" ]; then
		rm -rf "$to"
		cp -r "$out/base/$dir/test_kmods" "$to"
		with_progress "$to.log" "test modules for the $1 kernel" \
			make -C "$2" O="$3" LLVM="$LLVM" RUSTC="$RUSTC" BINDGEN="$BINDGEN" \
			M="$to" -j"$JOBS" modules
	fi
}

# run TREE KERNEL BZIMAGE [TEST...]: the results in $out/TREE-on-KERNEL.results, a
# line "test<TAB>verdict" each
run() {
	local tree=$1 kernel=$2 bzimage=$3 name=$1-on-$2 rc=0 args=''
	shift 3
	[ "${RERUN:-1}" != 0 ] || [ ! -s "$out/$name.results" ] || return 0
	[ $# = 0 ] || args=$(printf ' -t %q' "$@")
	rm -rf "$out/run"
	mkdir -p "$out/run"
	# the tests look for all of it where they are
	find "$out/$tree/bin" -maxdepth 1 -type f \
		\( -name '*.bpf.o' -o ! -name '*.[oadh]' \) -exec ln -st "$out/run" {} +
	ln -s "$out/$tree/bin/tools/build/bpftool/bootstrap/bpftool" "$out/run/bpftool"
	find "$out/kmods-$kernel" -maxdepth 1 -name '*.ko' -exec ln -st "$out/run" {} +
	note "selftests of the $tree tree on the $kernel kernel (log: $out/$name.out)"
	BZIMAGE=$bzimage CMD="cd '$out/run' && ./test_progs$args" CPUS=1 MEMORY=3G \
		TIMEOUT=${TIMEOUT:-3600} VM_DIR=$BUILD/vm/selftests \
		"$ROOT/dev/vm.sh" >"$out/$name.out" 2>"$out/$name.err" || rc=$?
	cp "$BUILD/vm/selftests/console" "$out/$name.console" 2>/dev/null || true
	grep -aq '^Summary: ' "$out/$name.out" || {
		tail -n 20 "$out/$name.err" >&2
		die "the selftests did not run to their end on the $kernel kernel, status $rc"
	}
	if grep -E 'BUG:|WARNING:|Oops|general protection|BUG at' "$out/$name.console" >&2; then
		note "that is what the $kernel kernel had to say"
		[ "$kernel" = base ] || failed=$((failed + 1))
	fi
	# failed tests come twice
	rm -f "$out/$name.results"
	sed '/^All error logs:/q' "$out/$name.out" |
		sed -nE 's/^#[0-9/]+ +(.*):(OK|FAIL|SKIP)( \(SKIP: [0-9/]+\))?$/\1\t\2/p' \
		>"$out/$name.results"
}

passed=0 failed=0 skipped=0
FLAVOUR=base "$ROOT/dev/tree.sh"
FLAVOUR=base "$ROOT/dev/kernel.sh"
base_linux=$BUILD/linux-base base_kout=$BUILD/kernel-base

build base "$base" "$base_kout" 1
modules base "$base_linux" "$base_kout"
modules patched "$LINUX" "$KOUT"
run base base "$base_kout/arch/x86/boot/bzImage" "$@"
run base patched "$KOUT/arch/x86/boot/bzImage" "$@"

verdicts() {
	join -t "$(printf '\t')" -a 1 -a 2 -e missing -o 0,1.2,2.2 \
		<(sort "$out/base-on-base.results") <(sort "$out/base-on-patched.results")
}

# What the series does to the selftests of its own tree
build patched "$(cat "$LINUX.tree")" "$KOUT" 0
while read -r what name; do
	echo "    DOES NOT BUILD in the patched tree: $name"
	[ "$what" != SKIP-TEST ] && [ "$what" != SKIP-BPF ] || failed=$((failed + 1))
done < <(sed -nE 's/^ *(SKIP-[A-Z]+) +(.*)$/\1 \2/p' "$out/patched.log")

# Those that have to differ, among the ones that ran
mapfile -t differ < <(grep -v '^#' "$ROOT/dev/selftests.differ" |
	grep -xF -f - <(cut -f 1 "$out/base-on-base.results") || true)
if [ ${#differ[@]} -gt 0 ]; then
	run patched patched "$KOUT/arch/x86/boot/bzImage" "${differ[@]}"
fi

while IFS=$'\t' read -r name on_base on_patched; do
	case $on_base:$on_patched in
	OK:OK)
		passed=$((passed + 1))
		continue ;;
	SKIP:SKIP)
		echo "    both $on_base: $name"
		skipped=$((skipped + 1))
		continue ;;
	esac
	if printf '%s\n' "${differ[@]}" | grep -qxF "$name"; then
		if grep -qxF "$name"$'\tOK' "$out/patched-on-patched.results"; then
			echo "    $on_base, of its own tree OK: $name"
			passed=$((passed + 1))
			continue
		fi
		on_patched="$on_patched, of its own tree not OK"
	fi
	# what fails on both shows nothing
	echo "    base kernel $on_base, patched kernel $on_patched: $name"
	failed=$((failed + 1))
done < <(verdicts)

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
