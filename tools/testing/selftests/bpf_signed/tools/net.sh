# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# Tools that watch the network, on the loopback device

# server: a peer, actor.py, at server_port
server() {
	[ -n "${server_port:-}" ] && return
	ask serve 127.0.0.1 37 || return
	server_port=$answer
	[ -e "$W/client" ] || ln -s "$BASH" "$W/client"
}

# 3,000 bytes there, 5,000 back
connect() {
	# shellcheck disable=SC2016
	run "$W/client" -c 'exec 3<>"/dev/tcp/127.0.0.1/$0"
		printf "%2999d\n" 1 >&3
		while read -r -N 5000 -u 3 x; do :; done' "$server_port"
}

connect_tcpconnect() {
	connect || return
	want="^$event_pid +client +4 +127.0.0.1 +127.0.0.1 +$server_port *\$"
}

test_tcpconnect() {
	about 'pid, command, addresses and port of a connection'
	server || return
	start tcpconnect
	see connect_tcpconnect
}

test_tcpconnlat() {
	about 'pid, command, addresses, port and latency of a connection'
	server || return
	start tcpconnlat
	see connect_tcpconnlat
}

connect_tcpconnlat() {
	connect || return
	want="^$event_pid +client +4 +127.0.0.1 +127.0.0.1 +$server_port +[0-9.]+ *\$"
}

connect_tcplife() {
	connect || return
	want="^$event_pid +client +127.0.0.1 +[0-9]+ +127.0.0.1 +$server_port +2.93 +4.88 +[0-9.]+"
}

test_tcplife() {
	about 'pid, command, ports, 3000 bytes sent and 5000 received'
	server || return
	start tcplife -D "$server_port"
	see connect_tcplife
}

connect_tcptop() {
	connect || return
	want=traffic_lines
}

# What was sent; 7.3 receives without calling the function that the tool watches
traffic_lines() {
	local client='127.0.0.1:[0-9]+' server=127.0.0.1:$server_port
	grep -qE "^$event_pid +client +$client +$server +[0-9]+ +2\$" "$out" &&
	grep -qE "^$actor_pid +$actor_comm +$server +$client +[0-9]+ +4\$" "$out"
}

test_tcptop() {
	about 'pids, commands, addresses and kilobytes sent by both sides'
	note 'receives nothing: 7.3 does not call tcp_cleanup_rbuf(); unsigned neither'
	server || return
	start tcptop -C 1
	see connect_tcptop
}

connect_tcptracer() {
	connect || return
	want=tracer_lines
}

tracer_lines() {
	grep -qE "^C +$event_pid +client +4 +127.0.0.1 +127.0.0.1 +[0-9]+ +$server_port" "$out" &&
	grep -qE "^A +$actor_pid +$actor_comm +4 +127.0.0.1 +127.0.0.1 +$server_port" "$out" &&
	grep -qE "^X +$event_pid +client +4 +127.0.0.1 +127.0.0.1 +[0-9]+ +$server_port" "$out"
}

test_tcptracer() {
	about 'connect, accept and close, each with pid, command and port'
	server || return
	start tcptracer
	see connect_tcptracer
}

connect_tcpstates() {
	connect || return
	want=state_lines
}

state_lines() {
	grep -qE "^[0-9a-f]+ +$event_pid +client .* $server_port +CLOSE +-> SYN_SENT" "$out" &&
	grep -qE " 127.0.0.1 +$server_port +SYN_SENT +-> ESTABLISHED" "$out"
}

test_tcpstates() {
	about 'states of a connection, of one remote port (-D)'
	server || return
	start tcpstates -D "$server_port"
	see connect_tcpstates
}

connect_tcprtt() {
	connect || return
	want=histogram_quiet
}

test_tcprtt() {
	about 'histogram for one remote port (-P)'
	server || return
	start tcprtt -i 1 -P "$server_port"
	see connect_tcprtt
}

connect_tcppktlat() {
	connect || return
	want="^$actor_pid +[0-9]+ +$actor_comm +127.0.0.1 +$server_port +127.0.0.1 +[0-9]+ +[0-9.]+"
}

test_tcppktlat() {
	about 'pid, command and ports of the process that reads'
	server || return
	start tcppktlat -l "$server_port"
	see connect_tcppktlat || unsigned_probe 'maybe your kernel'
}

connect_tcpsynbl() {
	connect || return
	want=backlog_lines
}

backlog_lines() {
	grep -q '^backlog_max = 37$' "$out" && histogram quiet
}

test_tcpsynbl() {
	about 'histogram under the backlog of 37 that the listener asked for'
	server || return
	start tcpsynbl -4 1
	see connect_tcpsynbl
}

bind_a_port() {
	ask bind 127.0.0.1 4242 || return
	want="^$actor_pid +$actor_comm +0 +TCP +...R. +0 +4242 +127.0.0.1"
}

test_bindsnoop() {
	about 'pid, command, options, port and address of a bind'
	ask bind 127.0.0.1 4241 || return
	start bindsnoop
	see bind_a_port
}

listen_on_port() {
	ask listen 127.0.0.1 4243 23 || return
	want="^$actor_pid +$actor_comm +0 +23 +TCPv4 +4243 +127.0.0.1"
}

test_solisten() {
	about 'pid, command, backlog, port and address of a listen'
	ask bind 127.0.0.1 4241 || return
	start solisten
	see listen_on_port
}

resolve() {
	ask resolve of-gethostlatency.invalid || return
	want="^[0-9:]+ +$actor_pid +$actor_comm +[0-9.]+ +of-gethostlatency.invalid"
}

test_gethostlatency() {
	about 'pid, command, latency and name of a getaddrinfo()'
	ask resolve localhost || return
	start gethostlatency
	see resolve
}
