"""Runs of flow that were written down, to be cut off anywhere: each is a Recording.

    for recording in make_all(build, home): ...

The project: commands with a file, a folder and a link, a plugin with a folder, a script, the same bytes from two tasks, a task that ends
long after those that began later, one that fails once and lies where the user has a file of their own.
"""
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

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import command  # noqa: E402
import disk  # noqa: E402
import oracle  # noqa: E402

DAG = """version: 1
params: {salt: 0, fail: 0}
stages:
  slow:
    cmd: "[ ! -e ../slowly ] || sleep 0.2; echo slow ${params.salt} > out/slow; mkdir out/slows; cp out/slow out/slows/${params.salt}"
    outs: [out/slow, out/slows]
  text:
    cmd: |
      mkdir -p out/folder/deep && echo a${params.salt} > out/folder/a && echo b > out/folder/deep/b && ln -s ../a out/folder/deep/link
      seq ${params.salt} 3000 > out/text
    outs: [out/text, out/folder]
  count: {uses: "./ok.so#count", deps: {text: out/text}, outs: {counts: out/counts}}
  fill: {uses: "./folder.so#fill", outs: {folder: out/filled}, with: {salt: "${params.salt}"}}
  script:
    deps: {text: out/text, counts: out/counts}
    outs: {copy: out/copy}
    lua: |
      return { run = function(ctx) ctx:metric("size", #ctx:read("text")); ctx:write("copy", ctx:read("text")) end }
  same: {cmd: "seq 1 2000 > out/same; : ${params.salt}", outs: [out/same]}
  after: {cmd: cp out/same out/after, deps: [out/same], outs: [out/after]}
  own:
    cmd: |
      printf half > out/own
      [ ! -e ../slowly ] || sleep 0.1
      [ $FLOW_ATTEMPT_NUMBER -gt 1 ] || exit 1
      cat out/folder/a > out/own
    deps: [out/folder]
    outs: [out/own]
    retry: {limit: 1, delay: 1ms}
  fragile: {cmd: "cp out/counts out/fragile; exit ${params.fail}", deps: [out/counts], outs: [out/fragile]}
  late: {cmd: "[ ! -e ../slowly ] || sleep 0.3; cat out/slow out/counts > out/late", deps: [out/slow, out/counts], outs: [out/late]}
  idle: {cmd: cp in out/idle, deps: [in], outs: [out/idle]}
"""
MINE = "the user's own\n"
BOOTS = tuple("%08d-0000-4000-8000-000000000000" % number for number in range(4))
EMPTIED_BYTES = 1 << 20  # a log of the journal that long is emptied at the end of a run
UNTIL_SYNCED_MS = 50   # the promise
SLACK_MS = 150         # what the recorder may add; a loaded machine adds four times what a sleeper beside it oversleeps


def set_up(build):
    """Ends the test where no run can be written down; its files go to memory."""
    if subprocess.run([os.path.join(build, "power_record"), "/dev/null", "/tmp", "/bin/true"]).returncode != 0:
        print("processes cannot be traced here: is ptrace permitted, and seccomp? (FLOW_TEST_NO_PTRACE=1 leaves this test out)")
        sys.exit(77 if os.environ.get("FLOW_TEST_NO_PTRACE") == "1" else 1)
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"


