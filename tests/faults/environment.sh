#!/usr/bin/env bash
# Places where flow cannot work: it says so in a line and ends with 5 (7 when it is policy), does not crash or hang, and works again once
# the fault is gone. .flow that may not be written (as a user who is not root), too few descriptors, files that may not grow, a project
# on a tiny disk, .flow that disappears.
#     tests/faults/environment.sh BUILD
set -u
build=$(realpath "$1")
oracle=$(realpath "$(dirname "$0")/../support/oracle.py")
home=$(mktemp -d)
bad=0 left_out=""
trap 'umount "$home"/disk 2>/dev/null; rm -rf "$home"' EXIT

wrong() {
	bad=$((bad + 1))
	echo "$row: $*"
	sed 's/^/    /' "$home/said"
}

new_project() {
	row=$1
	folder=${2:-$home/$row}
	mkdir -p "$folder/out"
	cd "$folder" || exit 1
	cat >dag.yaml <<-'YAML'
		version: 1
		params: {salt: 0}
		stages:
		  a: {cmd: "head -c 3000 /dev/zero > out/a && echo ${params.salt} >> out/a", outs: [out/a]}
		  b: {cmd: "cat out/a out/a > out/b", deps: [out/a], outs: [out/b]}
		  c:
		    deps: {b: out/b}
		    outs: {c: out/c}
		    lua: |
		      return { run = function(ctx) ctx:write("c", ctx:read("b")) end }
	YAML
}

# run SALT WANTED... : flow ends with one of the statuses wanted.
run() {
	local salt=$1 status
	shift
	timeout 20 "$build/flow" run -q -p "salt=$salt" >"$home/said" 2>&1
	status=$?
	case " $* " in
	*" $status "*) ;;
	*) wrong "ends with $status, not $*" ;;
	esac
	return $status
}

# Once the fault is gone everything is as if it had never been.
is_well() {
	run "$1" 0
	"$oracle" "$folder" >"$home/said" 2>&1 || wrong "the oracle"
	run "$1" 0
	grep -q 'nothing to do' "$home/said" || wrong "there is still something to do"
}

new_project descriptors
run 0 0
for count in 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 22 24 28 32 40; do
	(ulimit -n $count && run $count 0 1 5 && exit 0; exit $?)
	status=$?
	[ $status != 5 ] || grep -qiE 'too many open files|for writing|library|flow-worker' "$home/said" || wrong "with $count descriptors it does not say why"
	is_well $count
done

new_project file-size
run 0 0
for blocks in 1 8 40 100 200; do
	(ulimit -f $blocks && run $blocks 0 1 5)
	is_well $blocks
done

new_project gone
run 0 0
rm -rf .flow
is_well 1

new_project busy
run 0 0
chmod 0 .flow/objects
if [ "$(id -u)" = 0 ]; then
	left_out="$left_out read-only(root)"
else
	run 1 5
	chmod 700 .flow/objects
	chmod 500 .flow
	run 1 5
	chmod 700 .flow
fi
chmod 700 .flow/objects
is_well 2

# As root in a name space of our own, where that is permitted: a disk of 600 KiB, one with 60 inodes, one that may only be read.
if unshare -Urm true 2>/dev/null || unshare -m true 2>/dev/null; then
	unshare=$(unshare -m true 2>/dev/null && echo "unshare -m" || echo "unshare -Urm")
	for what in size=600k nr_inodes=60 size=4m,read; do
		row=disk-$what
		mkdir -p "$home/disk"
		export -f run wrong new_project is_well
		export build home oracle row what bad
		# shellcheck disable=SC2016
		$unshare bash -c '
			mount -t tmpfs -o "${what%,read}" none "$home/disk" || exit 77
			new_project "$row" "$home/disk"
			case $what in
			*read)
				run 0 0
				mount -o remount,ro "$home/disk"
				run 1 5
				mount -o remount,rw "$home/disk"
				;;
			nr_inodes*)
				for salt in 1 2 3 4 5 6 7 8; do run $salt 0 1 5; done
				[ $? = 5 ] || wrong "it never came to an end"
				mount -o remount,nr_inodes=10000 "$home/disk"
				;;
			*)
				for salt in 1 2 3 4 5 6 7 8; do run $salt 0 1 5; done
				[ $? = 5 ] || wrong "it never came to an end"
				grep -qiE "disk is full|no space" "$home/said" || wrong "it does not say that the disk is full"
				mount -o remount,size=20m "$home/disk"
				;;
			esac
			is_well 9
			exit $((bad > 0))'
		case $? in
		0) ;;
		77) left_out="$left_out $what" ;;
		*) bad=$((bad + 1)) ;;
		esac
	done
else
	left_out="$left_out tiny-disk"
fi
echo "$bad violations${left_out:+; left out here:$left_out}"
[ "$bad" = 0 ]
