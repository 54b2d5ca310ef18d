#!/usr/bin/env bash
# A disk that is too small at every size in turn, in bytes and in inodes, and a folder that may not be written to. flow gets through, or
# ends with status 5 and says why; the next run, with room, finishes the job, and the one after has nothing to do.
#     tests/faults/small_disks.sh BUILD
set -u
build=$(realpath "$1")
self=$(realpath "$0")
folder=$(mktemp -d)
trap 'cd /; umount "$folder/disk" 2>/dev/null; chmod -R u+rwX "$folder"; rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export PATH=$build:$PATH LC_ALL=C
out=$folder/out.txt
fail() { echo "FAILED: $*"; cat "$out"; cd /; exit 1; }
cat >dag.yaml <<'END'
version: 1
stages:
  a: {cmd: "echo a > ${outs.o}", outs: {o: out/a}}
  b: {cmd: "mkdir -p ${outs.o}; cd ${outs.o}; for i in 1 2 3 4 5 6 7 8 9; do echo $i > $i; done", deps: [out/a], outs: {o: out/b}}
  c: {lua: "return { run = function(ctx) ctx:write('o', ctx:read('a')) end }", deps: {a: out/a}, outs: {o: out/c}}
END

# told STATUS WORDS WHAT: a run ended so; either it got through or said what is missing
told() {
	case $1 in
	0) through=$((through + 1)) ;;
	1 | 5)
		short=$((short + 1))
		grep -qE "$2" "$out" || fail "$3: it does not say what is missing"
		;;
	*) fail "$3: exit $1" ;;
	esac
}
# finishes WHAT: with room it goes on
finishes() {
	flow run -q >"$out" 2>&1 || fail "after $1 the next run fails"
	[ "$(cat out/a out/b/* out/c | tr -d '\n')" = a123456789a ] || fail "after $1 the outs hold $(cat out/a out/b/* out/c)"
	flow run -q 2>&1 | grep -q 'nothing to do' || fail "after $1 there is still something to do"
}

# on_disk OPTIONS: run inside a tmpfs of that size, then with room in the same one
on_disk() {
	mkdir -p disk
	mount -t tmpfs -o "$1" none disk && cp dag.yaml disk && cd disk || exit 1
	flow run -q >"$out" 2>&1
	told $? 'disk is full|No space left|unable to open database file' "$1"
	cd .. && mount -o remount,size=100m,nr_inodes=10000 "$folder/disk" && cd disk || exit 1
	finishes "$1"
	cd .. && umount disk
}
through=0 short=0
if [ "${2:-}" = inside ]; then
	for inodes in 6 8 10 12 14 16 18 20 22 24 26 28 30 32 34 36 38 40 44 48 56 64 80; do on_disk "size=50m,nr_inodes=$inodes"; done
	for size in 60k 100k 200k 280k 300k 320k 340k 360k 400k 500k 700k 1m; do on_disk "size=$size,nr_inodes=10000"; done
	echo "small disks: $short times too small, $through times it got through"
	[ $short -gt 5 ] && [ $through -gt 2 ]
	exit
fi
private=(unshare -m)
[ "$(id -u)" = 0 ] || private=(unshare -Urm)
if "${private[@]}" mount -t tmpfs none /mnt 2>/dev/null; then
	"${private[@]}" "$self" "$build" inside || exit 1
else
	echo "small disks: left out, mount is not permitted here"
fi

# What may not be written to: nothing is made, one line says why.
plain=()
[ "$(id -u)" = 0 ] && plain=(setpriv "--bounding-set=-dac_override,-dac_read_search")
mkdir closed && cp dag.yaml closed && chmod 555 closed && cd closed || exit 1
"${plain[@]}" flow run -q >"$out" 2>&1
status=$?
cd ..
[ $status = 5 ] && [ "$(wc -l <"$out")" = 1 ] && grep -q 'Permission denied' "$out" || fail "read-only folder: exit $status"
[ "$(ls -A closed)" = dag.yaml ] || fail "read-only folder: something was made: $(ls -A closed)"
echo "a folder that may not be written to: said in one line"
