#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds libbpf, bpftool and our selftests from the patched tree.

. "$(dirname "$0")/lib.sh"
load_env
take_lock
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

n=${LLVM#-}
cc=(CC="clang-$n" HOSTCC="clang-$n" LD="ld.lld-$n" HOSTLD="ld.lld-$n"
    AR="llvm-ar-$n" HOSTAR="llvm-ar-$n" CLANG="clang-$n"
    LLVM_STRIP="llvm-strip-$n" LLVM_CONFIG="llvm-config-$n"
    LLVM_OBJCOPY="llvm-objcopy-$n" OBJCOPY="llvm-objcopy-$n")

build() {
	local lib=$LINUX/tools/lib/bpf
	make -C "$lib" -j"$JOBS" "${cc[@]}" OUTPUT="$TOOLS/libbpf/" \
		prefix= DESTDIR="$TOOLS/libbpf/root" \
		"$TOOLS/libbpf/libbpf.a" install_headers
	make -C "$LINUX/tools/bpf/bpftool" -j"$JOBS" "${cc[@]}" \
		OUTPUT="$TOOLS/bpftool/" VMLINUX_BTF="$KOUT/vmlinux"
	[ ! -d "$LINUX/tools/testing/selftests/bpf_signed" ] ||
	make -C "$LINUX/tools/testing/selftests/bpf_signed" -j"$JOBS" "${cc[@]}" \
		OUTPUT="$TOOLS/bpf_signed" KDIR="$KOUT" \
		VMLINUX="$KOUT/vmlinux" VMLINUX_BTF="$KOUT/vmlinux" \
		BPFTOOL="$TOOLS/bpftool/bpftool" \
		LIBBPF="$TOOLS/libbpf/libbpf.a" \
		LIBBPF_INCLUDE="$TOOLS/libbpf/root/include" \
		SIGNING_KEY="$KOUT/certs/signing_key.pem" \
		SIGNING_CERT="$KOUT/certs/signing_key.x509"
}

mkdir -p "$TOOLS/libbpf" "$TOOLS/bpftool" "$TOOLS/bpf_signed"
with_progress "$BUILD/tools.log" "libbpf, bpftool, selftests" build
