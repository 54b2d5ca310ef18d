#!/usr/bin/env bash
# What only another kernel can show: transcripts (tests/vm/*/case) in a kernel of its own, one that runs as a process (User Mode Linux). It
# has this machine's files, read-only, 768 MiB of memory and one processor. No rights are needed, and nothing of it is left behind.
#     tests/vm/run.sh BUILD [--record] [NAME...]      all by default; --record writes what happens into them, see tests/support/console.py
# Status 77 where the Debian package user-mode-linux is missing; it is for x86-64.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
record=''
[ "${1:-}" != --record ] || { record=--record && shift; }
names=${*:-limits groups}

kernel=$(command -v linux.uml) || {
	echo "skipped: there is no linux.uml; the Debian package user-mode-linux has it: apt-get install user-mode-linux"
	exit 77
}
export TMPDIR=${TMPDIR:-/tmp}
console=$(mktemp)
trap 'rm -f "$console"' EXIT

# Words with a `=` that the kernel does not know become the environment of its first process, the guest script.
timeout -k 5 "${VM_SECONDS:-900}" "$kernel" mem=768M root=/dev/root rootfstype=hostfs ro quiet con=null con0=null,fd:1 \
	init="$here/guest.sh" VM_BUILD="$build" VM_RECORD="$record" VM_NAMES="${names// /,}" </dev/null >"$console" 2>&1 || true
tr -d '\r' <"$console" | sed -n '/^== guest/,/^== verdict/p' | grep -v '^Memory cgroup out of memory'
verdict=$(sed -n 's/^== verdict \([0-9]*\).*/\1/p' "$console" | tail -n 1)
[ -n "$verdict" ] || { tail -n 20 "$console" && echo "FAILED: the guest never came to its verdict"; }
exit "${verdict:-1}"
