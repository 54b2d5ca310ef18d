#!/usr/bin/env python3
"""`flow explain` of one task in a long history: 10,000 tasks, 1,000 runs, of which each ran that task and 100 others.

    tests/bench/explain.py [--flow build/flow] [--layers 100] [--width 100] [--runs 1000] [--rounds 20]

The first run is a real one, so that graph, keys and outs are; the others are written into the journal. Medians; the limit is 50 ms.
"""
import argparse, hashlib, os, random, shutil, sqlite3, statistics, struct, subprocess, tempfile, time

PARAM, COMMAND = 2, 5


def records(parts):
    at = 0
    while at < len(parts):
        kind, name, value = struct.unpack_from("<BHI", parts, at)
        at += 7
        yield kind, parts[at : at + name], parts[at + name : at + name + value]
        at += name + value


def with_param(parts, value):
    """The component tree as it would be with another value of `rate`, and its key."""
    out = b""
    for kind, name, text in records(parts):
        if kind == PARAM:
            text = value
        if kind == COMMAND and name == b"":
            text = text.replace(b"0.5", value)
        out += struct.pack("<BHI", kind, len(name), len(text)) + name + text
    return hashlib.sha256(out).digest(), out


def dag(layers, width):
    lines = ["version: 1", "params: {rate: 0.5}", "stages:"]
    for i in range(layers):
        deps = f", deps: ['o/{i - 1}-${{item}}']" if i else ""
        lines.append(f"  s{i}: {{foreach: [{', '.join(map(str, range(width)))}], "
                     f"cmd: 'echo ${{item}} ${{params.rate}} > o/{i}-${{item}}', outs: ['o/{i}-${{item}}']{deps}}}")
    return "\n".join(lines) + "\n"


def history(path, task, runs):
    db = sqlite3.connect(path)
    attempts = db.execute("SELECT id, task, parts, began_ms FROM attempt").fetchall()
    by_task = {a[1]: a for a in attempts}
    rest = list(by_task)
    chance = random.Random(1)
    for n in range(1, runs):
        run = db.execute("INSERT INTO run(uuid, state, began_ms, ended_ms, dag_path) VALUES(?,'SUCCEEDED',?,?,'dag.yaml')",
                         (f"{n:08x}-0000-7000-8000-000000000000", n, n)).lastrowid
        for name in {task, *chance.sample(rest, 100)}:
            key, parts = with_param(by_task[name][2], str(n + 1).encode())
            new = db.execute("INSERT INTO attempt(run, task, number, state, key, parts, began_ms, ended_ms) "
                             "VALUES(?,?,1,'SUCCEEDED',?,?,?,?)", (run, name, key, parts, n, n)).lastrowid
            db.execute("INSERT INTO artifact(attempt, position, name, path, digest, size, mode) SELECT ?, position, name, path, "
                       "digest, size, mode FROM artifact WHERE attempt = ?", (new, by_task[name][0]))
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def measure(argv, folder, rounds):
    """Medians of wall and of CPU time, in ms."""
    walls, cpus = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        p = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        if p.returncode != 0:
            raise SystemExit(f"{argv}: status {p.returncode}")
        walls.append(time.perf_counter() - began)
        cpus.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(walls) * 1000, statistics.median(cpus) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--flow", default="build/flow")
    for name, value in (("layers", 100), ("width", 100), ("runs", 1000), ("rounds", 20)):
        parser.add_argument(f"--{name}", type=int, default=value)
    o = parser.parse_args()
    flow = os.path.abspath(o.flow)
    folder = tempfile.mkdtemp(prefix="flow-bench-")
    try:
        task = f"s{o.layers - 1}@{o.width // 2}"
        with open(f"{folder}/dag.yaml", "w") as f:
            f.write(dag(o.layers, o.width))
        os.mkdir(f"{folder}/o")
        subprocess.run([flow, "run", "-q"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        history(f"{folder}/.flow/flow.db", task, o.runs)
        subprocess.run([flow, "run", "-q"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        print(f"{o.layers * o.width} tasks, {o.runs} runs, {os.path.getsize(folder + '/.flow/flow.db') >> 20} MiB of journal")
        first = f"s0@{o.width // 2}"
        for name, argv in (("flow version", ["version"]), ("explain, cached", ["explain", task]),
                           ("explain, all above it changed", ["explain", task, "-p", "rate=0.25"]),
                           ("explain, of the first layer", ["explain", first, "-p", "rate=0.25"]),
                           ("plan, all changed", ["plan", "-p", "rate=0.25"])):
            wall, cpu = measure([flow, *argv], folder, o.rounds)
            print(f"{name:32}{wall:8.2f} ms, {cpu:8.2f} ms of CPU")
        print(f"load {os.getloadavg()[0]:.1f}")
    finally:
        shutil.rmtree(folder)


main()
