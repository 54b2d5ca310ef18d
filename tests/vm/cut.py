#!/usr/bin/env python3
"""The power goes while flow works, for real: a kernel of its own (boot.sh) with an ext4 disk is killed at a random moment and started anew
from what the disk holds, again and again.

    tests/vm/cut.py BUILD [--rounds N] [--seed N]

Each start finishes the run that was cut off, or is cut off again while it does; what is there must have the oracle's approval and the outs
must be those of the stages (look.py). A task that was told as done MARGIN seconds before a cut must not run again. Status 1 when something
is violated, 77 where it is skipped.
"""
import argparse
import ctypes
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MARGIN = 2.0  # 50 ms, on a machine that may have ten times as much to do as it can
PATIENCE = 180
PR_SET_CHILD_SUBREAPER = 36
TOLD = re.compile(r"^\[[0-9:.]+\] (\S+) +ran ")


class Machine:
    """One start, until it is cut off or ends by itself."""

    def __init__(self, build, disk, resume, following):
        resume, following = ["-" if round is None else str(round) for round in (resume, following)]
        self.process = subprocess.Popen(
            [os.path.join(HERE, "boot.sh"), "cut.sh", "VM_BUILD=" + build, "ubd0=" + disk,
             "VM_RESUME=" + resume, "VM_NEXT=" + following],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
        self.rest, self.until = b"", time.monotonic() + PATIENCE

    def lines(self):
        """Each line with its time, until its end or that of our patience."""
        while time.monotonic() < self.until:
            if not select.select([self.process.stdout], [], [], max(0, self.until - time.monotonic()))[0]:
                return
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return
            *whole, self.rest = (self.rest + data).split(b"\n")
            for line in whole:
                yield time.monotonic(), line.decode("utf-8", "replace").strip()

    def cut(self):
        """The time it was cut off."""
        at = time.monotonic()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.stdout.close()
        # The processes of its processes are ours now.
        try:
            while True:
                os.wait()
        except ChildProcessError:
            self.process.poll()
        return at


class Trial:
    def __init__(self, options):
        self.build, self.chance = os.path.abspath(options.build), random.Random(options.seed)
        self.home = tempfile.mkdtemp(prefix="flow-cut-")
        self.disk = os.path.join(self.home, "disk")
        self.told, self.wrong, self.cuts = {}, [], {"resuming": 0, "running": 0}
        self.done = None  # the round that was begun last
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", os.path.join(HERE, "cut"), self.disk, "256M"],
                       check=True, stdout=subprocess.DEVNULL)

    def hear(self, at, line, number, cut_before):
        """A task that ends is told once; again only when the cut came too soon after it."""
        if line.startswith("violation:"):
            self.wrong.append(line[11:])
        task = TOLD.match(line)
        if not task:
            return
        key = (number, task[1])
        if key in self.told and cut_before - self.told[key] > MARGIN:
            self.wrong.append("%s of round %s ran again, told %.1f s before the cut" % (task[1], number, cut_before - self.told[key]))
        self.told[key] = at

    def start(self, cut_before, following, goal, wait):
        """One start, cut off `wait` seconds after it has come to its goal; the time of the cut."""
        machine, resumed, passed = Machine(self.build, self.disk, self.done, following), self.done, [None]
        for at, line in machine.lines():
            mark = re.match(r"== (resuming|running|verdict)", line)
            if mark:
                passed.append(mark[1])
                if mark[1] == "running":
                    self.done = following
                if mark[1] == goal:
                    machine.until = at + wait
            self.hear(at, line, resumed if passed[-1] == "resuming" else following, cut_before)
        if goal not in passed:
            self.wrong.append("a start came no further than %s" % passed[-1])
        self.cuts[passed[-1]] = self.cuts.get(passed[-1], 0) + 1
        return machine.cut()

    def run(self, rounds):
        cut_at, following = 0.0, 0
        for _ in range(rounds):
            phase = "resuming" if self.done is not None and self.chance.random() < 0.4 else "running"
            cut_at = self.start(cut_at, following, phase, self.chance.uniform(0, 12))
            following = following + 1 if self.done == following else following
        self.start(cut_at, None, "verdict", 0)
        checked = subprocess.run(["e2fsck", "-fn", self.disk], capture_output=True, text=True)
        if checked.returncode != 0:
            self.wrong.append("the disk: " + checked.stdout[-300:])
        for line in self.wrong:
            print("    " + line)
        print("%d cuts while it ran, %d while it resumed; %d ends of tasks told, %d rounds; %d violations" % (
            self.cuts["running"], self.cuts["resuming"], len(self.told), following, len(self.wrong)))
        return 1 if self.wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if not shutil.which("linux.uml") or not shutil.which("mke2fs"):
        print("skipped: the Debian packages user-mode-linux and e2fsprogs are needed: apt-get install user-mode-linux e2fsprogs")
        return 77
    print("seed %d" % options.seed, flush=True)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    trial = Trial(options)
    try:
        return trial.run(options.rounds)
    finally:
        shutil.rmtree(trial.home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
