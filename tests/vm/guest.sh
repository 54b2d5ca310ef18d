#!/bin/bash
# The first process of the kernel that tests/vm/run.sh starts: mounts what a system has, gives each transcript a control group that an
# administrator has delegated ($G, with the controllers memory and pids), runs them, says the verdict, and turns the power off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/mnt LC_ALL=C.UTF-8
tests=$(dirname "$0")
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=1777 tmp /mnt
mount -t tmpfs tmp /run
mount -t cgroup2 none /sys/fs/cgroup
[ -z "$VM_RECORD" ] || mount -t hostfs -o "$tests" none "$tests"
exec 2>&1

# A module of this kernel: `isolate: true` is an overlay.
load() {
	local file
	file=$(find "/usr/lib/uml/modules/$(uname -r)" -name "$1.ko") &&
		python3 -c 'import ctypes, os, sys; sys.exit(ctypes.CDLL(None).syscall(313, os.open(sys.argv[1], os.O_RDONLY), b"", 0) != 0)' "$file"
}

delegate() {
	export G=/sys/fs/cgroup/$1
	mkdir "$G"
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.delegate", b"1")' "$G"
}

echo "== guest: $(uname -sr), controllers $(cat /sys/fs/cgroup/cgroup.controllers)"
worst=0
load overlay || worst=1
echo "+memory +pids" >/sys/fs/cgroup/cgroup.subtree_control || worst=1
for name in ${VM_NAMES//,/ }; do
	delegate "$name"
	# shellcheck disable=SC2086
	python3 "$tests/../support/console.py" --build "$VM_BUILD" $VM_RECORD "$tests/$name/case" && echo "$name: as written" || worst=1
done
echo "== verdict $worst"
echo o >/proc/sysrq-trigger
sleep 60
