# In the kernel of boot.sh: mounts the disk, finishes the run of round VM_RESUME (none: -), looks at what is there with the oracle, and begins
# the one of round VM_NEXT (none: -). tests/vm/cut.py cuts the power somewhere in between.
# shellcheck shell=bash
tests=$(dirname "$0")
export PATH="$VM_BUILD:$PATH" PYTHONPATH="$tests/../support" PYTHONDONTWRITEBYTECODE=1
set -o pipefail
mkdir /mnt/disk
mount -t ext4 /dev/ubda /mnt/disk || exit 1
cd /mnt/disk || exit 1
if [ "$VM_RESUME" != - ]; then
	echo "== resuming"
	flow run -p round="$VM_RESUME" 2>&1 | cat || echo "violation: flow run ended with $?"
	python3 "$tests/look.py" "$VM_RESUME"
fi
echo "== running"
[ "$VM_NEXT" = - ] || flow run -p round="$VM_NEXT" 2>&1 | cat || echo "violation: flow run ended with $?"
[ "$VM_NEXT" = - ] || sleep 60
cd / && umount /mnt/disk
