#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Configures and builds the patched kernel in $BUILD/kernel; with FLAVOUR=debug
# one with dev/kernel-debug.config on top in $BUILD/kernel-debug, with FLAVOUR=base
# the kernel without patches in $BUILD/kernel-base. KOUT= builds it elsewhere.

. "$(dirname "$0")/lib.sh"
load_env
take_lock

log=$KOUT.log
fragments=("$ROOT/dev/kernel.config")
case ${FLAVOUR:-} in
''|base) ;;
*) fragments+=("$ROOT/dev/kernel$SUFFIX.config") ;;
esac
# KERNEL_CONFIG= adds fragments, for a debug kernel say
for f in ${KERNEL_CONFIG:-}; do
	fragments+=("$(realpath "$f")")
done

kmake() {
	make -C "$LINUX" O="$KOUT" LLVM="$LLVM" RUSTC="$RUSTC" BINDGEN="$BINDGEN" \
		KBUILD_BUILD_USER=signed-bpf KBUILD_BUILD_HOST=localhost "$@"
}

mkdir -p "$KOUT"
# A make around us would hand its own flags on to kbuild
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# What the fragments ask for, the last word per symbol
wanted() {
	cat "${fragments[@]}" | sed -n \
		-e 's/^\(CONFIG_[A-Za-z0-9_]*\)=\(.*\)$/\1 \2/p' \
		-e 's/^# \(CONFIG_[A-Za-z0-9_]*\) is not set$/\1 n/p' |
		awk '{s = $1; sub(/^[^ ]* /, ""); v[s] = $0}
		     END {for (s in v) print s, v[s]}' | LC_ALL=C sort
}

defined() {
	grep -rqsE --include='Kconfig*' "^[[:space:]]*(menu)?config ${1#CONFIG_}\$" \
		"$LINUX/kernel" "$LINUX/security" "$LINUX/lib" "$LINUX/init"
}

# Kconfig drops silently what it cannot have. Half a kernel is found out much
# later, so say it now.
check_config() {
	local s want got bad=()
	while read -r s want; do
		got=$(sed -n "s/^$s=//p" "$KOUT/.config")
		[ "${got:-n}" = "$want" ] && continue
		case $s in
		# ours: absent as long as no patch defines them
		CONFIG_BPF_SIGNED*|CONFIG_SECURITY_LOCKDOWN_BPF*)
			defined "$s" || continue ;;
		esac
		bad+=("$s=$want (is ${got:-not set})")
	done < <(wanted)
	if [ ${#bad[@]} -gt 0 ]; then
		printf '    %s\n' "${bad[@]}" >&2
		die "the configuration is not what ${fragments[*]##*/} asks for"
	fi
}

# Configure anew only when the question changed: the fragments, the tools, or
# what the tree can be asked.
state=$({ wanted; cat "$BUILD/env.sh"
	  GIT_INDEX_FILE=$LINUX.index base_git ls-files -s -- '*Kconfig*'
	} | sha256sum)
if [ ! -e "$KOUT/.config" ] || [ "$state" != "$(cat "$KOUT/.configured" 2>/dev/null)" ]; then
	wanted | awk '{s = $1; v = $0; sub(/^[^ ]* /, "", v)
		       if (v == "n") print "# " s " is not set"
		       else print s "=" v}' >"$KOUT/.allconfig"
	kmake rustavailable >"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; die "kbuild cannot use this Rust toolchain"; }
	# what it has doubts about, but takes
	sed -n 's/^\*\*\* */    /p' "$log" >&2
	cp "$KOUT/.config" "$KOUT/.config.before" 2>/dev/null || true
	kmake KCONFIG_ALLCONFIG="$KOUT/.allconfig" allnoconfig >"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; die "configuration failed"; }
	check_config
	printf '%s\n' "$state" >"$KOUT/.configured"
fi

with_progress "$log" "kernel, $JOBS jobs" kmake -j"$JOBS" bzImage modules

grep -E 'warning:' "$log" >&2 || true

# Tools read /proc/kallsyms into buffers of 256 bytes and do not look at the
# length (bcc's, for one). Names that Rust makes of closures can be longer.
awk 'length($3) > 255 { print "    longer than tools expect: " $3 }' "$KOUT/System.map" >&2
