#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds bcc's libbpf-tools, unchanged, against our libbpf, with their BPF
# objects signed: $BUILD/libbpf-tools/bin/TOOL, and the objects in .../signed and
# .../unsigned beside it. Prints a table of what failed; the status is zero if
# it is empty.
#
#	libbpf-tools.sh [TOOL...]
#	KEY= CERT=  what to sign with; the kernel's module signing key by default
#	VARIANT=    build tools in .../bin-VARIANT from the objects in .../VARIANT
#		    instead of the signed ones: "unsigned", or what somebody
#		    else has put there
#
# What a tool's signer has to allow beyond the defaults is in libbpf-tools/*.policy.

. "$(dirname "$0")/lib.sh"
load_env

# What Debian's mirrors have of the source package bpfcc differs from time to
# time. Any of these will do.
sources="
bpfcc_0.35.0+ds.orig.tar.xz 72d1f41f73350ebb6cd996b1128a2c80206bf0cf1c99e2ab6ab637487e2824fa
bpfcc_0.37.0+ds.orig.tar.xz a9f2d8b8b262a49591cbbdd16f86ac7ea6a40f3eab8c096470e799f78eb77437
bpfcc_0.31.0+ds.orig.tar.gz 408d37f067b5a1321c67204008e3825cf00c8e04e25ec3d12d36c8e384b1c727
"
files=$ROOT/dev/libbpf-tools
out=$BUILD/libbpf-tools
KEY=$(realpath -m "${KEY:-$KOUT/certs/signing_key.pem}")
CERT=$(realpath -m "${CERT:-$KOUT/certs/signing_key.x509}")
bpftool=$TOOLS/bpftool/bpftool
libbpf=$TOOLS/libbpf/libbpf.a
include=$TOOLS/libbpf/root/include
for f in "$bpftool" "$libbpf" "$KOUT/vmlinux" "$KEY" "$CERT"; do
	[ -r "$f" ] || die "there is no $f: run 'make tools'"
done
llvm=${LLVM#-}

right_sum() {
	[ -r "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]
}

# Sets src to the unpacked source package
get_source() {
	local file sum mirror
	mkdir -p "$BUILD/cache" "$out"
	while read -r file sum; do
		[ -n "$file" ] && right_sum "$BUILD/cache/$file" "$sum" && break
	done <<<"$sources"
	if [ -z "${file:-}" ]; then
		while read -r file sum; do
			[ -n "$file" ] || continue
			for mirror in $(mirrors); do
				fetch -sS -o "$BUILD/cache/$file.part" \
					"$mirror/pool/main/b/bpfcc/$file" 2>/dev/null || continue
				right_sum "$BUILD/cache/$file.part" "$sum" ||
					die "checksum of $mirror/pool/main/b/bpfcc/$file does not match"
				mv "$BUILD/cache/$file.part" "$BUILD/cache/$file"
				break 2
			done
		done <<<"$sources"
	fi
	[ -n "${file:-}" ] || die "no Debian mirror has the source of bpfcc in a version that is known here"
	src=$out/src-$sum
	if [ ! -d "$src" ]; then
		rm -rf "$src.part"
		mkdir -p "$src.part"
		tar -C "$src.part" --strip-components=1 -xf "$BUILD/cache/$file"
		mv "$src.part" "$src"
	fi
	note "libbpf-tools of $file"
}

# Only a kernel with other types makes everything anew
get_vmlinux_h() {
	if [ ! -r "$out/vmlinux.h" ] || [ "$KOUT/vmlinux" -nt "$out/vmlinux.stamp" ]; then
		"$bpftool" btf dump file "$KOUT/vmlinux" format c >"$out/vmlinux.h.new"
		cmp -s "$out/vmlinux.h.new" "$out/vmlinux.h" ||
			cp "$out/vmlinux.h.new" "$out/vmlinux.h"
		rm "$out/vmlinux.h.new"
		touch "$out/vmlinux.stamp"
	fi
}

build() {
	# how libelf was built decides whether the static libbpf needs it
	local extra=
	echo 'int main(void){return 0;}' | clang-"$llvm" -x c - -lzstd -o /dev/null 2>/dev/null && extra=-lzstd
	make -k -j"$JOBS" -f "$files/Makefile" O="$out" T="$src/libbpf-tools" \
		INCLUDE="$include" LIBBPF="$libbpf" BPFTOOL="$bpftool" \
		KEY="$KEY" CERT="$CERT" POLICIES="$files" ARCH="$arch" \
		CLANG="clang-$llvm" CC="clang-$llvm" STRIP="llvm-strip-$llvm" \
		SYSINC="/usr/include /usr/include/$(uname -m)-linux-gnu" \
		EXTRA_LIBS="$extra" VARIANT="$variant" TOOLS_LIST="${tools[*]}" || true
}

case $(uname -m) in
x86_64)		arch=x86 ;;
aarch64)	arch=arm64 ;;
*)		die "libbpf-tools are built for x86-64 and arm64 only" ;;
esac

get_source
get_vmlinux_h
variant=${VARIANT:-signed}
suffix=-$variant
[ "$variant" != signed ] || suffix=
mkdir -p "$out"/{unsigned,signed,common} "$out/skel$suffix" "$out/bin$suffix"
tools=("$@")
for t in "${tools[@]}"; do
	[ -r "$src/libbpf-tools/$t.bpf.c" ] || die "libbpf-tools have no $t"
done
for f in "$src"/libbpf-tools/*.bpf.c; do
	[ $# -eq 0 ] || break
	f=${f##*/}
	tools+=("${f%.bpf.c}")
done
with_progress "$BUILD/libbpf-tools.log" "libbpf-tools" build

failed=0
for t in "${tools[@]}"; do
	for step in "unsigned/$t.bpf.o:compile" "$variant/$t.bpf.o:sign" \
		    "skel$suffix/$t.skel.h:skeleton" "bin$suffix/$t:build"; do
		[ -e "$out/${step%:*}" ] && continue
		printf '%-16s %s failed\n' "$t" "${step#*:}"
		failed=$((failed + 1))
		break
	done
done
note "libbpf-tools: $((${#tools[@]} - failed)) of ${#tools[@]} built, in $out/bin$suffix"
[ $failed -eq 0 ]
