# In the kernel of boot.sh: runs transcripts, each with a control group that an administrator has delegated ($G, with the controllers memory
# and pids). VM_BUILD, VM_NAMES=a,b, VM_RECORD=--record.
# shellcheck shell=bash
tests=$(dirname "$0")
worst=0
mount -t cgroup2 none /sys/fs/cgroup
[ -z "$VM_RECORD" ] || mount -t hostfs -o "$tests" none "$tests"

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

load overlay || worst=1
echo "+memory +pids" >/sys/fs/cgroup/cgroup.subtree_control || worst=1
for name in ${VM_NAMES//,/ }; do
	delegate "$name"
	# shellcheck disable=SC2086
	python3 "$tests/../support/console.py" --build "$VM_BUILD" $VM_RECORD "$tests/$name/case" && echo "$name: as written" || worst=1
done
exit $worst
