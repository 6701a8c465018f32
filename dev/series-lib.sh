# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# How patches/series is read. A line names a patch, and after it the files or
# directories of this repository that come with it:
#
#	0003-bpf-Load-signed-images.patch kernel/bpf/signed include/uapi/linux/x.h
#
# A patch may be no more than a commit message.

series_lines() {
	[ -r "$ROOT/patches/series" ] || return 0
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$ROOT/patches/series"
}

# Applies a patch to the index GIT_INDEX_FILE
apply_patch() {
	[ -r "$ROOT/patches/$1" ] || die "patches/series names $1, which is not there"
	base_git apply --cached --allow-empty --whitespace=nowarn \
		"$ROOT/patches/$1" || die "patches/$1 does not apply"
}

# Adds files of this repository to the index GIT_INDEX_FILE
add_overlay() {
	printf '%s\0' "$@" |
		GIT_WORK_TREE=$ROOT base_git -C "$ROOT" update-index --add -z --stdin
}

# A change to a file that exists upstream belongs into a patch
check_not_in_base() {
	local base=$1 dup
	shift
	dup=$(base_git ls-tree -r --name-only "$base" -- "${OVERLAY_DIRS[@]}" |
		LC_ALL=C sort | comm -12 - <(printf '%s\n' "$@" | LC_ALL=C sort))
	[ -z "$dup" ] || die "the base has these files already, make a patch: $dup"
}
