#!/usr/bin/env bash
# kill -9 of the coordinator, the worker or both at a random moment of a run; then `flow run`: it finishes the job, no finished task
# runs again, no process is left, nothing is stuck, and the oracle is content. KILLS=n rounds (default 300), in LANES=n folders at a time (default 2), SEED=n.
#     tests/crash/kill.sh build/flow
set -u
flow=$(realpath "$1")
oracle=$(realpath "$(dirname "$0")/../support/oracle.py")
# Itself, not a script that looks for it each time.
python=$(python3 -c 'import sys; print(sys.executable)')
rounds=${KILLS:-300}
lanes=${LANES:-2}
seed=${SEED:-$$}
if [ "$lanes" -gt 1 ]; then
	pids=()
	for ((lane = 0; lane < lanes; lane++)); do
		KILLS=$((rounds / lanes)) LANES=1 SEED=$((seed + lane)) "$0" "$flow" &
		pids+=($!)
	done
	status=0
	for pid in "${pids[@]}"; do wait "$pid" || status=1; done
	exit $status
fi
RANDOM=$seed
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
lost=0 duplicated=0 corrupt=0 stuck=0 orphan=0 finished=0 repeated=0 salt=0

# wrong COUNTER TEXT: one violation of that sort.
wrong() {
	printf -v "$1" %d $((${!1} + 1))
	echo "round $round (SEED=$seed), $1: $2"
}

# pause SECONDS: nothing is ever written to that pipe.
exec {silence}<> <(:)
pause() { read -rt "$1" -u $silence || :; }

# count_starts TASK: how often it has started, in `starts`.
count_starts() {
	local lines
	mapfile -t lines <"starts/$salt/$1"
	starts=${#lines[@]}
}

done_tasks() { grep -o '"task":"[^"]*","stage":"[^"]*","verdict":"cached"' | sed 's/"task":"\([^"]*\)".*/\1/'; }

# 50 tasks in 5 layers: each notes its start in a file of its own, sleeps a little, starts a process that outlives it, writes its out.
new_project() {
	folder=$home/$round
	mkdir -p "$folder"
	cd "$folder" || exit 1
	{
		echo "version: 1"
		echo "params: {salt: 0}"
		echo "stages:"
		for layer in 0 1 2 3 4; do
			for i in 0 1 2 3 4 5 6 7 8 9; do
				echo "  t$layer$i:"
				echo "    cmd: |"
				echo "      echo start >> starts/\${params.salt}/t$layer$i"
				echo "      (setsid sleep 321.$$ &)"
				echo "      printf half > \${outs.o}"
				echo "      sleep 0.00$((RANDOM % 10))"
				echo "      printf 'done t$layer$i %s' \${params.salt} > \${outs.o}"
				[ $layer = 0 ] || echo "    deps: [out/t$((layer - 1))$i, out/t$((layer - 1))$(((i + 1) % 10))]"
				echo "    outs: {o: out/t$layer$i}"
			done
		done
	} >dag.yaml
}

# kill_one PID: the coordinator, its worker, or both.
kill_one() {
	case $((RANDOM % 3)) in
	0) kill -9 "$1" 2>/dev/null ;;
	1) pkill -9 -P "$1" -x flow-worker 2>/dev/null ;;
	2)
		pkill -9 -P "$1" -x flow-worker 2>/dev/null
		kill -9 "$1" 2>/dev/null
		;;
	esac
}

# The oracle's words, each counted as what it means.
ask_oracle() {
	local line
	while read -r line; do
		case $line in
		*"succeeded "*" times"*) wrong duplicated "$line" ;;
		*"is still"* | *"no end"*) wrong stuck "$line" ;;
		"process "*) wrong orphan "$line" ;;
		*"no success"* | *"not there"*) wrong lost "$line" ;;
		*) wrong corrupt "$line" ;;
		esac
	done < <("$python" "$oracle" "$folder")
}

for ((round = 1; round <= rounds; round++)); do
	# A new project now and then, so that the journal that the oracle reads stays small.
	if ((round % 25 == 1)); then
		cd "$home" && rm -rf "${folder:-$home/none}"
		new_project
	fi
	salt=$round
	mkdir -p "starts/$salt"
	"$flow" run -q -j3 -p salt=$salt >/dev/null 2>&1 &
	pid=$!
	# Not by the clock: a busy machine, or a sanitizer, would have done nothing yet. Some tasks have started, then a moment more.
	wanted=$((RANDOM % 45))
	for ((tries = 0; tries < 500; tries++)); do
		begun=("starts/$salt"/*)
		[ -e "${begun[0]}" ] && [ ${#begun[@]} -gt $wanted ] && break
		kill -0 $pid 2>/dev/null || break
		pause 0.004
	done
	pause 0.00$((RANDOM % 10))
	kill_one $pid
	wait $pid 2>/dev/null
	# What is finished now must not start again.
	declare -A before=()
	while read -r task; do
		count_starts "$task"
		before[$task]=$starts
	done < <("$flow" plan --json -p salt=$salt | done_tasks)
	finished=$((finished + ${#before[@]}))
	if ! timeout 60 "$flow" run -q -j3 -p salt=$salt >out.txt 2>&1; then
		wrong stuck "the next run ends badly: $(cat out.txt)"
	fi
	for task in "${!before[@]}"; do
		count_starts "$task"
		[ "$starts" = "${before[$task]}" ] || wrong duplicated "$task was finished and ran again"
	done
	for layer in 0 1 2 3 4; do
		for i in 0 1 2 3 4 5 6 7 8 9; do
			read -rd '' text <out/t$layer$i
			[ "$text" = "done t$layer$i $salt" ] || wrong lost "out/t$layer$i holds '$text'"
		done
	done
	if pgrep -f "sleep 321.$$" >/dev/null; then
		wrong orphan "$(pgrep -af "sleep 321.$$" | head -3)"
	fi
	ask_oracle
	"$flow" run -q -p salt=$salt 2>&1 | grep -q 'nothing to do' || wrong stuck "a further run had something to do"
	repeated=$((repeated + $(find "starts/$salt" -type f -size +6c | wc -l)))
done
echo "$rounds kills: $finished tasks were finished at the kill, $repeated attempts were repeated;" \
	"$lost lost, $duplicated duplicated, $corrupt corrupt, $stuck stuck, $orphan orphan"
[ $((lost + duplicated + corrupt + stuck + orphan)) = 0 ] || exit 1
[ "$finished" -gt "$rounds" ] || { echo "the kills came too early to prove anything"; exit 1; }
