#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tests 'bpftool sign' and what libbpf makes of objects for it. Needs no
# particular kernel and no privileges: signing asks nothing of the kernel.
#
#	BPFTOOL=  the bpftool to test
#	CLANG=  LIBBPF_INCLUDE=  to compile BPF programs with
#	LIBBPF=  CC=  static library, for the tests of the section's reader

here=$(cd "$(dirname "$0")" && pwd)
BPFTOOL=${BPFTOOL:-bpftool}
CLANG=${CLANG:-clang}
CC=${CC:-cc}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/bpf_sign.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

nr=0
failures=0

result() {	# STATUS NAME
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr $2"
	else
		failures=$((failures + 1))
		echo "not ok $nr $2"
		sed 's/^/# /' log | tail -n 15
	fi
}

skip() {	# NAME WHY
	nr=$((nr + 1))
	echo "ok $nr $1 # SKIP $2"
}

check() {	# NAME COMMAND...: it succeeds
	name=$1; shift
	"$@" >log 2>&1
	result $? "$name"
}

refused() {	# NAME WORDS COMMAND...: it fails, and says why
	name=$1 words=$2; shift 2
	if "$@" >log 2>&1; then
		result 1 "$name"
	elif ! grep -qF -- "$words" log; then
		echo "expected: $words" >>log
		result 1 "$name"
	else
		result 0 "$name"
	fi
}

json_refused() {	# NAME WORDS ARGUMENTS...: as refused, and prints one JSON document
	name=$1 words=$2; shift 2
	"$BPFTOOL" -j "$@" >json 2>log
	status=$?
	echo "ended with status $status" >>log
	case $status in
	0|134|139) false ;;	# done, aborted, or killed by a fault
	*) python3 -m json.tool json >>log 2>&1 && grep -qF -- "$words" json ;;
	esac
	result $? "$name"
}

says() {	# NAME WORDS COMMAND...: it succeeds, and prints that
	name=$1 words=$2; shift 2
	"$@" >log 2>&1 && grep -qF -- "$words" log
	result $? "$name"
}

b() {
	"$BPFTOOL" "$@"
}

cert() {	# NAME [OPENSSL OPTIONS]
	n=$1; shift
	openssl req -new -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj "/CN=$n" \
		-addext subjectKeyIdentifier=hash -keyout "$n.key" -out "$n.crt" \
		"$@" 2>/dev/null
}

# replace FILE OFFSET: change one byte
flip() {
	byte=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1)
	printf "\\$(printf %o $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# where in the file the section's contents are, and how many bytes
section() {
	readelf -SW "$1" | awk '$2 == ".BPF.signed" || $3 == ".BPF.signed" {
		for (i = 1; i <= NF; i++) if ($i == "PROGBITS") print $(i+2), $(i+3) }'
}

images() {	# FILE DIR [OPTIONS]: sha256 of each image
	f=$1 d=$2; shift 2
	rm -rf "$d"
	b sign extract "$f" "$d" "$@" >/dev/null 2>&1
	(cd "$d" && sha256sum -- *.img)
}

signed_images() {	# FILE: what stands in its section
	b -j sign show "$1" | tr '{,' '\n\n' |
		grep -E '"(name|bytes|contents_sha256|btf_sha256|insns)"'
}

command -v openssl >/dev/null && command -v readelf >/dev/null || {
	echo "1..0 # SKIP needs openssl and readelf"
	exit 4
}
for n in rich limits events lockdown verdicts; do
	"$CLANG" --target=bpf -O2 -g -Wno-everything -D__TARGET_ARCH_x86 \
		${LIBBPF_INCLUDE:+-I"$LIBBPF_INCLUDE"} \
		-idirafter /usr/include -idirafter "/usr/include/$(uname -m)-linux-gnu" \
		-c "$here/$n.bpf.c" -o "$n.o" || exit 1
done
cert good && cert other && openssl x509 -in good.crt -outform DER -out good.der || exit 1
S="-k good.key -i good.crt"

echo "TAP version 13"

# Signing
cp rich.o r.o
# shellcheck disable=SC2086
check "sign a file" b sign file r.o $S
check "verify it" b sign verify r.o -i good.crt
check "verify it by a DER certificate" b sign verify r.o -i good.der
check "show it" b sign show r.o
check "show it as JSON" sh -c '"$0" -j sign show r.o | python3 -m json.tool' "$BPFTOOL"
check "verify it as JSON" \
	sh -c '"$0" -j sign verify r.o -i good.crt | python3 -m json.tool' "$BPFTOOL"
cp r.o again.o
# shellcheck disable=SC2086
check "sign it again" b sign file again.o $S
check "which gives the same file" cmp r.o again.o
check "sign it with another key" b sign file again.o -k other.key -i other.crt
check "verify that" b sign verify again.o -i other.crt
# shellcheck disable=SC2086
check "and go back" b sign file again.o $S
check "which gives the first file" cmp r.o again.o
# shellcheck disable=SC2086
check "sign into another file" b sign file rich.o $S -o new.o
check "which is the same" cmp r.o new.o
"$CLANG" --target=bpf -O2 -g -Wno-everything -D__TARGET_ARCH_x86 \
	${LIBBPF_INCLUDE:+-I"$LIBBPF_INCLUDE"} \
	-idirafter /usr/include -idirafter "/usr/include/$(uname -m)-linux-gnu" \
	-c "$here/rich.bpf.c" -o same.o
cp same.o unsigned.o
check "and leaves the source alone" cmp rich.o unsigned.o
cp rich.o a.o; cp limits.o c.o
# shellcheck disable=SC2086
check "sign several files" b sign file a.o c.o $S
check "verify several files" b sign verify a.o c.o -i good.crt
check "programs beyond 32" sh -c '[ "$("$0" sign show c.o | grep -c signer)" = 40 ]' "$BPFTOOL"
# shellcheck disable=SC2086
refused "several files into one" "-o is for one file" b sign file a.o c.o $S -o x.o
cp rich.o m.o
chmod 640 m.o
check "mode is kept" \
	sh -c '"$0" sign file m.o -k good.key -i good.crt && [ "$(stat -c %a m.o)" = 640 ]' \
	"$BPFTOOL"
