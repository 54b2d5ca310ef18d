#!/usr/bin/env bash
# The disk is full after so and so many bytes: flow says so and exits 5, or got through; the next run, with room, finishes the job, and no
# finished task is taken for more than it is.
#     tests/faults/full_disk.sh BUILD
set -u
build=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
cat >dag.yaml <<'END'
version: 1
params: {salt: 0}
stages:
  a: {cmd: "echo a ${params.salt} > out/a", outs: [out/a]}
  b: {cmd: "cat out/a out/a > out/b", deps: [out/a], outs: [out/b]}
  c:
    deps: {b: out/b}
    outs: {c: out/c}
    lua: |
      return { run = function(ctx) ctx:metric("size", #ctx:read("b")); ctx:write("c", ctx:read("b")) end }
END
full=0 through=0
for ((bytes = 0; bytes <= 700000; bytes += bytes < 40000 ? 3000 : 20000)); do
	FLOW_TEST_DISK=$bytes LD_PRELOAD=$build/full_disk.so "$build/flow" run -q -p salt=$bytes >out.txt 2>&1
	status=$?
	case $status in
	0) through=$((through + 1)) ;;
	5)
		full=$((full + 1))
		grep -qiE 'disk is full|no space left' out.txt || { echo "at $bytes bytes it does not say what is wrong:"; cat out.txt; exit 1; }
		;;
	*) echo "at $bytes bytes: exit $status"; cat out.txt; exit 1 ;;
	esac
	"$build/flow" run -q -p salt=$bytes >out.txt 2>&1 || { echo "after $bytes bytes the next run fails:"; cat out.txt; exit 1; }
	[ "$(cat out/c)" = "$(printf 'a %s\na %s' $bytes $bytes)" ] || { echo "after $bytes bytes out/c holds: $(cat out/c)"; exit 1; }
	"$build/flow" run -q -p salt=$bytes 2>&1 | grep -q 'nothing to do' || { echo "after $bytes bytes there is still something to do"; exit 1; }
	[ $through -lt 5 ] || break
done
echo "$full times full, $through times it got through"
[ $full -gt 5 ] && [ $through -gt 0 ]
