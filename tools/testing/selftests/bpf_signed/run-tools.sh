#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Real tools, bcc's libbpf-tools, signed, under lockdown. Each is started, made
# to see something, and has to tell of it.
#
# APPEND: lockdown=integrity bpf_lockdown=signed
# BEFORE: dev/libbpf-tools.sh
# BEFORE: VARIANT=unsigned dev/libbpf-tools.sh opensnoop execsnoop tcpconnect runqslower biolatency
# CPUS: 1
# MEMORY: 2G
# TIMEOUT: 1800
#
#	run-tools.sh [TOOL...]
#
# The tools are those of dev/libbpf-tools.sh, in $LIBBPF_TOOLS; the tests are in
# tools/ beside this script. Besides TAP it leaves results/*.tsv, of which
# dev/tools-table.sh makes a table.

export LC_ALL=C
HERE=$(cd "$(dirname "$0")" && pwd)
LIBBPF_TOOLS=${LIBBPF_TOOLS:-${BUILD:?}/libbpf-tools}
TOOLS_BIN=${TOOLS_BIN:-$LIBBPF_TOOLS/bin}
BPFTOOL=${BPFTOOL:-bpftool}
W=/tmp/tools.$$
mkdir "$W" && mount -t tmpfs none "$W" || exit 1
results=${RESULTS:-$PWD/results}	# for what is of use outside of the guest
table=$results/${RUN_AS:-run-tools}.tsv
mkdir -p "$results"
PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=/dev/null
. "$HERE/tools/lib.sh"
for f in "$HERE"/tools/*.sh; do
	# shellcheck source=/dev/null
	. "$f"
done

if [ $# -gt 0 ]; then
	tests=("$@")
else
	mapfile -t tests < <(declare -F | sed -n 's/^declare -f test_//p')
fi

echo 'TAP version 13'
echo "1..${#tests[@]}"
n=0 failed=0
: >"$table.new"
for t in "${tests[@]}"; do
	n=$((n + 1))
	rm -f "$W"/{about,note,out,err,commandline}
	tool_pid='' watched='' unsigned='' began=$SECONDS
	# shellcheck disable=SC2034
	test_name=$t
	"test_$t"
	rc=$?
	# of a tool that has ended, interrupt() has looked
	if [ $rc -eq 0 ] && [ -n "${WATCH_BY:-}" ] && [ -z "$watched" ]; then
		signed_programs "$WATCH_BY" || rc=1
	fi
	[ -z "$unsigned" ] || rc=1
	if [ -n "$tool_pid" ] && alive "$tool_pid"; then
		stop_tool
	fi
	[ -z "$tool_pid" ] || wait "$tool_pid" 2>/dev/null
	unspin
	about=$(cat "$W/about" 2>/dev/null)
	verdict=ok
	[ $rc -eq 0 ] || verdict='not ok'
	echo "$verdict $n $t: $about"
	[ -z "${VERBOSE:-}" ] || diag "$W/commandline" "$W/out"
	if [ $rc -ne 0 ]; then
		failed=$((failed + 1))
		diag "$W/commandline" "$W/out" "$W/err" "$W/event.err"
	fi
	printf '%s\t%s\t%s\t%s\t%s\n' "$t" "$verdict" "$about" \
		"$(cat "$W/note" 2>/dev/null)" $((SECONDS - began)) >>"$table.new"
done
mv "$table.new" "$table"
echo "# $failed of $n failed, in $SECONDS s"
[ $failed -eq 0 ]
