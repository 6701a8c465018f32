# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# Tools that watch block devices. The device is a loop over a file in memory.

# Eight times 8 kB, past the page cache
read_disk() {
	run dd if="$disk" of=/dev/null bs=8k count=8 iflag=direct
}

read_for_histogram() {
	read_disk && want=histogram_quiet
}

histogram_quiet() {
	histogram quiet
}

test_biolatency() {
	about 'histogram of the reads of one disk (-d), named with -D'
	disk || return
	start biolatency -D -d "$disk_name" 1
	see read_for_histogram || return
	found "disk = $disk_name"
}

read_for_biosnoop() {
	read_disk || return
	want="^[0-9.]+ +dd +$event_pid +$disk_name +RS? +16 +8192 +[0-9.]+"
}

test_biosnoop() {
	about 'command, pid, disk, sector and 8192 bytes of a read'
	note '.kconfig filled on the target'
	disk || return
	start biosnoop
	see read_for_biosnoop
}

test_biostacks() {
	about 'command, pid, disk, kernel stack and histogram of reads'
	disk || return
	start biostacks -d "$disk_name" 4
	ready '^Tracing' || return
	while alive "$tool_pid"; do
		read_disk || return
		pids="$pids|$event_pid"
		sleep 0.3
	done
	finish
	found "^dd +($pids) +$disk_name" && found '^(blk|submit_bio|__submit_bio|loop)' && histogram
}

read_for_biotop() {
	read_disk || return
	want="^$event_pid +dd +R +7 +[0-9]+ +$disk_name +8 +64 +[0-9.]+"
}

test_biotop() {
	about 'pid, command, disk, 8 reads of 64 kB'
	disk || return
	start biotop -C 1
	see read_for_biotop
}

read_in_order() {
	read_disk || return
	want=mostly_sequential
}

# DISK %RND %SEQ COUNT KBYTES
mostly_sequential() {
	awk -v d="$disk_name" '$1 == d && $3 >= 50 && $4 >= 7 && $5 == 8 * $4 { ok = 1 }
			       END { exit !ok }' "$out"
}

test_biopattern() {
	about 'sequential reads, their number and kilobytes'
	disk || return
	start biopattern -d "$disk_name" 1
	see read_in_order
}

read_for_bitesize() {
	read_disk || return
	want=eight_kilobytes
}

eight_kilobytes() {
	grep -q '^Process Name = dd' "$out" &&
	grep -qE '^ *8 +-> 15 +: [1-9]' "$out"
}

test_bitesize() {
	about 'process, and the row for 8 kB counted'
	disk || return
	start bitesize -c dd -d "$disk_name" 1
	see read_for_bitesize
}

# A mirror without metadata, by sysfs: nothing that has to be installed
md_array() {
	local a b sys=/sys/block/md_tools/md
	a=$(loop_device 16M) && b=$(loop_device 16M) || return
	echo md_tools >/sys/module/md_mod/parameters/new_array || return
	echo none >$sys/metadata_version &&
	echo raid1 >$sys/level &&
	echo 2 >$sys/raid_disks &&
	echo 8192 >$sys/component_size &&
	cat "/sys/block/${a#/dev/}/dev" >$sys/new_dev &&
	echo 0 >"$sys/dev-${a#/dev/}/slot" &&
	cat "/sys/block/${b#/dev/}/dev" >$sys/new_dev &&
	echo 1 >"$sys/dev-${b#/dev/}/slot" &&
	echo active >$sys/array_state || return
	# /dev may be nobody's
	md=$W/md
	rm -f "$md"
	# shellcheck disable=SC2046
	mknod "$md" b $(tr : ' ' </sys/block/md_tools/dev)
}

flush_md() {
	run dd if=/dev/zero of="$md" bs=4k count=1 conv=fsync || return
	want="^[0-9:]+ +$event_pid +dd +(md_tools)?\$"
}

test_mdflush() {
	about 'pid and command of a flush'
	note 'no device: the tool reads one byte of its name; unsigned too'
	md_array || { fail 'no md array'; return 1; }
	start mdflush
	see flush_md
}
