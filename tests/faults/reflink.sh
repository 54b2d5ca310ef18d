#!/usr/bin/env bash
# A disk whose files can share blocks: outs and their objects do, are files of their own (writable where `cache.link` has no hard links),
# and what is done to the one does not reach the other. Two disks: bytes are copied.
#     tests/faults/reflink.sh BUILD      77: no such disk can be had here (no root, no loop devices, no mkfs.btrfs)
set -u
build=$(realpath "$1")
self=$(realpath "$0")
export PATH=$build:/usr/sbin:$PATH LC_ALL=C
if [ "${2:-}" != inside ]; then
	command -v mkfs.btrfs >/dev/null && unshare -m true 2>/dev/null || { echo "skipped: no mkfs.btrfs, or not root"; exit 77; }
	exec unshare -m "$self" "$build" inside
fi
folder=$(mktemp -d)
trap 'cd /; umount "$folder/disk" "$folder/other" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export XDG_CONFIG_HOME=$folder
fail() { echo "FAILED: $*"; exit 1; }
truncate -s 300M image && mkfs.btrfs -q image >/dev/null 2>&1 && mkdir disk other || exit 1
mount -o loop image disk || { echo "skipped: no loop device"; exit 77; }
mount -t tmpfs none other || exit 1
mkdir disk/project && cd disk/project || exit 1
cat >dag.yaml <<'END'
version: 1
params: {salt: 1}
stages:
  big: {cmd: "yes ${params.salt} | head -c 50M > out/big", outs: [out/big]}
  folder: {cmd: "mkdir -p out/d && cp out/big out/d/copy && echo x > out/d/small", deps: [out/big], outs: [out/d]}
END

# mib: what the disk holds
mib() { sync -f . && btrfs filesystem sync . && df -m --output=used . | tail -1; }
# shared FILE: in blocks that another file has too
shared() { filefrag -v "$1" | tail -n +4 | grep -v 'extents\? found' | grep -vc shared; }
run() { flow run -q "$@" >"$folder/out" 2>&1 || { cat "$folder/out"; fail "run $*"; }; }

before=$(mib)
run
after=$(mib)
# 50 MiB of each of two outs (cp of coreutils shares on its own): one without blocks of its own
[ $((after - before)) -lt 75 ] || fail "two outs of 50 MiB, which hold the same, took $((after - before)) MiB"
[ "$(shared out/big)" = 0 ] || fail "out/big shares no blocks: $(filefrag -v out/big)"
[ "$(stat -c %h out/big)" = 1 ] || fail "out/big is a hard link"

# Written to in place: the object stays what it was, and brings it back.
flow config cache.link reflink,copy && run -p salt=2
[ -w out/big ] && [ "$(stat -c %a out/big)" = 644 ] || fail "without hard links outs are writable: $(stat -c %A out/big)"
printf spoiled | dd of=out/big conv=notrunc status=none
flow plan -p salt=2 | grep -q 'big .*come back' || fail "a changed out is not noticed: $(flow plan -p salt=2)"
run -p salt=2
[ "$(head -c 2 out/big)" = 2 ] || fail "the out was not brought back: $(head -c 10 out/big)"
run -p salt=1
[ "$(sha256sum <out/big)" = "$(yes 1 | head -c 50M | sha256sum)" ] || fail "the old result is not what it was"
[ "$(shared out/big)" = 0 ] || fail "what was brought back shares no blocks"
flow fsck >"$folder/out" 2>&1 && flow cache verify --read-data >>"$folder/out" 2>&1 || { cat "$folder/out"; fail "the store is not whole"; }

# The store on another disk: nothing can be shared, nothing is lost.
cp dag.yaml ../../other && cd ../../other && flow config cache.dir "$folder/disk/store" && run
[ "$(sha256sum <out/big)" = "$(yes 1 | head -c 50M | sha256sum)" ] || fail "over two disks the out is another"
rm -r out && run && [ "$(wc -c <out/big)" = 52428800 ] || fail "over two disks it does not come back"
echo "reflinks: $((after - before)) MiB for 100 MiB of outs and 100 MiB of objects"
