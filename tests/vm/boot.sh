#!/usr/bin/env bash
# A kernel of its own that runs as a process (User Mode Linux), with this machine's files, read-only, 768 MiB of memory and one processor. No
# rights are needed. What it says goes to stdout. Its first process is guest.sh, which runs SCRIPT of this folder in it.
#     tests/vm/boot.sh SCRIPT NAME=VALUE...     the environment of SCRIPT; ubd0=FILE is the kernel's: a disk, /dev/ubda
# Status 77 where the Debian package user-mode-linux is missing; it is for x86-64.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
script=$1
shift
kernel=$(command -v linux.uml) || {
	echo "skipped: there is no linux.uml; the Debian package user-mode-linux has it: apt-get install user-mode-linux"
	exit 77
}
# What it has of memory is a file that nobody else sees.
export TMPDIR=${TMPDIR:-/tmp}
# Words with a `=` that the kernel does not know become the environment of its first process.
exec "$kernel" mem=768M root=/dev/root rootfstype=hostfs ro quiet con=null con0=null,fd:1 init="$here/guest.sh" VM_SCRIPT="$script" "$@" \
	</dev/null 2>&1
