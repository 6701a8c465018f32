#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Brings the BTF of other kernels, those of Debian's packages, for the tests to
# relocate against: $BUILD/cache/btf/SUITE.btf, a raw .BTF section each.
#
#	SUITES="bookworm trixie trixie-backports"   whose kernels to take
#
# What is there already is not asked for again.

. "$(dirname "$0")/lib.sh"
. "$ROOT/dev/debian-lib.sh"
load_env

SUITES=${SUITES:-bookworm trixie trixie-backports}
out=$BUILD/cache/btf
[ -d "$GITDB" ] || die "no base kernel yet: run 'make base'"
mkdir -p "$out"
tmp=$(mktemp -d "$BUILD/cache/btf.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# The numbered packages, not those that depend on the newest, nor variants. From
# 7.2 on linux-image is empty, and linux-binary has the file.
number='[0-9][.0-9]*([-+][.+0-9a-z]+)?'
kernels=("linux-binary-(unsigned-)?$number-amd64" "linux-image-$number-amd64")

get() {
	local suite=$1 m k line='' sum file
	for m in $(mirrors); do
		get_index "$tmp" "$m" "$suite" || continue
		for k in "${kernels[@]}"; do
			line=$(newest "$tmp/Packages" "$k")
			[ -n "$line" ] && break 2
		done
	done
	[ -n "$line" ] || die "no mirror offers a kernel in $suite"
	read -r _ sum file <<<"$line"
	note "BTF of other kernels: downloading $(basename "$file")"
	fetch -# -o "$tmp/deb" "$m/$file" || die "download of $m/$file failed"
	[ "$(sum_of "$tmp/deb")" = "$sum" ] ||
		die "checksum of $file does not match the index"
	dpkg-deb --fsys-tarfile "$tmp/deb" |
		tar -xOf - --wildcards '*/vmlinuz*' >"$tmp/vmlinuz" ||
		die "$file has no kernel"
	base_git show "$(base_commit):scripts/extract-vmlinux" >"$tmp/extract"
	# it asks readelf whether the result is an ELF file
	bash "$tmp/extract" "$tmp/vmlinuz" >"$tmp/vmlinux" 2>"$tmp/extract.err" ||
		{ tail -n 3 "$tmp/extract.err" >&2; die "cannot unpack the kernel of $file"; }
	"llvm-objcopy$LLVM" --dump-section ".BTF=$tmp/btf" "$tmp/vmlinux" /dev/null
	[ "$(od -An -tx2 -N2 "$tmp/btf" | tr -d ' ')" = eb9f ] ||
		die "the kernel of $file has no BTF"
	printf '%s %s\n' "$(basename "$file")" "$sum" >"$out/$suite.from"
	mv "$tmp/btf" "$out/$suite.btf"
}

for suite in $SUITES; do
	[ -s "$out/$suite.btf" ] || get "$suite"
	note "BTF of other kernels: $(cut -d' ' -f1 "$out/$suite.from"), $(stat -c %s "$out/$suite.btf") bytes"
done
