#!/usr/bin/env python3
"""flow gc beside flow run, in two projects that share a store, both killed at random: what a project needs is never taken from it.

    tests/crash/gc_race.py BUILD [--seconds N] [--seed S]

In each project one thread runs the dag with changing parameters, pins a run now and then, and takes the outs away so that they must come
back from the store; another calls gc with every rule. Some of them are killed. At the end nothing is killed: each project runs, what its
pinned runs made is there byte for byte, a run of the last parameters has nothing to do, and fsck finds nothing.
"""
import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

DAG = """version: 1
params: {n: 0}
stages:
  a: {cmd: "seq ${params.n} 2000 > ${outs.o}", outs: {o: out/a}}
  d: {cmd: "mkdir -p ${outs.o}; for i in 1 2 3; do echo ${params.n} $i > ${outs.o}/$i; done; echo same > ${outs.o}/same", outs: {o: out/d}}
  b: {cmd: "tail -n 50 out/a > ${outs.o}; cat out/d/* >> ${outs.o}", deps: [out/a, out/d], outs: {o: out/b}}
"""
GC = [["--keep-last", "1"], ["--budget", "1K"], ["--budget", "20K"], ["--keep-since", "1s"], [], ["--keep-last", "2", "--budget", "0B"]]
FINE = (0, 1, 6)  # done; a stage failed, as its input went with a kill; another flow works here


class Project:
    def __init__(self, program, folder, store, seed):
        self.program, self.folder, self.chance = program, folder, random.Random(seed)
        self.wrong, self.counts, self.lock = [], {"run": 0, "gc": 0, "killed": 0, "busy": 0}, threading.Lock()
        os.makedirs(folder)
        with open(os.path.join(folder, "dag.yaml"), "w") as file:
            file.write(DAG)
        self.flow("config", "cache.dir", store)

    def flow(self, *words, kill=False, chance=None):
        process = subprocess.Popen([self.program, *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        if kill:
            time.sleep(chance.random() * 0.08)
            process.send_signal(signal.SIGKILL)
        try:
            said = process.communicate(timeout=180)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[0] + "\n(hangs)"
        if not kill and process.returncode not in FINE:
            self.wrong.append("flow %s ends with %s: %s" % (" ".join(words), process.returncode, said))
        with self.lock:
            self.counts["killed"] += process.returncode == -9
            self.counts["busy"] += process.returncode == 6
        return process.returncode, said

    def runs(self, until):
        chance = random.Random(self.chance.random())
        while time.monotonic() < until and not self.wrong:
            if chance.random() < 0.3:
                shutil.rmtree(os.path.join(self.folder, "out"), ignore_errors=True)
            self.flow("run", "-q", "-p", "n=%d" % chance.randrange(5), kill=chance.random() < 0.15, chance=chance)
            self.counts["run"] += 1

    def collects(self, until):
        chance = random.Random(self.chance.random())
        while time.monotonic() < until and not self.wrong:
            self.flow("gc", "--grace", "0s", *chance.choice(GC), kill=chance.random() < 0.2, chance=chance)
            self.counts["gc"] += 1
            time.sleep(chance.random() * 0.05)

    def pin(self, n):
        """A run of its own, which nothing may take anything from."""
        while self.flow("run", "-q", "-p", "n=%d" % n)[0] == 6:
            pass
        db = sqlite3.connect(os.path.join(self.folder, ".flow", "flow.db"), timeout=30)
        db.execute("UPDATE run SET pinned_ms = 1 WHERE id = (SELECT max(id) FROM run)")
        db.commit()
        db.close()

    def works(self, other):
        """While this one runs a stage, nobody may remove anything from the store."""
        with open(os.path.join(self.folder, "slow.yaml"), "w") as file:
            file.write("version: 1\nstages:\n  s: {cmd: 'touch began; sleep 3', cache: false}\n")
        process = subprocess.Popen([self.program, "run", "-q", "slow.yaml"], cwd=self.folder, stderr=subprocess.DEVNULL)
        while not os.path.exists(os.path.join(self.folder, "began")) and process.poll() is None:
            time.sleep(0.01)
        code, said = other.flow("gc", "--keep-last", "1")
        if code != 6:
            other.wrong.append("gc beside a run of another project ends with %s: %s" % (code, said))
        process.terminate()
        process.wait()

    def check(self, pinned):
        for words in (["run", "-q"], ["fsck", "--read-data"]):
            code, said = self.flow(*words)
            if code != 0:
                self.wrong.append("flow %s ends with %s: %s" % (" ".join(words), code, said))
        for n in pinned:
            shutil.rmtree(os.path.join(self.folder, "out"), ignore_errors=True)
            said = self.flow("run", "-p", "n=%d" % n)[1]
            if " ran " in said:
                self.wrong.append("a pinned run's results had to be made again: %s" % said)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program, home = os.path.join(os.path.abspath(options.build), "flow"), tempfile.mkdtemp(prefix="race-")
    try:
        projects = [Project(program, os.path.join(home, name), os.path.join(home, "store"), options.seed + i)
                    for i, name in enumerate(("one", "two"))]
        for i, project in enumerate(projects):
            project.pin(10 + i)
        projects[0].works(projects[1])
        until = time.monotonic() + options.seconds
        threads = [threading.Thread(target=work, args=(until,)) for p in projects for work in (p.runs, p.collects)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i, project in enumerate(projects):
            project.check([10 + i])
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for project in projects:
        print("%s: %s" % (os.path.basename(project.folder), ", ".join("%s %d" % item for item in project.counts.items())))
        for line in project.wrong[:5]:
            print("    " + line)
    return 1 if any(project.wrong for project in projects) else 0


if __name__ == "__main__":
    sys.exit(main())
