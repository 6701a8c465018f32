#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs what the build needs, on Debian 12 and 13, and writes down in
# $BUILD/env.sh which compiler, bindgen and so on to use. Elsewhere it looks
# for the same things and names what is missing.

. "$(dirname "$0")/lib.sh"

BINDGEN_VERSION=0.72.1		# built from source where the distribution's is too old
VIRTME_VERSION=1.42
MIN_RUSTC=1.85.0
MIN_BINDGEN=0.71.1
MIN_LLVM=17
# An older bindgen takes what a newer libclang says of structures for opaque
BINDGEN_FOR_LLVM_22=0.72.1

# command:package, for what every distribution calls the same
NEEDS=(make:make flex:flex bison:bison bc:bc cpio:cpio kmod:kmod rsync:rsync
       curl:curl gpgv:gpgv git:git xz:xz-utils perl:perl openssl:openssl
       python3:python3 pahole:pahole pkg-config:pkg-config gcc:gcc c++:g++
       file:file qemu-system-x86_64:qemu-system-x86 flock:util-linux ps:procps ip:iproute2
       mkfs.ext4:e2fsprogs softhsm2-util:softhsm2 keyctl:keyutils zstd:zstd
       # a guest lives on these files, too: its init wants udevd for the names
       # of the ports that it talks to us by, and poweroff to come to an end
       udevadm:udev poweroff:systemd-sysv)
LIBS=(libc6-dev libelf-dev libdw-dev libssl-dev zlib1g-dev libcap-dev
      libengine-pkcs11-openssl ca-certificates python3-venv)

# A second run with the same tools in place costs nothing
self=$(cat "$0" "$ROOT/dev/lib.sh" | sha256sum | cut -d' ' -f1)
usable() {
	[ -r "$BUILD/env.sh" ] && [ "$(cat "$BUILD/packages.stamp" 2>/dev/null)" = "$self" ] || return 1
	(
		. "$BUILD/env.sh"
		for t in "$RUSTC" "$BINDGEN" "$CARGO" "$VNG" "$CLANG"; do
			[ -x "$t" ] || exit 1
		done
		[ "$RUSTC $BINDGEN $CARGO $VNG" = \
		  "${WANT_RUSTC:-$RUSTC} ${WANT_BINDGEN:-$BINDGEN} ${WANT_CARGO:-$CARGO} ${WANT_VNG:-$VNG}" ]
	)
}
WANT_RUSTC=${RUSTC:-} WANT_BINDGEN=${BINDGEN:-} WANT_CARGO=${CARGO:-} WANT_VNG=${VNG:-}
usable && exit 0
take_lock

if [ "$(id -u)" = 0 ]; then
	as_root=()
elif command -v sudo >/dev/null; then
	as_root=(sudo)
else
	as_root=(false)		# install() says what is missing
fi

have_apt() {
	command -v apt-get >/dev/null && command -v dpkg-query >/dev/null
}

