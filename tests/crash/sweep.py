#!/usr/bin/env python3
"""kill -9 of flow at every system call that writes or changes something, by strace: `flow run` with a past, the first run ever, and the
run that recovers from such a kill. After each: nothing lives, the next run finishes, the oracle is content, nothing is done twice.

    tests/crash/sweep.py BUILD [--all] [--seconds N] [--only run|first|recovery] [--pair CALL:N]

Without --all a sample, spread evenly, that fits in the time. Without ptrace it fails; with FLOW_TEST_NO_PTRACE=1 it is skipped (77).
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from oracle_trial import Trial  # noqa: E402
from sweeping import spread, swept  # noqa: E402

CALLS = ("openat write pwrite64 rename renameat renameat2 linkat unlink unlinkat mkdir mkdirat fsync fdatasync syncfs fchmod fchmodat "
         "symlinkat ftruncate utimensat sendmsg sendto recvmsg clone clone3 vfork fork execve kill close copy_file_range socketpair "
         "epoll_ctl epoll_wait fcntl futex wait4").split()
FRESH = 25  # kills in one folder before a new one, so that the journal stays small


def strace(call, number):
    return ["strace", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=%s:signal=SIGKILL:when=%d" % (call, number)]


def count_calls(trial):
    """How often each call occurs in the main thread of a run, from execve on."""
    log = trial.folder + ".calls"
    done = trial.run(prefix=["strace", "-qq", "-o", log, "-e", "trace=" + ",".join(CALLS)])
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
        done = place.trial.run(prefix=strace(call, number))
        killed = done.returncode in (-9, 137)
        wrong = place.trial.settle() if killed else [] if done.returncode == 0 else ["not killed, and ends with %s: %s" % (
            done.returncode, done.stdout)]
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
    counts = count_calls(trial)
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
    parser.add_argument("--only", choices=["run", "first", "recovery"])
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
        for kind, share, limit in (("run", 0.5, None), ("first", 0.25, None), ("recovery", 0.25, 60)):
            if options.only in (None, kind):
                seconds = 1e9 if options.all else options.seconds * share
                bad += sweep(build, kind, seconds, None if options.all else limit, options)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
