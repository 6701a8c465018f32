# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Sourced by the scripts beside it: where things are, and how to complain.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")
JOBS=${JOBS:-$(nproc)}
: "${JOBS:=$(nproc)}"

GITDB=$BUILD/base.git		# holds the pristine base, and trees made from it
LINUX=$BUILD/linux		# the patched tree
# FLAVOUR=NAME is another kernel than the usual one, and what belongs to it: with
# dev/kernel-NAME.config on top, or "base", the kernel without patches
SUFFIX=${FLAVOUR:+-$FLAVOUR}
[ "${FLAVOUR:-}" != base ] || LINUX=$BUILD/linux-base
KOUT=${KOUT:-$BUILD/kernel$SUFFIX}	# O= of the kernel build
TOOLS=$BUILD/tools$SUFFIX	# libbpf, bpftool, selftests

# What of this repository mirrors the kernel tree
OVERLAY_DIRS=(Documentation certs include kernel lib rust samples scripts
	      security tools)

die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

note() {
	printf '==> %s\n' "$*" >&2
}

# The compiler, bindgen and so on that dev/packages.sh settled for
load_env() {
	[ -r "$BUILD/env.sh" ] || die "run 'make packages' first"
	# shellcheck source=/dev/null
	. "$BUILD/env.sh"
}

# tools_make ARGUMENT...: make of what is in tools/, by the compiler that was settled for.
# Feature checks run in $(shell), which sees the environment and not what is said on
# make's command line. Without CLANG bpftool is built without its own BPF programs.
tools_make() {
	local n=${LLVM#-}

	CLANG="clang-$n" make -j"$JOBS" CC="clang-$n" HOSTCC="clang-$n" LD="ld.lld-$n" \
		HOSTLD="ld.lld-$n" AR="llvm-ar-$n" HOSTAR="llvm-ar-$n" CLANG="clang-$n" \
		LLVM_STRIP="llvm-strip-$n" LLVM_OBJCOPY="llvm-objcopy-$n" \
		OBJCOPY="llvm-objcopy-$n" "$@"
}

# The compiler that cargo takes, unless it is told another
rustc_of_cargo() {
	local beside
	beside=$(dirname "$CARGO")/rustc
	[ -x "$beside" ] || beside=$RUSTC
	printf '%s\n' "$beside"
}

# has_asan RUSTC: does it bring AddressSanitizer's runtime? A distribution's leaves
# that to clang's package.
has_asan() {
	compgen -G "$("$1" --print target-libdir)/librustc*_rt.asan.a" >/dev/null
}

# What TESTS= of dev/test.sh may name
test_names() {
	printf '%s\n' host fuzz sign kunit
	basename -as .sh "$LINUX"/tools/testing/selftests/bpf_signed/run{,-*}.sh
}

# all_known WORDS NAME...: what a user has asked for has to be there
all_known() {
	local word words=$1
	shift
	for word in $words; do
		case " $* " in
		*" $word "*) ;;
		*) die "no such test: $word; there are: $*" ;;
		esac
	done
}

# git on our own object store, never on a repository around us
base_git() {
	GIT_DIR=$GITDB git -c core.autocrlf=false -c core.fsmonitor=false \
		-c core.safecrlf=false "$@"
}

base_commit() {
	base_git rev-parse -q --verify refs/heads/base ||
		die "no base kernel yet: run 'make base'"
}

# Two makes at a time would pull the tree from under each other's feet
take_lock() {
	# one script may call another
	[ "${BUILD_LOCKED:-}" != "$BUILD" ] || return 0
	export BUILD_LOCKED=$BUILD
	mkdir -p "$BUILD"
	exec 9>"$BUILD/.lock"
	if ! flock -n 9; then
		note "waiting for another make that uses $BUILD"
		flock 9
	fi
}

