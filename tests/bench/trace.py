#!/usr/bin/env python3
"""How long `flow artifact trace` takes over many ancestors, and `--down` over as many descendants.

    trace.py [--build BUILD] [--steps 10000] [--rounds 5]

Makes a project with one run of flow's own, then writes a run of STEPS attempts into its journal: layers of 100 tasks that read three
outs of the layer before and a source. The goal is 200 ms for 10,000 ancestors. Prints the median of ROUNDS and the least.
"""
import argparse, hashlib, os, sqlite3, statistics, struct, subprocess, tempfile, time

LAYER = 100
FORMAT, PARAM, INPUT, COMMAND, OUT = 1, 2, 3, 5, 8


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def part(kind, name, value):
    return struct.pack("<BHI", kind, len(name), len(value)) + name.encode() + value


def task(i):
    return f"task{i:06d}", f"data/out{i:06d}"


def inputs(i):
    """The three tasks of the layer before that task i reads: together the last one has all the others above it."""
    layer, place = divmod(i, LAYER)
    if layer == 0:
        return []
    return sorted({(layer - 1) * LAYER + (place + k) % LAYER for k in (0, 1, 37)})


def parts(i, reads):
    tree = part(FORMAT, "", b"1 cmd local") + part(PARAM, "n", str(i % 7).encode())
    for k in reads:
        tree += part(INPUT, task(k)[1], digest(task(k)[1]))
    tree += part(INPUT, "raw.csv", digest("raw"))
    return tree + part(COMMAND, "", f"make {i}".encode()) + part(OUT, "out", task(i)[1].encode())


def fill(path, steps):
    db = sqlite3.connect(path)
    run, attempt = (db.execute(f"SELECT max(id) FROM {t}").fetchone()[0] for t in ("run", "attempt"))
    columns = [c[1] for c in db.execute("PRAGMA table_info(run)") if c[1] not in ("id", "uuid")]
    db.execute(f"INSERT INTO run(id, uuid, {','.join(columns)}) SELECT id + 1, '01a1fd10-cbbf-7f19-9ccc-b4b4d5c8738b', "
               f"{','.join(columns)} FROM run WHERE id = ?", (run,))
    run += 1
    for i in range(steps):
        name, out = task(i)
        reads = inputs(i) if i < steps - 1 else list(range(max(0, i - LAYER), i))
        tree = parts(i, reads)
        db.execute("INSERT INTO attempt(id, run, task, number, state, key, parts, began_ms, ended_ms) VALUES(?,?,?,1,'SUCCEEDED',?,?,?,?)",
                   (attempt + 1 + i, run, name, hashlib.sha256(tree).digest(), tree, 1700000000000, 1700000000010))
        db.execute("INSERT INTO artifact(attempt, position, name, path, digest, size, mode) VALUES(?,0,'out',?,?,1,420)", (attempt + 1 + i, out, digest(out)))
        db.execute("INSERT INTO task(run, name, state, attempt) VALUES(?,?,'SUCCEEDED',?)", (run, name, attempt + 1 + i))
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def measure(flow, words, rounds):
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        text = subprocess.run([flow, *words], check=True, capture_output=True).stdout
        times.append((time.monotonic() - began) * 1000)
    lines = text.count(b"\n")
    print(f"flow {' '.join(words):60} median {statistics.median(times):6.0f} ms  least {min(times):6.0f} ms  ({lines} lines)")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=5)
    a = parser.parse_args()
    flow = os.path.abspath(os.path.join(a.build, "flow"))
    with tempfile.TemporaryDirectory(prefix="flow-bench-") as folder:
        os.chdir(folder)
        with open("dag.yaml", "w") as f:
            f.write("version: 1\nstages: {one: {cmd: \"echo 1 > one\", outs: [one]}}\n")
        subprocess.run([flow, "run", "-q"], check=True, capture_output=True)
        fill(".flow/flow.db", a.steps)
        last, first = task(a.steps - 1)[1], task(0)[1]
        measure(flow, ["artifact", "trace", last], a.rounds)
        measure(flow, ["artifact", "trace", last, "--all"], a.rounds)
        measure(flow, ["artifact", "trace", last, "--json"], a.rounds)
        measure(flow, ["artifact", "trace", first, "--down"], a.rounds)
        measure(flow, ["artifact", "trace", "raw.csv", "--down"], a.rounds)


main()
