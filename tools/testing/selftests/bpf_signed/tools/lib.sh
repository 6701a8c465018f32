# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154,SC2191
#
# How run-tools.sh starts a tool, makes it see something, and judges what it
# printed. A test is a function test_TOOL in one of the files beside this one:
#
#	test_opensnoop() {
#		about 'pid, command and path of an opened file'
#		start opensnoop
#		see open_a_file
#	}
#
# It succeeds if it returns zero. Nothing here depends on how long something
# takes: an event is repeated until the tool tells of it, for a minute at most.

# about WORDS: what of the output is checked, for the report
about() {
	echo "$*" >"$W/about"
}

# note WORDS: for the column "note" of the table
note() {
	echo "$*" >"$W/note"
}

# diag FILE...: the ends of files, as comments in TAP
diag() {
	local f
	for f; do
		[ -s "$f" ] || continue
		echo "# ${f##*/}:"
		tail -n 12 "$f" | tr -d '\0' | cut -c1-160 | sed 's/^/#   /'
	done
}

fail() {
	echo "# $*"
	return 1
}

# start TOOL [ARGS]: in the background; sets tool_pid, out and err. Its lines
# are to be seen when they are printed, though it is no terminal.
start() {
	out=$W/out
	err=$W/err
	echo "$*" >"$W/commandline"
	stdbuf -oL "$TOOLS_BIN/$1" "${@:2}" >"$out" 2>"$err" </dev/null &
	tool_pid=$!
}

alive() {
	kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

# see EVENT [ARGS]: runs EVENT, which sets want to an extended regular
# expression or a function's name, until it is found in the output
see() {
	local deadline=$((SECONDS + ${PATIENCE:-60})) i
	want=
	while [ $SECONDS -lt $deadline ]; do
		"$@" || { fail "event $1 failed"; return 1; }
		for i in 1 2 3 4 5; do
			if declare -F "$want" >/dev/null; then
				"$want" && return 0
			elif grep -aqE -e "$want" "$out"; then
				return 0
			fi
			alive "$tool_pid" || break
			sleep 0.2
		done
		alive "$tool_pid" || { ended && return 0; return 1; }
	done
	fail "not seen within ${PATIENCE:-60} s: $want"
}

# The tool has ended by itself. What it said last may not have been looked at.
ended() {
	if declare -F "$want" >/dev/null; then
		"$want" && return 0
	elif [ -n "$want" ] && grep -aqE -e "$want" "$out"; then
		return 0
	fi
	fail "ended before it told of it: $want"
}

# ready PATTERN: until the tool has printed this, or has ended
ready() {
	local deadline=$((SECONDS + 60))
	until grep -aqE -e "$1" "$out"; do
		alive "$tool_pid" || { fail "ended before it printed: $1"; return 1; }
		[ $SECONDS -lt $deadline ] || { fail "did not print within 60 s: $1"; return 1; }
		sleep 0.1
	done
}

# interrupt: as Ctrl-C does; many tools print their result then
interrupt() {
	if [ -n "${WATCH_BY:-}" ]; then
		watched=1
		signed_programs "$WATCH_BY" || unsigned=1
	fi
	kill -INT "$tool_pid" 2>/dev/null
	finish
}

# stop_tool: some have no ear for SIGINT, which a shell has its background jobs
# ignore
stop_tool() {
	local i
	kill -INT "$tool_pid" 2>/dev/null
	for i in {1..20}; do
		alive "$tool_pid" || return 0
		sleep 0.1
	done
	kill -KILL "$tool_pid" 2>/dev/null
	return 0
}

# finish: waits until the tool has ended
finish() {
	local deadline=$((SECONDS + 60))
	while alive "$tool_pid"; do
		[ $SECONDS -lt $deadline ] || { fail 'the tool does not end'; return 1; }
		sleep 0.1
	done
	wait "$tool_pid" 2>/dev/null
	return 0
}

found() {
	grep -aqE -e "$1" "$out" || fail "not in the output: $1"
}

# A log2 or linear histogram with a row that counts something
histogram() {
	grep -aqE '^ *[0-9]+( -> [0-9]+)? +: [1-9][0-9]* +\|\*' "$out" ||
		{ [ "${1:-}" = quiet ] || fail 'no histogram with a count in it'; return 1; }
}

# run COMMAND [ARGS]: in a process of its own, whose pid is in event_pid
run() {
	"$@" >/dev/null 2>"$W/event.err" </dev/null &
	event_pid=$!
	# the shell would tell of one that was killed
	wait $event_pid 2>/dev/null
}

# spin: a process "spinner" that needs the CPU, in event_pid, until `unspin`
spin() {
	[ -e "$W/spinner" ] || ln -s "$BASH" "$W/spinner"
	"$W/spinner" -c 'while :; do :; done' </dev/null >/dev/null 2>&1 &
	event_pid=$!
	spinners="${spinners:-} $event_pid"
}

# One that sleeps for a short while, works a little, and so on
doze() {
	[ -e "$W/dozer" ] || ln -s "$BASH" "$W/dozer"
	[ -p "$W/never" ] || mkfifo "$W/never"
	# shellcheck disable=SC2016
	"$W/dozer" -c 'exec 9<>"$1"; while :; do read -t 0.02 -u 9 x; done' - \
		"$W/never" </dev/null >/dev/null 2>&1 &
	event_pid=$!
	spinners="${spinners:-} $event_pid"
}

unspin() {
	local p
	for p in ${spinners:-}; do
		kill -KILL "$p" 2>/dev/null
		wait "$p" 2>/dev/null
	done
	spinners=
}

# ask COMMAND [ARGS]: something that the shell has no words for is done by
# actor.py, a process actor_pid named actor_comm; the answer is in answer
ask() {
	[ -n "${actor_pid:-}" ] || {
		coproc ACTOR { exec python3 "$HERE/tools/actor.py" 2>"$W/actor.err"; }
		read -r -t 60 actor_pid actor_comm <&"${ACTOR[0]}" ||
			{ diag "$W/actor.err"; return 1; }
	}
	echo "$*" >&"${ACTOR[1]}"
	read -r -t 60 answer <&"${ACTOR[0]}" || { diag "$W/actor.err"; return 1; }
	case $answer in error*) fail "$*: $answer"; return 1 ;; esac
}

