#!/usr/bin/env python3
"""ENOSPC and EIO at every call of flow's that writes: it says what is wrong and ends with 5, or the call did not matter; it does not
crash or hang; the next run finishes and the oracle is content. A failed sync is fatal and is not tried again.

    tests/faults/sweep.py BUILD [--all] [--seconds N] [--pair KIND:N:ERRNO]
"""
import argparse
import contextlib
import errno
import os
import shutil
import sqlite3
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from oracle_trial import Trial  # noqa: E402
from sweeping import spread, swept  # noqa: E402

# SQLite does not look at how the sync of the folder its log lies in went; syncfs, soon after, speaks for the folder too.
KINDS = "write create link rename mkdir unlink sync dirsync mode symlink truncate time open".split()
LOGS = ("", " new", " long")
ERRORS = {"write": ("ENOSPC", "EIO", "EDQUOT"), "create": ("ENOSPC", "EIO", "EMFILE", "EROFS"), "link": ("ENOSPC", "EIO"),
          "rename": ("ENOSPC", "EIO"), "mkdir": ("ENOSPC", "EIO"), "unlink": ("EIO",), "sync": ("EIO", "ENOSPC"), "dirsync": ("EIO",),
          "mode": ("EIO", "EROFS"), "symlink": ("ENOSPC", "EIO"), "truncate": ("EIO",), "time": ("EIO",), "open": ("EMFILE", "EIO")}
FRESH = 25
LOG_BYTES = 2 << 20
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

    @contextlib.contextmanager
    def journal_log(self, state):
        """What decides when SQLite syncs: a log that begins anew, or one so long that its writer empties it at the end."""
        if not state:
            yield
            return
        journal = sqlite3.connect(self.trial.path(".flow", "flow.db"), isolation_level=None)
        with contextlib.closing(journal):
            journal.execute("PRAGMA wal_autocheckpoint=0")
            if state == " long":
                journal.execute("CREATE TABLE padding AS SELECT zeroblob(%d)" % LOG_BYTES)
                journal.execute("DROP TABLE padding")
            else:
                journal.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            yield

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
        kind, space, log = kind.partition(" ")
        with place.journal_log(space + log):
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
    """What a run with each state of the journal's log may be hurt by; of the states, only calls that sync are many."""
    return spread([(kind + log, "%d%s" % (number, plus), name) for log in LOGS for kind in KINDS for name in ERRORS[kind]
                   for number in range(1, counts[log][kind] + 1) for plus in ("", "+") if not log or kind == "sync"])


def counted(build):
    set_up(build)
    place.ready()
    counts = {}
    for log in LOGS:
        with place.journal_log(log):
            counts[log] = place.run()[1]
        place.trial.next()
    return counts


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
        if not counts[""]["sync"]:
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
