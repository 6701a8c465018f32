# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# Tools that watch processes, the scheduler and interrupts

wait_for_cpu() {
	want="^[0-9:]+ +spinner +($p1|$p2) +[0-9]{4,}\$"
	sleep 0.2
}

test_runqslower() {
	about 'command, tid and latency of two processes that share a CPU'
	start runqslower 1000
	spin; p1=$event_pid
	spin; p2=$event_pid
	see wait_for_cpu || return
	awk '$2 == "spinner" && $4 < 1000 { bad = 1 } END { exit bad }' "$out" ||
		fail 'a latency below the limit'
}

spinner_histogram() {
	awk -v p="$p1" '/^pid = / { mine = $3 == p && $4 == "spinner" }
			mine && / : [1-9][0-9]* +\|\*/ { ok = 1 }
			END { exit !ok }' "$out"
}

wait_for_histogram() {
	want=spinner_histogram
	sleep 0.2
}

test_cpudist() {
	about 'histogram of one process, by pid and command'
	spin; p1=$event_pid
	spin
	start cpudist -P 1
	see wait_for_histogram
}

test_runqlat() {
	about 'histogram of one process, by pid and command'
	spin; p1=$event_pid
	spin
	start runqlat -P 1
	see wait_for_histogram
}

queue_length() {
	want='^ *[1-9] +: [1-9][0-9]* +\|'
	sleep 0.2
}

test_runqlen() {
	about 'queue lengths above zero while processes wait'
	spin; spin; spin
	start runqlen 1
	see queue_length
}

test_profile() {
	about 'samples of one process (-p), with command and pid'
	spin; p1=$event_pid
	start profile -F 99 -p "$p1" 2
	finish
	found "^ +- +spinner \($p1\)" || return
	awk '/^ +- +spinner/ { getline; n += $1 } END { exit n < 10 }' "$out" ||
		fail 'fewer than ten samples in two seconds'
}

test_offcputime() {
	about 'time and stack of one sleeping process (-p)'
	doze; p1=$event_pid
	start offcputime -p "$p1" 3
	finish
	found "^ +- +dozer \($p1\)" && found '^ +__schedule' || return
	awk '/^ +- +dozer/ { getline; us += $1 } END { exit us < 100000 }' "$out" ||
		fail 'off the CPU for less than 0.1 s in three'
}

test_wakeuptime() {
	about 'waker of one sleeping process (-p), with stack and time'
	doze; p1=$event_pid
	start wakeuptime -p "$p1" 3
	finish
	found '^\s+target: +dozer' && found '^\s+waker: ' &&
		found 'try_to_wake_up|hrtimer|wake' || return
	awk '/waker:/ { getline; us += $1 } END { exit us < 100000 }' "$out" ||
		fail 'blocked for less than 0.1 s in three'
}

wait_for_irq() {
	cat "$HERE"/tools/*.sh >/dev/null
	sync
	want=irq_lines
}

# A name that /proc/interrupts has, too
irq_lines() {
	local name count
	while read -r name count _; do
		[ "${count:-0}" -gt 0 ] 2>/dev/null || continue
		grep -qF "$name" /proc/interrupts && return
	done <"$out"
	return 1
}

test_hardirqs() {
	about 'count of an interrupt that /proc/interrupts names'
	start hardirqs 1
	see wait_for_irq
}

wait_for_softirq() {
	want='^timer +[0-9]+ +[1-9][0-9]*$'
	sleep 0.2
}

test_softirqs() {
	about 'timer softirqs counted'
	start softirqs -C 1
	see wait_for_softirq
}

test_cpufreq() {
	about 'histogram of frequencies'
	start cpufreq -d 3
	finish
	# an emulated CPU has one frequency, and no driver to ask for it
	if grep -q 'failed to init freqs' "$err"; then
		loaded_only 'the guest has no cpufreq driver'
	else
		histogram
	fi
}

test_llcstat() {
	about 'cache references by process'
	local nope='failed to (init|open) perf|perf_event_open|No such file|not supported'
	spin; p1=$event_pid
	start llcstat 3
	finish
	if grep -qE "$nope|failed to attach" "$err"; then
		loaded_only 'the guest has no hardware counters'
	else
		found "^$p1 +spinner"
	fi
}

exit_with_code() {
	[ -e "$W/exiter" ] || ln -s "$BASH" "$W/exiter"
	run "$W/exiter" -c 'exit 42'
	want="^exiter +$event_pid +$$ +$event_pid +[0-9.]+ +code 42"
}

test_exitsnoop() {
	about 'command, pid, parent and exit code'
	start exitsnoop
	see exit_with_code
}

send_signal() {
	# shellcheck disable=SC2016
	run "$W/sender" -c 'kill -URG $0' "$p1" || return
	want="^[0-9:]+ +$event_pid +sender +SIGURG +$p1 +[a-z]+ +0"
}

test_sigsnoop() {
	about 'sender, signal, receiver and result'
	[ -e "$W/sender" ] || ln -s "$BASH" "$W/sender"
	# ignored where nobody asks for it
	doze; p1=$event_pid
	start sigsnoop -n
	see send_signal
}

many_calls() {
	run dd if=/dev/zero of=/dev/null bs=1 count=3000 || return
	want=call_lines
}

call_lines() {
	awk '$1 == "read" && $2 >= 3000 { r = 1 }
	     $1 == "write" && $2 >= 3000 { w = 1 } END { exit !(r && w) }' "$out"
}

test_syscount() {
	about '3,000 reads and writes in an interval'
	start syscount -i 1
	see many_calls
}

need_capability() {
	run chroot / true || return
	want="^[0-9:]+ +0 +$event_pid +chroot +18 +CAP_SYS_CHROOT +[01] +allow"
}

test_capable() {
	about 'pid, command and capability of chroot()'
	start capable
	see need_capability
}

enter_command() {
	# a terminal, for else bash does not use readline
	printf 'echo of-bashreadline\nexit\n' |
		script -q -c 'bash --norc --noprofile -i' /dev/null >/dev/null 2>&1
	want='^[0-9:]+ +[0-9]+ +echo of-bashreadline'
}

test_bashreadline() {
	about 'a command that is typed into bash'
	start bashreadline
	see enter_command
}

contend() {
	ask contend 50 || return
	want="^$actor_comm\[$actor_pid\] lock 0x[0-9a-f]+ contended [1-9][0-9]* times"
}

test_futexctn() {
	about 'command, pid and number of contentions'
	ask bind 127.0.0.1 4241 || return
	start futexctn 1
	see contend
}
