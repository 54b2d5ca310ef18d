#!/usr/bin/env python3
"""ENOSPC and EIO at every call of flow's that writes: it says what is wrong and ends with 5, or the call did not matter; it does not
crash or hang; the next run finishes and the oracle is content. A failed sync is fatal and is not tried again.

    tests/faults/sweep.py BUILD [--all] [--seconds N] [--pair KIND:N:ERRNO]
"""
import argparse
import errno
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from oracle_trial import Trial  # noqa: E402
from sweeping import spread, swept  # noqa: E402

KINDS = "write create link rename mkdir unlink sync mode symlink truncate time open".split()
ERRORS = {"write": ("ENOSPC", "EIO", "EDQUOT"), "create": ("ENOSPC", "EIO", "EMFILE", "EROFS"), "link": ("ENOSPC", "EIO"),
          "rename": ("ENOSPC", "EIO"), "mkdir": ("ENOSPC", "EIO"), "unlink": ("EIO",), "sync": ("EIO", "ENOSPC"), "mode": ("EIO", "EROFS"),
          "symlink": ("ENOSPC", "EIO"), "truncate": ("EIO",), "time": ("EIO",), "open": ("EMFILE", "EIO")}
FRESH = 25
place = None


class Place:
    def __init__(self, build):
        self.folder, self.build = tempfile.mkdtemp(prefix="faults-"), build
        self.trial = Trial(build, os.path.join(self.folder, "project"))
        self.log = os.path.join(self.folder, "log")
        self.used = FRESH

    def ready(self):
        self.used += 1
        if self.used >= FRESH:
            self.trial.prepare()
            self.used = 0
        self.trial.next()

    def run(self, fault=None):
        """The run, and how many calls of each kind it made."""
        if os.path.exists(self.log):
            os.unlink(self.log)
        env = {"LD_PRELOAD": os.path.join(self.build, "fault_preload.so"), "FLOW_TEST_FAULT_LOG": self.log}
        if fault:
            env["FLOW_TEST_FAULT"] = fault
        done = self.trial.run(env=env, timeout=20)
        counts = {}
        if os.path.exists(self.log):
            with open(self.log) as file:
                counts = {name: int(number) for name, number in map(str.split, file)}
        return done, counts


def set_up(build):
    global place
    place = Place(build)


def fail_once(job):
    """(job, did it end with 5, what is wrong)"""
    kind, number, name = job
    wrong, code = [], None
    try:
        place.ready()
        done, counts = place.run("%s:%s:%d" % (kind, number, getattr(errno, name)))
        code, said = done.returncode, done.stdout
        # 1: what the attempt reported could not be read; it says so, and the attempt has failed for it.
        if code not in (0, 5) and not (code == 1 and os.strerror(getattr(errno, name)) in said):
            wrong.append("ends with %s: %s" % (code, said))
        if code == 5 and not any(word in said.lower() for word in (os.strerror(getattr(errno, name)).lower(), "disk is full", "disk i/o",
                                                             "for writing")):
            wrong.append("does not say what is wrong: %s" % said)
        if code == 5 and said.count("error") > 3:
            wrong.append("says it too often: %s" % said)
        if kind == "sync" and counts.get("sync", 0) >= int(number.rstrip("+")) and code != 5:
            wrong.append("a sync failed, and it ends with %s" % code)
        if kind == "sync" and counts.get("sync-after-failure", 0) > 0:
            wrong.append("a sync failed, and there were %d more" % counts["sync-after-failure"])
        wrong += place.trial.settle()
    except Exception as error:
        wrong.append("the test itself: %r" % error)
    if wrong:
        place.used = FRESH
    return job, code == 5, wrong


def jobs_of(counts):
    return spread([(kind, "%d%s" % (number, plus), name) for kind in KINDS for name in ERRORS[kind]
                   for number in range(1, counts[kind] + 1) for plus in ("", "+")])


def counted(build):
    set_up(build)
    place.ready()
    return place.run()[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--pair")
    parser.add_argument("--stop", action="store_true", help="at the first violation")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    home = tempfile.tempdir = tempfile.mkdtemp(prefix="faults-")
    build, bad, fives, total, begin = os.path.abspath(options.build), 0, 0, 0, time.monotonic()
    try:
        if options.pair:
            set_up(build)
            job = fail_once(tuple(options.pair.split(":")))
            print(job[0], "5" if job[1] else "not 5", *job[2], sep="\n    ")
            return 1 if job[2] else 0
        counts = counted(build)
        if not counts["sync"]:
            raise SystemExit("a run syncs nothing: after power loss the journal may tell of what is not there")
        jobs, seconds = jobs_of(counts), 1e18 if options.all else options.seconds
        for job, was_five, wrong in swept(fail_once, jobs, options.jobs, seconds, set_up, (build,)):
            total, fives, bad = total + 1, fives + was_five, bad + bool(wrong)
            if wrong and bad <= 20:
                print("%s %s fails with %s" % job)
                print("".join("    %s\n" % line.strip().replace("\n", "\n    ") for line in wrong), end="", flush=True)
            if bad and options.stop:
                break
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print("%d of %d faults (kind, n, errno), %d ended with 5, %d did not matter, %d violations, %.0f s" % (
        total, len(jobs), fives, total - fives, bad, time.monotonic() - begin))
    return 1 if bad or fives < total / 4 else 0


if __name__ == "__main__":
    sys.exit(main())
