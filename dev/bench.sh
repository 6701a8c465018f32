#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Times the CO-RE engine on the host against relo_core.c of the same tree, on
# the objects of bcc's libbpf-tools and the kernel's own types, and writes the
# table into Documentation/bpf/signed_image_bench.rst.
#
#	OUT=FILE   write there instead; "-" prints alone

. "$(dirname "$0")/lib.sh"
load_env

OUT=${OUT:-$ROOT/Documentation/bpf/signed_image_bench.rst}
host=$ROOT/tools/testing/bpf_signed_host
objects=$BUILD/libbpf-tools/unsigned
[ -d "$objects" ] || die "there are no objects in $objects: run 'make tools'"
[ -r "$KOUT/vmlinux" ] || die "there is no kernel: run 'make kernel'"

mkdir -p "$BUILD/host"
"llvm-objcopy$LLVM" --dump-section .BTF="$BUILD/host/vmlinux.btf" "$KOUT/vmlinux" /dev/null
if ! (cd "$host" && BTF=$BUILD/host/vmlinux.btf BPF_OBJECTS=$objects LINUX=$LINUX \
	CARGO_TARGET_DIR=$BUILD/host "$CARGO" bench --locked --bench engines) \
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
	Documentation/bpf/signed_image.rst and libbpf's, which the kernel has as well,
	relocate all records of the objects of bcc's libbpf-tools against the types of
	one kernel. Both run on the host, in one process, one after the other, each
	time the median of several rounds, on one thread.

	Rust
	    with all searches for candidates: the engine keeps nothing between programs
	C cold
	    with one search for each root type of an object, as libbpf does. The kernel
	    searches in the same way, under a mutex, and keeps what it found for 31
	    names
	C warm
	    with all candidates at hand, without any search

	EOF
	cat "$BUILD/bench.out"
	printf '\nOn %s.\n' "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1 | tr -s ' ')"
} >"$OUT"
note "written: $OUT"