installed() {
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

updated=
update_lists() {
	[ -z "$updated" ] || return 0
	updated=1
	note "reading package lists"
	"${as_root[@]}" apt-get -qq update || note "apt-get update failed, going on with the old lists"
}

# Can apt install this one?
on_offer() {
	have_apt && apt-cache policy "$1" 2>/dev/null |
		grep 'Candidate:' | grep -qv '(none)'
}

# The version of it, without epoch and Debian revision
offered_version() {
	apt-cache policy "$1" | sed -n 's/^ *Candidate: *\([0-9]*:\)\?\([0-9.]*\).*/\2/p'
}

install() {
	local p todo=()
	for p; do
		installed "$p" || todo+=("$p")
	done
	[ ${#todo[@]} -gt 0 ] || return 0
	update_lists
	note "installing ${todo[*]}"
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		--no-install-recommends install "${todo[@]}" >"$BUILD/apt.log" 2>&1 ||
		{ tail -n 5 "$BUILD/apt.log" >&2
		  die "could not install ${todo[*]} (are you root, or is there sudo?), see $BUILD/apt.log"; }
}

# at_least 1.85.0 1.96.0
at_least() {
	[ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

number() {
	grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1
}

llvm_is_complete() {
	command -v "clang-$1" >/dev/null && command -v "ld.lld-$1" >/dev/null &&
		command -v "llvm-objcopy-$1" >/dev/null &&
		compgen -G "/usr/lib/llvm-$1/lib/libclang*.so*" >/dev/null
}

# The highest LLVM, up to $1, of which all parts are there
find_llvm() {
	local n
	for ((n = $1; n >= MIN_LLVM; n--)); do
		if llvm_is_complete $n; then
			echo $n
			return
		fi
	done
}

rustc_ok() {
	local src
	[ -x "$1" ] || return 1
	at_least $MIN_RUSTC "$("$1" --version 2>/dev/null | number)" || return 1
	# kbuild compiles core itself; a rustc of rustup may come without it
	src=$("$1" --print sysroot)/lib/rustlib/src/rust/library/core/src/lib.rs
	[ -e "$src" ]
}

find_rustc() {
	local r
	for r in "$WANT_RUSTC" /usr/bin/rustc /usr/bin/rustc-1.* $(type -aP rustc || true); do
		if [ -n "$r" ] && rustc_ok "$r"; then
			echo "$r"
			return
		fi
	done
}

bindgen_version() {
	"$1" --version workaround-for-0.69.0 2>/dev/null | number
}

bindgen_ok() {
	[ -x "$1" ] && at_least "$min_bindgen" "$(bindgen_version "$1")"
}

find_bindgen() {
	local b
	for b in "$WANT_BINDGEN" "$BUILD/bindgen/bin/bindgen" $(type -aP bindgen || true); do
		if [ -n "$b" ] && bindgen_ok "$b"; then
			echo "$b"
			return
		fi
	done
}

# The one asked for or installed here; else one of version $1 or newer
find_vng() {
	local v min
	for v in "$WANT_VNG" "$BUILD/venv/bin/vng" $(type -aP vng || true); do
		case $v in
		"$WANT_VNG"|"$BUILD"/*) min=0 ;;
		*) min=$1 ;;
		esac
		if [ -n "$v" ] && at_least "$min" "$("$v" --version 2>/dev/null | number)"; then
			echo "$v"
			return
		fi
	done
}

mkdir -p "$BUILD"
if have_apt; then
	missing=()
	for n in "${NEEDS[@]}"; do
		PATH=$PATH:/usr/sbin:/sbin command -v "${n%%:*}" >/dev/null || missing+=("${n#*:}")
	done
	install "${missing[@]}" "${LIBS[@]}"
fi
for n in "${NEEDS[@]}"; do
	PATH=$PATH:/usr/sbin:/sbin command -v "${n%%:*}" >/dev/null ||
		die "${n%%:*} is missing (Debian's package: ${n#*:})"
done

# bindgen is built only where there is none to be had, so it decides first how
# new LLVM may be; but an LLVM that is there is used
min_bindgen=$MIN_BINDGEN
any_llvm=24
max_llvm=$any_llvm
bindgen=$(find_bindgen)
if [ -n "$bindgen" ]; then
	v=$(bindgen_version "$bindgen")
else
	! have_apt || update_lists
	v=$BINDGEN_VERSION
	if on_offer bindgen && at_least $MIN_BINDGEN "$(offered_version bindgen)"; then
		v=$(offered_version bindgen)
	fi
fi
at_least $BINDGEN_FOR_LLVM_22 "$v" || max_llvm=21

llvm=$(find_llvm $max_llvm)
[ -n "$llvm" ] || llvm=$(find_llvm $any_llvm)
if [ -z "$llvm" ] && have_apt; then
	update_lists
	for ((n = max_llvm; n >= MIN_LLVM; n--)); do
		if on_offer "clang-$n" && on_offer "lld-$n"; then
			install "clang-$n" "lld-$n" "llvm-$n" "libclang-$n-dev"
			break
		fi
	done
	llvm=$(find_llvm $max_llvm)
fi
[ -n "$llvm" ] || die "no LLVM of version $MIN_LLVM or newer: clang, lld, llvm and libclang are missing"
[ "$llvm" -lt 22 ] || min_bindgen=$BINDGEN_FOR_LLVM_22

rustc=$(find_rustc)
if [ -z "$rustc" ] && have_apt; then
	update_lists
	if on_offer rustc && at_least $MIN_RUSTC "$(offered_version rustc)"; then
		install rustc rust-src
	elif on_offer rustc-web && at_least $MIN_RUSTC "$(offered_version rustc-web)"; then
		# Debian 12 has a recent compiler under this name, for browsers
		install rustc-web rust-web-src
	fi
	rustc=$(find_rustc)
fi
[ -n "$rustc" ] || die "no rustc of version $MIN_RUSTC or newer with library sources (rust-src); RUSTC= names one"

cargo=${WANT_CARGO:-$(command -v cargo || true)}
if [ -z "$cargo" ] && have_apt; then
	update_lists
	case $(dpkg-query -S "$rustc" 2>/dev/null) in
	rustc-web:*) install cargo-web ;;
	*) install cargo ;;
	esac
	cargo=$(command -v cargo || true)
fi
[ -n "$cargo" ] || die "cargo is missing"

# Comfort: 'make check' says so when one of them is not there
for p in rustfmt:rustfmt cargo-clippy:rust-clippy clippy-driver:rust-clippy \
	 shellcheck:shellcheck; do
	case ${p%%:*} in
	# for the kernel it has to be that of the compiler
	clippy-driver)
		[ ! -x "$(dirname "$rustc")/clippy-driver" ] || continue
		dpkg-query -S "$rustc" >/dev/null 2>&1 || continue ;;
	*) command -v "${p%%:*}" >/dev/null && continue ;;
	esac
	have_apt || continue
	q=${p#*:}
	# the same family as the compiler: others would pull in a second one
	case $(dpkg-query -S "$rustc" 2>/dev/null) in
	rustc-web:*)
		case $q in
		rustfmt) q=rustfmt-web ;;
		rust-clippy) q=rust-web-clippy ;;
		esac ;;
	esac
	if on_offer "$q"; then
		(install "$q") || true
	fi
done

# `make fuzz` wants an AddressSanitizer: that of the compiler beside cargo, or clang's
if ! has_asan "$(CARGO=$cargo RUSTC=$rustc rustc_of_cargo)" &&
   on_offer "libclang-rt-$llvm-dev"; then
	(install "libclang-rt-$llvm-dev") || true
fi

bindgen=$(find_bindgen)
if [ -z "$bindgen" ] && on_offer bindgen &&
   at_least "$min_bindgen" "$(offered_version bindgen)"; then
	install bindgen
	bindgen=$(find_bindgen)
fi
if [ -z "$bindgen" ]; then
	# cargo from a distribution is given its own rustc, rustup's finds it
	with_progress "$BUILD/bindgen.log" "building bindgen $BINDGEN_VERSION" \
		"$cargo" install bindgen-cli --version "$BINDGEN_VERSION" \
		--locked --root "$BUILD/bindgen"
	bindgen=$(find_bindgen)
fi
[ -n "$bindgen" ] || die "bindgen $min_bindgen or newer is missing"

# Older ones have an init in shell, which in an emulated guest costs half as much
# again; so what Debian 13 has is the second choice
vng=$(find_vng $VIRTME_VERSION)
if [ -z "$vng" ]; then
	note "installing virtme-ng $VIRTME_VERSION into $BUILD/venv"
	{ python3 -m venv "$BUILD/venv" &&
		"$BUILD/venv/bin/pip" -q --disable-pip-version-check install \
			"virtme-ng==$VIRTME_VERSION"; } >"$BUILD/venv.log" 2>&1 ||
		note "virtme-ng $VIRTME_VERSION could not be installed, see $BUILD/venv.log"
	vng=$(find_vng 0)
fi
if [ -z "$vng" ] && on_offer virtme-ng; then
	install virtme-ng
	vng=$(find_vng 0)
fi
[ -n "$vng" ] || die "virtme-ng (vng) is missing: neither PyPI nor the distribution has it"

cat >"$BUILD/env.sh.new" <<EOF
# written by dev/packages.sh
LLVM=-$llvm
CLANG=/usr/bin/clang-$llvm
RUSTC=$rustc
BINDGEN=$bindgen
CARGO=$cargo
VNG=$vng
# bindgen has to load the libclang that belongs to the compiler
export LIBCLANG_PATH=/usr/lib/llvm-$llvm/lib
EOF
mv "$BUILD/env.sh.new" "$BUILD/env.sh"
printf '%s\n' "$self" >"$BUILD/packages.stamp"
note "tools: LLVM $llvm, $("$rustc" --version | cut -d' ' -f1,2), $("$bindgen" --version), virtme-ng $("$vng" --version 2>&1 | number)"
