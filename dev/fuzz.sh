#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fuzzes the image parser and the CO-RE engine on the host: the files that the
# kernel builds, with coverage as the guide and AddressSanitizer as the judge.
#
#	TIME=60    seconds for each target
#	JOBS=	   processes at a time
#	TARGETS=   some of: image core_relo
#
# What is found stays in BUILD/fuzz: the corpus, for the next run, and in
# findings/ what made a target crash, or took it too long. The next run begins with
# these; one alone is run by
#
#	BUILD/fuzz/bin/TARGET FILE
#
# Closes with one line "N passed, M failed, K skipped".

. "$(dirname "$0")/lib.sh"
load_env

TIME=${TIME:-60}; : "${TIME:=60}"
TARGETS=${TARGETS:-image core_relo}
all_known "$TARGETS" image core_relo
fuzz=$ROOT/tools/testing/bpf_signed_host/fuzz
out=$BUILD/fuzz
skipped=0
mkdir -p "$out/bin" "$out/findings"

command -v c++ >/dev/null || die "libFuzzer wants a C++ compiler, c++"
rustc=$(rustc_of_cargo)
host=$("$rustc" -vV | sed -n 's/^host: //p')

# Options that are stable for nobody but the compiler's own developers, and work
# with each compiler if that is asked for.
export RUSTC_BOOTSTRAP=1
flags=(--cfg fuzzing -C passes=sancov-module)
for option in level=4 inline-8bit-counters pc-table trace-compares; do
	flags+=(-C "llvm-args=-sanitizer-coverage-$option")
done
if has_asan "$rustc"; then
	flags+=(-Z sanitizer=address)
elif [ -e "$("$CLANG" -print-file-name="libclang_rt.asan-${host%%-*}.a")" ]; then
	flags+=(-Z sanitizer=address -Z external-clangrt -C "linker=$CLANG"
		-C link-arg=-fsanitize=address)
else
	note "$rustc has no AddressSanitizer: panics alone are found, which counts as skipped"
	skipped=1
fi

export RUSTC=$rustc CARGO_TARGET_DIR=$out/target
# Networks fail now and then; what is there already is not asked for
(cd "$fuzz" && CARGO_NET_RETRY=10 "$CARGO" fetch --locked --target "$host") >"$out/build.log" 2>&1 || {
	tail -n 30 "$out/build.log" >&2
	die "cargo cannot have the crates that the targets are made of"
}
note "building (log: $out/build.log)"
# With --target the flags are not for build scripts and macros
if ! (cd "$fuzz" && RUSTFLAGS="${flags[*]}" \
	"$CARGO" build --release --locked --target "$host") >>"$out/build.log" 2>&1; then
	tail -n 30 "$out/build.log" >&2
	die "the fuzz targets do not build"
fi

passed=0 failed=0
for target in $TARGETS; do
	# another run may still have the old one open
	cp --remove-destination "$out/target/$host/release/$target" "$out/bin/"
	corpus=$out/corpus/$target
	seeds=$out/seeds/$target
	log=$out/$target.log
	rm -rf "$seeds"
	mkdir -p "$corpus" "$seeds"
	python3 - "$fuzz/corpus/$target.txt" "$seeds" <<-'EOF'
	import sys
	for n, line in enumerate(open(sys.argv[1])):
	    if not line.startswith("#"):
	        with open(f"{sys.argv[2]}/{n}", "wb") as f:
	            f.write(bytes.fromhex(line.strip()))
	EOF
	find "$out/findings" -name "$target-*" -exec cp -t "$seeds" {} +
	note "$target: $TIME s with $JOBS processes (log: $log)"
	rc=0
	# with -fork, what takes too long or too much would be passed over
	(cd "$out" && "bin/$target" -fork="$JOBS" -max_total_time="$TIME" -max_len=4096 \
		-timeout=20 -report_slow_units=5 -ignore_timeouts=0 -rss_limit_mb=2048 -ignore_ooms=0 \
		-artifact_prefix=findings/"$target-" "$corpus" "$seeds") >"$log" 2>&1 || rc=$?
	# Slow ones may have been slow because something else ran: once more, 5 s of CPU time
	for slow in "$out/findings/$target"-slow-unit-*; do
		[ -e "$slow" ] || continue
		if (ulimit -t 5 && cd "$out" && "bin/$target" "$slow") >>"$log" 2>&1; then
			rm "$slow"
		else
			rc=1
			note "$target: more than 5 s: $slow"
		fi
	done
	# "#EXECUTIONS: cov: EDGES ft: ... "
	read -r runs edges < <(sed -n 's/^#\([0-9]*\): cov: \([0-9]*\) .*/\1 \2/p' "$log" |
		tail -n 1) || true
	if [ $rc = 0 ] && [ "${runs:-0}" -gt 0 ]; then
		passed=$((passed + 1))
		note "$target: $runs executions, $edges edges covered, nothing found"
	else
		failed=$((failed + 1))
		grep -E -m 5 -A 4 'panicked at|ERROR: |SUMMARY: |Test unit written' "$log" >&2 || true
		note "$target: FAILED with status $rc, see $log and $out/findings"
	fi
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
