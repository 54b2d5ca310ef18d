#!/usr/bin/env python3
"""Every failpoint of a build with -DFLOW_FAILPOINTS=ON: flow dies, leaves, meets an error or waits at each step of the protocol, at each
passing of it: in the first run ever, in a run with a past, in one that brings lost outs back, in one that recovers. After each: nothing
lives, the next run finishes, the oracle is content, nothing is done twice. A step that no run passes is a fault of this test.

    tests/crash/points.py BUILD [--all] [--seconds N] [--point NAME]
    tests/crash/points.py BUILD --one KIND:NAME:ACTION:N      kind: first run lost recovery
"""
import argparse
import collections
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from oracle_trial import Trial  # noqa: E402
from sweeping import spread, swept  # noqa: E402

KINDS = ("first", "run", "lost", "recovery")
ERRORS = ("ENOSPC", "EIO", "EAGAIN")
# Where the run before a recovery was killed.
EARLIER = ("attempt.moved:kill:2", "ending.succeeded:kill:2", "publish.put-back:kill", "publish.show:kill:3", "slots.kept:kill",
           "attempt.submitted:kill:2", "publish.place:kill", "db.committed:kill:3")
HARMLESS = ("sync.end", "worker.started")  # an error there is nobody's
EACH_TIME = ("object.put",)      # a fault was found there that a sample would seldom meet
SHARED = ("file.rename",)        # passed by stages, and for the cache of graphs, too
FRESH = 25
place = None


class Place:
    def __init__(self, build):
        self.folder = tempfile.mkdtemp(prefix="points-")
        self.trial = Trial(build, os.path.join(self.folder, "project"))
        self.log = os.path.join(self.folder, "trace")
        self.used = FRESH

    def ready(self, kind, earlier):
        trial, self.used = self.trial, self.used + 1
        if kind == "first":
            self.used = FRESH
            trial.clear()
            return
        if self.used >= FRESH:
            trial.prepare()
            self.used = 0
        if kind == "lost":
            trial.run()
            for name in ("text", "counts"):
                os.unlink(trial.path("out", name))
            trial.before -= {"out/text", "out/counts"}
            return
        trial.next()
        if kind == "recovery":
            trial.run(env={"FLOW_FAILPOINT": earlier})

    def run(self, point=""):
        """The run, and how often it passed each step."""
        done = self.trial.run(env={"FLOW_FAILPOINT": point, "FLOW_FAILPOINT_TRACE": self.log})
        with open(self.log) as file:
            counts = collections.Counter(file.read().split())
        os.unlink(self.log)
        return done, counts


def set_up(build):
    global place
    place = Place(build)


def judge(name, action, done):
    """What is wrong with how flow ended, as lines."""
    what, _, value = action.partition(":")
    code, said = done.returncode, done.stdout
    if what == "sleep" or (what == "error" and name in HARMLESS):
        wanted = (0,)
    elif name.startswith("worker."):
        # Each worker begins to count anew: what it was to start is lost three times, and that attempt has failed.
        wanted = (0, 1, 5)
    else:
        wanted = {"kill": (-9,), "exit": (70,), "error": (5,)}[what] + ((0, 1) if name in SHARED else ())
    if code not in wanted:
        return ["ends with %s, not %s: %s" % (code, wanted, said)]
    if code == 5 and what == "error" and os.strerror(int(value)) not in said and "disk is full" not in said:
        return ["does not say what is wrong: %s" % said]
    return []


def fail_once(job):
    """(job, was that step passed, what is wrong)"""
    kind, earlier, name, action, number = job
    try:
        place.ready(kind, earlier)
        done, counts = place.run("%s:%s:%d" % (name, action, number))
        was_passed = counts[name] >= number
        wrong = (judge(name, action, done) if was_passed else []) + place.trial.settle()
    except Exception as error:  # the others go on
        was_passed, wrong = True, ["the test itself: %r" % error]
    if wrong:
        place.used = FRESH
    return job, was_passed, wrong


def actions(number):
    return ["kill"] + ["error:%d" % getattr(errno, ERRORS[number % len(ERRORS)])] + (["exit", "sleep:30"] if number == 1 else [])


def all_jobs(names):
    """Jobs, and the names that no run passes."""
    jobs, missed = [], set(names)
    for kind in KINDS:
        for at, earlier in enumerate(EARLIER if kind == "recovery" else EARLIER[:1]):
            place.ready(kind, earlier)
            done, counts = place.run()
            if done.returncode != 0:
                raise SystemExit("the %s run ends with %s: %s" % (kind, done.returncode, done.stdout))
            missed -= set(counts)
            jobs += [(kind, earlier, name, action, number) for name in names for number in range(1, counts[name] + 1)
                     for action in actions(number) if kind != "recovery" or at == 0 or name.startswith("recover.")]
    return jobs, missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--point")
    parser.add_argument("--one")
    parser.add_argument("--stop", action="store_true", help="at the first violation")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    names = subprocess.run([os.path.join(build, "flow")], env={**os.environ, "FLOW_FAILPOINT": "list"}, capture_output=True,
                           text=True).stdout.split()
    if "run.end" not in names:
        raise SystemExit("%s/flow was built without -DFLOW_FAILPOINTS=ON" % build)
    home = tempfile.tempdir = tempfile.mkdtemp(prefix="points-")
    begin, total, late, bad = time.monotonic(), 0, 0, 0
    try:
        set_up(build)
        if options.one:
            kind, name, action = options.one.split(":", 2)
            action, _, number = action.rpartition(":")
            _, _, wrong = fail_once((kind, EARLIER[0], name, action, int(number)))
            print(*wrong, sep="\n")
            return 1 if wrong else 0
        jobs, missed = all_jobs(names)
        jobs = spread([job for job in jobs if options.point in (None, job[2])])
        jobs.sort(key=lambda job: job[2] not in EACH_TIME)
        seconds = 1e9 if options.all else options.seconds
        for job, was_passed, wrong in swept(fail_once, jobs, options.jobs, seconds, set_up, (build,)):
            total, late, bad = total + 1, late + (not was_passed), bad + bool(wrong)
            if wrong and bad <= 20:
                print("%s%s: %s:%s:%d" % (job[0], " after " + job[1] if job[0] == "recovery" else "", *job[2:]))
                print("".join("    %s\n" % line.strip().replace("\n", "\n    ") for line in wrong), end="", flush=True)
            if bad and options.stop:
                break
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for name in sorted(missed):
        print("no run passes the step %s" % name)
    print("%d steps, %d of %d faults (kind, name, action, n), %d came too late, %d violations, %.0f s" % (
        len(names), total, len(jobs), late, bad, time.monotonic() - begin))
    return 1 if bad or missed or not total else 0


if __name__ == "__main__":
    sys.exit(main())