class Project:
    """A folder, the flow that works on it, and the boot it believes to live in."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.said = folder + ".said"

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.path("out"))
        for name in ("ok", "folder"):
            shutil.copy(os.path.join(self.build, "zoo_%s.so" % name), self.path(name + ".so"))
        write(self.path("dag.yaml"), DAG)
        write(self.path("in"), "input\n")
        self.put_own()

    def put_own(self):
        if os.path.lexists(self.path("out/own")):
            os.unlink(self.path("out/own"))
        write(self.path("out/own"), MINE)
        time.sleep(0.02)  # younger than the attempt, it could be taken for what the attempt wrote

    def command(self, words, boot, times=None, prefix=()):
        env = {"PATH": os.environ["PATH"], "HOME": self.folder, "LD_PRELOAD": os.path.join(self.build, "other_boot.so"),
               "FLOW_TEST_BOOT": BOOTS[boot]}
        if times:
            env["FLOW_TEST_TIMES"] = times
        return [*prefix, os.path.join(self.build, "flow"), "run", "-q", "-j2", *words], env

    def run(self, *words, boot=0, times=None, prefix=(), timeout=60):
        argv, env = self.command(words, boot, times, prefix)
        return command.run(argv, said=self.said, cwd=self.folder, env=env, seconds=timeout)

    def must(self, *words, code=0, **how):
        done = self.run(*words, **how)
        if done.returncode != code:
            raise SystemExit("flow run %s ends with %s:\n%s" % (" ".join(words), done.returncode, done.stdout))

    def outs(self):
        return {name: value for name, value in files_of(self.path("out")).items()}


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return None


def files_of(folder):
    """path -> bytes, link target or None for a folder"""
    found = {}
    for here, folders, names in os.walk(folder):
        for name in folders + names:
            full = os.path.join(here, name)
            where = os.path.relpath(full, folder)
            if os.path.islink(full):
                found[where] = os.readlink(full)
            elif os.path.isdir(full):
                found[where] = None
            else:
                with open(full, "rb") as file:
                    found[where] = file.read()
    return found


class Recording:
    def __init__(self, name, tape, boot, finish, outs, own, slack_ms):
        self.name, self.tape, self.boot, self.finish, self.outs, self.own, self.slack_ms = name, tape, boot, finish, outs, own, slack_ms
        self.synced = [(end, successes(disk.Everything(tape, begin))) for begin, end, node, _ in tape.syncs if node is None]
        self.all = successes(disk.Everything(tape, len(tape)))
        newest = {(task, key): attempt for attempt, (_, task, key, _) in sorted(self.all.items())}
        self.had = successes(disk.Everything(tape, 0))
        # What the run itself found damaged, and made again.
        self.remade = {attempt for attempt, (_, task, key, _) in self.had.items() if newest[task, key] != attempt}

    def now_ms(self, at):
        """At the end of a run the power may as well go later."""
        return self.tape.times[at] // 1000000 if at < len(self.tape) else self.tape.times[-1] // 1000000 + 1000

    def succeeded(self, task, at):
        """Has it since it was last made, in the run that was recorded or one that it goes on with?"""
        newest = max((attempt, row) for attempt, row in self.all.items() if row[1] == task)
        return newest[0] in self.had or newest[1][3] <= self.now_ms(at) + 1

    def survivors(self, at):
        """Successes that are there after a cut: those from before, those that a sync covered, those that are old enough."""
        last = [found for end, found in self.synced if end <= at]
        must = dict(self.had)
        must.update(last[-1] if last else {})
        for attempt, row in self.all.items():
            if row[3] < self.now_ms(at) - UNTIL_SYNCED_MS - self.slack_ms:
                must[attempt] = row
        return {attempt: row for attempt, row in must.items() if attempt not in self.remade}


def ask(everything, sql):
    """What the journal answers at that moment: no rows as long as it has no tables."""
    numbers, inside = {}, dict(everything.entries)
    flow = inside.get((everything.tape.root, ".flow"))
    for name in ("flow.db", "flow.db-wal"):
        if flow is not None and (flow, name) in inside:
            numbers[name] = inside[flow, name]
    if "flow.db" not in numbers:
        return []
    folder = tempfile.mkdtemp(prefix="journal-")
    for name, number in numbers.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(everything.bytes_of(number))
    db = sqlite3.connect(os.path.join(folder, "flow.db"))
    try:
        return db.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        db.close()
        shutil.rmtree(folder)


def successes(everything):
    """attempt -> (uuid of its run, task, key, when it ended), as the journal has them at that moment"""
    return {attempt: row for attempt, *row in ask(everything, """SELECT a.id, run.uuid, a.task, a.key, a.ended_ms FROM attempt a
        JOIN run ON run.id = a.run WHERE a.state = 'SUCCEEDED'""")}


class Sleeper(threading.Thread):
    """How late a process is woken on this machine, at worst."""

    def __init__(self):
        super().__init__(daemon=True)
        self.late_ms, self.done = 0, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()

    def run(self):
        while not self.done.is_set():
            begin = time.monotonic()
            time.sleep(0.005)
            self.late_ms = max(self.late_ms, (time.monotonic() - begin) * 1000 - 5)


class Studio:
    def __init__(self, build, home):
        self.build, self.home = build, home
        self.project = Project(build, os.path.join(home, "project"))
        self.log = os.path.join(home, "tape")

    def record(self, name, words, finish=None, boot=0, code=0, own=False, times=None):
        finish = words if finish is None else finish
        begin = disk.Snapshot(self.project.folder)
        write(os.path.join(self.home, "slowly"), "")
        with Sleeper() as sleeper:
            done = self.project.run(*words, boot=boot, times=times,
                                    prefix=[os.path.join(self.build, "power_record"), self.log, self.project.folder])
        os.unlink(os.path.join(self.home, "slowly"))
        if done.returncode != code:
            raise SystemExit("recording `%s`: flow run ends with %s:\n%s" % (name, done.returncode, done.stdout))
        tape = disk.Tape(begin, self.log)
        same = compare(disk.Everything(tape, len(tape)).files(), files_of(self.project.folder))
        if same:
            raise SystemExit("recording `%s` is not what happened: %s" % (name, same))
        self.project.must(*finish, boot=boot)
        return Recording(name, tape, boot, finish, self.project.outs(), own, SLACK_MS + 4 * sleeper.late_ms)

    def prepare(self, salt=1):
        self.project.clear()
        self.project.must("-p", "salt=%d" % salt)

    def cold(self):
        self.project.clear()
        return self.record("cold", [], own=True)

    def changed(self):
        self.prepare()
        self.project.put_own()
        return self.record("changed", ["-p", "salt=2"], own=True)

    def copied(self):
        """Outs are files of their own: an object may be damaged, and its out whole."""
        self.prepare()
        write(self.project.path(".flow/config.yaml"), "cache.link: copy\n")
        self.project.put_own()
        return self.record("copied", ["-p", "salt=2"], own=True)

    def restored(self):
        """Outs that come back from the store, among some that are made."""
        self.prepare(1)
        self.project.must("-p", "salt=2")
        self.project.must("-p", "salt=3", "slow", "same")
        for name in ("text", "same", "filled/a"):
            os.unlink(self.project.path("out", name))
        return self.record("restored", ["-p", "salt=1"])

    def failing(self):
        self.prepare()
        return self.record("failing", ["-p", "salt=4", "-p", "fail=3", "-k"], finish=["-p", "salt=4"], code=1)

    def killed(self):
        """The run that recovers from a kill, which found the user's file put aside."""
        self.prepare()
        self.project.put_own()
        argv, env = self.project.command(["-p", "salt=5"], 0)
        write(os.path.join(self.home, "slowly"), "")
        process = subprocess.Popen(argv, cwd=self.project.folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while read(self.project.path("out/own")) != "half" and time.monotonic() < until:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.unlink(os.path.join(self.home, "slowly"))
        while oracle.living(self.project.folder) and time.monotonic() < until:
            time.sleep(0.01)
        return self.record("killed", ["-p", "salt=5"], own=True)

    def lost(self, earlier):
        """The run that recovers from a power loss, which took bytes of what was not synced and left the journal: it goes again."""
        tape = earlier.tape
        syncs = sorted(begin for begin, _, node, _ in tape.syncs if node is None)
        _, before, at = max((at - before, before, at) for before, at in zip([0] + syncs, syncs))
        cut = disk.Cut(tape, at, "zeroes", random.Random(1))
        journal = {node for (_, name), node in tape.now.items() if name in ("flow.db", "flow.db-wal")}
        cut.all_synced, cut.synced, cut.journal, cut.torn, cut.garbage = before, {}, at, 0, False
        # The journal, and half of the rest but for the lists of what is in folders.
        kept = {number for number, node in enumerate(tape.nodes) if cut.rng.random() < 0.5 and
                not any(piece and piece.startswith(b"100644 ") for _, _, piece in node.data)} | journal
        cut.luck = lambda number, count: len if number in kept else lambda writes: 0
        tree = cut.tree()
        shutil.rmtree(self.project.folder, ignore_errors=True)
        tree.build(self.project.folder)
        times = os.path.join(self.home, "times")
        tree.times(times)
        made = self.record("lost", earlier.finish, boot=1, times=times)
        if not any(os.listdir(self.project.path(".flow/quarantine"))):
            raise SystemExit("recording `lost`: nothing was damaged")
        return made

    def checkpoint(self):
        """The log of the journal has grown so long that it goes into the database at the end, and is emptied."""
        self.prepare()
        wal, last, grown = self.project.path(".flow/flow.db-wal"), 0, 0
        for salt in range(10, 200):
            size = os.path.getsize(wal)
            last, grown = size, size - last if size > last else grown
            if size + grown // 2 > EMPTIED_BYTES:
                made = self.record("checkpoint", ["-p", "salt=%d" % salt])
                if any(piece is None and offset == 0 for node in made.tape.nodes for _, offset, piece in node.data if len(node.base) > size // 2):
                    return made
            else:
                self.project.must("-p", "salt=%d" % salt)
        raise SystemExit("recording `checkpoint`: the log of the journal is never emptied")


def compare(want, have):
    have = {path: value for path, value in have.items() if os.path.basename(path) not in disk.LOST}
    for path in sorted(set(want) | set(have)):
        if path not in have or path not in want:
            return "%s is only %s" % (path, "on the tape" if path in want else "on the disk")
        if want[path] != have[path]:
            return "%s holds other bytes" % path
    return None


def make_all(build, home, only=None):
    studio, made = Studio(build, home), []
    for name in ("cold", "changed", "copied", "restored", "failing", "killed", "lost", "checkpoint"):
        if only is None or name in only or (name == "changed" and "lost" in only):
            make = getattr(studio, name)
            made.append(make(made[[r.name for r in made].index("changed")]) if name == "lost" else make())
    shutil.rmtree(studio.project.folder, ignore_errors=True)
    return [recording for recording in made if only is None or recording.name in only]
