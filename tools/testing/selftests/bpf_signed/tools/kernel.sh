# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# Tools that watch functions, locks and memory

test_funclatency() {
	about 'histogram of at least 1,000 calls of vfs_read by one process (-p)'
	note 'attach target chosen at run time'
	mkfifo "$W/go"
	# shellcheck disable=SC2016
	bash -c 'read -r x <"$0"; exec dd if=/dev/zero of=/dev/null bs=1 count=1000' "$W/go" \
		>/dev/null 2>&1 &
	p1=$!
	start funclatency -u -p "$p1" vfs_read
	ready '^Tracing vfs_read' || return
	echo >"$W/go"
	wait "$p1"
	rm "$W/go"
	interrupt
	awk '/ : [0-9]+ +\|/ { sub(/.*: /, ""); n += $1 }
	     END { exit !(n >= 1000 && n < 1200) }' "$out" ||
		fail 'not the number of calls that were made'
}

unlink_a_file() {
	: >"$W/of-ksnoop"
	run rm "$W/of-ksnoop" || return
	want="^ *[0-9]+ +[0-9]+ +$event_pid vfs_unlink\("
}

test_ksnoop() {
	about 'pid and arguments of a call of vfs_unlink'
	start ksnoop trace vfs_unlink
	see unlink_a_file
}

use_locks() {
	run bash -c 'for i in 1 2 3 4 5 6 7 8 9 10; do echo x | cat; done' || return
	want=lock_lines
}

# locks of pipes are mutexes
lock_lines() {
	awk '/Avg Wait/ { hold = 0 } /Avg Hold/ { hold = 1 }
	     /pipe_/ && $3 >= 10 { if (hold) h = 1; else w = 1 }
	     END { exit !(w && h) }' "$out"
}

test_klockstat() {
	about 'callers, counts and times of the mutexes of pipes'
	start klockstat -c pipe_ -i 2 -s 1 -n 20
	see use_locks
}

leak() {
	ask malloc 12345 10 || return
	want=leak_lines
}

# "N bytes in M allocations from stack"
leak_lines() {
	awk '/ bytes in [0-9]+ allocations from stack/ && $4 >= 10 && $1 == 12345 * $4 { ok = 1 }
	     END { exit !ok }' "$out"
}

test_memleak() {
	about 'bytes and number of outstanding allocations of one process (-p)'
	ask malloc 1 1 || return
	start memleak -p "$actor_pid" 1
	see leak
}

wait_for_slab() {
	run ls /proc || return
	want='^(dentry|kmalloc[-a-z0-9]*|names_cache|filp|proc_inode_cache)'
	want+=' +[1-9][0-9]* +[1-9][0-9]*$'
}

test_slabratetop() {
	about 'allocations and bytes of a cache'
	start slabratetop -C 1
	see wait_for_slab
}

# In a control group of 16 MB
run_out_of_memory() {
	local cg=/sys/fs/cgroup/of-oomkill
	mkdir -p $cg || return
	echo 16M >$cg/memory.max && echo 0 >$cg/memory.swap.max 2>/dev/null
	# shellcheck disable=SC2016
	run "$W/glutton" -c 'echo $$ >'$cg'/cgroup.procs; x=x; while :; do x=$x$x; done'
	local glutton="PID $event_pid \(\"glutton\"\)"
	want="Triggered by $glutton, OOM kill of $glutton, [0-9]+ pages"
}

memory_cgroup() {
	grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null &&
		echo +memory >/sys/fs/cgroup/cgroup.subtree_control
}

test_oomkill() {
	about 'pids and commands of an OOM kill'
	memory_cgroup || { fail 'no memory controller'; return 1; }
	[ -e "$W/glutton" ] || ln -s "$BASH" "$W/glutton"
	start oomkill
	see run_out_of_memory
}

# More page cache than there is free memory
need_memory() {
	local kb
	kb=$(awk '/^MemFree/ { print $2 }' /proc/meminfo)
	[ -e "$W/../drs.$$" ] || mkdir -p "$W/large"
	run dd if=/dev/zero of="$W/large/x" bs=1M count=$((kb / 1024 * 2))
	rm -f "$W/large/x"
	want='^[0-9:]+ +[a-z].* +[0-9]+ +[0-9.]+ +[1-9][0-9]*'
}

test_drsnoop() {
	about 'command, tid and pages of a direct reclaim'
	start drsnoop
	sleep 1
	loaded_only 'direct reclaim is not provoked'
}

test_numamove() {
	about 'loads'
	start numamove
	sleep 1
	loaded_only 'the function it traces is not in this kernel'
}

test_javagc() {
	loaded_only "cannot attach: its source lacks libbpf's usdt.bpf.h; unsigned neither"
}
