#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test: under ASan and UBSan (clang) with failpoints, threads under TSan, then all of
# them in the release build (gcc). Warnings are errors in each. ctest's summary of the release build comes last.
#     tests/run.sh [--quick]      --quick: the release build only
#     tests/run.sh --long [ROW...]      what takes hours, see tests/long.sh
# FUZZ_SECONDS: how long each target of tests/fuzz that reads what people hand in looks for inputs that break it, 60 by default; the
# others take a tenth of that.
set -euo pipefail
cd "$(dirname "$0")/.."
.ci/install build fashion tests
jobs=$(nproc)
tests=$((jobs + 1)) # at a time: they wait for processes and disks a part of theirs
# Python itself first, where `python3` is a script that looks for it (pyenv): it is started thousands of times.
PATH=$(python3 -c 'import os, sys; print(os.path.dirname(sys.executable))'):$PATH
# Some containers let nobody trace; the sweep by strace is then reported as skipped.
strace -o /dev/null true 2>/dev/null || export FLOW_TEST_NO_PTRACE=1

# build FOLDER TARGET COMPILER [CMAKE OPTION...]
build() {
	local folder=$1 target=$2 compiler=$3
	shift 3
	echo "== $folder: $compiler $*"
	cmake -S . -B "$folder" -DCMAKE_C_COMPILER="$compiler" -DFLOW_WERROR=ON "$@" >/dev/null
	cmake --build "$folder" --target "$target" -j "$jobs" | grep -E 'warning|error|\*\*\*' || test "${PIPESTATUS[0]}" = 0
}

if [ "${1:-}" = --long ]; then
	shift
	. tests/long.sh
	long "$@"
	exit
fi
if [ "${1:-}" != --quick ]; then
	build build-asan all clang -DFLOW_SANITIZE=address,undefined -DFLOW_FAILPOINTS=ON
	# The worker's children are killed on purpose: their leaks are not looked for.
	ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 \
		ctest --test-dir build-asan --output-on-failure -j "$tests" -LE release
	# The corpora of tests/fuzz ran as tests just now; this looks for what is not in them yet.
	seconds=${FUZZ_SECONDS:-60} handed_in=(dag expr params wire manifest idx npy csv safetensors database)
	tests/fuzz/run.sh "$seconds" "${handed_in[@]}"
	tests/fuzz/run.sh "$(((seconds + 9) / 10))" --but "${handed_in[@]}"
	build build-tsan flow-threads clang -DFLOW_SANITIZE=thread
	ctest --test-dir build-tsan --output-on-failure -j "$tests" -L threads
fi
build build-tests all gcc
ctest --test-dir build-tests --output-on-failure -j "$tests"
