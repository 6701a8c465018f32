#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Times the CO-RE engine on the host against relo_core.c of the same tree, all of
# libbpf, and aya-obj, on the objects of bcc's libbpf-tools and the kernel's own
# types, and writes the table into Documentation/bpf/signed_image_bench.rst.
#
#	OUT=FILE   write there instead; "-" prints alone

. "$(dirname "$0")/lib.sh"
load_env

OUT=${OUT:-$ROOT/Documentation/bpf/signed_image_bench.rst}
bench=$ROOT/tools/testing/bpf_signed_host/bench
objects=$BUILD/libbpf-tools/unsigned
[ -d "$objects" ] || die "there are no objects in $objects: run 'make tools'"
[ -r "$KOUT/vmlinux" ] || die "there is no kernel: run 'make kernel'"

mkdir -p "$BUILD/host"
"llvm-objcopy$LLVM" --dump-section .BTF="$BUILD/host/vmlinux.btf" "$KOUT/vmlinux" /dev/null
if ! (cd "$bench" && BTF=$BUILD/host/vmlinux.btf BPF_OBJECTS=$objects LINUX=$LINUX \
	CARGO_TARGET_DIR=$BUILD/host-bench "$CARGO" run --release --locked) \
	>"$BUILD/bench.out" 2>"$BUILD/bench.log"; then
	tail -n 30 "$BUILD/bench.log" >&2
	die "the benchmark failed"
fi
cat "$BUILD/bench.out"
[ "$OUT" != - ] || exit 0

{
	cat <<-'EOF'
	.. SPDX-License-Identifier: GPL-2.0

	:orphan:

	=========================
	Speed of CO-RE relocation
	=========================

	Made by ``make bench``; do not edit. The engine of
	Documentation/bpf/signed_image.rst (Rust), libbpf's, which the kernel has as well
	(C), and aya-obj's relocate all records of the objects of bcc's libbpf-tools
	against the types of one kernel. All run on the host, in one process, one after
	the other, on one thread. A time is the median of several rounds (CPU time, where
	it takes milliseconds), a ratio how many times as long the other one takes as
	Rust does.

	with searches
	    From nothing, as in a load. Rust keeps nothing between programs. C searches
	    once for each root type of an object; the kernel does so under a mutex, and
	    keeps what it found for 31 names.
	without
	    The same once more: no candidate is searched for.
	with the kernel's BTF read
	    What relocation takes in user space, where the kernel's BTF has to be read
	    first. In the kernel it is at hand, so the ratio is to Rust with searches.

	EOF
	cat "$BUILD/bench.out"
	printf '\nOn %s, with aya-obj %s.\n' \
		"$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1 | tr -s ' ')" \
		"$(sed -n '/^name = "aya-obj"/{n;s/.*"\(.*\)"/\1/p}' "$bench/Cargo.lock")"
} >"$OUT"
note "written: $OUT"
