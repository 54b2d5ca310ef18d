#!/usr/bin/env python3
"""What must hold of a project once nothing of flow runs in it, whatever happened before.

    tests/support/oracle.py FOLDER [--no-artifacts] [--allow-failure TASK]... [--quarantine]

Prints each violation, a line each; status 1 when there is one. As a module: violations(folder, ...) is the list of them,
living(folder) the processes that bear the mark of one of its runs, read_journal(folder) a copy of the journal opened apart, so that
the one that flow will find is not touched.
"""
import argparse
import hashlib
import os
import shutil
import sqlite3
import stat
import sys
import tempfile

FINAL = {
    "run": {"SUCCEEDED", "FAILED", "CANCELLED", "INTERRUPTED"},
    "task": {"SUCCEEDED", "REUSED", "FAILED", "SKIPPED", "BLOCKED"},
    "attempt": {"SUCCEEDED", "FAILED", "TIMEOUT", "LOST", "CANCELLED"},
}
FIRST = {"run": {"CREATED", "RUNNING"}, "task": {"PENDING"}, "attempt": {"STARTING"}}
MADE_FOLDER, MADE_ABSENT = 0x10000, 0x20000
STRAY = (".flow.", ".flow-")


class Journal:
    """A copy of flow.db and its log, readable as it lies after a kill."""

    def __init__(self, folder):
        self.folder = tempfile.mkdtemp(prefix="journal-")
        for end in ("", "-wal"):
            name = os.path.join(folder, ".flow", "flow.db" + end)
            if os.path.exists(name):
                shutil.copyfile(name, os.path.join(self.folder, "flow.db" + end))
        self.db = sqlite3.connect(os.path.join(self.folder, "flow.db"), isolation_level=None)

    def rows(self, sql, *values):
        return self.db.execute(sql, values).fetchall()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.db.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def read_journal(folder):
    """None when there is no journal yet, or one without tables: killed before the first commit."""
    if not os.path.exists(os.path.join(folder, ".flow", "flow.db")):
        return None
    journal = Journal(folder)
    try:
        if journal.rows("PRAGMA user_version")[0][0] != 0:
            return journal
    except sqlite3.DatabaseError:
        pass
    journal.__exit__()
    return None


