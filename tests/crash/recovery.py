#!/usr/bin/env python3
"""Faults while flow recovers from a fault: a run is killed at a random moment (flow, its worker, both, or flow at a call that writes); the
next one, which recovers, is killed or meets ENOSPC or EIO at a random call that writes, up to four times in a row; then nothing is in the
way any more, and all must be well: nothing lives, the run finishes, the oracle is content, nothing finished is done twice.

    tests/crash/recovery.py BUILD [--seed N]        COUNT rounds (environment; 50), each from a seed of its own
"""
import argparse
import collections
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import command  # noqa: E402
from oracle_trial import Trial  # noqa: E402
from sweeping import swept  # noqa: E402

FRESH = 25
LONGEST = 0.12  # seconds that a run takes
CALLS = 90      # calls that write, of a run that recovers and does little else
FAULTS = (0, 0, errno.ENOSPC, errno.EIO)  # 0: killed
place = None


class Place:
    def __init__(self, build):
        self.folder = tempfile.mkdtemp(prefix="recovery-")
        self.trial = Trial(build, os.path.join(self.folder, "project"))
        self.preload = os.path.join(build, "fault_preload.so")
        self.used = FRESH

    def ready(self):
        self.used += 1
        if self.used >= FRESH:
            self.trial.prepare()
            self.used = 0
        self.trial.next()

    def faulty(self, number, code, *words):
        return self.trial.run(*words, env={"LD_PRELOAD": self.preload, "FLOW_TEST_FAULT": "any:%d:%d" % (number, code)})

    def kill(self, chance):
        """A run that does not come to its end."""
        if chance.random() < 0.3:
            self.faulty(chance.randint(1, 200), 0)
            return
        process = subprocess.Popen([self.trial.program, "run", "-q", "-j2", "-p", "salt=%d" % self.trial.salt], cwd=self.trial.folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, LONGEST))
        whom = chance.choice(("flow", "worker", "both"))
        if whom != "flow":
            subprocess.run(["pkill", "-9", "-P", str(process.pid), "-x", "flow-worker"])
        if whom != "worker":
            process.send_signal(signal.SIGKILL)
        command.ends(process, 30)
        process.wait(1)


def set_up(build):
    global place
    place = Place(build)


def judge(code, done):
    """(what became of the fault, what is wrong)"""
    if done.returncode == 0:
        return "did not matter", []
    if code == 0:
        return "kills", [] if done.returncode == -9 else ["killed, it ends with %s: %s" % (done.returncode, done.stdout)]
    told = any(word in done.stdout.lower() for word in (os.strerror(code).lower(), "disk is full", "disk i/o", "for writing"))
    return "errors", [] if done.returncode in (1, 5) and told else ["ends with %s: %s" % (done.returncode, done.stdout)]


def recover_once(seed):
    """(seed, what became of each fault, what is wrong)"""
    chance, fates, wrong = random.Random(seed), [], []
    try:
        place.ready()
        place.kill(chance)
        for _ in range(chance.randint(1, 4)):
            number, code = chance.randint(1, CALLS), chance.choice(FAULTS)
            fate, bad = judge(code, place.faulty(number, code, *chance.choice((("idle",), ()))))
            fates.append(fate)
            wrong += bad
        wrong += place.trial.settle()
    except Exception as error:  # the others go on
        wrong.append("the test itself: %r" % error)
    if wrong:
        place.used = FRESH
    return seed, fates, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--seed", type=int, help="this round only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    count, begin, bad, fates = int(os.environ.get("COUNT", "50")), time.monotonic(), 0, collections.Counter()
    first = random.SystemRandom().randrange(1 << 32)
    seeds = [options.seed] if options.seed is not None else range(first, first + count)
    home = tempfile.tempdir = tempfile.mkdtemp(prefix="recovery-")
    try:
        for seed, fate, wrong in swept(recover_once, seeds, options.jobs, 1e9, set_up, (os.path.abspath(options.build),)):
            fates.update(fate)
            bad += bool(wrong)
            if wrong and bad <= 20:
                print("seed %d" % seed)
                print("".join("    %s\n" % line.strip().replace("\n", "\n    ") for line in wrong), end="", flush=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    hit = fates["kills"] + fates["errors"]
    print("%d recoveries, %d faults in them: %d kills, %d errors, %d did not matter; %d violations, %.0f s" % (
        len(seeds), sum(fates.values()), fates["kills"], fates["errors"], fates["did not matter"], bad, time.monotonic() - begin))
    return 1 if bad or (len(seeds) > 10 and hit < len(seeds) / 2) else 0


if __name__ == "__main__":
    sys.exit(main())
