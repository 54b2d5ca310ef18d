#!/usr/bin/env bash
# kill -9 of the coordinator, the worker or both at a random moment of a run; then `flow run`: it finishes the job, no finished task
# runs again, no process is left, nothing is stuck. KILLS=n rounds (default 30), SEED=n.
#     tests/crash/kill.sh build/flow
set -u
flow=$(realpath "$1")
rounds=${KILLS:-30}
RANDOM=${SEED:-$$}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
fail() { echo "FAILED in round $round: $*"; sqlite3_dump; exit 1; }
sqlite3_dump() { "$flow" runs show @last 2>&1 | head -60; ls -laR .flow/work 2>/dev/null | head -20; }

done_tasks() { grep -o '"task":"[^"]*","stage":"[^"]*","verdict":"cached"' <<<"$(cat)" | sed 's/"task":"\([^"]*\)".*/\1/'; }

# 20 tasks in 4 layers: each notes its start in a file of its own, sleeps a little, starts a process that outlives it, writes its out.
{
	echo "version: 1"
	echo "params: {salt: 0}"
	echo "stages:"
	for layer in 0 1 2 3; do
		for i in 0 1 2 3 4; do
			echo "  t$layer$i:"
			echo "    cmd: |"
			echo "      echo start >> $folder/starts/t$layer$i-\${params.salt}"
			echo "      (setsid sleep 321.123 &)"
			echo "      printf half > \${outs.o}"
			echo "      sleep 0.0$((RANDOM % 4))"
			echo "      printf 'done t$layer$i %s' \${params.salt} > \${outs.o}"
			[ $layer = 0 ] || echo "    deps: [out/t$((layer - 1))$i, out/t$((layer - 1))$(((i + 1) % 5))]"
			echo "    outs: {o: out/t$layer$i}"
		done
	done
} >dag.yaml
mkdir -p starts
lost=0
finished=0
for ((round = 1; round <= rounds; round++)); do
	"$flow" run -q -j3 -p salt=$round >/dev/null 2>&1 &
	pid=$!
	sleep 0.0$((RANDOM % 30 + 10))
	case $((RANDOM % 3)) in
	0) kill -9 $pid 2>/dev/null ;;
	1) pkill -9 -P $pid -x flow-worker 2>/dev/null ;;
	2)
		pkill -9 -P $pid -x flow-worker 2>/dev/null
		kill -9 $pid 2>/dev/null
		;;
	esac
	wait $pid 2>/dev/null
	# What is finished now must not start again.
	declare -A before=()
	while read -r task; do before[$task]=$(wc -l <"starts/$task-$round"); done < <("$flow" plan --json -p salt=$round | done_tasks)
	finished=$((finished + ${#before[@]}))
	"$flow" run -q -j3 -p salt=$round >out.txt 2>&1 || { cat out.txt; fail "the second run failed"; }
	for task in "${!before[@]}"; do
		[ "$(wc -l <"starts/$task-$round")" = "${before[$task]}" ] || fail "$task was finished and ran again"
	done
	for layer in 0 1 2 3; do
		for i in 0 1 2 3 4; do
			[ "$(cat out/t$layer$i)" = "done t$layer$i $round" ] || fail "out/t$layer$i holds '$(cat out/t$layer$i)'"
		done
	done
	pgrep -f 'sleep 321.123' >/dev/null && fail "a process is left: $(pgrep -af 'sleep 321.123')"
	[ "$("$flow" run -q -p salt=$round 2>&1 | grep -c 'nothing to do')" = 1 ] || fail "a further run had something to do"
	lost=$((lost + $(find starts -name "*-$round" -size +6c | wc -l)))
done
echo "$rounds rounds: $finished tasks were finished at the kill, $lost attempts were repeated"
[ "$finished" -gt "$rounds" ] || { echo "the kills came too early to prove anything"; exit 1; }