chmod 4755 m.o
check "but not what it would say of another owner" \
	sh -c '"$0" sign file m.o -k good.key -i good.crt && [ "$(stat -c %a m.o)" = 755 ]' \
	"$BPFTOOL"
cp rich.o far.o; ln -s far.o link.o
# shellcheck disable=SC2086
check "sign what a link leads to" b sign file link.o $S
check "which is signed, and linked to as before" sh -c '[ -L link.o ] && cmp r.o far.o'
mkfifo pipe
# shellcheck disable=SC2086
refused "into something that is no file" "'pipe' is not a regular file" \
	b sign file rich.o $S -o pipe
check "which stays what it was" [ -p pipe ]
ln -s nowhere dangling
# shellcheck disable=SC2086
refused "or behind a link that leads nowhere" "'dangling' is not a regular file" \
	b sign file rich.o $S -o dangling
echo "sign verify r.o a.o" >commands
# shellcheck disable=SC2086
says "verify in batch mode" "verified" b -S $S batch file commands
echo "sign file m.o" >commands
# shellcheck disable=SC2086
check "and sign" b -S $S batch file commands
check "no temporary file is left" sh -c '! ls ./*.o.?????? 2>/dev/null'

# The rest of the object
sections() {
	readelf -SW "$1" | sed -n 's/^ *\[ *\([0-9]*\)\] \([^ ]*\).*/\1 \2/p' | grep -v 'BPF.signed'
}
sections rich.o >s1; sections r.o >s2
check "other sections keep their index" cmp s1 s2
readelf -sW rich.o >s1; readelf -sW r.o >s2
check "symbols are the same" cmp s1 s2
readelf -rW rich.o | grep -v '^Relocation section' >s1
readelf -rW r.o | grep -v '^Relocation section' >s2
check "relocations are the same" cmp s1 s2
for s in .BTF .BTF.ext .maps .rodata kprobe/do_unlinkat; do
	readelf -x $s rich.o
done >s1 2>/dev/null
for s in .BTF .BTF.ext .maps .rodata kprobe/do_unlinkat; do
	readelf -x $s r.o
done >s2 2>/dev/null
check "section contents are the same" sh -c '[ "$(wc -l <s1)" -gt 100 ] && cmp s1 s2'
check "skeleton of a signed object" b gen skeleton r.o name rich
check "static linking drops the signature" sh -c \
	'"$0" gen object linked.o r.o && ! readelf -SW linked.o | grep -q BPF.signed' "$BPFTOOL"
check "and its result can be signed" b sign file linked.o -k good.key -i good.crt

# Determinism
images rich.o d1 >i1
mkdir -p elsewhere; cp rich.o elsewhere/other_name.bpf.o
images elsewhere/other_name.bpf.o d2 >i2
check "images don't depend on the file's name" cmp i1 i2
check "14 programs, optional ones too" sh -c '[ "$(wc -l <i1)" = 14 ]'
images r.o d3 >i3
check "images of a signed object are the same" cmp i1 i3
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 .; chmod 644 rich.o; mkdir -p nobody; chmod 777 nobody
	check "no privileges are needed" setpriv --reuid=65534 --clear-groups \
		"$BPFTOOL" sign extract rich.o nobody/d
	(cd nobody/d && sha256sum -- *.img) >i4
	check "nor do they change anything" cmp i1 i4
else
	skip "no privileges are needed" "not root"
	skip "nor do they change anything" "not root"
fi

# What is in them
says "struct_ops by type and member" "attach no_such_ops/ssthresh no_such_ops/undo_cwnd" \
	b sign show r.o
says "freplace is for programs" "attach prog:subprog" b sign show r.o
says "module in an attach target" "attach vmlinux:do_unlinkat" b sign show r.o
says "kfuncs without flavour" "bpf_task_from_pid (kfunc, weak)" b sign show r.o
says "const volatile is tunable" "but for targ_comm cfg targ_long targ_pid static_tunable" \
	b sign show r.o
says "custom read-only data" "but for custom_tunable" b sign show r.o
says "value size of stack traces is free" \
	"map stacks: stack_trace  key 4B  value free" b sign show r.o
check "unused maps get no slot" sh -c '! "$0" sign show r.o | grep -q "map unused"' "$BPFTOOL"

# Policy
cat >policy <<-'E'
	# a comment
	tunable fixed_number fixed_text	# and another
	fixed targ_comm cfg

	fixed-entries hash
	free-value-size hash
	attach no_target_prog do_unlinkat vfs_*
	attach f*_prog do_mkdirat
	attach-prog fentry_prog handler
	attach unused_ops_prog no_such_ops/ssthresh
E
cp rich.o p.o
# shellcheck disable=SC2086
check "sign with a policy" b sign file p.o $S --policy policy
check "verify that" b sign verify p.o -i good.crt
says "policy: tunable" "tunable fixed_number" b sign show p.o
says "policy: fixed" "fixed cfg" b sign show p.o
says "policy: fixed-entries" "max_entries 16" b sign show p.o
says "policy: free-value-size" "map hash: hash  key 4B  value free" b sign show p.o
says "policy: attach" "attach no_target_prog vfs_*" b sign show p.o
says "policy: pattern for programs" "attach fexit_sleepable_prog do_mkdirat" b sign show p.o
says "policy: attach-prog" "attach-prog fentry_prog handler" b sign show p.o
says "policy: struct_ops" "attach unused_ops_prog no_such_ops/ssthresh" b sign show p.o
says "policy: default target stays first" "attach do_unlinkat do_mkdirat prog:handler" \
	b sign show p.o
