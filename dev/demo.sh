#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What signed BPF programs are good for, in one guest under lockdown: opensnoop
# of bcc's libbpf-tools, signed, works; altered, unsigned and signed by somebody
# else it is refused, each time with the reason. The status is zero if all four
# went as they should. demo-guest.sh is the part that runs in the guest.

. "$(dirname "$0")/lib.sh"
load_env

out=$BUILD/libbpf-tools
demo=$BUILD/demo
bpftool=$TOOLS/bpftool/bpftool
tool=opensnoop

quietly() {
	"$@" >"$demo/log" 2>&1 || {
		cat "$demo/log" >&2
		die "failed: $*"
	}
}

rm -rf "$demo"
mkdir -p "$demo" "$out/altered" "$out/foreign"
"$ROOT/dev/libbpf-tools.sh" $tool || die "see $BUILD/libbpf-tools.log"

note "$tool three times more: altered, unsigned, signed with a foreign key"
"$ROOT/dev/alter.py" "$out/signed/$tool.bpf.o" "$out/altered/$tool.bpf.o" \
	tracepoint__syscalls__sys_enter_openat >"$demo/altered"
quietly openssl req -x509 -newkey rsa:2048 -nodes -days 30 -sha256 \
	-subj '/CN=somebody else' -keyout "$demo/foreign.key" -out "$demo/foreign.pem"
quietly "$bpftool" sign file "$out/unsigned/$tool.bpf.o" \
	-o "$out/foreign/$tool.bpf.o" -k "$demo/foreign.key" -i "$demo/foreign.pem"
for variant in altered unsigned foreign; do
	VARIANT=$variant quietly "$ROOT/dev/libbpf-tools.sh" $tool
done

note "booting a guest"
echo
rc=0
CMD="'$ROOT/dev/demo-guest.sh' '$out' '$bpftool' '$(cat "$demo/altered")'" \
	APPEND='lockdown=integrity bpf_lockdown=signed' TIMEOUT=180 \
	"$ROOT/dev/vm.sh" || rc=$?
[ $rc = 0 ] || die "not all went as it should (status $rc)"
