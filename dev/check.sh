#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What reviewers would say without thinking: formatting, lints, checkpatch,
# kernel-doc, a series that does not apply. Says each in the tool's own words,
# goes on to the next, and fails at the end. Closes with "N ok, M failed, K left
# out"; with CI= set, nothing may be left out.

. "$(dirname "$0")/lib.sh"
. "$ROOT/dev/series-lib.sh"
load_env
cd "$ROOT" || exit

good=0 bad=0 out=0
report() {
	if [ "$2" = 0 ]; then
		note "$1: ok"
		good=$((good + 1))
	else
		note "$1: FAILED"
		bad=$((bad + 1))
	fi
}

leave_out() {
	note "$1: left out, $2"
	out=$((out + 1))
}

mapfile -t files < <(overlay_files)
of_kind() {
	printf '%s\n' "${files[@]}" | grep -E "$1" || true
}

# dev/tree.sh has just applied them, or we would not be here
report "patches apply" 0

rc=0
"$ROOT/dev/queue.py" commits >/dev/null || rc=1
report "each file belongs to one patch" $rc

mapfile -t rust < <(of_kind '\.rs$')
if [ ${#rust[@]} -gt 0 ]; then
	if command -v rustfmt >/dev/null; then
		rc=0
		# names alone: a reader wants the diff of one, not of all; without
		# names a bad status is that of a file that cannot be parsed
		fmt=(rustfmt --config-path "$LINUX/.rustfmt.toml" --edition 2021)
		"${fmt[@]}" --check -l "${rust[@]}" >"$BUILD/rustfmt.list" || rc=$?
		if [ -s "$BUILD/rustfmt.list" ]; then
			rc=1
			sed "s,^$ROOT/,," "$BUILD/rustfmt.list" | sort -u
			echo "these want: ${fmt[*]} FILE"
		fi
		report rustfmt $rc
	else
		leave_out rustfmt "not installed"
	fi
fi

host=$LINUX/tools/testing/bpf_signed_host
if [ -e "$host/Cargo.toml" ]; then
	if "$CARGO" clippy --version >/dev/null 2>&1; then
		rc=0
		for dir in "$host" "$host/bench"; do
			(cd "$dir" && CARGO_TARGET_DIR="$BUILD/host" \
				"$CARGO" clippy -q --locked --all-targets -- -D warnings) || rc=1
		done
		report "clippy on the host" $rc
	else
		leave_out "clippy on the host" "not installed"
	fi
fi

# The clippy that can read what the kernel's compiler has written
clippy_driver() {
	local c
	for c in "${CLIPPY_DRIVER:-}" "$(dirname "$RUSTC")/clippy-driver" \
		 $(type -aP clippy-driver || true); do
		if [ -x "$c" ] && [ "$("$c" --rustc --version 2>/dev/null)" = \
				    "$("$RUSTC" --version)" ]; then
			echo "$c"
			return
		fi
	done
}

# Runs it on the crate of object $1, with the command that kbuild has kept of
# it: `make CLIPPY=1' would make all of rust/ anew, and `make kernel' once more
kernel_clippy() {
	local dir=$BUILD/clippy cmd obj=$1
	shift
	mkdir -p "$dir"
	# the flags are quoted for a shell; what follows the ';' is objtool
	cmd=$(sed -n 's/^savedcmd_[^ ]* := *//p' "$KOUT/$(dirname "$obj")/.$(basename "$obj").cmd" |
		sed -e 's/ ; .*//' -e 's/ --emit=[^ ]*//g' -e "s, $RUSTC , $clippy ,")
	(cd "$KOUT" && RUSTC_BOOTSTRAP=1 CLIPPY_CONF_DIR=$LINUX bash -c \
		"$cmd --emit=metadata=$dir/$(basename "$obj").rmeta $*")
}

crates=(kernel/bpf/signed/main.o security/lockdown/bpf/main.o)
clippy=$(clippy_driver)
what="clippy in the kernel"
if [ -z "$clippy" ]; then
	leave_out "$what" "no clippy-driver of $("$RUSTC" --version | cut -d' ' -f1,2)"
elif [ ! -e "$KOUT/kernel/bpf/signed/main.o" ] ||
     [ -n "$(find "$LINUX/rust" "$LINUX/include" -name '*.[hcr]*' -newer "$KOUT/vmlinux" -print -quit)" ]; then
	leave_out "$what" "the kernel is not built ('make kernel')"
else
	rc=0
	for o in "${crates[@]}"; do
		kernel_clippy "$o" -Dwarnings || rc=1
	done
	# this crate is upstream's but for a few files
	kernel_clippy rust/kernel.o --error-format=short 2>"$BUILD/clippy.list" || rc=1
	if grep -F "$(of_kind '^rust/kernel/.*\.rs$' | sed 's/$/:/')" "$BUILD/clippy.list"; then
		rc=1
	fi
	report "$what" $rc
fi

# compiles_without OBJECT OPTION...: with the command that kbuild has kept, but as if
# these options were off. Only what the compiler says of the source counts.
compiles_without() {
	local cmd off obj=$1
	shift
	off=$BUILD/check.without.$(echo "$obj $*" | sha256sum | cut -c 1-16).h
	printf '#undef CONFIG_%s\n' "$@" >"$off"
	cmd=$(sed -n 's/^savedcmd_[^ ]* := *//p' "$KOUT/$(dirname "$obj")/.$(basename "$obj").cmd" |
		sed -e 's/ ; .*//' -e 's/ -o [^ ]*\.o / /' -e "s, -c , -fsyntax-only -include $off ,")
	(cd "$KOUT" && bash -c "$cmd") || return
	rm -f "$off"
}

# What the series changes, as far as this kernel has it, and what may be off then
parts_left_out() {
	local policy=SECURITY_LOCKDOWN_BPF images="BPF_SIGNED_IMAGE RUST" obj
	sed -n 's,^+++ b/\(\(kernel\|net\|drivers\|security\)/.*\)\.c$,\1.o,p' \
		"$ROOT"/patches/*.patch | sort -u | while IFS= read -r obj; do
		[ -e "$KOUT/$obj" ] || continue
		echo "$obj $policy"
		echo "$obj $policy $images"
		# these are not there without it
		[[ ! $obj =~ ^(kernel/(bpf/|trace/bpf_trace)|net/bpf/)|/bpf_sk_storage ]] || continue
		echo "$obj $policy $images BPF_SYSCALL BPF_EVENTS BPF_JIT BPF_LSM CGROUP_BPF DEBUG_INFO_BTF"
	done
}

what="parts of the configuration left out"
if [ ! -e "$KOUT/vmlinux" ]; then
	leave_out "$what" "the kernel is not built ('make kernel')"
else
	rc=0
	export -f compiles_without
	export BUILD KOUT
	# shellcheck disable=SC2016
	parts_left_out | xargs -P "$JOBS" -L 1 bash -c 'compiles_without "$@"' _ || rc=1
	report "$what" $rc
fi

# Where checkpatch is wrong: type of the message, and regular expressions for
# the path and for a line that it shows
checkpatch_excuses() {
	cat <<'EOF'
# libelf and OpenSSL have names of their own
CAMELCASE ^tools/ .
# in libbpf each struct of options ends with these two lines
SPACING ^tools/lib/bpf/libbpf\.h$ size_t :0;
LINE_SPACING ^tools/lib/bpf/(lib)?bpf\.h$ #define \w+_opts__last_field
# as bpftool declares the commands that its bootstrap has not
WEAK_DECLARATION ^tools/bpf/bpftool/main\.h$ do_sign
# what a kernel without the system call says
ENOSYS /user/fake_kernel\.c$ ENOSYS
# a macro of OpenSSL that makes a type
SPACING ^tools/bpf/bpftool/sign\.c$ STACK_OF\(
# how BPF programs declare what is set from outside, and what the kernel has
VOLATILE \.bpf\.[ch]$ .
AVOID_EXTERNS \.bpf\.c$ .
# what the linker makes of --wrap
AVOID_EXTERNS /bench/src/reference\.c$ __real_
SPACING \.bpf\.c$ \(void\) __ksym
# what another thread changes, and reads that are there to be made
VOLATILE /bpf_signed/(races|user/reader)\.c$ .
# a member cannot stand in parentheses
MACRO_ARG_PRECEDENCE ^kernel/bpf/signed/hooks\.c$ #define STRAY
# data of an object has to be global to be seen from outside
STATIC_CONST_CHAR_ARRAY \.bpf\.c$ \+const char
# the test is about qualifiers that hide behind a typedef
NEW_TYPEDEFS /user/rich\.bpf\.c$ tunable_long
# elements of an initializer; both make two of them
COMPLEX_MACRO /bpf_signed/format\.c$ #define (RET|LD64)
# what is used twice is an array, and a name for offsetof() and sizeof()
MACRO_ARG_REUSE /bpf_signed/format\.c$ #define TABLE
MACRO_ARG_REUSE /bpf_signed/errors\.c$ #define STRAY
# a row of a table
REPEATED_WORD /lockdown_systemd\.rst$ refused
# rows of a table, which differ in the end of their names
COMPLEX_MACRO /ways/ways\.c$ #define (CASTS|ARGS|HELPERS|ANY|STACK|USERS|STATES)\(name\)
MACRO_ARG_REUSE /ways/ways\.c$ #define (CASTS|ARGS|HELPERS|ANY|STACK|USERS|STATES)\(name\)
# each makes whole programs, for the same section and with the same verdict
MACRO_ARG_REUSE /ways/\w+\.bpf\.c$ ^\+SEC\(sec\)
# an address space and a tag are no operands of what follows
POINTER_LOCATION /ways/arena\.bpf\.c$ \b__arena \*
LINE_SPACING /ways/arena\.bpf\.c$ __arena \*p( = .*)?;
SPACING \.bpf\.c$ \b__kptr \*
# it declares a variable
LINE_SPACING /bpf_signed/.*\.c$ ^\+\tLIBBPF_OPTS\(
# what a signal handler may write to
VOLATILE /ways/ways\.c$ volatile sig_atomic_t
# mkdtemp() writes to it
STATIC_CONST_CHAR_ARRAY /bpf_signed/events\.c$ static char dir\[\]
# a plain word, which is the name of a function, too
EMBEDDED_FUNCTION_NAME /bpf_signed/events\.c$ "load: %s|/proc/kallsyms"|program 'event'|"other words"
EMBEDDED_FUNCTION_NAME /ways/ways\.c$ no kernel address|kernel's code|not the banner
EMBEDDED_FUNCTION_NAME /ways/useful\.c$ "count_ports:
# a message can be sought only if it is in one piece
LONG_LINE_STRING ^kernel/bpf/verifier\.c$ bpf_log\(log, "lockdown:
# a command line of the kernel
LONG_LINE /bpf_signed/run-.*\.sh$ ^\+# APPEND:
EOF
}

# Prints what is not excused, and fails if there is anything
unexcused() {
	python3 -c '
import re, sys
excuses = [e.split(" ", 2) for e in sys.argv[1].splitlines() if e[0] != "#"]
said = re.split(r"^(?=(?:ERROR|WARNING|CHECK):\w+: )", sys.stdin.read(), flags=re.M)
left = []
for words in filter(str.strip, said):
    kind = re.match(r"[A-Z]+:(\w+): |", words)[1]
    path = re.search(r"^#\d+: FILE: (.*):\d+:$|\Z", words, re.M)[1] or ""
    code = [l for l in words.splitlines() if l[0:1] == "+"]
    if not any(kind == k and re.search(p, path) and any(re.search(r, l) for l in code)
               for k, p, r in excuses):
        left.append(words)
sys.stdout.write("".join(left))
sys.exit(bool(left))' "$(checkpatch_excuses)"
}

# checkpatch knows its tree by the directory it is in. As a patch has to be,
# each step of the series is read on its own, new files included.
if [ -n "$(series_lines)" ] && tip=$("$ROOT/dev/queue.py" commits 2>/dev/null | tail -n 1); then
	dir=$BUILD/check
	rm -rf "$dir"
	base_git format-patch -q --no-signature -o "$dir" "$(base_commit)..$tip"
	rc=0
	# a new file needs a line in MAINTAINERS once for the series, and
	# checkpatch asks for it in each patch; the base has no history in which
	# it could find the commits of Fixes: tags; it ends with 1 if it has
	# something to say, and else it is broken; the largest takes longest
	ls -S "$dir"/*.patch | tr '\n' '\0' | (cd "$LINUX" && xargs -0 -n 1 -P "$JOBS" sh -c '
		perl scripts/checkpatch.pl --strict --quiet --no-summary \
			--show-types --ignore FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID "$0" >"$0.said"
		[ $? -le 1 ]') || rc=1
	for p in "$dir"/*.patch; do
		unexcused <"$p.said" || rc=1
	done
	report checkpatch $rc
fi

dir=tools/bpf/bpftool
rc=0
$dir/lockdown_tables.py security/lockdown/bpf | diff - $dir/lockdown_tables.h || {
	rc=1
	echo "this wants: $dir/lockdown_tables.py security/lockdown/bpf >$dir/lockdown_tables.h"
}
report "bpftool's tables of lockdown" $rc

mapfile -t headers < <(of_kind '^(include|kernel|security)/.*\.[ch]$')
if [ ${#headers[@]} -gt 0 ]; then
	rc=0
	for f in "${headers[@]}"; do
		grep -q '/\*\*$' "$f" || continue
		(cd "$LINUX" && scripts/kernel-doc -none -Wall -Werror "$f") || rc=1
	done
	report kernel-doc $rc
fi

mapfile -t scripts < <(git ls-files -co --exclude-standard | while IFS= read -r f; do
	[ -f "$f" ] && head -c 64 "$f" | grep -qE '^#!.*/(ba|da)?sh' && echo "$f" || true
done)
if command -v shellcheck >/dev/null; then
	rc=0
	# its lesser hints are matters of taste
	shellcheck -x -S warning "${scripts[@]}" dev/lib.sh dev/series-lib.sh || rc=1
	report shellcheck $rc
else
	leave_out shellcheck "not installed"
fi

rc=0
python3 - dev/*.py <<'EOF' || rc=1
import ast, sys
for f in sys.argv[1:]:
    ast.parse(open(f).read(), f)
EOF
report python $rc

rc=0
while IFS= read -r f; do
	case $f in
	*.patch|patches/cover-letter|patches/series|*/Cargo.lock|*.bin|*.p7s|*.pem|*.json) continue ;;
	esac
	head -n 6 "$f" | grep -q 'SPDX-License-Identifier:' || { echo "$f: no SPDX line"; rc=1; }
done < <(git ls-files -co --exclude-standard | while IFS= read -r f; do
	[ -f "$f" ] && echo "$f"; done)
report "SPDX lines" $rc

note "$good ok, $bad failed, $out left out"
[ $bad = 0 ] || die "$bad of the checks failed"
[ $out = 0 ] || [ -z "${CI:-}" ] || die "CI has to make all checks"
