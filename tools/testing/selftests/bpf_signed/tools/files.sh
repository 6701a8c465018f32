# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# Tools that watch files and file systems

open_a_file() {
	run cat "$W/a-file" || return
	want="^$event_pid +cat +[0-9]+ +0 $W/a-file\$"
}

test_opensnoop() {
	about 'pid, command and path of an opened file'
	echo >"$W/a-file"
	start opensnoop
	see open_a_file
}

# Others open a file before and after each that is to be seen
open_in_reader() {
	n=$((${n:-0} + 1))
	: >"$W/read.$n"
	cat "$W/not-to-be-seen"
	echo "$W/read.$n" >&"$to_reader"
	cat "$W/not-to-be-seen"
	want="^$reader_pid +reader +[0-9]+ +0 $W/read.$n\$"
}

test_opensnoop_p() {
	local to_reader reader_pid n=0
	about 'with -p PID: the opens of that process, and no others'
	: >"$W/not-to-be-seen"
	ln -sf "$BASH" "$W/reader"
	mkfifo "$W/names"
	# shellcheck disable=SC2016
	"$W/reader" -c 'while read -r f; do : <"$f"; done' <"$W/names" &
	reader_pid=$!
	spinners="${spinners:-} $reader_pid"
	exec {to_reader}>"$W/names"
	start opensnoop -p $reader_pid
	see open_in_reader || return
	# it was attached by then
	see open_in_reader || return
	exec {to_reader}>&-
	rm "$W/names"
	grep -q not-to-be-seen "$out" && { fail 'the opens of another process'; return 1; }
	awk -v p=$reader_pid 'NR > 1 && $1 != p { bad = 1 } END { exit bad }' "$out" ||
		fail 'lines of another pid'
}

execute() {
	run /bin/echo of-execsnoop $RANDOM || return
	want="^echo +$event_pid +$$ +0 /bin/echo of-execsnoop"
}

test_execsnoop() {
	about 'command, pid, parent and arguments of an executed program'
	start execsnoop
	see execute
}

live_shortly() {
	: >"$W/short-lived"
	run rm "$W/short-lived" || return
	want="^[0-9:]+ +$event_pid +rm +[0-9.]+ +short-lived\$"
}

test_filelife() {
	about 'pid, command and name of a file that was made and removed'
	note 'built with -Dnew_mnt_idmap=mnt_idmap: 7.3 renamed that member'
	start filelife
	see live_shortly
}

rewrite() {
	run dd if=/dev/zero of="$W/written" bs=4k count=100 || return
	want="^$event_pid +dd +0 +100 +0 +400 +R written\$"
}

test_filetop() {
	about 'pid, 100 writes of 400 kB in all, and the file'
	start filetop -C -r 100 1
	see rewrite
}

write_ext4() {
	run dd if=/dev/zero of="$ext4/slow" bs=12345 count=1 conv=fsync || return
	want=slow_lines
}

slow_lines() {
	grep -qE "^[0-9:]+ +dd +$event_pid +W 12345 +0 +[0-9.]+ slow\$" "$out" &&
	grep -qE "^[0-9:]+ +dd +$event_pid +F LL_MAX +0 +[0-9.]+ slow\$" "$out"
}

test_fsslower() {
	about 'write of 12345 bytes and fsync on ext4, with pid and file'
	note 'attach targets chosen at run time'
	ext4 || return
	start fsslower -t ext4 -m 0
	see write_ext4
}

dist_lines() {
	grep -q "^operation = 'write'" "$out" && grep -q "^operation = 'fsync'" "$out" &&
	histogram quiet
}

write_ext4_dist() {
	write_ext4 && want=dist_lines
}

test_fsdist() {
	about 'histograms of writes and syncs on ext4'
	note 'attach targets chosen at run time'
	ext4 || return
	start fsdist -t ext4 1
	see write_ext4_dist
}

use_vfs() {
	run dd if=/dev/zero of="$W/vfs" bs=10 count=2000 || return
	want=vfs_columns
}

# at least the 2,000 of one event in one interval: reads and writes
vfs_columns() {
	awk '/^[0-9:]+  / && $2 >= 2000 && $3 >= 2000 && $5 >= 1 { ok = 1 }
	     END { exit !ok }' "$out"
}

test_vfsstat() {
	about '2,000 reads and writes in an interval, and an open'
	start vfsstat 1
	see use_vfs
}

stat_a_file() {
	run stat "$W/not-there"
	want="^$event_pid +stat +-1 +2 +.*$W/not-there\$"
}

test_statsnoop() {
	about 'pid, command, error and path of a failed stat'
	start statsnoop -s
	see stat_a_file
}

sync_all() {
	run sync
	want='^[0-9.]+ +sync +sync *$'
}

test_syncsnoop() {
	about 'command and system call'
	start syncsnoop
	see sync_all
}

mount_something() {
	mkdir -p "$W/mounted"
	run mount -i -t tmpfs of-mountsnoop "$W/mounted" || return
	umount "$W/mounted"
	want=mount_lines
}

# the new mount API or the old one, as the mount command likes
mount_lines() {
	{ grep -aE "^mount +$event_pid " "$out" |
		grep -aqE "mount\(\"of-mountsnoop\", \"$W/mounted\", \"tmpfs\".* = 0" ||
	  { grep -aE "^mount +$event_pid " "$out" | grep -aqE 'fsopen\("tmpfs".* = [0-9]' &&
	    grep -aqE "^mount +$event_pid .*move_mount\(.*\"$W/mounted\".* = 0" "$out"; }; } &&
	grep -aqE "^umount .*umount\(\"$W/mounted\".* = 0" "$out"
}

test_mountsnoop() {
	about 'arguments and results of mount and umount'
	start mountsnoop
	see mount_something
}

read_ahead() {
	want=readahead_lines
	[ -s "$ext4/large" ] || dd if=/dev/zero of="$ext4/large" bs=1M count=8 2>/dev/null
	sync -f "$ext4"
	echo 1 >/proc/sys/vm/drop_caches
	run cat "$ext4/large"
}

readahead_lines() {
	awk -F'[:/ ]+' '/^Readahead unused/ && $6 > 0 { ok = 1 } END { exit !ok }' "$out" &&
		histogram quiet
}

test_readahead() {
	about 'pages that were read ahead, and the age of those used'
	ext4 || return
	start readahead -d 5
	# its allocation functions are inline without CONFIG_NUMA
	ready '^Tracing' || {
		grep -qE 'failed to attach to (access|alloc) functions' "$err" &&
			loaded_only 'unsigned probe refused,' \
				'and no allocation function without CONFIG_NUMA'
		return
	}
	while alive "$tool_pid"; do
		read_ahead || return
		sleep 0.5
	done
	readahead_lines || fail 'no pages read ahead'
}

use_page_cache() {
	run dd if=/dev/zero of="$ext4/cached" bs=4k count=200 || return
	run cat "$ext4/cached" || return
	want=cache_columns
}

cache_columns() {
	awk '$1 ~ /^[0-9]+$/ && $3 >= 200 { ok = 1 } END { exit !ok }' "$out"
}

test_cachestat() {
	about 'dirtied buffers of a written file'
	note 'no hits: 7.3 does not call mark_page_accessed(); unsigned neither'
	ext4 || return
	start cachestat 1
	see use_page_cache
}
