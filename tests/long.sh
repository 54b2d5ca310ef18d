# What takes too long for every run of the tests, a table; read by tests/run.sh.
#     tests/run.sh --long [ROW...]      all rows, one after the other: a day or more; the names are those below
# Each row: its name, how many of its last lines are the figure, the command. $build is the release, $points one with failpoints. Prints the
# figure and the time of each row, keeps all that it said in build-long/ROW, and says at the end which rows failed: status 1.
# shellcheck shell=bash
long_rows() {
	cat <<-'ROWS'
		kills     2  KILLS=10000 tests/crash/kill.sh $build/flow
		calls     6  tests/crash/sweep.py $build --all
		points    4  tests/crash/points.py $points --all
		recovery  2  COUNT=500 tests/crash/recovery.py $build
		faults    2  tests/faults/sweep.py $build --all
		bytes     2  tests/faults/flipped_bytes.py $build --seeds 10000
		objects   1  tests/faults/corrupt_objects.py $build --count 10000
		race      2  tests/crash/gc_race.py $build --seconds 1800
		store     4  tests/bench/gc.py $build
		hashing   3  tests/bench/hash.py $build
		power     2  SEEDS=100000 tests/power/loss.py $build
		planted  40  tests/crash/planted.py
		model     1  FLOW_MODEL_CASES=2000000 $build/tests/test_sched_model
		soak     40  tests/soak/soak.py $build
		groups    3  tests/vm/run.sh $build
		cuts      1  tests/vm/cut.py $build --rounds 300
		fuzz     40  FUZZ_RUNS=10000000 tests/fuzz/run.sh 86400
	ROWS
}

# one_row NAME LINES COMMAND: 0 content, 1 not, 2 this tree has no such test, 77 something that it needs is not there, which it says.
one_row() {
	local name=$1 lines=$2 command=$3 build=$PWD/build-tests points=$PWD/build-points rc=0 begin=$SECONDS script verdict
	script=$(tr ' ' '\n' <<<"$command" | grep -m 1 '^tests/') || script=tests
	[ -e "$script" ] || return 2
	[[ $command != *'$points'* ]] || build "$points" all gcc -DFLOW_FAILPOINTS=ON || return 1
	eval "$command" >"build-long/$name" 2>&1 || rc=$?
	case $rc in 0) verdict=ok ;; 77) verdict=skipped ;; *) verdict=FAILED rc=1 ;; esac
	printf '%-8s  %s  %d:%02d:%02d\n' "$name" "$verdict" \
		$(((SECONDS - begin) / 3600)) $(((SECONDS - begin) / 60 % 60)) $(((SECONDS - begin) % 60))
	grep . "build-long/$name" | tail -n "$lines" | sed 's/^/    /'
	return $rc
}

long() {
	local name lines command rc failed='' absent='' skipped='' known
	known=" $(long_rows | awk '{printf "%s ", $1}')"
	for name in "$@"; do
		[[ $known == *" $name "* ]] || { echo "no row \`$name\`; there are:$known" && return 2; }
	done
	mkdir -p build-long
	build build-tests all gcc
	while read -r name lines command; do
		[ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
		rc=0
		one_row "$name" "$lines" "$command" </dev/null || rc=$?
		[ $rc != 1 ] || failed+=" $name"
		[ $rc != 2 ] || absent+=" $name"
		[ $rc != 77 ] || skipped+=" $name"
	done < <(long_rows)
	[ -z "$absent" ] || echo "not in this tree:$absent"
	[ -z "$skipped" ] || echo "skipped, see build-long:$skipped"
	[ -z "$failed" ] || { echo "FAILED:$failed" && return 1; }
	[ -z "$absent$skipped" ] || { echo "all else is well" && return; }
	echo "all is well"
}
