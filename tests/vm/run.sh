#!/usr/bin/env bash
# What only another kernel can show: transcripts (tests/vm/*/case) in a kernel of its own, see boot.sh.
#     tests/vm/run.sh BUILD [--record] [NAME...]      all by default; --record writes what happens into them, see tests/support/console.py
# Status 77 where it is skipped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
record=''
[ "${1:-}" != --record ] || { record=--record && shift; }
names=${*:-limits groups}
said=$(mktemp)
trap 'rm -f "$said"' EXIT

rc=0
timeout -k 5 900 "$here/boot.sh" cases.sh VM_BUILD="$build" VM_RECORD="$record" VM_NAMES="${names// /,}" >"$said" || rc=$?
[ $rc != 77 ] || { cat "$said" && exit 77; }
tr -d '\r' <"$said" | sed -n '/^== guest/,/^== verdict/p' | grep -v '^Memory cgroup out of memory'
verdict=$(sed -n 's/^== verdict \([0-9]*\).*/\1/p' "$said" | tail -n 1)
[ -n "$verdict" ] || { tail -n 20 "$said" && echo "FAILED: the guest never came to its verdict"; }
exit "${verdict:-1}"
