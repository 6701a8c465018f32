#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What reviewers would say without thinking: formatting, lints, checkpatch,
# kernel-doc, a series that does not apply. Says each in the tool's own words,
# goes on to the next, and fails at the end.

. "$(dirname "$0")/lib.sh"
. "$ROOT/dev/series-lib.sh"
load_env
cd "$ROOT" || exit

bad=0
report() {
	if [ "$2" = 0 ]; then
		note "$1: ok"
	else
		note "$1: FAILED"
		bad=$((bad + 1))
	fi
}

mapfile -t files < <(overlay_files)
of_kind() {
	printf '%s\n' "${files[@]}" | grep -E "$1" || true
}

# dev/tree.sh has just applied them, or we would not be here
note "patches apply: ok"

rc=0
"$ROOT/dev/queue.py" commits >/dev/null || rc=1
report "each file belongs to one patch" $rc

mapfile -t rust < <(of_kind '\.rs$')
if [ ${#rust[@]} -gt 0 ]; then
	if command -v rustfmt >/dev/null; then
		rc=0
		# names alone: a reader wants the diff of one, not of all
		fmt=(rustfmt --config-path "$LINUX/.rustfmt.toml" --edition 2021)
		"${fmt[@]}" --check -l "${rust[@]}" | sed "s,^$ROOT/,," | sort -u \
			>"$BUILD/rustfmt.list" || true
		if [ -s "$BUILD/rustfmt.list" ]; then
			rc=1
			cat "$BUILD/rustfmt.list"
			echo "these want: ${fmt[*]} FILE"
		fi
		report rustfmt $rc
	else
		note "rustfmt: not installed, left out"
	fi
fi

host=$LINUX/tools/testing/bpf_signed_host
if [ -e "$host/Cargo.toml" ]; then
	if "$CARGO" clippy --version >/dev/null 2>&1; then
		rc=0
		(cd "$host" && CARGO_TARGET_DIR="$BUILD/host" \
			"$CARGO" clippy -q --all-targets -- -D warnings) || rc=1
		report clippy $rc
	else
		note "clippy: not installed, left out"
	fi
fi

# checkpatch knows its tree by the directory it is in. As a patch has to be,
# each step of the series is read on its own, new files included.
if [ -n "$(series_lines)" ] && tip=$("$ROOT/dev/queue.py" commits 2>/dev/null | tail -n 1); then
	dir=$BUILD/check
	rm -rf "$dir"
	base_git format-patch -q --no-signature -o "$dir" "$(base_commit)..$tip"
	rc=0
	for p in "$dir"/*.patch; do
		# a new file needs a line in MAINTAINERS once for the series,
		# and checkpatch asks for it in each patch; how libelf and
		# OpenSSL write their names is not for us to say; in BPF
		# programs volatile and extern are how things are declared
		(cd "$LINUX" && perl scripts/checkpatch.pl --strict --quiet \
			--no-summary --show-types --ignore FILE_PATH_CHANGES,CAMELCASE,VOLATILE,AVOID_EXTERNS \
			"$p") || rc=1
	done
	report checkpatch $rc
fi

mapfile -t headers < <(of_kind '^(include|kernel|security)/.*\.[ch]$')
if [ ${#headers[@]} -gt 0 ]; then
	rc=0
	for f in "${headers[@]}"; do
		grep -q '/\*\*$' "$f" || continue
		(cd "$LINUX" && scripts/kernel-doc -none -Wall "$f") || rc=1
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
	note "shellcheck: not installed, left out"
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

[ $bad = 0 ] || die "$bad of the checks failed"
