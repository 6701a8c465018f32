#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes $BUILD/linux: base + patches + our own files. Only files whose content
# changes are written, so that kbuild rebuilds no more than it has to. With
# FLAVOUR=base it makes $BUILD/linux-base, the base alone.

. "$(dirname "$0")/lib.sh"
. "$ROOT/dev/series-lib.sh"
take_lock

base=$(base_commit)
if [ "${FLAVOUR:-}" = base ]; then
	tree=$(base_git rev-parse "$base^{tree}")
else
	export GIT_INDEX_FILE=$BUILD/target.index
	base_git read-tree "$base"
	while read -r patch _; do
		apply_patch "$patch"
	done < <(series_lines)

	mapfile -t files < <(overlay_files)
	if [ ${#files[@]} -gt 0 ]; then
		check_not_in_base "$base" "${files[@]}"
		add_overlay "${files[@]}"
	fi
	tree=$(base_git write-tree)
	unset GIT_INDEX_FILE
fi

in_linux() {
	GIT_WORK_TREE=$LINUX GIT_INDEX_FILE=$LINUX.index \
		base_git -C "$LINUX" "$@"
}

mkdir -p "$LINUX"
old=$(cat "$LINUX.tree" 2>/dev/null || true)
in_linux update-index -q --refresh >/dev/null 2>&1 || true
# Somebody may have tried something in the tree itself. What is not as it will be does
# not survive, but is not lost; what is, is left alone.
mapfile -t edited < <([ -z "$old" ] || in_linux diff-files --name-only)
if [ ${#edited[@]} -gt 0 ]; then
	in_linux add -u -- "${edited[@]}"
	if ! in_linux diff-index --cached --quiet "$tree" -- "${edited[@]}"; then
		saved=$LINUX-edits-$(date +%Y%m%d-%H%M%S).diff
		in_linux diff-index --cached -p "$old" -- "${edited[@]}" >"$saved"
		note "edits made in $LINUX are undone, and kept in $saved"
	fi
fi
in_linux read-tree --reset -u "$tree"
printf '%s\n' "$tree" >"$LINUX.tree"

if [ "$old" != "$tree" ]; then
	note "tree: $LINUX, $(base_git diff-tree -r --name-only "${old:-$base}" "$tree" |
		wc -l) files changed"
fi