# loop_device SIZE: prints a device over a new file in memory
loop_device() {
	local f
	f=$(mktemp "$W/disk.XXXXXX")
	truncate -s "$1" "$f"
	losetup --find --show "$f"
}

# disk: a block device without file system, in disk; name in disk_name
disk() {
	[ -n "${disk:-}" ] && return
	disk=$(loop_device 32M) || return
	disk_name=${disk#/dev/}
}

# ext4: a mounted file system, in ext4
ext4() {
	[ -n "${ext4:-}" ] && return
	ext4_disk=$(loop_device 64M) && mkfs.ext4 -q "$ext4_disk" || return
	ext4=$W/ext4
	mkdir -p "$ext4"
	mount -t ext4 "$ext4_disk" "$ext4" || { ext4=; return 1; }
}

# signed_programs TYPE: while the tool still runs, every program is signed, and
# there is one of this type
signed_programs() {
	alive "$tool_pid" || { echo "# the tool has ended too early"; return 1; }
	"$BPFTOOL" prog show >"$W/progs" || return 1
	# bpftool looks for the holders of programs with a program of its own
	awk -v want="$1" '
		function check() { if (type && !good) { bad = 1; print "# not signed: " line } }
		/^[0-9]+: / { check(); type = $2; line = $0; good = $4 == "iter"
			      if (type == want) seen = 1 }
		/^\t.*signed/ { good = 1 }
		END { check(); if (!seen) print "# no program of type " want
		      exit bad || !seen }' "$W/progs"
}

# loaded_only WHY: for a tool whose event cannot be had here: its object loads,
# signed, and the table says why no more is tested
loaded_only() {
	local t=${test_name}
	note "$*"
	about "loads only: $*"
	load_each "$t"
}

# load_each TOOL: all programs of its object, one by one. One whose target this
# kernel does not have cannot load: tools have such for older and newer kernels.
# A target that the tool chooses when it runs is chosen here.
load_each() {
	local o=$LIBBPF_TOOLS/signed/$1.bpf.o list=$W/each.$1 targets=() hopeless=-
	case $1 in
	fsslower|fsdist)
		targets=(file_read_f{entry,exit}=ext4_file_read_iter
			 file_write_f{entry,exit}=ext4_file_write_iter
			 file_open_f{entry,exit}=ext4_file_open
			 file_sync_f{entry,exit}=ext4_sync_file
			 getattr_f{entry,exit}=ext4_file_getattr) ;;
	funclatency)
		targets=(dummy_f{entry,exit}=vfs_read) ;;
	tcppktlat)
		# get_socket_cookie() is not for raw tracepoints, signed or not
		hopeless='^raw_tp/' ;;
	esac
	tools/load_each "$o" "${targets[@]}" >"$list" 2>"$W/each.err"
	[ $? -le 1 ] || { diag "$W/each.err"; return 1; }
	awk -F '\t' -v hopeless="$hopeless" '$2 ~ hopeless && $3 ~ /helper/ { next }
		     $3 != "ok" && $3 !~ /this kernel has no such (function|tracepoint)/ {
			bad = 1; print "# " $0 }
		     $3 == "ok" { ok = 1 } END { exit bad || !ok }' "$list"
}

# unsigned_probe ERROR: some tools find out whether a kind of program can be had
# by loading one, which nobody signed. bpf_lockdown=signed refuses that, and a
# tool that knows no other way ends with ERROR. run-tools-fentry.sh runs it
# where the probe is let in.
unsigned_probe() {
	grep -q "$1" "$err" && grep -q bpf_lockdown=signed /proc/cmdline || return
	loaded_only 'its unsigned probe is refused; works where it is let in'
}
