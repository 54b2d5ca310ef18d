#!/bin/bash
# The first process of the kernel that boot.sh starts: mounts what a system has, runs a script, says its verdict, and turns the power off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/mnt LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=1777 tmp /mnt
mount -t tmpfs tmp /run
exec 2>&1
echo "== guest: $(uname -sr)"
bash "$(dirname "$0")/$VM_SCRIPT"
echo "== verdict $?"
echo o >/proc/sysrq-trigger
sleep 60
