#!/usr/bin/env python3
"""The clock jumps under flow (a build with -DFLOW_FAILPOINTS=ON): during a back-off, a timeout, between two runs; a year on, a year back, or
the machine sleeps for hours. Nothing waits longer than it was told to, nothing ends too early, and the oracle is content.

    tests/crash/clock.py BUILD
"""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import oracle  # noqa: E402

HOUR, YEAR = 3600 * 1000, 365 * 24 * 3600 * 1000
# `beside` runs for a while, so that its progress is asked for: a step that is passed every 250 ms.
DAG = """version: 1
stages:
  flaky:
    cmd: echo >> starts; test $(wc -l < starts) -gt 1
    retry: {limit: 1, delay: %s, jitter: 0}
  beside: {cmd: sleep 1.5, timeout: %s}
"""


class Project:
    def __init__(self, build, home, delay, timeout="9h"):
        self.program, self.folder = os.path.join(os.path.abspath(build), "flow"), tempfile.mkdtemp(dir=home)
        with open(os.path.join(self.folder, "dag.yaml"), "w") as file:
            file.write(DAG % (delay, timeout))

    def start(self, point="", *words):
        return subprocess.Popen([self.program, "run", *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env={**os.environ, "FLOW_FAILPOINT": point})

    def run(self, point, *words):
        """(exit status or "hangs", what it said, seconds)"""
        begin, process = time.monotonic(), self.start(point, *words)
        try:
            said, code = process.communicate(timeout=20)[0], process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            said, code = process.communicate()[0], "hangs"
        return code, said, time.monotonic() - begin

    def wait_for_back_off(self):
        path = os.path.join(self.folder, ".flow", "flow.db")
        for _ in range(1000):
            try:
                with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as db:
                    if db.execute("SELECT 1 FROM task WHERE state = 'BACKOFF'").fetchone():
                        return
            except sqlite3.Error:
                pass
            time.sleep(0.01)
        raise SystemExit("no back-off within 10 s")


def back_off_during_a_jump(build, home):
    wrong = []
    for point, delay, least, most in (("attempt.poll:suspend:%d:3" % HOUR, "50m", 1, 10), ("attempt.poll:wall:%d:2" % YEAR, "3s", 2.9, 12),
                                      ("attempt.poll:wall:%d:2" % -YEAR, "3s", 2.9, 12)):
        project = Project(build, home, delay)
        code, said, took = project.run(point)
        if code != 0 or not least <= took <= most:
            wrong.append("a back-off of %s, %s: ends with %s after %.1f s\n%s" % (delay, point, code, took, said))
        wrong += oracle.violations(project.folder)
    return wrong


def back_off_between_runs(build, home):
    """The wait is known by the wall clock. Set back by a year, it would be a year long."""
    wrong = []
    for shift, least, most in ((0, 0.5, 10), (YEAR, 0, 5), (-YEAR, 0.5, 10)):
        project = Project(build, home, "3s")
        process = project.start("", "flaky")
        project.wait_for_back_off()
        process.kill()
        process.wait()
        process.stdout.close()
        code, said, took = project.run("project.locked:wall:%d" % shift, "flaky")
        if code != 0 or not least <= took <= most:
            wrong.append("a wait of 3 s, then the clock moves by %d ms: ends with %s after %.1f s\n%s" % (shift, code, took, said))
        wrong += oracle.violations(project.folder)
    return wrong


def timeout_during_a_jump(build, home):
    """A timeout does not hear of the wall clock; a machine that slept has used it up."""
    wrong = []
    for point, want in (("attempt.poll:wall:%d:2" % YEAR, 0), ("attempt.poll:wall:%d:2" % -YEAR, 0), ("attempt.poll:suspend:%d:2" % HOUR, 1)):
        project = Project(build, home, "1ms", "10s")
        code, said, took = project.run(point)
        if code != want or ("timeout" in said.lower() or "longer than" in said.lower()) != (want == 1):
            wrong.append("a timeout of 10 s, %s: ends with %s after %.1f s\n%s" % (point, code, took, said))
        wrong += oracle.violations(project.folder)
    return wrong


def main():
    build, home, bad = sys.argv[1], tempfile.mkdtemp(prefix="clock-"), 0
    try:
        for check in (back_off_during_a_jump, back_off_between_runs, timeout_during_a_jump):
            wrong = check(build, home)
            bad += len(wrong)
            for line in wrong:
                print("%s: %s" % (check.__name__, line))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print("9 jumps, %d violations" % bad)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