def living(folder, runs=None):
    """Processes with FLOW_WORKER or FLOW_ATTEMPT of this project's runs in their environment, or with its folder as their own."""
    if runs is None:
        journal = read_journal(folder)
        if journal is None:
            return []
        with journal:
            runs = [uuid for (uuid,) in journal.rows("SELECT uuid FROM run")]
    marks = tuple(mark for uuid in runs for mark in (b"FLOW_WORKER=" + uuid.encode(), b"FLOW_ATTEMPT=" + uuid.encode()))
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if any(word.startswith(marks) for word in words):
            try:
                with open("/proc/%s/stat" % pid) as file:
                    state = file.read().rpartition(")")[2].split()[0]
                with open("/proc/%s/cmdline" % pid, "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode(errors="replace")[:100]
            except OSError:
                continue
            if state not in "ZX":
                found.append("process %s of a run is left: %s" % (pid, line))
    return found


def digest_of_file(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else \
            hashlib.sha256(file.read()).hexdigest()


class Check:
    def __init__(self, folder, allowed, quarantine, unrecorded):
        self.folder, self.flow = folder, os.path.join(folder, ".flow")
        self.allowed, self.may_quarantine, self.unrecorded = set(allowed), quarantine, unrecorded
        self.found, self.digests = [], {}

    def say(self, text, *values):
        self.found.append(text % values if values else text)

    # -- the journal ---------------------------------------------------------------------------------------------------

    def database(self, journal):
        for (line,) in journal.rows("PRAGMA integrity_check"):
            if line != "ok":
                self.say("integrity_check: %s", line)
        for row in journal.rows("PRAGMA foreign_key_check"):
            self.say("foreign key: %r", row)
        if not journal.rows("SELECT 1 FROM sqlite_master WHERE name = 'attempt_one_success' AND sql LIKE 'CREATE UNIQUE INDEX%'"):
            self.say("the index that allows one success a task is gone, or allows several")

    def states(self, journal):
        for what, label, sql in (("run", "run", "SELECT uuid, state, ended_ms FROM run"),
                                 ("task", "task", "SELECT run || '/' || name, state, 1 FROM task"),
                                 ("attempt", "attempt", "SELECT run || '/' || task || '#' || number, state, ended_ms FROM attempt")):
            for name, state, ended in journal.rows(sql):
                if state not in FINAL[what]:
                    self.say("%s %s is still %s", label, name, state)
                elif ended is None:
                    self.say("%s %s is %s but has no end", label, name, state)

    def success(self, journal):
        sql = """SELECT t.run, t.name, t.state, t.attempt, count(a.id), max(a.id) FROM task t LEFT JOIN attempt a
                 ON a.run = t.run AND a.task = t.name AND a.state = 'SUCCEEDED' GROUP BY t.run, t.name"""
        for run, name, state, attempt, count, success in journal.rows(sql):
            if count > 1:
                self.say("task %s of run %s succeeded %d times", name, run, count)
            if (state == "SUCCEEDED") != (count == 1):
                self.say("task %s of run %s is %s with %d successful attempts", name, run, state, count)
            elif state == "SUCCEEDED" and attempt != success:
                self.say("task %s of run %s names attempt %s, not its success %s", name, run, attempt, success)
            if state == "REUSED" and attempt is not None and not journal.rows(
                    "SELECT 1 FROM attempt WHERE id = ? AND state = 'SUCCEEDED'", attempt):
                self.say("task %s of run %s reuses attempt %s, which is no success", name, run, attempt)
        for run, name, state in journal.rows("""SELECT run.uuid, task.name, task.state FROM run JOIN task ON task.run = run.id
                WHERE run.state = 'SUCCEEDED' AND task.state IN ('FAILED', 'BLOCKED')"""):
            if name not in self.allowed:
                self.say("run %s succeeded though task %s is %s", run, name, state)
        for task, attempt in journal.rows("""SELECT task, attempt FROM latest l WHERE NOT EXISTS(SELECT 1 FROM attempt a
                WHERE a.id = l.attempt AND a.task = l.task AND a.state = 'SUCCEEDED')"""):
            self.say("the latest attempt %s of task %s is no success", attempt, task)
        for name, path in journal.rows("""SELECT a.task || '#' || a.number, f.path FROM artifact f JOIN attempt a ON a.id = f.attempt
                WHERE a.state <> 'SUCCEEDED'"""):
            self.say("attempt %s did not succeed and has the artifact %s", name, path)

    def numbers(self, journal):
        for run, task, count, last in journal.rows("SELECT run, task, count(*), max(number) FROM attempt GROUP BY run, task"):
            if count != last:
                self.say("task %s of run %s has %d attempts, the last is number %d", task, run, count, last)
        for run, name in journal.rows("""SELECT run, task FROM attempt a WHERE NOT EXISTS(SELECT 1 FROM task t
                WHERE t.run = a.run AND t.name = a.task)"""):
            self.say("an attempt of run %s belongs to the unknown task %s", run, name)

    def events(self, journal):
        moves = set(journal.rows("SELECT what, old, new FROM move"))
        last = {}
        for _, run, task, attempt, state in journal.rows("SELECT seq, run, task, attempt, state FROM event ORDER BY seq"):
            what = "attempt" if attempt is not None else "task" if task is not None else "run"
            thing = (what, run, task, attempt)
            before = last.get(thing, "PENDING" if what == "task" else None)
            # A REUSED task names an attempt of its own row, not of the event: task events bear none.
            if before is None and state not in FIRST[what]:
                self.say("the first event of %r is %s", thing, state)
            elif before is not None and before != state and (what, before, state) not in moves:
                self.say("event: %r went from %s to %s", thing, before, state)
            last[thing] = state
        rows = [(("run", run, None, None), state) for run, state in journal.rows("SELECT id, state FROM run")]
        rows += [(("task", run, name, None), state) for run, name, state in journal.rows("SELECT run, name, state FROM task")]
        rows += [(("attempt", run, task, number), state)
                 for run, task, number, state in journal.rows("SELECT run, task, id, state FROM attempt")]
        for thing, state in rows:
            said = last.pop(thing, "PENDING" if thing[0] == "task" else None)
            if said != state:
                self.say("%r is %s, its last event says %s", thing, state, said)
        for thing in last:
            self.say("events of %r, which does not exist", thing)

    # -- files ----------------------------------------------------------------------------------------------------------

    def recorded(self, journal):
        """Every digest that the journal names, of files in folders too."""
        rows = journal.rows("SELECT DISTINCT lower(hex(digest)), mode FROM artifact WHERE mode & ? = 0", MADE_ABSENT)
        names = {digest for digest, _ in rows}
        for digest, mode in rows:
            if mode & MADE_FOLDER:
                names.update(name for name, _ in self.manifest(digest).values())
        return names

    def store(self, journal):
        top = os.path.join(self.flow, "objects")
        recorded = self.recorded(journal) if self.unrecorded else ()
        for shard in sorted(os.listdir(top)):
            if shard == "tmp":
                continue
            for name in sorted(os.listdir(os.path.join(top, shard))):
                path = os.path.join(top, shard, name)
                info, digest = os.lstat(path), digest_of_file(path)
                self.digests[shard + name] = info.st_size
                if digest != shard + name and self.unrecorded and shard + name not in recorded:
                    continue
                if digest != shard + name:
                    self.say("object %s%s holds bytes of digest %s", shard, name[:10], digest[:12])
                if stat.S_IMODE(info.st_mode) not in (0o444, 0o555):
                    self.say("object %s%s has mode %o", shard, name[:10], stat.S_IMODE(info.st_mode))

    def empty_folders(self):
        for name in ["objects/tmp", "work"] + ([] if self.may_quarantine else ["quarantine"]):
            path = os.path.join(self.flow, name)
            for entry in os.listdir(path) if os.path.isdir(path) else []:
                self.say(".flow/%s is not empty: %s", name, entry)
        for entry in os.listdir(self.flow):
            if ".tmp." in entry:
                self.say(".flow has the left-over %s", entry)

    def manifest(self, digest):
        """Lines of a folder's manifest as path -> (digest or link target, size); none of one that is not there, or damaged."""
        lines, name = {}, os.path.join(self.flow, "objects", digest[:2], digest[2:])
        if not os.path.exists(name) or digest_of_file(name) != digest:
            return lines
        with open(name) as file:
            for line in file.read().splitlines():
                mode, name, size, path = line.split(" ", 3)
                if mode == "120000":
                    path, name = path.split("\t", 1)
                lines[path] = (name, int(size))
        return lines

    def artifacts(self, journal):
        for task, number, path, digest, size, mode in journal.rows("""SELECT a.task, a.number, f.path, lower(hex(f.digest)), f.size, f.mode
                FROM artifact f JOIN attempt a ON a.id = f.attempt WHERE a.state = 'SUCCEEDED' AND f.gone = ''"""):
            if mode & MADE_ABSENT:
                continue
            if digest not in self.digests:
                if not self.may_quarantine:
                    self.say("out %s of %s#%d is recorded, its object is not there", path, task, number)
                continue
            if not mode & MADE_FOLDER:
                if self.digests[digest] != size:
                    self.say("out %s of %s#%d is recorded with %d bytes, its object has %d", path, task, number, size,
                             self.digests[digest])
                continue
            for name, (file, length) in self.manifest(digest).items():
                if len(file) == 64 and self.digests.get(file) != length:
                    self.say("out %s of %s#%d: object of %s is not there, or not whole", path, task, number, name)

    def tree_of(self, path):
        lines = {}
        for folder, _, names in os.walk(path):
            for name in names:
                full = os.path.join(folder, name)
                where = os.path.relpath(full, path)
                lines[where] = (os.readlink(full), 0) if os.path.islink(full) else (digest_of_file(full), os.lstat(full).st_size)
        return lines

    def work_tree(self, journal):
        """What lies at the path of an out is whole: the bytes of some recorded success, or nothing."""
        known = {}
        for path, digest, mode in journal.rows("""SELECT f.path, lower(hex(f.digest)), f.mode FROM artifact f
                JOIN attempt a ON a.id = f.attempt WHERE a.state = 'SUCCEEDED'"""):
            known.setdefault(path, set()).add((digest, mode & (MADE_FOLDER | MADE_ABSENT)))
        for path, outs in known.items():
            full = os.path.join(self.folder, path)
            if not os.path.lexists(full):
                continue
            if os.path.isdir(full):
                here = self.tree_of(full)
                whole = any(kind == MADE_FOLDER and digest in self.digests and self.manifest(digest) == here for digest, kind in outs)
            else:
                whole = (digest_of_file(full), 0) in outs
            if not whole:
                self.say("out %s in the work tree is no recorded result", path)
        for folder, _, names in os.walk(self.folder):
            if "/.flow" not in folder:
                for name in names:
                    if any(mark in name and name.rpartition(mark)[2].isdigit() for mark in STRAY):
                        self.say("the work tree has the left-over %s", os.path.relpath(os.path.join(folder, name), self.folder))

    def kept(self, journal):
        """Logs and folders of attempts are where the journal says."""
        for name, state, log, last, folder in journal.rows(
                "SELECT task || '#' || number, state, log, log_to, folder FROM attempt WHERE run >= (SELECT max(id) - 3 FROM run)"):
            path = os.path.join(self.flow, log)
            if last > 0 and (not os.path.exists(path) or os.path.getsize(path) < last):
                self.say("log %s of attempt %s (%s) is not there, or shorter than recorded", log, name, state)
            if folder.startswith("runs/") and not os.path.isdir(os.path.join(self.flow, folder)):
                self.say("folder %s of attempt %s (%s) is not there", folder, name, state)


def violations(folder, artifacts=True, allowed=(), quarantine=False, logs=True, unrecorded=False, processes=True):
    """unrecorded: an object that no artifact names may be damaged, as after a power loss: it is looked at before it is named."""
    check = Check(os.path.abspath(folder), allowed, quarantine, unrecorded)
    journal = read_journal(folder)
    if journal is None:
        return ["there is no journal"]
    with journal:
        check.database(journal)
        check.states(journal)
        check.success(journal)
        check.numbers(journal)
        check.events(journal)
        if logs:
            check.kept(journal)
        check.store(journal)
        check.empty_folders()
        if artifacts:
            check.artifacts(journal)
            check.work_tree(journal)
    check.found += living(folder) if processes else []
    return check.found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--no-artifacts", action="store_true", help="do not look at outs in the work tree")
    parser.add_argument("--allow-failure", action="append", default=[], metavar="TASK")
    parser.add_argument("--quarantine", action="store_true", help="damaged objects may have been put aside")
    options = parser.parse_args()
    found = violations(options.folder, not options.no_artifacts, options.allow_failure, options.quarantine)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
