#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs a guest test on the debug kernel, and then asks kmemleak what was lost.
# Prints one TAP document with the test's own nested in it.
#
#	[LOCKDOWN=integrity] debug-guest.sh SCRIPT
#
# What the kernel's log says is for dev/test.sh to read, in the guest's console.

leaks=/sys/kernel/debug/kmemleak
exec 3>$leaks 4<$leaks || exit 1
if [ -n "${LOCKDOWN:-}" ]; then
	echo "$LOCKDOWN" >/sys/kernel/security/lockdown || exit 1
fi
# what the boot left behind is not the test's
sleep 6
echo scan >&3
echo clear >&3

echo 'TAP version 13'
echo '1..2'
{ "$1" 3>&- 4<&-; echo $? >/tmp/debug-guest.status; } | sed -u 's/^/    /'
status=$(cat /tmp/debug-guest.status)
verdict=ok
[ "$status" = 0 ] || verdict='not ok'
echo "$verdict 1 - $(basename "$1" .sh)"

# Objects are reported from their fifth second on, once RCU and workqueues have
# let go of them; two scans, since a pointer may be on its way in the first.
verdict=ok
{ sleep 6 && echo scan >&3 && sleep 6 && echo scan >&3; } || verdict='not ok'
found=$(head -n 200 <&4) || verdict='not ok'
if [ -n "$found" ]; then
	echo "$found" | sed 's/^/# /'
	verdict='not ok'
fi
echo "$verdict 2 - no memory is lost"
[ "$verdict" = ok ] && [ "$status" = 0 ]
