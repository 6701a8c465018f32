#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# How long it takes to load the objects of bcc's libbpf-tools, in guests: signed
# as images, unsigned by the base tree's libbpf, and as signed light skeletons; to
# relocate them, by this kernel and by the base kernel; and to load several at a
# time. Writes Documentation/bpf/signed_image_bench_load.rst. There is no limit
# that anything has to keep.
#
#	OUT=FILE      write there instead; "-" prints alone
#	ROUNDS=3      how often each is measured
#	SECONDS_EACH=10  how long each number of processes loads
#	MEASURE=0     make the tables anew from what was measured last
#	BASE_BZIMAGE= a base kernel that is there already

. "$(dirname "$0")/lib.sh"
load_env

OUT=${OUT:-$ROOT/Documentation/bpf/signed_image_bench_load.rst}
ROUNDS=${ROUNDS:-3}
SECONDS_EACH=${SECONDS_EACH:-10}
here=$ROOT/dev/bench-load
tests=$ROOT/tools/testing/selftests/bpf_signed
work=$BUILD/bench-load
objects=$BUILD/libbpf-tools
bpftool=$TOOLS/bpftool/bpftool
[ -r "$KOUT/arch/x86/boot/bzImage" ] || die "there is no kernel for x86-64: run 'make kernel'"
[ -x "$bpftool" ] || die "there is no $bpftool: run 'make tools'"
llvm=${LLVM#-}
cflags=(-O2 -g -Wall -std=gnu11 -I"$tests" -I"$LINUX/tools/include"
	-I"$LINUX/tools/include/uapi" -I"$LINUX/tools/lib/bpf")
mkdir -p "$work"

# The peers: the base tree's libbpf and kernel
FLAVOUR=base "$ROOT/dev/tree.sh"
base_libbpf=$BUILD/tools-base/libbpf
build_base_libbpf() {
	tools_make -C "$BUILD/linux-base/tools/lib/bpf" OUTPUT="$base_libbpf/" \
		prefix= DESTDIR="$base_libbpf/root" "$base_libbpf/libbpf.a" install_headers
}
mkdir -p "$base_libbpf"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
with_progress "$work/libbpf.log" "libbpf of the base tree" build_base_libbpf
if [ -z "${BASE_BZIMAGE:-}" ]; then
	FLAVOUR=base "$ROOT/dev/kernel.sh"
	BASE_BZIMAGE=$BUILD/kernel-base/arch/x86/boot/bzImage
fi
"$ROOT/dev/libbpf-tools.sh" >&2

# Light skeletons of the objects that bpftool can make one of
make_lskel() {
	local name=${1##*/} dir=$work/lskel
	name=${name%.bpf.o}
	"$bpftool" gen skeleton -L -S -k "$KOUT/certs/signing_key.pem" \
		-i "$KOUT/certs/signing_key.x509" "$1" name "$name" \
		>"$dir/$name.lskel.h" || return
	printf '%s\n' '#include <errno.h>' "#include \"$name.lskel.h\"" \
		"int load_$name(void)" "{ struct $name *s = ${name}__open();" \
		"return s ? ${name}__load(s) : -ENOMEM; }" >"$dir/$name.c"
	"$CLANG" -O2 -g -w -I"$LINUX/tools/include/uapi" -I"$TOOLS/libbpf/root/include" \
		-I"$dir" -c "$dir/$name.c" -o "$dir/$name.o"
}
export -f make_lskel
export work bpftool KOUT TOOLS LINUX CLANG

rm -rf "$work/lskel"
mkdir -p "$work/lskel"
printf '%s\n' "$objects"/unsigned/*.bpf.o |
	xargs -P "$JOBS" -n 1 bash -c 'make_lskel "$0" || true' >"$work/lskel.log" 2>&1
list=
echo '#include "bench_lskel.h"' >"$work/lskels.c"
for o in "$work"/lskel/*.o; do
	name=$(basename "$o" .o)
	echo "int load_$name(void);" >>"$work/lskels.c"
	list="$list{ \"$name\", load_$name }, "
done
echo "const struct lskel lskels[] = { $list{} };" >>"$work/lskels.c"
note "light skeletons: $(find "$work/lskel" -name '*.o' | wc -l) (log: $work/lskel.log)"

# how libelf was built decides whether the static libbpf needs it
extra=
echo 'int main(void){return 0;}' | "clang-$llvm" -x c - -lzstd -o /dev/null 2>/dev/null &&
	extra=-lzstd
"clang-$llvm" "${cflags[@]}" -I"$TOOLS/libbpf/root/include" "$tests/bench.c" "$work/lskels.c" \
	"$work"/lskel/*.o "$TOOLS/libbpf/libbpf.a" -lelf -lz $extra -o "$work/bench"
"clang-$llvm" "${cflags[@]}" -I"$base_libbpf/root/include" "$tests/bench.c" \
	"$base_libbpf/libbpf.a" -lelf -lz $extra -o "$work/bench-base"
for f in bpf_check bpf_check_core_relo; do
	"clang-$llvm" -O2 -g -Wall --target=bpf -DMETERED="\"$f\"" \
		-idirafter "/usr/include/$(uname -m)-linux-gnu" \
		-I"$TOOLS/libbpf/root/include" -c "$tests/progs/meter.bpf.c" \
		-o "$work/meter.$f.bpf.o"
done

# Files of the host are read by way of the emulator; those of a tool are in memory.
copy="mkdir -p /tmp/bench && mount -t tmpfs none /tmp/bench &&
	cp -r '$objects/signed' '$objects/unsigned' '$work/bench' '$work/bench-base' \
		'$work'/meter.*.bpf.o /tmp/bench && cd /tmp/bench"

# counted NAME BZIMAGE COMMAND: in a guest that counts instructions
counted() {
	note "$1"
	if ! CMD="$copy && $3" BZIMAGE=$2 TIMEOUT=3600 counting_vm \
		>"$work/$1.part" 2>"$work/$1.err"; then
		tail -n 20 "$work/$1.err" >&2
		die "the measurement $1 failed"
	fi
	mv "$work/$1.part" "$work/$1.tsv"
}

if [ "${MEASURE:-1}" != 0 ]; then
	ours=$KOUT/arch/x86/boot/bzImage
	rm -f "$work"/*.tsv
	counted image "$ours" "./bench load $ROUNDS signed/*"
	counted parts "$ours" "./bench parts meter.bpf_check.bpf.o signed/*"
	counted plain "$ours" "./bench-base load $ROUNDS unsigned/*"
	counted lskel "$ours" "./bench lskel $ROUNDS"
	relocate="./bench-base relocate meter.bpf_check_core_relo.bpf.o $ROUNDS unsigned/*"
	counted relocate-base "$BASE_BZIMAGE" "$relocate"
	counted relocate-rust "$ours" "$relocate"

	note parallel
	# of a middling size, and of several types
	some=
	for o in biolatency opensnoop runqlat tcplife; do
		some="$some KIND/$o.bpf.o"
	done
	run="./bench parallel $SECONDS_EACH"
	CMD="$copy && for p in 1 2 4; do
		printf 'alone\t' && $run \$p &&
		printf 'image\t' && $run \$p ${some//KIND/signed} &&
		printf 'plain\t' && ./bench-base parallel $SECONDS_EACH \$p ${some//KIND/unsigned} ||
			exit 1
	done" BZIMAGE=$ours CPUS=4 MEMORY=2G TIMEOUT=1800 RO='' VM_DIR='' \
		"$ROOT/dev/vm.sh" >"$work/parallel.part" 2>"$work/parallel.err" ||
		die "the measurement parallel failed, see $work/parallel.err"
	mv "$work/parallel.part" "$work/parallel.tsv"
fi

python3 "$here/table.py" "$work" >"$work/tables.rst"
cat "$work/tables.rst"
[ "$OUT" != - ] || exit 0
cp "$work/tables.rst" "$OUT"
note "written: $OUT"