b sign show p.o | sed '1,/^policy:/d' >policy2
images rich.o dp1 --policy policy >i1
images rich.o dp2 --policy policy2 >i2
check "what show prints is the policy" cmp i1 i2
bad_policy() {
	printf '%s\n' "$3" >bad
	# shellcheck disable=SC2086
	refused "$1" "$2" b sign file rich.o $S -o x.o --policy bad
}
bad_policy "policy: unknown statement" "bad:1: unknown statement 'allow'; expected tunable," \
	"allow x"
bad_policy "policy: missing name" "'tunable' needs a name" "tunable"
bad_policy "policy: missing target" "'attach' needs a program and a target" "attach fentry_prog"
bad_policy "policy: unknown variable" "no 'no_such_var'" "tunable no_such_var"
bad_policy "policy: unknown map" "no 'no_such_map'" "fixed-entries no_such_map"
bad_policy "policy: unknown program" "no 'no_such_prog'" "attach no_such_prog x"
bad_policy "policy: contradiction" "can't be both" "$(printf 'fixed cfg\ntunable cfg')"
bad_policy "policy: number of CPUs can't be fixed" "can't be fixed" "fixed-entries events"
bad_policy "policy: target of a program without" "have no attach target" "attach xdp_prog vfs_open"
bad_policy "policy: struct_ops without member" "is not TYPE/MEMBER" "attach ops_prog no_such_ops"
# shellcheck disable=SC2086
refused "policy: no file" "can't open 'no_such_file'" \
	b sign file rich.o $S -o x.o --policy no_such_file
check "nothing is written then" sh -c '[ ! -e x.o ]'

# What lockdown would say
json_is() {	# NAME FILE EXPRESSION: true of what check says, p being its programs by name
	"$BPFTOOL" -j sign check "$2" >json 2>log && python3 -c '
import json, sys
f = json.load(open("json"))[0]
p = {x["name"]: x for x in f["programs"]}
sys.exit(not eval("(" + sys.argv[1] + ")"))' "$3" 2>>log
	result $? "$1"
}
of_prog() {	# NAME PROGRAM WORDS: what check says of one program
	says "$1" "$3" sh -c \
		'"$0" sign check lockdown.o | awk -v p="$1:" "/^[^\t]/ { on = \$1 == p } on"' \
		"$BPFTOOL" "$2"
}
check "check asks no kernel" b sign check lockdown.o
says "check tells the verifier's part" "decided by the verifier only" b sign check lockdown.o
of_prog "check: helper" reads_kernel "helper bpf_probe_read_kernel: kernel-read"
of_prog "check: kfunc" kfuncs "kfunc bpf_cgroup_read_xattr: kernel-read"
of_prog "check: kfunc in no table" unlisted "kfunc no_such_kfunc: unlisted"
of_prog "check: ksym" address "address of init_task: kernel-address"
of_prog "check: context" reads_kernel "context, if it reads it: kernel-address"
of_prog "check: type" reads_kernel "restricted: refused: programs of this type have to be signed"
of_prog "check: option" reads_user "sign with --lockdown confidentiality=user-read"
of_prog "check: ceiling" reads_kernel "bpf_lockdown_ceiling=user-read,kernel-read,fields"
of_prog "check: fmod_ret" changes "sign with --lockdown integrity=control,fields"
of_prog "check: forbidden" forbidden "signed: refused: its annotation forbids this mode"
json_is "check: a packet program loads unsigned" lockdown.o \
	'all(p["packet"][m]["unsigned"][c]["verdict"] == "loads"
		for m in ("integrity", "confidentiality") for c in ("audit", "restricted"))
	and p["packet"]["integrity"]["unsigned"]["signed"]["verdict"] == "refused"
	and not p["packet"]["uses"]'
json_is "check: audit records, and keeps kernel memory back" lockdown.o \
	'[p["packet_reads_kernel"][m]["unsigned"]["audit"]["verdict"]
		for m in ("integrity", "confidentiality")] == ["recorded", "refused"]'
json_is "check: a packet program with a helper is refused" lockdown.o \
	'p["packet_reads_kernel"]["integrity"]["unsigned"]["restricted"]["verdict"] == "refused"
	and p["packet_reads_kernel"]["integrity"]["signed"]["verdict"] == "loads"
	and p["packet_reads_kernel"]["confidentiality"]["signed"]["verdict"] == "refused"
	and p["packet_reads_kernel"]["confidentiality"]["option"] ==
		{"lockdown": "confidentiality=kernel-read",
		 "ceiling": "user-read,kernel-read,fields"}'
json_is "check: stacks by their flags" lockdown.o \
	'p["user_stack"]["needs"] == ["user-read"]
	and p["kernel_stack"]["needs"] == ["kernel-address"]'
json_is "check: events" lockdown.o \
	'p["reads_user"]["context"] == ["user-read"]
	and p["writes_user"]["context"] == ["user-read"]'
json_is "check: no event at all" lockdown.o 'p["anywhere"]["context"] == ["kernel-address"]'
json_is "check: nobody writes to user space" lockdown.o \
	'p["writes_user"]["integrity"]["signed"]["verdict"] == "refused"
	and "option" not in p["writes_user"]["integrity"]'
json_is "check: formats are left to the verifier" lockdown.o \
	'p["prints"]["uses"] == [{"kind": "helper", "name": "bpf_snprintf", "by_format": True}]
	and "format" in p["prints"]["confidentiality"]["signed"]["but"]'
json_is "check: plain kfuncs are not mentioned" lockdown.o \
	'[u["name"] for u in p["kfuncs"]["uses"]] == ["bpf_cgroup_read_xattr"]'