# Our files that stand where they will stand in the kernel tree
overlay_files() {
	local dirs=() d
	for d in "${OVERLAY_DIRS[@]}"; do
		[ -d "$ROOT/$d" ] && dirs+=("$d")
	done
	[ ${#dirs[@]} -gt 0 ] || return 0
	cd "$ROOT"
	{
		if [ -e .git ]; then
			git ls-files -co --exclude-standard -- "${dirs[@]}"
		else
			find "${dirs[@]}" \( -type f -o -type l \) \
				! -path '*/target/*' ! -name '*.o'
		fi
	} | LC_ALL=C sort -u | while IFS= read -r f; do
		# what git lists may be deleted in the work tree
		[ -e "$f" ] || [ -L "$f" ] || continue
		printf '%s\n' "$f"
	done
}

# Runs "$@" with output to the log $1; says every few seconds how far it is.
# $2 names the step.
with_progress() {
	local log=$1 what=$2 start=$SECONDS pid rc=0 n
	shift 2
	note "$what (log: $log)"
	"$@" >"$log" 2>&1 </dev/null 9>&- &
	pid=$!
	# shellcheck disable=SC2064
	trap "kill $pid 2>/dev/null || true" EXIT
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		[ $(((SECONDS - start) % 10)) -eq 0 ] || continue
		kill -0 "$pid" 2>/dev/null || break
		n=$(grep -cE '^ +[A-Z]' "$log" || true)
		printf '    %4d s  %5d steps  %s\n' $((SECONDS - start)) "$n" \
			"$(grep -E '^ +[A-Z]' "$log" | tail -n 1 | cut -c1-60)" >&2
	done
	wait "$pid" || rc=$?
	trap - EXIT
	if [ $rc -ne 0 ]; then
		# kbuild prints the cause long before it ends
		grep -nE -A 12 '(\<error[:[]|Error [0-9]|ERROR|undefined|\*\*\*)' "$log" |
			head -n 40 >&2 || true
		tail -n 15 "$log" >&2
		die "$what failed after $((SECONDS - start)) s, see $log"
	fi
	note "$what: done in $((SECONDS - start)) s"
}

# /dev/kvm may be there and not open, in a container for one; or it stands for
# a hypervisor that emulates what the CPU does not give, slower than QEMU does:
# without vmx or svm it is no help. KVM=0 or 1 decides otherwise.
kvm_works() {
	case ${KVM:-} in
	0) return 1 ;;
	1) return 0 ;;
	esac
	grep -qE '^flags.* (vmx|svm) ' /proc/cpuinfo && python3 - <<-'EOF' 2>/dev/null
	import fcntl, os
	fd = os.open("/dev/kvm", os.O_RDWR)
	vm = fcntl.ioctl(fd, 0xAE01, 0)		# KVM_CREATE_VM
	fcntl.ioctl(vm, 0xAE41, 0)		# KVM_CREATE_VCPU
	EOF
}

# dev/vm.sh with a guest whose clocks show how many instructions it has executed,
# one a nanosecond. A string instruction counts once for each element, so that
# those which copy bytes would hide all else.
counting_vm() {
	CMD="grep -q ^tsc /sys/devices/system/clocksource/clocksource0/current_clocksource || {
		echo the clock does not count instructions >&2
		exit 1
	}
	$CMD" KVM=0 CPUS=1 MEMORY=2G TIMEOUT=${TIMEOUT:-1800} RO='' VM_DIR='' \
		QEMU_OPTS="-cpu max,-erms,-fsrm -icount shift=0" \
		APPEND="nokaslr tsc=reliable ${APPEND:-}" \
		"$ROOT/dev/vm.sh"
}

# Debian mirrors as apt knows them
mirrors() {
	{
		apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' \
			'Created-By: Packages' 2>/dev/null || true
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
			/etc/apt/sources.list.d/*.sources 2>/dev/null |
			grep -v '^ *#' |
			grep -oE 'https?://[^] ]*/debian/?( |$)' || true
	} | sed 's,[/ ]*$,,' | grep -E '^https?://.*/debian$' | awk '!seen[$0]++'
}

# curl by the proxy that apt uses, unless the environment names one
fetch() {
	local proxy='' args=()
	if [ -z "${http_proxy:-}" ] && command -v apt-config >/dev/null; then
		eval "$(apt-config shell proxy Acquire::http::Proxy 2>/dev/null || true)"
		case ${proxy:-} in ''|DIRECT) ;; *) args=(-x "$proxy") ;; esac
	fi
	curl -fL --retry 3 --connect-timeout 20 "${args[@]}" "$@"
}
