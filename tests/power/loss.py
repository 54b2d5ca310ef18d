#!/usr/bin/env python3
"""Power loss: real runs are written down call by call, the power goes at a random moment of one, the disk is made as it may be then
(disk.py has the models), and flow runs there again, on a machine that has just been started. It must come up by itself, finish with the
results of a run that nothing happened to, start nothing again that was finished 50 ms before, and content the oracle.

    tests/power/loss.py BUILD [SEED]        SEEDS=2000 SEED=1 JOBS=2 ONLY=cold,changed MODEL=ordered SHOW=20 TAPES=FILE

With a second word just that seed; the disk it began with is left in ./power-SEED. What a seed means depends on the recordings, and no two
are alike: when there were violations they are kept in ./power.tapes, and TAPES=power.tapes takes them instead of new ones.
"""
import collections
import multiprocessing
import os
import pickle
import random
import resource
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import disk  # noqa: E402
import oracle  # noqa: E402
import recordings  # noqa: E402

WEIGHTS = {"cold": 5, "changed": 8, "copied": 6, "restored": 2, "failing": 4, "killed": 4, "lost": 4, "checkpoint": 1}
project = None
known = []


def set_up(build, home, all_recordings):
    global project, known
    project = recordings.Project(build, os.path.join(tempfile.mkdtemp(dir=home), "project"))
    known = all_recordings


