#!/usr/bin/env python3
"""Power loss with a chosen outcome: what loss.py would need luck to find. Each case writes down a run, picks the moment at which the power
goes and what the disk has not kept of it, and looks at what flow makes of that on a machine that has just been started.

    tests/power/directed.py BUILD [CASE...]        each case in the models `ordered` and `zeroes` of disk.py

Outs are copies of their objects (cache.link copy), so that one of the two can be lost without the other: with hard links a plan, which
looks at outs, would see what is wrong with an object.
"""
import bisect
import copy
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import disk  # noqa: E402
import oracle  # noqa: E402
import recordings  # noqa: E402

WAL = ".flow/flow.db-wal"
NEVER, ALWAYS = 0, sys.maxsize  # moments: what was written before one of them has reached the disk
ONE = """version: 1
stages:
  one: {cmd: "echo one > one; sleep 0.05", outs: [one]}
  idle: {cmd: "true"}
"""


class Cut(disk.Cut):
    """All names are there, or those that were synced; and of the bytes that were not, what was written to a path before its moment."""

    def __init__(self, tape, at, model, names, moments, others):
        tape = copy.copy(tape)
        tape.syncs = [sync for sync in tape.syncs if sync[0] < at]  # one that begins at that moment has not begun
        super().__init__(tape, at, model, random.Random(1))
        self.journal = at if names == "all" else max((forced for _, end, _, forced in tape.syncs if end <= at), default=0)
        self.torn, self.garbage = 0, False
        paths = paths_at(tape, at)
        self.moments = {paths[path]: moment for path, moment in moments.items()}
        self.others, self.lost = others, set()

    def luck(self, number, count):
        node = self.tape.nodes[number]
        pending = [index for index, _, piece in node.data if piece is not None and self.floor(number) <= index < self.at]
        limit = bisect.bisect_left(pending, self.moments.get(number, self.others))
        if limit < len(pending):
            self.lost.add(number)
        return lambda writes: bisect.bisect_left(writes, limit)


def paths_at(tape, at):
    """path -> node"""
    inside, found, todo = {}, {}, [(tape.root, "")]
    for (folder, name), node in disk.Everything(tape, at).entries.items():
        inside.setdefault(folder, []).append((name, node))
    while todo:
        folder, path = todo.pop()
        for name, node in inside.get(folder, ()):
            found[os.path.join(path, name)] = node
            todo.append((node, os.path.join(path, name)))
    return found


def object_of(text):
    digest = hashlib.sha256(text.encode()).hexdigest()
    return ".flow/objects/%s/%s" % (digest[:2], digest[2:])


def first_sync(tape, after=0):
    """The moment before it."""
    return min(begin for begin, _, node, _ in tape.syncs if node is None and begin >= after)


def first_moment(tape, after, sql):
    """The one from which on the journal answers with a row."""
    for index, _, _ in tape.nodes[paths_at(tape, len(tape))[WAL]].data:
        if index >= after and recordings.ask(disk.Everything(tape, index + 1), sql):
            return index + 1
    raise SystemExit("the case is wrong: the journal never says so")


