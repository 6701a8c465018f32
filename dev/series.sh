#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Writes the series for the mailing list to $BUILD/series, applies it to the
# pristine base with git am, and compares the outcome with the tree that is
# built. With --build every step is compiled on its own, kernel, libbpf and
# bpftool, without a warning, and booted.
#
#	FROM=N   the first step to build, 1 without it

. "$(dirname "$0")/lib.sh"
. "$ROOT/dev/series-lib.sh"
take_lock

out=$BUILD/series
base=$(base_commit)

"$ROOT/dev/tree.sh" 9>&-
tip=$("$ROOT/dev/queue.py" commits | tail -n 1)
[ -n "$tip" ] || die "patches/series is empty"
built=$(cat "$BUILD/linux.tree")

rm -rf "$out"
mkdir -p "$out"
base_git format-patch -q --zero-commit --no-signature --no-base \
	--cover-letter --subject-prefix="PATCH bpf-next" \
	-o "$out" "$base..$tip"
# No patch, and not called one: git am takes *.patch
mv "$out/0000-cover-letter.patch" "$out/cover-letter"
if [ -r "$ROOT/patches/cover-letter" ]; then
	# first line the subject, then the text; git's shortlog and diffstat stay
	python3 - "$out/cover-letter" "$ROOT/patches/cover-letter" <<-'EOF'
	import sys
	letter = open(sys.argv[1]).read()
	subject, _, body = open(sys.argv[2]).read().partition("\n")
	letter = letter.replace("*** SUBJECT HERE ***", subject.strip(), 1)
	letter = letter.replace("*** BLURB HERE ***", body.strip(), 1)
	open(sys.argv[1], "w").write(letter)
	EOF
fi

# Only the directories that the series touches are checked out: git am needs
# no more, and a whole tree takes its time.
am=$BUILD/am
base_git worktree remove --force "$am" 2>/dev/null || rm -rf "$am"
base_git worktree prune
base_git worktree add -q --no-checkout --detach "$am" "$base"
base_git diff-tree -r --name-only "$base" "$tip" | sed 's,^,/,' |
	git -C "$am" sparse-checkout set --no-cone --stdin
git -C "$am" checkout -q
# by the very words of the README
pattern=$(sed -n 's,^ *git -C /path/to/linux-7\.3 am \$PWD/build/series/,,p' "$ROOT/README.md")
[ -n "$pattern" ] || die "the README no longer tells how to apply the series"
# shellcheck disable=SC2206 # a pattern
patches=("$out"/$pattern)
git -C "$am" -c user.name=series -c user.email=series@localhost \
	am -q --no-gpg-sign "${patches[@]}" >"$BUILD/am.log" 2>&1 ||
	{ cat "$BUILD/am.log" >&2; die "the series does not apply to the base"; }
applied=$(git -C "$am" rev-parse 'HEAD^{tree}')
base_git worktree remove --force "$am"
[ "$applied" = "$built" ] || {
	base_git diff-tree -r --stat "$built" "$applied" >&2
	die "git am does not give the tree that is built"
}
note "series: ${#patches[@]} patches in $out; git am gives the tree that is built"

[ "${1:-}" = --build ] || exit 0

# The steps are built one after the other in the same place, so that each costs
# only what it changed: the kernel, libbpf and bpftool, or nothing at all.
load_env
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
steps=$BUILD/steps
base_git worktree add -q --detach "$steps" "$base" 2>/dev/null || true
mkdir -p "$BUILD/steps-kernel" "$BUILD/steps-tools/libbpf" "$BUILD/steps-tools/bpftool"
step_kernel() {
	local make=(make -C "$steps" O="$BUILD/steps-kernel" LLVM="$LLVM" RUSTC="$RUSTC"
		BINDGEN="$BINDGEN" -j"$JOBS")

	"${make[@]}" KCONFIG_ALLCONFIG="$ROOT/dev/kernel.config" allnoconfig &&
		"${make[@]}" bzImage
}
step_tools() {
	tools_make -C "$steps/tools/lib/bpf" OUTPUT="$BUILD/steps-tools/libbpf/" \
		"$BUILD/steps-tools/libbpf/libbpf.a" &&
		tools_make -C "$steps/tools/bpf/bpftool" OUTPUT="$BUILD/steps-tools/bpftool/" \
			SKIP_LLVM=1 VMLINUX_BTF="$BUILD/steps-kernel/vmlinux"
}
# changes PATH...: since the step before
changes() {
	! base_git diff --quiet "$before" "$c" -- "$@"
}
built() {
	with_progress "$BUILD/steps.log" "step $n: $(base_git log -1 --format=%s "$c")" "$@"
	! grep -E 'warning:' "$BUILD/steps.log" >&2 || die "step $n has warnings"
}
unset APPEND CPUS MEMORY TIMEOUT RO
n=0
before=
for c in $(base_git rev-list --reverse "$base..$tip"); do
	n=$((n + 1))
	[ "$n" -ge "${FROM:-0}" ] || continue
	git -C "$steps" checkout -q --force --detach "$c"
	# the first to be built is built as a whole
	if [ -z "$before" ] || changes . ':!Documentation' ':!tools' ':!MAINTAINERS'; then
		built step_kernel
		VM_DIR=$BUILD/vm/steps BZIMAGE=$BUILD/steps-kernel/arch/x86/boot/bzImage \
		CMD=true "$ROOT/dev/vm.sh" 9>&- || die "step $n does not boot"
		! grep -E 'BUG:|WARNING:|Oops' "$BUILD/vm/steps/console" >&2 ||
			die "step $n boots with a warning"
	fi
	if [ -z "$before" ] || changes tools/lib tools/bpf tools/include; then
		built step_tools
	fi
	before=$c
done
note "series: each of $n steps builds and boots"