def choose(seed):
    """What a seed stands for: recording, model, after how many effects the power goes, and the rest of its luck."""
    rng = random.Random(seed)
    recording = rng.choices(known, [WEIGHTS[r.name] for r in known])[0]
    model = os.environ.get("MODEL") or rng.choices(disk.MODELS, (4, 4, 2))[0]
    length = len(recording.tape)
    at = rng.randint(0, length + length // 20)
    if rng.random() < 0.4 and recording.tape.syncs:  # near a sync, rather before it
        begin, end, _, _ = rng.choice(recording.tape.syncs)
        at = max(0, rng.choice((begin, end)) + rng.randint(-20, 2))
    return recording, model, min(at, length), rng


class Trial:
    def __init__(self, seed):
        self.seed, self.wrong = seed, []
        self.recording, self.model, self.at, self.rng = choose(seed)
        self.survivors = self.recording.survivors(self.at)
        self.times = project.folder + ".times"

    def say(self, text, *values):
        self.wrong.append(text % values if values else text)

    def build(self, folder):
        tree = disk.cut(self.recording.tape, self.at, self.model, self.rng)
        shutil.rmtree(folder, ignore_errors=True)
        tree.build(folder)
        tree.times(self.times)

    def flow(self, what, *words):
        done = project.run(*words, boot=self.recording.boot + 1, times=self.times)
        if done.returncode != 0:
            self.say("%s ends with %s: %s", what, done.returncode, done.stdout)
        return done

    def look(self):
        self.build(project.folder)
        if self.recording.own and self.rng.random() < 0.5:
            self.own()
        self.flow("the next run", *self.recording.finish)
        if not self.wrong:
            self.results()
            self.nothing_again()
            self.wrong += oracle.violations(project.folder, logs=False, quarantine=True, unrecorded=True, processes=False)
        if not self.wrong:
            self.still_there()
        return self.wrong

    def own(self):
        """Before the stage runs again: its place holds the user's file, as long as the stage had not succeeded."""
        self.flow("a run of another task", "idle", *self.recording.finish)
        if self.model == "anything" or self.recording.succeeded("own", self.at):
            return
        text = recordings.read(project.path("out/own"))
        if text != recordings.MINE:
            self.say("the user's own file out/own holds %r", text)

    def results(self):
        difference = recordings.compare(self.recording.outs, project.outs())
        if difference:
            self.say("out/%s, unlike after a run that nothing happened to", difference)

    def nothing_again(self):
        with oracle.read_journal(project.folder) as journal:
            there = {row[0]: row for row in journal.rows("""SELECT a.id, run.uuid, a.task, a.key FROM attempt a JOIN run ON run.id = a.run
                WHERE a.state = 'SUCCEEDED'""")}
            last = {}
            for attempt, task, key in journal.rows("SELECT id, task, key FROM attempt"):
                last[task, key] = max(attempt, last.get((task, key), 0))
        before = {}
        for attempt, (_, task, key, _) in self.survivors.items():
            before[task, key] = max(attempt, before.get((task, key), 0))
        for attempt, (uuid, task, key, _) in self.survivors.items():
            if attempt not in there or there[attempt][1:] != (uuid, task, key):
                self.say("attempt %d of task %s had succeeded, and the journal does not know it", attempt, task)
            elif last[task, key] > before[task, key]:
                self.say("attempt %d of task %s had succeeded, and it ran again", attempt, task)

    def still_there(self):
        """All of it is known, and what is taken away comes back from the store without anything that runs."""
        if self.rng.random() < 0.3:
            for name in ("text", "after", "filled", "counts"):
                full = project.path("out", name)
                shutil.rmtree(full) if os.path.isdir(full) else os.unlink(full)
            done = self.flow("a run whose outs are gone", *self.recording.finish)
            if " ran" in done.stdout:
                self.say("outs that should come back from the store are made again: %s", done.stdout)
            self.results()
        done = self.flow("a further run", *self.recording.finish)
        if "nothing to do" not in done.stdout:
            self.say("a further run does not say that there is nothing to do: %s", done.stdout)


def try_seed(seed):
    try:
        trial = Trial(seed)
        wrong = trial.look()
    except Exception as error:  # the others go on
        wrong = ["the test itself: %r" % error]
    return seed, trial.recording.name, trial.model, trial.at, wrong


def describe(seed, name, model, at, wrong):
    print("seed %d: `%s` after %d effects, %s" % (seed, name, at, model))
    print("".join("    %s\n" % line.strip().replace("\n", "\n    ") for line in wrong), end="")


def one(seed):
    keep = "power-%d" % seed
    Trial(seed).build(keep)
    result = try_seed(seed)
    describe(*result)
    print("the disk it began with is in %s" % keep)
    return 1 if result[-1] else 0


def many(build, home, jobs, first, count):
    begin, bad, per = time.monotonic(), 0, collections.Counter()
    with multiprocessing.Pool(jobs, set_up, (build, home, known)) as pool:
        for seed, name, model, at, wrong in pool.imap_unordered(try_seed, range(first, first + count), 4):
            per[model] += 1
            if wrong:
                bad += 1
                if bad == 1 and not os.environ.get("TAPES"):
                    with open("power.tapes", "wb") as file:
                        pickle.dump(known, file)
                if bad <= int(os.environ.get("SHOW") or 20):
                    describe(seed, name, model, at, wrong)
                    print("    again, alone: TAPES=power.tapes tests/power/loss.py %s %d" % (build, seed), flush=True)
        pool.close()
        pool.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print("%d seeds from %d (%s), %d violations, %.0f s, %.0f s of CPU" % (
        count, first, ", ".join("%s %d" % item for item in sorted(per.items())), bad, time.monotonic() - begin,
        used.ru_utime + used.ru_stime))
    return 1 if bad else 0


def tapes(build, home):
    if os.environ.get("TAPES"):
        with open(os.environ["TAPES"], "rb") as file:
            return pickle.load(file)
    begin = time.monotonic()
    made = recordings.make_all(build, home, os.environ["ONLY"].split(",") if os.environ.get("ONLY") else None)
    print("%d recordings (%s effects), %.0f s" % (
        len(made), ", ".join("%s %d" % (r.name, len(r.tape)) for r in made), time.monotonic() - begin), flush=True)
    return made


def main():
    global known
    build = os.path.abspath(sys.argv[1])
    recordings.set_up(build)
    home = tempfile.tempdir = tempfile.mkdtemp(prefix="power-")
    try:
        known = tapes(build, home)
        if len(sys.argv) > 2:
            set_up(build, home, known)
            return one(int(sys.argv[2]))
        return many(build, home, int(os.environ.get("JOBS") or os.cpu_count()), int(os.environ.get("SEED") or 1),
                    int(os.environ.get("SEEDS") or 2000))
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
