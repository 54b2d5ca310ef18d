#!/usr/bin/env python3
"""Does anything grow that need not? One run of many tasks, then many runs in one database; status 1 when something does.

    tests/soak/soak.py BUILD [--tasks N] [--runs N] [--what tasks,runs] [--keep FOLDER]      200,000 tasks and 2,000 runs by default

Looked at while the tasks run, twenty times: memory and descriptors of flow and of its worker, the processor time that each took for a
task, the folders of running attempts. After each tenth of the runs: what the journal holds and what a run with nothing to do costs.
Processor time stands for speed, since other programs on the machine slow the clock, and what the worker became slower by is taken off;
the medians of the first and of the last third are compared. Instructions are counted (valgrind) where a single run is short.
"""
import argparse
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

WINDOWS = 20
SLOWER = 1.05            # the figure of the promise
SLOWER_AT_ALL = 2        # of a short run: its journal begins empty, and its windows are short
MEMORY_KIB = 1024        # beside 5 %: what an allocator may keep
CACHE_TASKS = 12000      # until then SQLite's cache of pages fills up, to 8 MiB,
CACHE_KIB = 1.5          # by so much a task at most
COUNTING = 0.0005        # million instructions for each run: `flow status` counts what is recorded
WAL_BYTES = 40 << 20     # twice what a checkpoint is made at, and some
DAG = """version: 1
stages:
  make:
    matrix: {x: %(x)s, y: %(y)s}
    cmd: echo ${item.x} ${item.y} > ${outs.o}
    outs: {o: "out/make-${item.x}-${item.y}"}
  copy:
    matrix: {x: %(x)s, y: %(y)s}
    cmd: [cp, "${deps.i}", "${outs.o}"]
    deps: {i: "out/make-${item.x}-${item.y}"}
    outs: {o: "out/copy-${item.x}-${item.y}"}
"""
SMALL = """version: 1
params: {salt: 0}
stages:
  make: {cmd: "echo ${params.salt} > ${outs.o}", outs: {o: out/make}}
  folder: {cmd: "mkdir -p ${outs.o} && cp out/make ${outs.o}/a && echo b > ${outs.o}/b", deps: [out/make], outs: {o: out/folder}}
  fails: {cmd: "test ${params.salt} -lt 0", allow_failure: true}
  stays: {cmd: "echo same > ${outs.o}", outs: {o: out/stays}}
"""
wrong = []


def check(fine, text):
    if not fine:
        wrong.append(text)


def project(folder, text):
    os.makedirs(os.path.join(folder, "out"))
    with open(os.path.join(folder, "dag.yaml"), "w") as file:
        file.write(text)
    return folder


def ask(folder, sql):
    """One number of the journal. The connection is closed at once: one that stays open would keep the log from being reused."""
    path = os.path.join(folder, ".flow", "flow.db")
    try:
        db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        try:
            return db.execute(sql).fetchone()[0] or 0
        finally:
            db.close()
    except sqlite3.OperationalError:
        return 0


def cpu_seconds(pid):
    """Of all its threads; not of its children."""
    nanoseconds = 0
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, thread)) as file:
            nanoseconds += int(file.read().split()[0])
    return nanoseconds / 1e9


