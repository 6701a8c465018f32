#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where things are (or will be, once they are built), for other scripts.

. "$(dirname "$0")/lib.sh"
VNG=
[ ! -r "$BUILD/env.sh" ] || load_env

cat <<EOF
LINUX=$LINUX
KERNEL=$KOUT
BZIMAGE=$KOUT/arch/x86/boot/bzImage
VMLINUX=$KOUT/vmlinux
BPFTOOL=$TOOLS/bpftool/bpftool
LIBBPF=$TOOLS/libbpf/libbpf.a
LIBBPF_INCLUDE=$TOOLS/libbpf/root/include
SELFTESTS=$TOOLS/bpf_signed
SIGNING_KEY=$KOUT/certs/signing_key.pem
SIGNING_CERT=$KOUT/certs/signing_key.x509
CLANG=${CLANG:-}
VNG=$VNG
EOF
