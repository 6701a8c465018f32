#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds libbpf, bpftool and our selftests from the patched tree.

. "$(dirname "$0")/lib.sh"
load_env
take_lock
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

build() {
	local lib=$LINUX/tools/lib/bpf
	tools_make -C "$lib" OUTPUT="$TOOLS/libbpf/" \
		prefix= DESTDIR="$TOOLS/libbpf/root" \
		"$TOOLS/libbpf/libbpf.a" install_headers
	# without a disassembler: nobody here asks for one, and it would want all
	# of LLVM's static libraries
	tools_make -C "$LINUX/tools/bpf/bpftool" \
		OUTPUT="$TOOLS/bpftool/" SKIP_LLVM=1 VMLINUX_BTF="$KOUT/vmlinux"
	local tests=$LINUX/tools/testing/selftests/bpf_signed dir
	for dir in "" /tools; do
		[ ! -e "$tests$dir/Makefile" ] ||
		tools_make -C "$tests$dir" \
			OUTPUT="$TOOLS/bpf_signed$dir" KDIR="$KOUT" \
			VMLINUX="$KOUT/vmlinux" VMLINUX_BTF="$KOUT/vmlinux" \
			BPFTOOL="$TOOLS/bpftool/bpftool" \
			LIBBPF="$TOOLS/libbpf/libbpf.a" \
			LIBBPF_INCLUDE="$TOOLS/libbpf/root/include" \
			SIGNING_KEY="$KOUT/certs/signing_key.pem" \
			SIGNING_CERT="$KOUT/certs/signing_key.x509"
	done
}

mkdir -p "$TOOLS/libbpf" "$TOOLS/bpftool" "$TOOLS/bpf_signed"
with_progress "$BUILD/tools$SUFFIX.log" "libbpf, bpftool, selftests" build
