# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced after lib.sh: packages of Debian's, of any suite, from the mirrors that
# apt knows, with checksums from an index that Debian signed.

sum_of() {
	sha256sum "$1" | cut -d' ' -f1
}

# get_index DIR MIRROR SUITE: leaves DIR/Packages, after checking it
get_index() {
	local dir=$1 suite_url=$2/dists/$3 rings=() k want
	fetch -sS -o "$dir/InRelease" "$suite_url/InRelease" || return 1
	for k in /usr/share/keyrings/debian-archive-*keyring.gpg \
		 /usr/share/keyrings/debian-archive-*keyring.pgp; do
		[ -r "$k" ] && rings+=(--keyring "$k")
	done
	if [ ${#rings[@]} -gt 0 ] && command -v gpgv >/dev/null; then
		# one good signature will do: an older keyring does not know
		# every key that the archive signs with
		gpgv "${rings[@]}" --status-fd 1 --output "$dir/Release" \
			"$dir/InRelease" >"$dir/gpg.status" 2>/dev/null || true
		grep -q '^\[GNUPG:\] VALIDSIG' "$dir/gpg.status" &&
			! grep -q '^\[GNUPG:\] BADSIG' "$dir/gpg.status" ||
			die "the signature of $suite_url/InRelease is not Debian's"
	else
		note "no gpgv or no Debian keyring: the index is taken unverified"
		cp "$dir/InRelease" "$dir/Release"
	fi
	# apt on x86-64 reads this one, "all" packages included; a mirror's
	# binary-all, which nobody reads, may be an old one
	want=$(awk '/^SHA256:/{on=1; next} /^[^ ]/{on=0}
		    on && $3 == "main/binary-amd64/Packages.xz" {print $1}' "$dir/Release")
	[ -n "$want" ] || die "$suite_url has no package index"
	fetch -sS -o "$dir/Packages.xz" "$suite_url/main/binary-amd64/Packages.xz" || return 1
	[ "$(sum_of "$dir/Packages.xz")" = "$want" ] || {
		# some mirrors are caught in the middle of an update
		note "checksum of the package index of $suite_url does not match"
		return 1
	}
	xz -dc "$dir/Packages.xz" >"$dir/Packages"
}

# newest INDEX NAME: "version sha256 filename" of the newest package whose name
# matches the regular expression as a whole
newest() {
	local v s f bestv='' line=''
	while read -r v s f; do
		if [ -z "$bestv" ] || dpkg --compare-versions "$v" gt "$bestv"; then
			bestv=$v
			line="$v $s $f"
		fi
	done < <(awk -v name="^($2)\$" '
		/^Package: /  {on = ($2 ~ name)}
		/^Version: /  {v = $2}
		/^SHA256: /   {s = $2}
		/^Filename: / {f = $2}
		/^$/          {if (on) print v, s, f; on = 0}
		END           {if (on) print v, s, f}' "$1")
	printf '%s\n' "$line"
}
