#!/usr/bin/env bash
# Fuzzes every target, as many at a time as there are cores; a crash, a leak, an input that takes over 10 s or 2 GiB is a failure.
#     tests/fuzz/run.sh [SECONDS [TARGET...]]      60 seconds each by default; all targets by default; --but TARGET...: all others
# FUZZ_RUNS=n: no further once a target has had n inputs in all; it need not be in one go. LANES=n: so many at a time.
# What was found is kept in build-fuzz: corpus/TARGET/ to go on from, found/TARGET-* what a target broke at, runs/TARGET how many inputs
# it has had; the last line that is printed sums them up. To look into one:
#     build-fuzz/tests/fuzz/fuzz_TARGET build-fuzz/found/TARGET-crash-...
# It is made small with -minimize_crash=1, mended, and kept as tests/fuzz/corpus/TARGET/WHAT-IT-WAS.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift $(($# > 0))
build=${FUZZ_BUILD:-build-fuzz}
mkdir -p "$build/found" "$build/corpus" "$build/logs" "$build/runs"
cmake -S . -B "$build" -DCMAKE_C_COMPILER=clang -DFLOW_FUZZ=ON >/dev/null
cmake --build "$build" --target flow-fuzz -j "$(nproc)" | grep -E 'warning|error|\*\*\*' || test "${PIPESTATUS[0]}" = 0
if [ $# = 0 ] || [ "$1" = --but ]; then
	not=" $* "
	set --
	for source in tests/fuzz/fuzz_*.c; do
		name=${source##*/fuzz_} name=${name%.c}
		[[ $not = *" $name "* ]] || set -- "$@" "$name"
	done
fi

# one TARGET SECONDS BUILD
one() {
	local name=$1 seconds=$2 build=$3 more=() rc=0 had ran
	had=$(cat "$build/runs/$name" 2>/dev/null || echo 0)
	if [ -n "${FUZZ_RUNS:-}" ]; then
		more=("-runs=$((FUZZ_RUNS > had ? FUZZ_RUNS - had : 1))")
	fi
	case $name in
	dag) more+=(-seed_inputs="$(ls -m examples/*/dag.yaml tests/cli/*/dag.yaml | tr -d ' \n')" -dict=tests/fuzz/yaml.dict) ;;
	expr | params) more+=(-dict=tests/fuzz/yaml.dict) ;;
	lua_scan) more+=(lua) ;;
	esac
	mkdir -p "$build/corpus/$name"
	# Some targets write a file for each input: in memory, where there is a place for it.
	TMPDIR=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" "flow-fuzz-$name-XXXXXX")
	export TMPDIR
	# What was freed stays known for some hundreds of inputs; more of it only takes memory that is not in the cache.
	ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1 \
		"$build/tests/fuzz/fuzz_$name" "$build/corpus/$name" "tests/fuzz/corpus/$name" "${more[@]}" \
		-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
		-artifact_prefix="$build/found/$name-" >"$build/logs/$name" 2>&1 || rc=$?
	rm -rf "$TMPDIR"
	ran=$(awk '/^stat::number_of_executed_units/ {print $2}' "$build/logs/$name")
	echo $((had + ${ran:-0})) >"$build/runs/$name"
	printf '%-12s %10s runs, %11s in all  %5s covered  %s\n' "$name" "${ran:-0}" "$((had + ${ran:-0}))" \
		"$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$build/logs/$name" | tail -1)" \
		"$([ "$rc" = 0 ] && echo ok || echo "FAILED: see $build/logs/$name")"
	[ "$rc" = 0 ] || tail -40 "$build/logs/$name" >&2
	return $((rc != 0))
}
export -f one
rc=0
printf '%s\n' "$@" | xargs -P "${LANES:-$(nproc)}" -I{} bash -c 'one "$@"' one {} "$seconds" "$build" || rc=1
(cd "$build/runs" && awk '
	{ sum += $1; if (FNR == NR || $1 < fewest) { fewest = $1; name = FILENAME } }
	END { printf "%d targets, %.1f million inputs in all; fewest: %s, %.2f million\n", NR, sum / 1e6, name, fewest / 1e6 }' *)
exit $rc