class Case:
    """A project, the power losses that it lives through, and what is wrong after them."""

    def __init__(self, build, model, home):
        self.build, self.model, self.home = build, model, home
        self.project = recordings.Project(build, os.path.join(home, "project"))
        self.boot, self.times, self.wrong = 0, None, []

    def say(self, text, *values):
        self.wrong.append(text % values)

    def path(self, *names):
        return self.project.path(*names)

    def make(self, dag=ONE, link="copy"):
        os.mkdir(self.project.folder)
        recordings.write(self.path("dag.yaml"), dag)
        self.flow("config", "cache.link", link)

    def flow(self, *words, prefix=(), code=0, slow=None):
        _, env = self.project.command((), self.boot, self.times)
        if slow:
            env["LD_PRELOAD"] += " " + os.path.join(self.build, "slow_sync.so")
            env["FLOW_TEST_SYNC"] = slow
        done = subprocess.run([*prefix, os.path.join(self.build, "flow"), *words], cwd=self.project.folder, env=env, timeout=60, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != code:
            self.say("flow %s ends with %d, not %d: %s", " ".join(words), done.returncode, code, done.stdout)
        return done.stdout

    def record(self, before="", slow=None):
        """A run, after the shell has done something."""
        log, begin = os.path.join(self.home, "tape"), disk.Snapshot(self.project.folder)
        self.flow("run", "-q", "-j2", slow=slow, prefix=[
            os.path.join(self.build, "power_record"), log, self.project.folder, "/bin/sh", "-c", before + '\nexec "$@"', "sh"])
        return disk.Tape(begin, log)

    def lose(self, tape, at, moments, names="all", others=ALWAYS):
        """The power goes at that moment, and the machine is started anew."""
        cut = Cut(tape, at, self.model, names, moments, others)
        tree = cut.tree()
        if not cut.lost >= {number for number, moment in cut.moments.items() if moment != ALWAYS}:
            raise SystemExit("the case is wrong: what should be lost had been synced")
        shutil.rmtree(self.project.folder)
        tree.build(self.project.folder)
        self.boot, self.times = self.boot + 1, os.path.join(self.home, "times")
        tree.times(self.times)

    def lose_object(self):
        """`one` has succeeded, no sync has seen it, and the bytes of its object are lost."""
        self.make()
        self.flow("run", "-q", "idle")
        tape = self.record()
        self.lose(tape, first_sync(tape), {object_of("one\n"): NEVER})

    def expect(self, outs):
        for path, text in outs.items():
            found = recordings.read(self.path(path))
            if found != text:
                self.say("%s holds %r, not %r", path, found, text)

    def whole(self, **outs):
        """There is nothing to do; the oracle is content; what is taken away comes back from the store."""
        said = self.flow("run", "-q", *outs)
        if "nothing to do" not in said:
            self.say("the next run: %s", said)
        self.wrong += oracle.violations(self.project.folder, logs=False, quarantine=True, unrecorded=True, processes=False)
        self.expect(outs)
        for path in outs:
            os.unlink(self.path(path))
        said = self.flow("run", "-q", *outs)
        if " ran" in said:
            self.say("outs that should come back from the store are made again: %s", said)
        self.expect(outs)


def object_of_a_young_success(case):
    """The bytes of an object are lost, and those of the out are not: it is taken again."""
    case.lose_object()
    case.whole(one="one\n")


def sync_under_way(case):
    """The same, and a sync had begun, and the journal was written to meanwhile."""
    case.make("""version: 1
stages:
  one: {cmd: "echo one > one", outs: [one]}
  two: {cmd: "until [ -e ../asked ]; do sleep 0.002; done; echo two > two", outs: [two], needs: [one]}
  three: {cmd: "touch ../go", needs: [two]}
""")
    tape = case.record(slow=case.home)
    case.lose(tape, first_sync(tape), {object_of("one\n"): NEVER})
    case.whole(one="one\n", two="two\n")


def mended_and_lost_again(case):
    """The next power loss leaves what the recovery wrote to the journal, and all else only if it was synced."""
    case.lose_object()
    tape = case.record()
    case.lose(tape, len(tape), {WAL: ALWAYS}, names="synced", others=NEVER)
    case.whole(one="one\n")


def damaged_and_lost_again(case):
    """What is made again comes under the name that an old record knows: all names are there after the next power loss, and of the journal
    what the recovery wrote, but not that it was made again."""
    case.lose_object()
    tape = case.record("rm one")
    recovered = first_moment(tape, first_sync(tape), "SELECT 1 FROM durable WHERE boot_id = '%s'" % recordings.BOOTS[case.boot])
    case.lose(tape, first_sync(tape, recovered), {object_of("one\n"): NEVER, WAL: recovered})
    case.whole(one="one\n")


def edited_in_place(case):
    """A file that was edited in place has its new times and its old bytes. Nobody believes the times; a plan changes nothing."""
    case.make("""version: 1
stages:
  up: {cmd: "tr a-z A-Z < in > out", deps: [in], outs: [out]}
  idle: {cmd: "true"}
""", link="hardlink")
    recordings.write(case.path("in"), "old\n")
    case.flow("run", "-q", "idle")
    tape = case.record("echo new | dd of=in conv=notrunc status=none; sleep 0.05")
    case.lose(tape, first_sync(tape), {"in": NEVER})
    before = recordings.files_of(case.project.folder)
    case.flow("plan", "-q", "--exit-code", code=4)
    changed = recordings.compare(before, recordings.files_of(case.project.folder))
    if changed:
        case.say("a plan changes something: %s", changed)
    case.flow("run", "-q")
    case.expect({"in": "old\n", "out": "OLD\n"})


def out_with_its_times(case):
    """An out has its size and its times, and perhaps not its bytes. The first run does not look at it; the second makes it whole."""
    case.make()
    case.flow("run", "-q", "idle")
    tape = case.record()
    case.lose(tape, first_sync(tape), {"one": NEVER})
    case.flow("run", "-q", "idle")
    case.flow("run", "-q")
    case.expect({"one": "one\n"})


def store_of_its_own(case):
    """What a recovery puts aside in a shared store must stay away, too: its disk is synced as well."""
    case.make()
    case.flow("config", "cache.dir", "store")
    case.flow("run", "-q", "idle")
    tape = case.record()
    case.lose(tape, first_sync(tape), {object_of("one\n").replace(".flow", "store"): NEVER})
    recordings.write(os.path.join(case.home, "go"), "")
    case.flow("run", "-q", slow=case.home)
    synced = (recordings.read(os.path.join(case.home, "asked")) or "").split()
    if synced != [case.path("store"), case.path(".flow")]:
        case.say("synced: %s", " ".join(synced))


CASES = (object_of_a_young_success, sync_under_way, mended_and_lost_again, damaged_and_lost_again, edited_in_place, out_with_its_times,
         store_of_its_own)


def look(build, function, model):
    home = os.path.realpath(tempfile.mkdtemp(prefix="power-"))
    try:
        case = Case(build, model, home)
        function(case)
        return case.wrong
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main():
    build, names, bad = os.path.abspath(sys.argv[1]), sys.argv[2:], 0
    unknown = set(names) - {function.__name__ for function in CASES}
    if unknown:
        raise SystemExit("there is no case %s" % ", ".join(sorted(unknown)))
    recordings.set_up(build)
    for function in CASES:
        for model in ("ordered", "zeroes") if not names or function.__name__ in names else ():
            wrong = look(build, function, model)
            bad += wrong != []
            print("%s, %s: %s" % (function.__name__, model, "wrong" if wrong else "ok"))
            print("".join("    %s\n" % line.strip().replace("\n", "\n    ") for line in wrong), end="")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
