#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# demo-guest.sh LIBBPF_TOOLS BPFTOOL ALTERED: the part of the demo that runs in
# the guest

export LC_ALL=C
dir=$1 bpftool=$2 altered=$3
tool=opensnoop
tmp=$(mktemp -d /tmp/demo.XXXXXX)
bad=0

verdict() {
	if [ "$1" = 0 ]; then
		echo '   => as it should be'
	else
		echo '   => NOT AS IT SHOULD BE'
		bad=1
	fi
}

paragraph() {
	awk '!seen[$0]++' | head -n "$1" | fold -s -w 88 |
		sed -E '/^(libbpf|kernel): /!s/^/  /; s/^/   | /; s/ *$//'
}

# The sentences, without the dumps between them
libbpf_words() {
	grep -a '^libbpf: ' "$tmp/err" | grep -avE ' PROG LOAD LOG --| skeleton |failed to load' |
		sed 's/ Make sure your kernel supports BPF.*//' | paragraph 3
}

# The program's log, and what the kernel tells everybody
kernel_words() {
	{
		sed -n '/BEGIN PROG LOAD LOG/,/END PROG LOAD LOG/s/^[a-z]/kernel: &/p' "$tmp/err" |
			grep -v '^kernel: libbpf:'
		dmesg | tail -n "+$1" | sed 's/^\[[^]]*\] /kernel: /' | grep -i lockdown
	} | paragraph 2
}

# refused NUMBER VARIANT ERRNO WHAT
refused() {
	local from rc
	printf '\n%s. %s\n   # bin-%s/%s\n' "$1" "$4" "$2" $tool
	from=$(($(dmesg | wc -l) + 1))
	timeout 30 "$dir/bin-$2/$tool" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	libbpf_words
	kernel_words $from
	[ $rc != 0 ] && [ $rc != 124 ] && [ ! -s "$tmp/out" ] && grep -qE -e "$3" "$tmp/err"
	verdict $?
}

echo "Linux $(uname -r), $(grep -oE '(bpf_)?lockdown=[a-z]+' /proc/cmdline | xargs)," \
	"lockdown: $(cat /sys/kernel/security/lockdown)"
printf '\n1. %s, signed with the key of this kernel'\''s modules\n   # bin/%s -n cat & cat /etc/hostname\n' $tool $tool
stdbuf -oL "$dir/bin/$tool" -n cat >"$tmp/out" 2>"$tmp/err" &
pid=$!
rc=1
# until it is seen, for the tool needs a moment
for _ in {1..100}; do
	cat /etc/hostname >/dev/null
	sleep 0.3
	grep -qE '^[0-9]+ +cat +[0-9]+ +0 /etc/hostname$' "$tmp/out" && rc=0 && break
	kill -0 $pid 2>/dev/null || break
done
shown=$("$bpftool" prog show | grep -A 5 'sys_enter_openat ' | grep -w signed | xargs)
kill -INT $pid 2>/dev/null
grep -E 'PATH|/etc/hostname' "$tmp/out" | head -n 2 | sed 's/^/   | /'
[ $rc = 0 ] || libbpf_words
printf '   # bpftool prog show\n   | name tracepoint__syscalls__sys_enter_openat ... %s\n' "${shown:-not signed}"
[ $rc = 0 ] && [ -n "$shown" ]
verdict $?

refused 2 altered 'EKEYREJECTED|-129|[Kk]ey was rejected' "$tool, signed, then one bit of a program changed ($altered)"
refused 3 unsigned 'EPERM|-1\b|Operation not permitted' "$tool, unsigned"
refused 4 foreign 'ENOKEY|-126|Required key not available' "$tool, signed by somebody else"
echo
exit $bad