def asked_kib(pid):
    """Memory that it asked the kernel for. What it got at the start and fills later (a digest for each out) becomes resident only then."""
    with open("/proc/%d/status" % pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmData:"))


def memory_kib(pid):
    """What is resident of it."""
    with open("/proc/%d/smaps_rollup" % pid) as file:
        values = dict(line.split()[:2] for line in list(file)[1:])
    return int(values["Pss_Anon:"])


def worker_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        for child in map(int, file.read().split()):
            with open("/proc/%d/comm" % child) as comm:
                if comm.read().strip() == "flow-worker":
                    return child
    return None


def sizes(folder):
    """Bytes on the disk and files below a folder."""
    total = files = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_blocks * 512
                files += 1
            except OSError:
                pass
    return total, files


def wal_bytes(folder):
    try:
        return os.path.getsize(os.path.join(folder, ".flow", "flow.db-wal"))
    except OSError:
        return 0


def look(folder, flow, worker, done):
    return {"done": done, "at": time.monotonic(), "flow": cpu_seconds(flow), "worker": cpu_seconds(worker),
            "memory": memory_kib(flow), "worker memory": memory_kib(worker), "asked": asked_kib(flow),
            "open": len(os.listdir("/proc/%d/fd" % flow)), "worker open": len(os.listdir("/proc/%d/fd" % worker)),
            "work": len(os.listdir(os.path.join(folder, ".flow", "work"))), "wal": wal_bytes(folder)}


def watch(process, folder, tasks):
    """What was seen each time another twentieth of the tasks had begun."""
    seen, worker = [], None
    while process.poll() is None:
        time.sleep(0.02 if tasks < 20000 else 0.2)
        try:
            worker = worker or worker_of(process.pid)
            done = ask(folder, "SELECT max(id) FROM attempt")
            if worker and done >= len(seen) * tasks / WINDOWS and done > 0:
                seen.append(look(folder, process.pid, worker, done))
        except (OSError, IndexError, KeyError):
            continue
    return seen


def flat(name, first, last, room):
    check(last <= first * SLOWER + room, "%s grew from %d to %d" % (name, first, last))


def rates(seen, who):
    """Microseconds of processor time for a task, of each window."""
    return [1e6 * (b[who] - a[who]) / (b["done"] - a["done"]) for a, b in zip(seen, seen[1:]) if b["done"] > a["done"]]


def thirds(values):
    """Medians of the first and of the last third, after the first window."""
    third = max(1, (len(values) - 1) // 3)
    return statistics.median(values[1:1 + third]), statistics.median(values[-third:])


def compare(flow, worker, most):
    """A busy machine slows all down. The worker does the same for each task, however many there are: what it became slower by is not flow's."""
    (first, last), (control, controlled) = thirds(flow), thirds(worker)
    slower = (last / first) / (controlled / control)
    print("  flow %.1f -> %.1f us a task, worker %.1f -> %.1f: %.1f %% slower beside it" % (first, last, control, controlled, 100 * slower - 100))
    check(slower <= most, "a task took %.1f us at first and %.1f us at last" % (first, last))


def many_tasks(build, base, tasks):
    side = max(2, round((tasks / 2) ** 0.5))
    names = "[" + ", ".join(map(str, range(side))) + "]"
    folder = project(os.path.join(base, "tasks"), DAG % {"x": names, "y": names})
    tasks = 2 * side * side
    began = time.monotonic()
    process = subprocess.Popen([os.path.join(build, "flow"), "run", "-q", "-j2"], cwd=folder, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    seen = watch(process, folder, tasks)
    said = process.stdout.read()
    check(process.returncode == 0, "the run ended with %s: %s" % (process.returncode, said))
    took = time.monotonic() - began
    print("%d tasks in one run: %.0f s, %.2f ms a task" % (tasks, took, 1000 * took / tasks))
    print("  %9s %9s %9s %10s %9s %5s %5s %5s %9s"
          % ("begun", "flow KiB", "resident", "worker KiB", "wal KiB", "fds", "w fds", "work", "tasks/s"))
    for before, s in zip([None] + seen, seen):
        rate = (s["done"] - before["done"]) / (s["at"] - before["at"]) if before else 0
        print("  %9d %9d %9d %10d %9d %5d %5d %5d %9.0f" % (s["done"], s["asked"], s["memory"], s["worker memory"], s["wal"] >> 10,
                                                         s["open"], s["worker open"], s["work"], rate), flush=True)
    check(len(seen) >= WINDOWS // 2, "only %d windows were seen" % len(seen))
    if len(seen) >= WINDOWS // 2:
        warm, last = ([s for s in seen if s["done"] >= CACHE_TASKS] or seen[2:])[0], seen[-1]
        filling = CACHE_KIB * tasks if last["done"] < CACHE_TASKS else 0
        flat("flow's memory", warm["asked"], last["asked"], MEMORY_KIB + filling)
        flat("the worker's memory", warm["worker memory"], last["worker memory"], MEMORY_KIB)
        for name in ("open", "worker open", "work"):
            check(last[name] <= max(s[name] for s in seen[:3]) + 2, "%s grew from %d to %d" % (name, warm[name], last[name]))
        check(max(s["wal"] for s in seen) <= WAL_BYTES, "the journal's log grew to %d" % max(s["wal"] for s in seen))
        late = [s for s in seen if s["done"] >= CACHE_TASKS]
        if len(late) > WINDOWS // 2:
            compare(rates(late, "flow"), rates(late, "worker"), SLOWER)
        else:
            compare(rates(seen, "flow"), rates(seen, "worker"), SLOWER_AT_ALL)
    after(build, folder, tasks)


def after(build, folder, tasks):
    """What is left, and the run that follows."""
    check(not os.listdir(os.path.join(folder, ".flow", "work")), "folders of attempts are left in .flow/work")
    total, files = sizes(os.path.join(folder, ".flow"))
    database = os.path.getsize(os.path.join(folder, ".flow", "flow.db"))
    seconds, said = flow_seconds(build, folder, "run", "-q")
    check("nothing to do" in said, "the next run says: " + said)
    print("  .flow: %.1f MiB in %d files, journal %.0f bytes a task; a run with nothing to do %.0f ms of processor time"
          % (total / 2**20, files, database / tasks, 1000 * seconds))
    shutil.rmtree(folder)


def flow_seconds(build, folder, *words):
    """Processor time of one call, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([os.path.join(build, "flow"), *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def instructions(build, folder, *words):
    """Millions of instructions of one call, as valgrind counts them."""
    with tempfile.NamedTemporaryFile(prefix="soak-", mode="r") as counted:
        subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + counted.name, os.path.join(build, "flow"), *words],
                       cwd=folder, capture_output=True)
        for line in counted:
            if line.startswith(("summary:", "totals:")):
                return int(line.split()[1]) / 1e6
    raise SystemExit("valgrind did not count: is it installed?")


def checkpoint(folder):
    """What the journal's log costs depends on where between two checkpoints one looks; so it is emptied for the comparison."""
    db = sqlite3.connect(os.path.join(folder, ".flow", "flow.db"))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def many_runs(build, base, runs):
    folder = project(os.path.join(base, "runs"), SMALL)
    print("%d runs in one database" % runs)
    print("  %6s %9s %9s %8s %7s %9s %9s %9s %9s" % ("runs", ".flow KiB", "db KiB", "wal KiB", "files", "idle Mi", "status Mi", "idle ms", "work ms"))
    rows, every, wal = [], max(30, runs // 10), 0
    for number in range(1, runs + 1):
        # Every second run has nothing to do but the task that always fails.
        said = flow_seconds(build, folder, "run", "-q", "-p", "salt=%d" % (number // 2))[1]
        check("done" in said or "nothing to do" in said, "run %d says: %s" % (number, said))
        wal = max(wal, wal_bytes(folder))
        if number % every == 0:
            rows.append(a_row(build, folder, number))
    check(ask(folder, "SELECT count(*) FROM run") >= runs, "the journal does not have all the runs")
    check(wal <= WAL_BYTES, "the journal's log grew to %d" % wal)
    for name, counting in (("idle Mi", 0), ("status Mi", COUNTING * runs)):
        first, last = rows[0][name], rows[-1][name]
        check(last <= first * SLOWER + counting, "%s: %.2f at first and %.2f at last" % (name, first, last))
    shutil.rmtree(folder)


def a_row(build, folder, number):
    work = [flow_seconds(build, folder, "run", "-q", "-p", "salt=%d" % (1000000 + number * 10 + i))[0] for i in range(5)]
    salt = "salt=%d" % (1000000 + number * 10 + 4)
    idle = [flow_seconds(build, folder, "run", "-q", "-p", salt, "stays")[0] for _ in range(5)]
    log = wal_bytes(folder)
    checkpoint(folder)
    total, files = sizes(os.path.join(folder, ".flow"))
    row = {"idle Mi": instructions(build, folder, "run", "-q", "-p", salt, "stays"), "status Mi": instructions(build, folder, "status")}
    print("  %6d %9d %9d %8d %7d %9.2f %9.2f %9.1f %9.1f"
          % (number, total >> 10, os.path.getsize(os.path.join(folder, ".flow", "flow.db")) >> 10, log >> 10, files,
             row["idle Mi"], row["status Mi"], 1000 * min(idle), 1000 * min(work)), flush=True)
    return row


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build")
    options.add_argument("--tasks", type=int, default=200000)
    options.add_argument("--runs", type=int, default=2000)
    options.add_argument("--what", default="tasks,runs")
    given = options.parse_args()
    base = tempfile.mkdtemp(prefix="soak-")
    try:
        if "tasks" in given.what:
            many_tasks(os.path.realpath(given.build), base, given.tasks)
        if "runs" in given.what:
            many_runs(os.path.realpath(given.build), base, given.runs)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    for line in wrong:
        print("WRONG: " + line)
    print("%d things grow" % len(wrong) if wrong else "nothing grows")
    sys.exit(1 if wrong else 0)


main()
