#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots a kernel with virtme-ng, runs CMD in it and exits with its status.
#
#	CMD=	  a shell command
#	BZIMAGE=  another kernel than the one built here
#	APPEND=	  more on the kernel command line
#	CPUS=1 MEMORY=2G TIMEOUT=600 (seconds)
#	RO=1	  keep the guest from writing to the host's files
#	KVM=0, 1  do not, or do use it, whatever it looks like
#	QEMU_OPTS=  more for QEMU
#	VM_DIR=	  directory for the exchange; "console" in it has what the kernel said
#
# What the command prints, and its status, travel through files in a directory
# that host and guest share. A console would mix them with kernel messages, and
# which console there is depends on machine type and kernel.

. "$(dirname "$0")/lib.sh"
load_env

: "${CMD:?CMD= says what to run}"
BZIMAGE=$(realpath -m "${BZIMAGE:-$KOUT/arch/x86/boot/bzImage}")
CPUS=${CPUS:-1}; : "${CPUS:=1}"
MEMORY=${MEMORY:-2G}; : "${MEMORY:=2G}"
TIMEOUT=${TIMEOUT:-600}; : "${TIMEOUT:=600}"
[ -r "$BZIMAGE" ] || die "there is no kernel $BZIMAGE: run 'make kernel'"

mkdir -p "$BUILD/vm"
# several guests may run at a time
if [ -n "${VM_DIR:-}" ]; then
	# the caller looks at what is left, and cleans up
	dir=$(realpath -m "$VM_DIR")
	rm -rf "$dir"
	mkdir -p "$dir"
else
	dir=$(mktemp -d "$BUILD/vm/run.XXXXXX")
fi
: >"$dir/stdout"
: >"$dir/stderr"

cat >"$dir/cmd" <<EOF
$CMD
EOF
cat >"$dir/guest" <<EOF
#!/bin/sh
for m in debugfs:/sys/kernel/debug tracefs:/sys/kernel/tracing \\
	 securityfs:/sys/kernel/security bpf:/sys/fs/bpf \\
	 cgroup2:/sys/fs/cgroup; do
	grep -q " \${m#*:} \${m%%:*} " /proc/mounts ||
		mount -t \${m%%:*} none \${m#*:} 2>/dev/null
done
ip link set lo up 2>/dev/null
cd '$PWD'
export PATH="\$PATH:/usr/local/sbin:/usr/sbin:/sbin" HOME=/tmp
export BUILD='$BUILD'
sh '$dir/cmd' >'$dir/stdout' 2>'$dir/stderr' </dev/null
echo \$? >'$dir/status.new'
sync '$dir' 2>/dev/null
mv '$dir/status.new' '$dir/status'
EOF

# PCI and q35: the "microvm" machine has its devices elsewhere, and not every
# kernel has the driver for that.
args=(--run "$BZIMAGE" --disable-microvm --force-9p --cpus "$CPUS"
      --memory "$MEMORY" --user root --verbose)
[ -n "${RO:-}" ] || args+=(--rw)
# The directory of the exchange is mounted on its own where the guest cannot
# write, or has another directory. Old virtme-ng refuses to do so with --rw.
case ${RO:+RO}$dir in
RO*|/tmp/*|/run/*|/var/*) args+=(--rwdir "$dir=$dir") ;;
esac
kvm_works || args+=(--disable-kvm)
[ -z "${QEMU_OPTS:-}" ] || args+=(--qemu-opts="$QEMU_OPTS")
# While the boot CPU is identified, it has no feature for a moment, and KASAN takes each
# address that only five levels of page tables have for a wild one. An interrupt at that
# moment is rare, and can be had without such addresses.
levels=
[ "${FLAVOUR:-}" != debug ] || levels=no5lvl
# A command line that says "panic=" itself wins, being later
args+=(--append "panic=-1 $levels ${APPEND:-}")

PATH=$(dirname "$VNG"):$PATH setsid timeout --kill-after=10 "$TIMEOUT" \
	"$VNG" "${args[@]}" -- sh "$dir/guest" >"$dir/console" 2>&1 </dev/null 9>&- &
guest=$!
# shellcheck disable=SC2317
stop() {
	kill -TERM -- "-$guest" 2>/dev/null || kill "$guest" 2>/dev/null || true
}
trap 'stop; exit 130' INT TERM HUP

tail -n +1 -s 0.2 -q --pid="$guest" -f "$dir/stdout" &
out=$!
tail -n +1 -s 0.2 -q --pid="$guest" -f "$dir/stderr" >&2 &
err=$!
rc=0
wait "$guest" || rc=$?
wait "$out" "$err" || true

if [ -s "$dir/status" ]; then
	status=$(cat "$dir/status")
	# keep what tells about a failure, and not a directory per success
	[ "$status" != 0 ] || [ -n "${VM_DIR:-}" ] || rm -rf "$dir"
	exit "$status"
fi
tail -n 40 "$dir/console" >&2
if [ $rc = 124 ] || [ $rc = 137 ]; then
	printf 'vm: no end after %s seconds (TIMEOUT=), the console is above and in %s\n' \
		"$TIMEOUT" "$dir/console" >&2
	exit 124
fi
printf 'vm: the guest ended without running the command to its end, the console is above and in %s\n' \
	"$dir/console" >&2
exit 125
