# SPDX-License-Identifier: GPL-2.0
#
# One target per thing that somebody wants; each brings what it needs, and
# costs next to nothing when that is there already. The work is in dev/.

BUILD ?= build
override BUILD := $(abspath $(BUILD))
export BUILD

# What a user may set on the command line or in the environment
export LINUX_SRC CMD APPEND BZIMAGE CPUS MEMORY TIMEOUT RO KVM JOBS TESTS TIME TARGETS PAIRS SEED

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-full test-debug kernel tools vm check fuzz bench verifier-cost \
	series series-build queue refresh packages base tree paths clean systemd-guest

help:
	@echo 'make demo            everything, from packages to a guest under lockdown, with a transcript'
	@echo 'make test            everything that CI runs; closes with the counts'
	@echo 'make test-full       for a night: a million generated pairs, fuzzing, selftests of the base kernel'
	@echo '    PAIRS= TIME= TESTS='
	@echo 'make test-debug      guest tests on a kernel with KASAN, lockdep, kmemleak, failing allocations'
	@echo 'make kernel          the patched kernel'
	@echo "make tools           libbpf, bpftool and the selftests of the patched tree"
	@echo "make vm CMD='...'    run a command in a guest with the patched kernel; its exit status is ours"
	@echo '    APPEND= BZIMAGE= CPUS= MEMORY= TIMEOUT= RO=1  KVM=0 or 1'
	@echo 'make fuzz            fuzz image parser and CO-RE engine on the host; TIME= seconds each'
	@echo 'make bench           time the CO-RE engine and whole loads against their peers; writes the'
	@echo '                     tables in Documentation/; builds the base kernel (slow)'
	@echo 'make systemd-guest   what systemd sandboxing does under lockdown; writes the tables in Documentation/; ten minutes'
	@echo "make verifier-cost   what lockdown's policy costs in the verifier; builds a second kernel (slow)"
	@echo 'make check           formatting, lints, checkpatch, patches apply'
	@echo 'make series          the patches for the mailing list, in BUILD/series'
	@echo 'make series-build    the same, and build each step on its own (slow)'
	@echo 'make queue           a git worktree in BUILD/queue, one commit a patch'
	@echo 'make refresh         take the commits of BUILD/queue back into patches/'
	@echo 'make packages        what has to be installed'
	@echo 'make base            the pristine kernel source'
	@echo 'make tree            the patched kernel source, in BUILD/linux'
	@echo 'make paths           where things are, NAME=path'
	@echo 'make clean           remove the build directory'
	@echo
	@echo 'BUILD=DIR      where the build output goes (build)'
	@echo 'LINUX_SRC=DIR  a 7.3 kernel source to use instead of the one of Debian'
	@echo 'JOBS=N         how many processes compile (all CPUs)'

packages:
	@dev/packages.sh

base: packages
	@dev/base.sh

tree: base
	@dev/tree.sh

kernel: tree
	@dev/kernel.sh

tools: kernel
	@dev/tools.sh

# A guest is booted as it was built: whoever changed something says `make
# kernel` first. Building here would slow down each of many short guests.
vm:
	@dev/vm.sh

paths:
	@dev/paths.sh

test: tools
	@dev/test.sh

test-full: tools
	@dev/test-full.sh

# It brings a kernel of its own, and tools that know its types
test-debug: tree
	@dev/test-debug.sh

demo: tools
	@dev/demo.sh

fuzz: packages
	@dev/fuzz.sh

bench: tools
	@dev/bench.sh
	@dev/bench-load.sh

# The kernel is not built here, as for vm
systemd-guest:
	@dev/systemd-guest.sh
verifier-cost: tools
	@dev/verifier-cost.sh

check: tree
	@dev/check.sh

series: base
	@dev/series.sh

series-build: base
	@dev/series.sh --build

queue: base
	@dev/queue.py checkout

refresh:
	@dev/queue.py refresh

clean:
	rm -rf -- '$(BUILD)'
