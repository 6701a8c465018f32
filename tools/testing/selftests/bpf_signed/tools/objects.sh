# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# Objects that are no tools: two of the kernel's own BPF selftests, which
# tools/Makefile builds; and what must not load.

test_every_object() {
	local o t bad=0
	about 'each program of each object loads, or this kernel lacks what it needs'
	for o in "$LIBBPF_TOOLS"/signed/*.bpf.o; do
		t=${o##*/} t=${t%.bpf.o}
		load_each "$t" || { echo "# in $t"; bad=1; }
		awk -F '\t' -v t="$t" '{ n++ } $3 == "ok" { ok++ }
			END { printf "%s\t%d\t%d\n", t, n, ok }' "$W/each.$t" >>"$W/objects"
	done
	cp "$W/objects" "$results/objects.tsv"
	return $bad
}

# congestion NAME: a connection that uses this congestion control, in answer
# its name as the kernel tells it, and how many bytes came back
congestion() {
	server || return
	ask congestion 127.0.0.1 "$server_port" "$1" || return
	[ "$answer" = "$1 5000" ] || fail "a connection by $1: $answer"
}

test_struct_ops() {
	local o=tools/bpf_cubic.signed.o id
	about 'bpf_cubic: registered, and a connection uses it'
	grep -qw bpf_cubic /proc/sys/net/ipv4/tcp_available_congestion_control &&
		{ fail 'bpf_cubic is there already'; return 1; }
	"$BPFTOOL" struct_ops register "$o" >"$W/out" 2>"$W/err" || return
	grep -qw bpf_cubic /proc/sys/net/ipv4/tcp_available_congestion_control ||
		{ fail 'not in tcp_available_congestion_control'; return 1; }
	# its programs count their calls
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	congestion bpf_cubic || return
	echo 0 >/proc/sys/kernel/bpf_stats_enabled
	"$BPFTOOL" prog show >"$W/out"
	# some print the counter on the first line of an entry
	awk '/struct_ops.*name bpf_cubic_(cong_avoid|acked)/ && /run_cnt [1-9]/ { ok = 1 }
	     END { exit !ok }' "$W/out" || { fail 'its programs did not run'; return 1; }
	"$BPFTOOL" struct_ops unregister name cubic >"$W/out" 2>&1 || return
	grep -qw bpf_cubic /proc/sys/net/ipv4/tcp_available_congestion_control &&
		fail 'still registered'
	return 0
}

test_iterator() {
	local pin=/sys/fs/bpf/tasks_$$ p1
	about 'bpf_iter_tasks: pinned, and lists a process'
	"$BPFTOOL" iter pin tools/bpf_iter_tasks.signed.o $pin 2>"$W/err" || return
	sleep 1000 &
	p1=$!
	cat $pin >"$W/out"
	kill $p1
	rm $pin
	grep -qE "^ +$p1 +$p1\$" "$W/out" && grep -qE '^ +1 +1$' "$W/out" &&
		grep -q 'END' "$W/out" || fail "process $p1 is not in the list"
}

# refused LOADER...: fails with the kernel's EPERM, and with words
refused() {
	if "$@" >"$W/out" 2>"$W/err"; then
		fail "not refused: $*"
		return 1
	fi
	grep -q -e '-EPERM\|Operation not permitted' "$W/err" ||
		{ fail 'refused, but for another reason'; return 1; }
	# libbpf tells what to do, the kernel's log who was refused what
	grep -q "signed programs only; sign the object with 'bpftool sign file'" "$W/err" ||
		{ fail 'libbpf does not tell the reason'; return 1; }
	dmesg | grep -qE 'Lockdown: .*unsigned bpf programs .*is restricted' ||
		{ fail 'the kernel does not tell the reason'; return 1; }
}

# The same tools by the same sources, of objects that nobody signed
test_unsigned_tools() {
	local t
	about 'tools with unsigned objects are refused, with the reason'
	for t in opensnoop execsnoop tcpconnect runqslower biolatency; do
		refused timeout 20 "$LIBBPF_TOOLS/bin-unsigned/$t" || return
	done
}

test_unsigned_struct_ops() {
	about 'bpf_cubic without signatures is refused, with the reason'
	refused "$BPFTOOL" struct_ops register tools/bpf_cubic.bpf.o || return
	grep -qw bpf_cubic /proc/sys/net/ipv4/tcp_available_congestion_control &&
		fail 'it is registered'
	return 0
}

test_unsigned_iterator() {
	about 'bpf_iter_tasks without signatures is refused, with the reason'
	refused "$BPFTOOL" iter pin tools/bpf_iter_tasks.bpf.o /sys/fs/bpf/unsigned_$$
}
