#!/usr/bin/env python3
"""kill -9 of flow at every system call that writes or changes something, by strace: `flow run` with a past, the first run ever, and the
run that recovers from such a kill, a `flow gc`, and the command that finds the journal of an older flow. After each: nothing lives, the next run finishes, the oracle is content, nothing is done twice.

    tests/crash/sweep.py BUILD [--all] [--seconds N] [--only run|first|recovery|gc|migration] [--pair CALL:N]

Without --all a sample, spread evenly, that fits in the time. Without ptrace it fails; with FLOW_TEST_NO_PTRACE=1 it is skipped (77).
"""
import argparse
import collections
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import oracle  # noqa: E402
from oracle_trial import Trial  # noqa: E402
from sweeping import spread, swept  # noqa: E402

CALLS = ("openat write pwrite64 rename renameat renameat2 linkat unlink unlinkat mkdir mkdirat fsync fdatasync syncfs fchmod fchmodat "
         "symlinkat ftruncate utimensat sendmsg sendto recvmsg clone clone3 vfork fork execve kill close copy_file_range socketpair "
         "epoll_ctl epoll_wait fcntl futex wait4").split()
FRESH = 25  # kills in one folder before a new one, so that the journal stays small


def strace(call, number):
    return ["strace", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=%s:signal=SIGKILL:when=%d" % (call, number)]


def victim(trial, kind, prefix):
    """What is killed."""
    if kind == "gc":
        return trial.flow("gc", "--keep-last", "1", "--grace", "0s", prefix=prefix)
    if kind == "migration":
        return trial.flow("fsck", "--repair", prefix=prefix)
    return trial.run(prefix=prefix)


OLDER = """DROP INDEX run_state; DROP INDEX tag_run; DROP TABLE tag; ALTER TABLE artifact DROP COLUMN gone; ALTER TABLE attempt DROP COLUMN accepted;
ALTER TABLE run DROP COLUMN note; ALTER TABLE run DROP COLUMN pinned_ms; ALTER TABLE run DROP COLUMN removed_ms; PRAGMA user_version = 1"""


def make_older(trial):
    """The journal as a flow of format 1 would have left it."""
    db = sqlite3.connect(trial.path(".flow", "flow.db"), isolation_level=None)
    for statement in OLDER.split(";"):
        db.execute(statement)
    db.close()


def half_migrated(trial):
    with oracle.read_journal(trial.folder) as journal:
        version = journal.rows("PRAGMA user_version")[0][0]
        new = [bool(journal.rows(sql)) for sql in ("SELECT 1 FROM sqlite_schema WHERE name = 'tag'",
                                                   "SELECT 1 FROM pragma_table_info('run') WHERE name = 'removed_ms'",
                                                   "SELECT 1 FROM pragma_table_info('artifact') WHERE name = 'gone'")]
    return [] if new == [version > 1] * 3 else ["the journal is half way up: format %d, new parts %s" % (version, new)]


def left_over(trial):
    """After a gc that was killed and a further run, one more gc leaves what is needed and nothing else, and all is well."""
    wrong = []
    for words in (("gc", "--keep-last", "1", "--grace", "0s"), ("fsck", "--read-data")):
        done = trial.flow(*words)
        if done.returncode != 0:
            wrong.append("flow %s ends with %s: %s" % (" ".join(words), done.returncode, done.stdout))
    stat = json.loads(trial.flow("cache", "stat", "--json").stdout)
    if stat["spare"]["objects"] or stat["unknown"]["objects"]:
        wrong.append("gc left %r" % stat)
    if os.listdir(trial.path(".flow", "objects", "tmp")):
        wrong.append("gc left temporary files")
    return wrong + oracle.violations(trial.folder)


def count_calls(trial, kind):
    """How often each call occurs in the main thread of a run, from execve on."""
    log = trial.folder + ".calls"
    done = victim(trial, kind, prefix=["strace", "-qq", "-o", log, "-e", "trace=" + ",".join(CALLS)])
    if done.returncode != 0:
        raise SystemExit("the run under strace failed:\n" + done.stdout)
    counts, named = collections.Counter(), re.compile(r"^(\w+)\(")
    with open(log) as file:
        for line in file:
            found = named.match(line)
            if found:
                counts[found.group(1)] += 1
    os.unlink(log)
    return counts


def ptrace_works():
    try:
        return subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


class Place:
    """The folder of one process of the pool."""

    def __init__(self, build):
        self.folder = tempfile.mkdtemp(prefix="sweep-")
        self.trial = Trial(build, os.path.join(self.folder, "project"))
        self.used = FRESH

    def ready(self, kind):
        self.used += 1
        if kind == "first":
            self.trial.clear()
            self.used = FRESH
        elif self.used >= FRESH:
            self.trial.prepare()
            self.trial.next()
            self.used = 0
        else:
            self.trial.next()
        if kind in ("gc", "migration"):
            self.trial.run()
        if kind == "migration":
            make_older(self.trial)


place = None


def set_up(build):
    global place
    place = Place(build)


def kill_once(job):
    """(job, was flow killed, what is wrong)"""
    kind, earlier, call, number = job
    try:
        place.ready(kind)
        if kind == "recovery":
            place.trial.run(prefix=strace(*earlier))
        done = victim(place.trial, kind, strace(call, number))
        killed = done.returncode in (-9, 137)
        early = half_migrated(place.trial) if kind == "migration" else []
        wrong = place.trial.settle() if killed else [] if done.returncode == 0 else ["not killed, and ends with %s: %s" % (
            done.returncode, done.stdout)]
        wrong += early
        if kind == "gc":
            wrong += left_over(place.trial)
        if not killed:
            place.used = FRESH
    except Exception as error:  # the others go on
        killed, wrong = True, ["the test itself: %r" % error]
    if wrong:
        place.used = FRESH
    return job, killed, wrong


def jobs_of(kind, counts):
    earlier = [("linkat", 1), ("sendmsg", 4), ("renameat", 3), ("pwrite64", max(1, counts["pwrite64"] * 3 // 4)), ("unlinkat", 4),
               ("clone3", 1), ("fchmod", 2)]
    pairs = spread([(call, number) for call in CALLS for number in range(1, counts[call] + 1)])
    return [(kind, earlier[i % len(earlier)], call, number) for i, (call, number) in enumerate(pairs)]


def counted(build, kind):
    folder = tempfile.mkdtemp(prefix="sweep-")
    trial = Trial(build, os.path.join(folder, "project"))
    if kind == "first":
        trial.clear()
    else:
        trial.prepare()
        trial.next()
    if kind == "recovery":
        trial.run(prefix=strace("sendmsg", 4))
    if kind in ("gc", "migration"):
        trial.run()
    if kind == "migration":
        make_older(trial)
    counts = count_calls(trial, kind)
    shutil.rmtree(folder)
    return counts


def sweep(build, kind, seconds, limit, options):
    jobs = jobs_of(kind, counted(build, kind))
    total, begin, killed, missed, bad = len(jobs), time.monotonic(), 0, 0, 0
    for job, was_killed, wrong in swept(kill_once, jobs[:limit], options.jobs, seconds, set_up, (build,)):
        killed += was_killed
        missed += not was_killed
        if wrong:
            bad += 1
            if bad <= 20:
                print("%s: killed at %s %d%s" % (kind, job[2], job[3], " after %s %d" % job[1] if kind == "recovery" else ""))
                print("".join("    %s\n" % line.strip().replace("\n", "\n    ") for line in wrong), end="", flush=True)
        if bad and options.stop:
            break
    print("%s: %d of %d pairs (call, n), %d kills, %d came too late, %d violations, %.0f s" % (
        kind, killed + missed, total, killed, missed, bad, time.monotonic() - begin), flush=True)
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seconds", type=float, default=75)
    parser.add_argument("--only", choices=["run", "first", "recovery", "gc", "migration"])
    parser.add_argument("--pair")
    parser.add_argument("--stop", action="store_true", help="at the first violation")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    if not ptrace_works():
        print("strace cannot trace here: is it installed, and is ptrace permitted? (FLOW_TEST_NO_PTRACE=1 leaves this test out)")
        return 77 if os.environ.get("FLOW_TEST_NO_PTRACE") == "1" else 1
    home = tempfile.mkdtemp(prefix="sweep-")
    tempfile.tempdir = home
    bad = 0
    try:
        if options.pair:
            set_up(build)
            call, _, number = options.pair.partition(":")
            job = kill_once((options.only or "run", ("sendmsg", 4), call, int(number)))
            print(job)
            return 1 if job[2] else 0
        for kind, share, limit in (("run", 0.4, None), ("first", 0.2, None), ("recovery", 0.2, 60), ("gc", 0.1, None),
                                  ("migration", 0.1, None)):
            if options.only in (None, kind):
                seconds = 1e9 if options.all else options.seconds * share
                bad += sweep(build, kind, seconds, None if options.all else limit, options)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
