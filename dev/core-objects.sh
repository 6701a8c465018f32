#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Compiles what the kernel's own BPF selftests relocate, from the base tree as it
# is: programs, and the types to relocate them against (btf__*). For the host
# tests: $BUILD/core-objects/*.bpf.o

. "$(dirname "$0")/lib.sh"
load_env

out=$BUILD/core-objects
dir=tools/testing/selftests/bpf
base=$(base_commit)
for f in "$TOOLS/bpftool/bpftool" "$TOOLS/libbpf/root/include/bpf/bpf_helpers.h" "$KOUT/vmlinux"; do
	[ -r "$f" ] || die "there is no $f: run 'make tools'"
done

if [ "$(cat "$out/base" 2>/dev/null)" != "$base" ]; then
	rm -rf "$out"
	mkdir -p "$out"
	base_git archive "$base" "$dir"/{progs,test_kmods,gnu} | tar -xf - -C "$out"
	printf '%s\n' "$base" >"$out/base"
fi
"$TOOLS/bpftool/bpftool" btf dump file "$KOUT/vmlinux" format c >"$out/vmlinux.h.new"
if cmp -s "$out/vmlinux.h.new" "$out/vmlinux.h"; then
	rm "$out/vmlinux.h.new"
else
	mv "$out/vmlinux.h.new" "$out/vmlinux.h"
	rm -f "$out"/*.o
fi

compile() {
	local o=${1##*/}
	o=$out/${o%.c}.bpf.o
	[ ! -e "$o" ] || return 0
	# -mcpu and warnings as that directory's Makefile has them
	"$CLANG" -g -O2 -mcpu=v3 --target=bpf -D__TARGET_ARCH_x86 -std=gnu11 \
		-fno-strict-aliasing -fms-extensions -Wno-microsoft-anon-tag \
		-Wno-compare-distinct-pointer-types -Wno-initializer-overrides \
		-I"$out" -I"$out/$dir" -I"$TOOLS/libbpf/root/include" -idirafter /usr/include \
		-idirafter "/usr/include/$(uname -m)-linux-gnu" -c "$1" -o "$o.new" &&
		mv "$o.new" "$o"
}
export -f compile
export out dir CLANG TOOLS
printf '%s\n' "$out/$dir"/progs/{btf__core,test_core,core_}*.c |
	xargs -P "$JOBS" -n 1 bash -c 'compile "$0"' >"$out/log" 2>&1 ||
	{ grep -m 5 error: "$out/log" >&2; die "some of the selftests' objects do not compile, see $out/log"; }
n=$(find "$out" -maxdepth 1 -name '*.bpf.o' | wc -l)
[ "$n" -gt 80 ] || die "there are only $n objects in $out"
note "objects of the kernel's selftests: $n, in $out"
