#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What does lockdown's policy cost in the verifier? Builds a second kernel, from
# the same tree and by the same configuration, but without
# CONFIG_SECURITY_LOCKDOWN_BPF; lets both verify the programs of bcc's
# libbpf-tools, and counts the instructions that they execute for it. Writes the
# table into Documentation/bpf/lockdown_cost.rst, and one of all programs into
# $BUILD/cost/programs.txt. Fails if the policy costs more than LIMIT percent, or
# keeps a program from loading.
#
#	OUT=FILE   write there instead; "-" prints alone
#	RUNS=3     how often each guest is booted; 0 makes the tables anew from what
#		   was measured last
#	LOADS=5    how often each program is loaded there; the cheapest one counts
#	LIMIT=1

. "$(dirname "$0")/lib.sh"
load_env

OUT=${OUT:-$ROOT/Documentation/bpf/lockdown_cost.rst}
RUNS=${RUNS:-3}
LOADS=${LOADS:-5}
LIMIT=${LIMIT:-1}
here=$ROOT/dev/verifier-cost
tests=$ROOT/tools/testing/selftests/bpf_signed
work=$BUILD/cost
without=$work/kernel
include=$TOOLS/libbpf/root/include
bpftool=$TOOLS/bpftool/bpftool
[ -r "$KOUT/arch/x86/boot/bzImage" ] || die "there is no kernel for x86-64: run 'make kernel'"
[ -x "$bpftool" ] || die "there is no $bpftool: run 'make tools'"

"$ROOT/dev/libbpf-tools.sh" >&2

# Most of the objects stay as they are, and so does the key.
mkdir -p "$work"
if [ ! -e "$without/.config" ]; then
	rm -rf "$without.part"
	cp -a "$KOUT" "$without.part"
	mv "$without.part" "$without"
fi
KOUT=$without KERNEL_CONFIG=$here/without.config "$ROOT/dev/kernel.sh"
if diff "$KOUT/.config" "$without/.config" | grep '^[<>]' |
	grep -vE 'CONFIG_(SECURITY_LOCKDOWN|LOCK_DOWN)_BPF'; then
	die "the kernels differ in more than the policy"
fi
cmp "$KOUT/certs/signing_key.x509" "$without/certs/signing_key.x509" ||
	die "the kernels trust different keys: remove $without"

n=${LLVM#-}
"clang-$n" -O2 -g -Wall -std=gnu11 -I"$include" -I"$tests" "$here/cost.c" \
	"$TOOLS/libbpf/libbpf.a" -lelf -lz -o "$work/cost"
"clang-$n" -O2 -g -Wall --target=bpf -idirafter "/usr/include/$(uname -m)-linux-gnu" \
	-I"$include" -c "$tests/progs/meter.bpf.c" -o "$work/meter.bpf.o"
"$bpftool" sign file "$work/meter.bpf.o" -o "$work/meter.signed.o" \
	-k "$KOUT/certs/signing_key.pem" -i "$KOUT/certs/signing_key.x509" >&2

grep -qw lockdown_bpf_prog_load "$KOUT/System.map" ||
	die "the kernel in $KOUT is without the policy"
! grep -qw lockdown_bpf_prog_load "$without/System.map" ||
	die "the kernel in $without has the policy"

# measure NAME BZIMAGE MODE OBJECTS...
measure() {
	local name=$1 image=$2 mode=$3 append
	shift 3
	append=
	[ "$mode" = none ] || append="lockdown=$mode bpf_lockdown=restricted"
	note "$name"
	if ! CMD="cd '$BUILD/libbpf-tools' &&
		grep -F '[$mode]' /sys/kernel/security/lockdown >&2 &&
		'$work/cost' '$work/meter.signed.o' $LOADS $*" \
		BZIMAGE=$image APPEND=$append counting_vm \
		>"$work/$name.tsv.part" 2>"$work/$name.err"; then
		tail -n 20 "$work/$name.err" >&2
		die "the measurement $name failed"
	fi
	mv "$work/$name.tsv.part" "$work/$name.tsv"
}

[ "$RUNS" = 0 ] || rm -f "$work"/*.tsv
for run in $(seq "$RUNS"); do
	measure "without.$run" "$without/arch/x86/boot/bzImage" none \
		'unsigned/*.bpf.o' 'signed/*.bpf.o'
	measure "with.$run" "$KOUT/arch/x86/boot/bzImage" none \
		'unsigned/*.bpf.o' 'signed/*.bpf.o'
	measure "integrity.$run" "$KOUT/arch/x86/boot/bzImage" integrity \
		'signed/*.bpf.o'
done

rc=0
python3 "$here/table.py" "$work" "$LIMIT" >"$work/table.rst" || rc=$?
[ -s "$work/table.rst" ] || die "there is no table"
cat "$work/programs.txt" "$work/table.rst"
[ "$OUT" != - ] || exit $rc

{
	cat <<-EOF
	.. SPDX-License-Identifier: GPL-2.0

	:orphan:

	=========================================
	What lockdown's policy costs the verifier
	=========================================

	Made by \`\`make verifier-cost\`\`; do not edit. The programs of bcc's
	libbpf-tools are loaded on two kernels that differ in nothing but
	\`\`CONFIG_SECURITY_LOCKDOWN_BPF\`\`. Counted are the instructions that the
	kernel executes from the entry of \`\`bpf_check()\`\` to its return, in an
	emulated machine whose clock advances by one nanosecond with each
	instruction. Of the $LOADS times that a program is loaded in each boot, the
	cheapest counts, for a timer interrupt may fall into any; and of all boots, too.

	none
	    without the policy, in thousands of instructions
	no lockdown
	    how much more it is with the policy compiled in, in percent, on a kernel
	    that is not locked down
	integrity
	    how much more with \`\`lockdown=integrity bpf_lockdown=restricted\`\`

	Verifying a signed program includes what is done in the kernel for its
	image: resolving its names, relocation, comparing its maps and BTF. That is
	no part of the policy, and the same in all three columns for signed programs.

	Programs that call a kfunc, or are attached to a function by BTF (fentry,
	fexit), differ by some thousands of instructions in either direction. The
	verifier has the function's address from kallsyms, where each step of a
	binary search goes through up to 255 names: how many depends on the other
	names that a kernel has, and not on the policy. Single programs tell nothing
	if they are small, therefore.

	EOF
	cat "$work/table.rst"
} >"$OUT"
note "written: $OUT"
exit $rc
