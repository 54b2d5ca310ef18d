#!/usr/bin/env python3
"""How long gc takes over a large store, and how much memory: fake objects (sparse files), and attempts in the journal that made them.

    tests/bench/gc.py BUILD [--objects N] [--folder F]

Prints seconds and MiB of `gc --dry-run`, of `gc` by budget and of `gc --keep-last 1`; status 1 when a figure is over 60 s or 200 MiB a million
objects.
"""
import argparse
import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

OUTS = 10  # of an attempt
DAG = "version: 1\nstages:\n  a: {cmd: 'echo x > a', outs: [a]}\n"


def make_objects(folder, digests, size):
    top = os.path.join(folder, ".flow", "objects")
    for shard in range(256):
        os.makedirs(os.path.join(top, "%02x" % shard), exist_ok=True)
    for digest in digests:
        name = digest.hex()
        with open(os.path.join(top, name[:2], name[2:]), "xb") as file:
            os.truncate(file.fileno(), size)
            os.fchmod(file.fileno(), 0o444)


def make_rows(folder, digests, size):
    db = sqlite3.connect(os.path.join(folder, ".flow", "flow.db"))
    first = db.execute("SELECT max(id) FROM attempt").fetchone()[0] + 1
    count = len(digests) // OUTS
    chance = random.Random(1)
    db.execute("INSERT INTO run(id, uuid, state, began_ms, ended_ms, dag_path) VALUES(0, 'old', 'SUCCEEDED', 0, 1, 'dag.yaml')")
    db.executemany("INSERT INTO attempt(id, run, task, number, state, key, parts, began_ms, ended_ms) VALUES(?, 0, ?, 1, 'SUCCEEDED', ?, x'', 0, ?)",
                   ((first + i, "t%d" % i, hashlib.sha256(b"k%d" % i).digest(), chance.randrange(100000)) for i in range(count)))
    db.executemany("INSERT INTO artifact(attempt, position, name, path, digest, size, mode) VALUES(?, ?, 'o', ?, ?, ?, 420)",
                   ((first + i // OUTS, i % OUTS, "out/%d" % i, digest, size) for i, digest in enumerate(digests[:count * OUTS])))
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def measure(program, folder, *words):
    """(seconds, MiB, what it said)"""
    began = time.monotonic()
    process = subprocess.Popen([program, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("flow %s: %s" % (" ".join(words), said))
    return time.monotonic() - began, used.ru_maxrss / 1024, said.splitlines()[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--objects", type=int, default=1000000)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--folder")
    options = parser.parse_args()
    program, folder = os.path.join(os.path.abspath(options.build), "flow"), tempfile.mkdtemp(prefix="gc-", dir=options.folder)
    share, bad = options.objects / 1e6, 0
    try:
        with open(os.path.join(folder, "dag.yaml"), "w") as file:
            file.write(DAG)
        subprocess.run([program, "run", "-q"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        digests = [hashlib.sha256(b"%d" % i).digest() for i in range(options.objects)]
        make_objects(folder, digests, options.size)
        make_rows(folder, digests, options.size)
        half = "%dB" % (options.objects * options.size // 2)
        for words in (["gc", "--keep-last", "1", "--dry-run"], ["gc", "--budget", half], ["gc", "--keep-last", "1"], ["gc"]):
            seconds, memory, said = measure(program, folder, *words)
            over = seconds > max(60 * share, 5) or memory > max(200 * share, 50)
            bad += over
            print("%-28s %6.1f s %6.0f MiB  %s%s" % (" ".join(words), seconds, memory, said, "  TOO MUCH" if over else ""), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
