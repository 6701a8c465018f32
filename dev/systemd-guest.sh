#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What systemd's sandboxing does under lockdown: boots Debian with systemd and
# the patched kernel, by each choice of lockdown and bpf_lockdown=, starts units
# that systemd restricts with BPF programs, and finds out whether each of them
# can still do what it must not. Writes the tables of
# Documentation/bpf/lockdown_systemd.rst. The status is zero if all went as
# systemd-guest/table.py expects it.
#
#	OUT=FILE    write there instead; "-" prints alone
#	BZIMAGE=    another kernel than the one built here
#	MODES=      some of: none audit restricted signed confidentiality
#	MEMORY=1G TIMEOUT=1200 (seconds, for one guest)
#	KVM=0, 1    do not, or do use it, whatever it looks like
#
# What the units do is in systemd-guest/checks.py, which runs in the guest. All
# that a guest has said is left in $BUILD/systemd-guest/results.

. "$(dirname "$0")/lib.sh"
load_env
take_lock

SUITE=trixie
# libbpf is only recommended by systemd, and without it there are no
# SocketBindAllow=, RestrictNetworkInterfaces= and RestrictFileSystems=;
# systemd-nsresourced is in systemd-container.
PACKAGES=systemd-sysv,systemd-container,udev,dbus,libbpf1,iproute2,python3-minimal

files=$ROOT/dev/systemd-guest
dir=$BUILD/systemd-guest
OUT=${OUT:-$ROOT/Documentation/bpf/lockdown_systemd.rst}
BZIMAGE=$(realpath -m "${BZIMAGE:-$KOUT/arch/x86/boot/bzImage}")
MODES=${MODES:-none audit restricted signed confidentiality}
MEMORY=${MEMORY:-1G}
TIMEOUT=${TIMEOUT:-1200}
[ -r "$BZIMAGE" ] || die "there is no kernel $BZIMAGE: run 'make kernel'"

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
mkdir -p "$dir/results"

if ! command -v debootstrap >/dev/null; then
	"${as_root[@]}" apt-get -qq -y --no-install-recommends install debootstrap \
		>"$BUILD/apt.log" 2>&1 || die "there is no debootstrap, see $BUILD/apt.log"
fi

# The system as Debian makes it. It is kept, as it takes a mirror and minutes.
make_root() {
	local mirror
	[ "$(cat "$dir/root.stamp" 2>/dev/null)" = "$SUITE $PACKAGES" ] && return
	"${as_root[@]}" rm -rf "$dir/root" "$dir/root.stamp"
	for mirror in $(mirrors); do
		fetch -sS -o /dev/null "$mirror/dists/$SUITE/Release" || continue
		with_progress "$dir/debootstrap.log" "Debian $SUITE from $mirror" \
			"${as_root[@]}" debootstrap --variant=minbase --include="$PACKAGES" \
			"$SUITE" "$dir/root" "$mirror"
		# neither is needed to boot
		"${as_root[@]}" rm -rf "$dir"/root/var/cache/apt/*.bin \
			"$dir"/root/var/cache/apt/archives/*.deb \
			"$dir"/root/var/lib/apt/lists/* \
			"$dir"/root/usr/share/{locale,doc,man}/*
		echo "$SUITE $PACKAGES" >"$dir/root.stamp"
		return
	done
	die "no mirror that apt knows has Debian $SUITE"
}

# What is ours goes in anew each time: it costs seconds
make_image() {
	local root=$dir/root links unit name path
	"${as_root[@]}" rm -rf "$root/opt/systemd-guest"
	"${as_root[@]}" install -D -m 755 "$files/checks.py" "$root/opt/systemd-guest/checks.py"
	"${as_root[@]}" install -m 644 "$files"/units/*.service "$root/etc/systemd/system/"
	"${as_root[@]}" install -D -m 644 "$files/dummy0.network" \
		"$root/etc/systemd/network/dummy0.network"
	echo guest | "${as_root[@]}" tee "$root/etc/hostname" >/dev/null
	links=$root/etc/systemd/system
	for unit in multi-user.target:measure multi-user.target:systemd-networkd \
		    sockets.target:systemd-nsresourced.socket \
		    sockets.target:systemd-journald-audit.socket; do
		name=${unit#*:}
		[ "${name%.socket}" != "$name" ] || name=$name.service
		path=/usr/lib/systemd/system/$name
		[ -e "$root$path" ] || path=/etc/systemd/system/$name
		"${as_root[@]}" mkdir -p "$links/${unit%:*}.wants"
		"${as_root[@]}" ln -sf "$path" "$links/${unit%:*}.wants/$name"
	done
	# nothing of this has to do with the question, and all of it takes time
	for unit in getty.target apt-daily.timer apt-daily-upgrade.timer \
		    dpkg-db-backup.timer e2scrub_reap.service ldconfig.service \
		    systemd-journal-catalog-update.service; do
		"${as_root[@]}" ln -sf /dev/null "$links/$unit"
	done
	rm -f "$dir/image"
	truncate -s 640M "$dir/image"
	"${as_root[@]}" mkfs.ext4 -q -F -d "$root" "$dir/image"
}

append_of() {
	case $1 in
	none)		 echo ;;
	audit|restricted|signed)
			 echo "lockdown=integrity bpf_lockdown=$1" ;;
	confidentiality) echo "lockdown=confidentiality bpf_lockdown=restricted" ;;
	*)		 die "MODES= has no $1" ;;
	esac
}

# One CPU: an emulator with several trips over code that the kernel patches
boot() {
	local mode=$1 append out=$dir/results/$1 accel=(-accel tcg -cpu max)
	append=$(append_of "$mode")
	if kvm_works; then
		accel=(-accel kvm -cpu host)
	fi
	rm -rf "$out"
	mkdir -p "$out"
	note "guest: ${append:-no lockdown} (console: $out/console)"
	TMPDIR=$dir timeout --kill-after=10 "$TIMEOUT" qemu-system-x86_64 \
		-machine q35 "${accel[@]}" -m "$MEMORY" -smp 1 -nodefaults -no-reboot \
		-display none -serial "file:$out/console" -kernel "$BZIMAGE" \
		-drive "file=$dir/image,format=raw,if=virtio,snapshot=on" \
		-virtfs "local,path=$out,mount_tag=results,security_model=none" \
		-append "root=/dev/vda rw init=/lib/systemd/systemd console=ttyS0 quiet \
panic=-1 printk.devkmsg=on systemd.log_level=debug \
audit=1 audit_backlog_limit=8192 sysctl.kernel.printk_ratelimit=0 \
$append" </dev/null >"$out/qemu" 2>&1 9>&- || true
	if [ ! -s "$out/results.json" ]; then
		tail -n 30 "$out/console" "$out/qemu" >&2
		die "the guest has not come to an end within $TIMEOUT seconds, see $out"
	fi
}

make_root
make_image
for mode in $MODES; do
	boot "$mode"
done
rm -f "$dir/image"

# shellcheck disable=SC2086
"$files/table.py" "$dir/results" "$OUT" $MODES
