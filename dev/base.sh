#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Brings the pristine base kernel into $BUILD/base.git as branch "base": from
# the tree LINUX_SRC, which is read and never changed, or else from Debian's
# linux-source package, whose checksum is in an index that Debian signed.
#
# git keeps it because that gives us three things for nothing: the patched
# tree is updated file by file, the patch series can be compared with it by
# hash, and a developer gets a branch to work on.

. "$(dirname "$0")/lib.sh"
. "$ROOT/dev/debian-lib.sh"
. "$ROOT/dev/base.version"
load_env
take_lock

# A commit whose hash depends on nothing but the content
commit_base() {
	local tree=$1 what=$2 commit
	commit=$(GIT_AUTHOR_NAME=base GIT_AUTHOR_EMAIL=base@localhost \
		GIT_COMMITTER_NAME=base GIT_COMMITTER_EMAIL=base@localhost \
		GIT_AUTHOR_DATE='2000-01-01T00:00:00Z' \
		GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' \
		base_git commit-tree -m "$what" "$tree")
	base_git update-ref refs/heads/base "$commit"
	printf '%s\n' "$what" >"$BUILD/base.id"
}

init_db() {
	[ -d "$GITDB" ] && return
	git init -q --bare "$GITDB"
	# space is cheaper here than the time to compress 90,000 files well
	base_git config core.compression 1
	base_git config gc.auto 0
	base_git config core.logAllRefUpdates false
}

# Reads the names of $1's files from stdin, NUL-terminated, prints the tree
import_files() {
	GIT_WORK_TREE=$1 GIT_INDEX_FILE=$2 base_git -C "$1" update-index \
		--add --remove -z --stdin
	GIT_INDEX_FILE=$2 base_git write-tree
}

check_version() {
	local v p
	v=$(sed -n 's/^VERSION *= *//p' "$1/Makefile" 2>/dev/null || true)
	p=$(sed -n 's/^PATCHLEVEL *= *//p' "$1/Makefile" 2>/dev/null || true)
	[ "$v.$p" = 7.3 ] || die "$1 is not a Linux 7.3 source tree"
}

from_user() {
	local src index tree
	src=$(realpath "$LINUX_SRC")
	check_version "$src"
	# one index per tree, so that a second look costs a stat per file
	index=$BUILD/base-src.$(printf %s "$src" | sha256sum | cut -c1-12).index
	init_db
	note "base: reading $src"
	if [ -e "$src/.git" ]; then
		tree=$(git -C "$src" ls-files -z | import_files "$src" "$index")
	else
		[ ! -e "$src/.config" ] && [ ! -e "$src/vmlinux" ] ||
			die "$src holds build output: run 'make mrproper' there"
		tree=$(cd "$src" && find . \( -type f -o -type l \) -printf '%P\0' |
			import_files "$src" "$index")
	fi
	commit_base "$tree" "$src"
}

from_debian() {
	local tmp m line='' newv newsum file deb
	tmp=$(mktemp -d)
	# shellcheck disable=SC2064
	trap "rm -rf '$tmp'" EXIT
	for m in $(mirrors); do
		get_index "$tmp" "$m" "$suite" || continue
		line=$(newest "$tmp/Packages" "$package")
		[ -n "$line" ] && break
	done
	[ -n "$line" ] || die "no mirror offers $package in $suite;" \
		"LINUX_SRC=/path/to/linux-7.3 uses a tree that you have"
	read -r newv newsum file <<<"$line"
	if [ "$newv" = "$version" ]; then
		[ "$newsum" = "$sha256" ] ||
			die "the index has another checksum for $package $newv than dev/base.version"
	else
		note "base: $package $newv is on offer, last tested was $version"
	fi

	mkdir -p "$BUILD/cache"
	deb=$BUILD/cache/${package}_${newv}_all.deb
	if [ ! -r "$deb" ] || [ "$(sum_of "$deb")" != "$newsum" ]; then
		note "base: downloading $package $newv"
		fetch -# -o "$deb.part" "$m/$file" || die "download of $m/$file failed"
		[ "$(sum_of "$deb.part")" = "$newsum" ] ||
			die "checksum of $file does not match the index"
		mv "$deb.part" "$deb"
	fi

	note "base: unpacking $package $newv (about a minute)"
	rm -rf "$BUILD/base.new" "$BUILD/base-new.index"
	mkdir -p "$BUILD/base.new"
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xOf - "./usr/src/$package.tar.xz" | xz -dc -T0 |
		tar -xf - --strip-components=1 -C "$BUILD/base.new"
	check_version "$BUILD/base.new"
	init_db
	commit_base "$(cd "$BUILD/base.new" &&
		find . \( -type f -o -type l \) -printf '%P\0' |
		import_files "$BUILD/base.new" "$BUILD/base-new.index")" \
		"$package $newv $newsum"
	# the first patched tree starts from these files, not from a copy
	if [ -e "$LINUX" ]; then
		rm -rf "$BUILD/base.new" "$BUILD/base-new.index"
	else
		mv "$BUILD/base.new" "$LINUX"
		mv "$BUILD/base-new.index" "$BUILD/linux.index"
	fi
}

if [ -n "${LINUX_SRC:-}" ]; then
	from_user
elif ! grep -qs "^$package " "$BUILD/base.id" ||
     ! base_git rev-parse -q --verify refs/heads/base >/dev/null; then
	from_debian
fi