json_is "check: what is asked for and granted" lockdown.o \
	'p["annotated"]["confidentiality"]["signed"]["verdict"] == "loads"
	and "option" not in p["annotated"]["confidentiality"] and not f["signed"]'
says "check: with the option" "signed: loads" sh -c \
	'"$0" sign check lockdown.o --lockdown confidentiality=user-read |
	awk "/^reads_user:/ { on = 1 } on && /signed: loads/ { n++ } /^user_stack:/ { exit }
		END { if (n == 2) print \"signed: loads\" }"' "$BPFTOOL"
cp lockdown.o k.o
# shellcheck disable=SC2086
check "sign what was checked" b sign file k.o $S --lockdown confidentiality=user-read
json_is "check: the signed annotation counts" k.o \
	'f["signed"] and p["reads_user"]["confidentiality"]["signed"]["verdict"] == "loads"
	and p["annotated"]["confidentiality"]["signed"]["verdict"] == "refused"'
refused "check: no BPF object" "is not a BPF object file" b sign check good.crt

# ... is what the kernel's policy says: lockdown.verdicts is made from it
cat >verdicts.py <<'E'
import itertools, json, subprocess, sys

CLASSES = ("plain", "user_read", "user_write", "control", "kernel_read", "kernel_address",
           "fields", "loader", "no_table")
bpftool, table = sys.argv[1:]
want = [line.split() for line in open(table) if line[0] != "#"]

def programs(*options):
    out = subprocess.run([bpftool, "-j", "sign", "check", "verdicts.o", *options],
                         stdout=subprocess.PIPE, check=True).stdout
    return {p["name"]: p for p in json.loads(out)[0]["programs"]}

def letters(progs, kind, *path):
    found = ""
    for c in CLASSES:
        p = progs[f"{kind}_{c}"]
        for key in path:
            p = p[key]
        found += {"loads": "l", "recorded": "r", "refused": "x"}[p["verdict"]]
    return found

bad = cases = 0
plain = programs()
for annotation, lines in itertools.groupby(sorted(want, key=lambda w: (w[1] != "system", w[2])),
                                           lambda w: w[2] if w[1] == "system" else None):
    if annotation:
        progs = programs(*(o for mode in ("integrity", "confidentiality")
                           for o in ("--lockdown", f"{mode}={annotation}")))
    for mode, who, what, verdicts in lines:
        for kind in ("listed", "unlisted") if annotation else (what,):
            found = letters(progs, kind, mode, "signed") if annotation else \
                    letters(plain, kind, mode, "unsigned", who)
            cases += len(verdicts)
            if found != verdicts:
                bad += 1
                print(mode, who, what, kind, "says", found, "and the kernel", verdicts)
print(cases, "cases")
sys.exit(bad != 0 or cases < 4000)
E
check "check says what the kernel's policy says" python3 verdicts.py "$BPFTOOL" \
	"$here/lockdown.verdicts"

# What it says at present
with_policy() {	# LOCKDOWN CHOICE CEILING COMMAND...: as if the kernel had these files
	unshare -m sh -c '
		mount -t tmpfs none /sys/kernel/security && cd /sys/kernel/security || exit
		[ -z "$1" ] || { echo "$1" >lockdown; echo "$2" >bpf_lockdown
			echo "$3" >bpf_lockdown_ceiling; }
		shift 3; exec "$@"' sh "$@"
}
if [ "$(id -u)" = 0 ] && with_policy "" "" "" true 2>/dev/null; then
	says "policy in force" \
		"lockdown integrity  unsigned restricted  ceiling user-read,fields" \
		with_policy "none [integrity] confidentiality" "audit [restricted] signed" \
		"[user-read] user-write control kernel-read kernel-address [fields] loader" \
		"$BPFTOOL" sign policy
	says "policy in force as JSON" \
		'{"lockdown":"none","unsigned":"signed","ceiling":[]}' \
		with_policy "[none] integrity confidentiality" "audit restricted [signed]" \
		"user-read user-write control kernel-read kernel-address fields loader" \
		"$BPFTOOL" -j sign policy
	refused "policy of a kernel that has none" "built without CONFIG_SECURITY_LOCKDOWN_BPF" \
		with_policy "" "" "" "$BPFTOOL" sign policy
else
	skip "policy in force" "can't mount"
	skip "policy in force as JSON" "can't mount"
	skip "policy of a kernel that has none" "can't mount"
fi

# Events
cp events.o e.o
# shellcheck disable=SC2086
says "sign programs that meet events" "22 programs signed" b sign file e.o $S
events() {	# PROGRAM EVENTS: what show says of it
	says "events of $1" "	events $2" \
		sh -c "\"\$0\" sign show e.o | grep -A 3 '^on_$1: ' | sed 's/\$/|/'" "$BPFTOOL"
}
events kprobe "kprobe/do_unlinkat|"
events inside "kprobe/do_unlinkat+0x10|"
events kretprobe "kretprobe/do_unlinkat|"
events no_function "none|"
events multi "kprobe/tcp_*|"
events multi_return "kretprobe/tcp_*|"
events session "kprobe/tcp_* kretprobe/tcp_*|"
events syscall "kprobe/__*_sys_openat kprobe/sys_openat|"
events uprobe "uprobe//bin/bash:readline|"
events uretprobe "uretprobe//bin/bash:readline+0x4|"
events library "uprobe/libc.so.6:malloc|"
events relative "uprobe/tool:main|"
events no_file "none|"
events umulti "uprobe//bin/bash:*|"
events usession "uprobe//bin/bash:f uretprobe//bin/bash:f|"
events usdt "usdt//usr/lib/libc.so.6:libc:setjmp|"
events tp "tracepoint/syscalls/sys_enter_getpid|"
events raw_tp "raw_tp/sys_enter|"
events no_raw_tp "none|"
events perf "perf_event/*|"
check "programs of other types have none" \
	sh -c '! "$0" sign show e.o | grep -A 3 "^annotated: " | grep -q events' "$BPFTOOL"
# shellcheck disable=SC2086
says "which can't be attached, is told" "program 'on_no_function' names no event" \
	b sign file events.o $S -o e2.o
cat >policy <<-'E'
	attach on_no_function any
	attach on_no_f* uprobe//bin/true usdt/*
	attach on_kprobe kretprobe/do_unlinkat ksyscall/unlinkat ext4:kprobe
	attach on_perf perf_event/software:0x0
E
# shellcheck disable=SC2086
refused "policy: event that is none" "names no event as SEC() would" \
	b sign file events.o $S -o x.o --policy policy
sed -i 's/ext4:kprobe/kprobe\/ext4:ext4_unlink/' policy
# shellcheck disable=SC2086
check "policy: more events" b sign file events.o $S -o e.o --policy policy
events no_function "kprobe/*+* kretprobe/* uprobe/* uretprobe/* uprobe//bin/true usdt/*|"
x="kprobe/do_unlinkat kretprobe/do_unlinkat kprobe/__*_sys_unlinkat kprobe/sys_unlinkat"
events kprobe "$x kprobe/ext4:ext4_unlink|"
events no_file "uprobe//bin/true usdt/*|"
events perf "perf_event/* perf_event/software:0x0|"
b sign show e.o | sed '1,/^policy:/d' >policy2
images events.o dp1 --policy policy >i1
images events.o dp2 --policy policy2 >i2
check "what show prints is the policy for events" cmp i1 i2
check "events as JSON" sh -c '"$0" -j sign show e.o | python3 -c "
import json, sys
p = {p[\"name\"]: p for p in json.load(sys.stdin)[0][\"programs\"]}
assert p[\"on_uprobe\"][\"events\"] == [{
	\"kind\": \"uprobe\", \"name\": \"/bin/bash\",
	\"symbol\": \"readline\", \"pattern\": False}]
assert p[\"on_no_raw_tp\"][\"events\"] == [] and p[\"on_perf\"][\"events\"][0][\"pattern\"]
assert \"events\" not in p[\"annotated\"]
assert p[\"annotated\"][\"lockdown\"] == {
	\"integrity\": \"none\", \"confidentiality\": \"user-read,fields\"}
"' "$BPFTOOL"
for bad in "tp kprobe/x" "kprobe tracepoint/a/b" "raw_tp perf_event/x" "perf raw_tp/x"; do
	echo "attach on_$bad" >bad
	# shellcheck disable=SC2086
	refused "policy: $bad" "is no event for a program of type" \
		b sign file events.o $S -o x.o --policy bad
done
for bad in "kprobe x" "kprobe kprobe" "kprobe kprobe/" "kprobe uprobe/:f" \
	"kprobe uprobe//bin/sh:" "tp fentry/x"; do
	echo "attach on_$bad" >bad
	# shellcheck disable=SC2086
	refused "policy: $bad" "names no event as SEC() would" \
		b sign file events.o $S -o x.o --policy bad
done

# The annotation for lockdown
lockdown() {	# PROGRAM ANNOTATION OPTIONS...: what show says of it
	p=$1 w=$2; shift 2
	# shellcheck disable=SC2086
	b sign file events.o $S -o l.o "$@" >log 2>&1 || { result 1 "lockdown of $p: $w"; return; }
	says "lockdown of $p: $w" "	lockdown $w|" \
		sh -c "\"\$0\" sign show l.o | grep -A 4 '^$p: ' | sed 's/\$/|/'" "$BPFTOOL"
}
lockdown annotated "integrity=none confidentiality=user-read,fields"
lockdown forbidden "confidentiality=forbid"
check "without a word there is none" \
	sh -c '! "$0" sign show e.o | grep -A 4 "^on_kprobe: " | grep -q lockdown' "$BPFTOOL"
echo "lockdown forbidden confidentiality=kernel-read,kernel-address integrity=forbid" >policy
lockdown forbidden "integrity=forbid confidentiality=kernel-read,kernel-address" --policy policy
lockdown annotated "integrity=none confidentiality=user-read,fields" --policy policy
lockdown forbidden "integrity=forbid confidentiality=all" --policy policy \
	--lockdown confidentiality=all
lockdown on_kprobe "integrity=control,loader confidentiality=user-write" \
	--lockdown integrity=loader,control --lockdown confidentiality=user_write
b sign show l.o | sed '1,/^policy:/d' >policy2
images events.o dp1 --lockdown integrity=loader,control --lockdown confidentiality=user-write >i1
images events.o dp2 --policy policy2 >i2
check "what show prints is the policy for lockdown" cmp i1 i2
for bad in none integrity integrity= integrity=x integrity=none,control integrity=forbid,fields \
	audit=none confidentiality=user-rea confidentiality=user-reads =none; do
	# shellcheck disable=SC2086
	refused "lockdown: $bad" "is no annotation for lockdown" \
		b sign file events.o $S -o x.o --lockdown $bad
done
bad_policy "policy: lockdown without a mode" "needs a program and MODE=CLASSES" "lockdown xdp_prog"
bad_policy "policy: lockdown of no program" "no 'no_such_prog'" \
	"lockdown no_such_prog integrity=none"
refused "--lockdown elsewhere" "are for 'bpftool sign'" b prog show --lockdown integrity=none
check "nothing is written by these" sh -c '[ ! -e x.o ]'

# The key is somewhere else
cat >policy <<-'E'
	tunable fixed_number fixed_text
	fixed targ_comm cfg
	fixed-entries hash
	free-value-size hash
	attach no_target_prog do_unlinkat vfs_*
	attach f*_prog do_mkdirat
	attach-prog fentry_prog handler
	attach unused_ops_prog no_such_ops/ssthresh
E
check "extract" b sign extract rich.o two --policy policy
for f in two/*.img; do
	openssl cms -sign -binary -noattr -nocerts -keyid -md sha256 -outform DER \
		-inkey good.key -signer good.crt -in "$f" -out "$f.p7s"
done
cp rich.o t.o
check "attach" b sign attach t.o two -i good.crt
check "verify what was attached" b sign verify t.o -i good.crt
check "two steps give what one gives" cmp p.o t.o
check "attach without a certificate" b sign attach rich.o two -o t2.o
check "gives the same" cmp p.o t2.o
refused "attach with another certificate" "signed with another key" \
	b sign attach rich.o two -i other.crt -o x.o
cp -r two two2; rm two2/xdp_prog.img.p7s
refused "a signature is missing" "xdp_prog.img.p7s" b sign attach rich.o two2 -o x.o
cp two/lsm_prog.img.p7s two2/xdp_prog.img.p7s
refused "signature of another image" "was altered" b sign attach rich.o two2 -i good.crt -o x.o
cp two/xdp_prog.img.p7s two2/; cp two/lsm_prog.img two2/xdp_prog.img
refused "another program's image" "was not made from this object" b sign attach rich.o two2 -o x.o
refused "images of another object" "can't open" b sign attach limits.o two -o x.o
cp two/lsm_prog.img two2/
# signatures that the kernel does not take: with the content, with two signers
for how in -nodetach "-signer other.crt -inkey other.key"; do
	# shellcheck disable=SC2086
	openssl cms -sign -binary -noattr -nocerts -keyid -md sha256 -outform DER \
		-inkey good.key -signer good.crt $how \
		-in two/xdp_prog.img -out two2/xdp_prog.img.p7s
	cp two/xdp_prog.img two2/
	refused "signature with $how" "detached and of one signer" \
		b sign attach rich.o two2 -i good.crt -o x.o
done

# Each under the name of the other
swap_names() {
	python3 - "$1" "$(section "$1")" <<-'E'
	import struct, sys
	path, at = sys.argv[1], int(sys.argv[2].split()[0], 16)
	data = bytearray(open(path, "rb").read())
	progs = at + struct.unpack_from("<I", data, at + 24)[0]
	a, b = (struct.unpack_from("<I", data, progs + 24 * i)[0] for i in (0, 1))
	struct.pack_into("<I", data, progs, b)
	struct.pack_into("<I", data, progs + 24, a)
	open(path, "wb").write(data)
	E
}
cp r.o swapped.o; swap_names swapped.o
refused "programs that go by each other's names" "is the image of another program" \
	b sign verify swapped.o -i good.crt

# The key is in a token
softhsm=
for lib in /usr/lib*/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do
	[ -e "$lib" ] && softhsm=$lib
done
if [ -n "$softhsm" ] && command -v softhsm2-util >/dev/null; then
	mkdir tokens
	echo "directories.tokendir = $tmp/tokens" >softhsm2.conf
	export SOFTHSM2_CONF="$tmp/softhsm2.conf" PKCS11_MODULE_PATH="$softhsm"
	{
		openssl pkcs8 -topk8 -nocrypt -in good.key -out good.pk8 &&
		softhsm2-util --init-token --free --label bpf --pin 1234 --so-pin 1234 &&
		softhsm2-util --import good.pk8 --token bpf --label signer --id 01 --pin 1234
	} >log 2>&1
	cp rich.o k.o
	export KBUILD_SIGN_PIN=1234
	uri='pkcs11:token=bpf;object=signer'
	if b sign file k.o -k "$uri" -i good.crt --policy policy >log 2>&1; then
		check "a key in a token signs as one in a file" cmp p.o k.o
	elif grep -q "provider or engine" log && ! openssl engine pkcs11 >/dev/null 2>&1; then
		skip "a key in a token signs as one in a file" "no PKCS#11 engine for OpenSSL"
	else
		result 1 "a key in a token signs as one in a file"
	fi
	export KBUILD_SIGN_PIN=4321
	refused "another PIN" "failed to sign" b sign file k.o -k "$uri" -i good.crt -o x.o
	unset KBUILD_SIGN_PIN
else
	skip "a key in a token signs as one in a file" "no softhsm2"
	skip "another PIN" "no softhsm2"
fi

# The key has a passphrase
openssl pkcs8 -topk8 -in good.key -out secret.key -passout pass:secret
cat >asked.py <<'E'
import os, pty, sys

pid, fd = pty.fork()
if not pid:
    os.execv(sys.argv[1], sys.argv[1:])
said, asked = b"", False
while True:
    try:
        data = os.read(fd, 1024)
    except OSError:
        break
    if not data:
        break
    said += data
    if not asked and b"pass phrase" in said:
        os.write(fd, b"secret\n")
        asked = True
_, status = os.waitpid(pid, 0)
print(said.decode(errors="replace"))
sys.exit(status != 0 or not asked)
E
check "the passphrase is asked for" python3 asked.py "$BPFTOOL" sign file rich.o \
	-k secret.key -i good.crt -o asked.o
check "and the signature is the same" cmp r.o asked.o
check "or taken from the environment" env KBUILD_SIGN_PIN=secret "$BPFTOOL" sign file rich.o \
	-k secret.key -i good.crt -o asked2.o
check "and is the same again" cmp r.o asked2.o
refused "another passphrase" "failed to sign" env KBUILD_SIGN_PIN=other "$BPFTOOL" \
	sign file rich.o -k secret.key -i good.crt -o x.o

# Tampering
refused "verify an unsigned file" "is not signed" b sign verify rich.o -i good.crt
refused "show an unsigned file" "is not signed" b sign show rich.o
refused "verify by another key" "signed with another key" b sign verify r.o -i other.crt
# shellcheck disable=SC2046 # offset and size
set -- $(section r.o)
off=$((0x$1)) size=$((0x$2))
# Where bytes count: header and directory, BTF, images, and of the signatures
# the value itself, for what PKCS#7 wraps around it is not signed
python3 - r.o $off >offsets <<'E'
import struct, sys
off = int(sys.argv[2])
sec = open(sys.argv[1], "rb").read()[off:]
hdr = struct.unpack("12I", sec[:48])
spans = [(hdr[4], hdr[5]), (hdr[6], 24 * hdr[7]), (hdr[8], hdr[9])]
for i in range(hdr[7]):
    p = struct.unpack_from("6I", sec, hdr[6] + 24 * i)
    spans += [(p[2], p[3]), (p[4] + p[5] - 256, 256)]
every = [off + o + i for o, n in spans for i in range(n)]
step = len(every) // 400 + 1
# strings may be followed by others: their length is not missed
print(*[off + i for i in range(48) if not 36 <= i < 40], *every[::step], sep="\n")
E
bad=0 tried=0
while read -r at; do
	cp r.o tampered.o
	flip tampered.o "$at"
	tried=$((tried + 1))
	if b sign verify tampered.o -i good.crt >log 2>&1; then
		bad=$((bad + 1))
		echo "byte $at" >>survivors
	fi
done <offsets
cp survivors log 2>/dev/null || : >log
result $bad "each of $tried changed bytes is noticed"
OBJCOPY=$(command -v llvm-objcopy || command -v "$("$CLANG" -print-prog-name=llvm-objcopy)")
dd if=r.o of=sec bs=1 skip=$off count=$size 2>/dev/null
for cut in 1 10 47 48 200 $((size - 1)); do
	# shellcheck disable=SC2238 # a file of that name
	head -c $cut sec >cut
	if [ -z "$OBJCOPY" ] ||
	   ! "$OBJCOPY" --update-section .BPF.signed=cut r.o tampered.o 2>/dev/null; then
		skip "section cut to $cut bytes" "no llvm-objcopy"
		continue
	fi
	refused "section cut to $cut bytes" "malformed section" b sign verify tampered.o -i good.crt
	# shellcheck disable=SC2086
	check "which can be signed again" b sign file tampered.o $S
	check "and is good then" b sign verify tampered.o -i good.crt
done

# Bad input
printf 'not an object' >junk

# What a command says in JSON when it fails is a document, too
cp r.o altered.o
python3 - altered.o $off <<'E'
import struct, sys
off = int(sys.argv[2])
data = bytearray(open(sys.argv[1], "rb").read())
hdr = struct.unpack_from("12I", data, off)
# a byte of the BTF's strings in one file, the magic of the first image in another
btf = off + hdr[4] + hdr[5] - 2
data[btf] ^= 1
open("otherbtf.o", "wb").write(data)
data[btf] ^= 1
data[off + struct.unpack_from("6I", data, off + hdr[6])[2]] ^= 0xff
open(sys.argv[1], "wb").write(data)
E
json_refused "JSON: no file to sign" "failed to open object file" \
	sign file none.o -k good.key -i good.crt
json_refused "JSON: no policy" "can't open 'none'" \
	sign file rich.o -k good.key -i good.crt --policy none -o x.o
json_refused "JSON: bad policy" "unknown statement" \
	sign file rich.o -k good.key -i good.crt --policy junk -o x.o
json_refused "JSON: no key" "failed to sign" sign file rich.o -k none.key -i good.crt -o x.o
json_refused "JSON: no option for a key" "must be supplied" sign file rich.o
json_refused "JSON: no file to verify" '"file":"none.o","error":"can' \
	sign verify none.o -i good.crt
json_refused "JSON: verify an unsigned file" '"file":"rich.o","error":"is not signed"' \
	sign verify rich.o -i good.crt
json_refused "JSON: verify several" '"error":"is not a BPF' sign verify none.o r.o junk -i good.crt
json_refused "JSON: verify without a certificate" "must be supplied" sign verify r.o
json_refused "JSON: verify by no certificate" "no certificate can be read from 'none.crt'" \
	sign verify r.o -i none.crt
json_refused "JSON: verify by another key" '"verified":false,"error":"signed with another key"' \
	sign verify r.o -i other.crt
json_refused "JSON: verify an altered image" '"verified":false,"error":"signature does not match' \
	sign verify altered.o -i good.crt
json_refused "JSON: verify altered BTF" '"verified":false,"error":"BTF was altered"' \
	sign verify otherbtf.o -i good.crt
json_refused "JSON: no file to show" '"file":"none.o","error":"can' sign show none.o
json_refused "JSON: show an unsigned file" '"error":"is not signed"' sign show rich.o r.o
json_refused "JSON: show an altered image" '"error":"not an image"' sign show altered.o
json_refused "JSON: show altered BTF" '"error":"was signed with another BTF"' sign show otherbtf.o
json_refused "JSON: no file to check" '"file":"none.o","error":"can' sign check none.o
json_refused "JSON: check an altered image" '"error":"not an image"' sign check altered.o
json_refused "JSON: check with no policy" "can't open 'none'" sign check rich.o --policy none
json_refused "JSON: extract with no policy" "can't open 'none'" sign extract rich.o d --policy none
json_refused "JSON: extract from no file" "failed to open object" sign extract none.o d
odd=$(printf 'odd\001\377.o')
cp r.o "$odd"
check "JSON: a name of any bytes" sh -c '"$0" -j sign show "$1" | python3 -c "
import json, sys
sys.exit(json.load(sys.stdin)[0][\"file\"] != \"odd\\x01\\ufffd.o\")"' "$BPFTOOL" "$odd"
json_refused "JSON: attach to no file" "failed to open object" sign attach none.o two
json_refused "JSON: attach what is missing" "can't open" sign attach limits.o two -o x.o
json_refused "JSON: attach by another certificate" "signed with another key" \
	sign attach rich.o two -i other.crt -o x.o
json_refused "JSON: attach by no certificate" "two/" sign attach rich.o two -i none.crt -o x.o
OBJCOPY=$(command -v llvm-objcopy || command -v "$("$CLANG" -print-prog-name=llvm-objcopy)")
if [ -n "$OBJCOPY" ]; then
	# directory and images of another object: nothing in it is for these programs
	# shellcheck disable=SC2046 # offset and size
	set -- $(section c.o)
	dd if=c.o of=sec2 bs=1 skip=$((0x$1)) count=$((0x$2)) 2>/dev/null
	"$OBJCOPY" --update-section .BPF.signed=sec2 r.o foreign.o
	json_refused "JSON: a program is not signed" \
		'"name":"xdp_prog","verified":false,"error":"is not signed"' \
		sign verify foreign.o -i good.crt
else
	skip "JSON: a program is not signed" "no llvm-objcopy"
fi
# shellcheck disable=SC2086
refused "no object" "failed to open object file 'junk'" b sign file junk $S
# shellcheck disable=SC2086
refused "no file" "failed to open object file 'none.o'" b sign file none.o $S
refused "no key" "must be supplied for signing" b sign file rich.o -i good.crt -o x.o
refused "no certificate" "must be supplied for verification" b sign verify r.o
refused "key and certificate don't belong together" "failed to sign" \
	b sign file rich.o -k good.key -i other.crt -o x.o
refused "key is not there" "failed to sign" b sign file rich.o -k none.key -i good.crt -o x.o
refused "no PKCS#11 token" "PKCS#11" b sign file rich.o -k 'pkcs11:object=none' -i good.crt -o x.o
refused "-o elsewhere" "are for 'bpftool sign'" b prog show -o x.o
"$CLANG" --target=bpf -O2 -Wno-everything ${LIBBPF_INCLUDE:+-I"$LIBBPF_INCLUDE"} \
	-idirafter /usr/include -idirafter "/usr/include/$(uname -m)-linux-gnu" \
	-c "$here/limits.bpf.c" -o nobtf.o
# shellcheck disable=SC2086
refused "no BTF" "has no BTF" b sign file nobtf.o $S
"$CLANG" -c -x c /dev/null -o native.o
# shellcheck disable=SC2086
refused "object for another machine" "native.o" b sign file native.o $S
check "nothing is written by any of these" sh -c '[ ! -e x.o ]'
check "help" b sign help
head -c 1048577 /dev/zero >large
refused "a file that is too large" "more than the 1048576 that are allowed" \
	b sign file rich.o -k good.key -i good.crt -o x.o --policy large
refused "a directory for a policy" "is not a regular file" \
	b sign file rich.o -k good.key -i good.crt -o x.o --policy .
bootstrap=$(dirname "$BPFTOOL")/bootstrap/bpftool
if [ -x "$bootstrap" ]; then
	refused "bootstrap bpftool does not sign" "not supported in bootstrap mode" \
		"$bootstrap" sign show r.o
else
	skip "bootstrap bpftool does not sign" "no $bootstrap"
fi
long=$(printf 'f%0300d' 0)
echo "attach on_no_function ksyscall/$long" >policy
# shellcheck disable=SC2086
check "a long name" b sign file events.o $S -o e.o --policy policy
says "is not cut" " kprobe/__*_sys_$long kprobe/sys_$long" b sign show e.o

# The reader of the section
if [ -r "${LIBBPF:-}" ]; then
	if $CC -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
		${LIBBPF_INCLUDE:+-I"$LIBBPF_INCLUDE"} -I"$here/../../../../lib" \
		-idirafter "$here/../../../../include/uapi" \
		"$here/reader.c" -o reader >log 2>&1; then
		dd if=r.o of=sec bs=1 skip=$off count=$size 2>/dev/null
		check "reader stays within bounds" ./reader sec
	else
		result 1 "reader compiles"
	fi
else
	skip "reader stays within bounds" "LIBBPF is not set"
fi

# What libbpf makes of kernels that are not at hand
# shellcheck disable=SC2086 # options
fake_kernel() {
	cat >one.bpf.c <<-'E'
		#include <linux/bpf.h>
		#include <bpf/bpf_helpers.h>
		SEC("xdp") int prog(void *ctx) { return XDP_PASS; }
	E
	"$CLANG" --target=bpf -O2 -g ${LIBBPF_INCLUDE:+-I"$LIBBPF_INCLUDE"} \
		-idirafter /usr/include -idirafter "/usr/include/$(uname -m)-linux-gnu" \
		-c one.bpf.c -o one.o &&
	b sign file one.o $S &&
	"$OBJCOPY" -R .BTF -R .BTF.ext -R .rel.BTF -R .rel.BTF.ext one.o stripped.o &&
	echo "attach no_target_prog *_open ext4*:x*" >policy &&
	b sign file rich.o $S -o targets.o --policy policy &&
	$CC -O1 -g ${LIBBPF_INCLUDE:+-I"$LIBBPF_INCLUDE"} -I"$here/../../../../lib" \
		-I"$here/../../../../include" -I"$here/../../../../include/uapi" \
		"$here/fake_kernel.c" "$LIBBPF" -lelf -lz -o fake_kernel
}
if [ -z "$OBJCOPY" ] || [ ! -r "${LIBBPF:-}" ]; then
	skip "answers of other kernels" "no llvm-objcopy, or LIBBPF is not set"
elif ! fake_kernel >log 2>&1; then
	result 1 "answers of other kernels"
else
	./fake_kernel one.o stripped.o targets.o >answers
	status=$?
	cp answers log
	while read -r line; do
		case $line in
		"ok "*) result 0 "${line#ok * }" ;;
		"not ok "*) result 1 "${line#not ok * }" ;;
		esac
	done <answers
	result $status "answers of other kernels"
fi

echo "1..$nr"
[ $failures -eq 0 ]
