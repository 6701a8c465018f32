# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Sourced by the run scripts: runs test programs one after the other, and lets
# the kernel's log have the last word. Not itself a test.

bad_news='BUG:|WARNING:|Oops|general protection|BUG at|refcount_t|INFO: task|RCU.*stall'

# Each program prints a TAP document; nested under one line each they make one.
run_tests() {
	dmesg -C 2>/dev/null
	n=0 rc=0
	echo "TAP version 13"
	echo "1..$(($# + 1))"
	for t in "$@"; do
		n=$((n + 1))
		# shellcheck disable=SC2086
		./$t >"/tmp/bpf_signed.$$" 2>&1
		status=$?
		sed 's/^/    /' "/tmp/bpf_signed.$$"
		if [ $status = 0 ]; then
			echo "ok $n - $t"
		else
			echo "not ok $n - $t"
			rc=1
		fi
	done
	rm -f "/tmp/bpf_signed.$$"
	n=$((n + 1))
	if dmesg | grep -E "$bad_news"; then
		echo "not ok $n - the kernel has something to say"
		rc=1
	else
		echo "ok $n - no word from the kernel"
	fi
	return $rc
}
