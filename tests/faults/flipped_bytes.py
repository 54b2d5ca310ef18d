#!/usr/bin/env python3
"""Bytes of the journal are changed at random places: flow notices, or goes on with what is right; it never crashes, and never calls an out
right that is not. With the damaged journal moved away it works again.

    tests/faults/flipped_bytes.py BUILD [--seeds N] [--first SEED]
"""
import argparse
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

PAGE = 4096
DAG = """version: 1
stages:
  a: {cmd: "echo a > ${outs.o}", outs: {o: out/a}}
  b: {foreach: [1, 2, 3], cmd: "cat out/a > ${outs.o}; echo ${item} >> ${outs.o}", deps: [out/a], outs: {o: "out/${item}"}}
"""
WANT = {"out/a": "a\n", "out/1": "a\n1\n", "out/2": "a\n2\n", "out/3": "a\n3\n"}


def flow(folder, *words):
    done = subprocess.run(["flow", *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def change(data, dice):
    """One to eight bytes, every second one in the head of a page, where the structure is."""
    data = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(data) // PAGE) * PAGE
        data[at + dice.randrange(dice.choice([100, PAGE]))] = dice.randrange(256)
    return bytes(data)


def lay(folder, data):
    for name in os.listdir(f"{folder}/.flow"):
        if name.startswith("flow.db"):
            os.unlink(f"{folder}/.flow/{name}")
    with open(f"{folder}/.flow/flow.db", "wb") as file:
        file.write(data)


def faults(folder):
    """What is wrong after this damage, as a list of texts; and whether flow noticed."""
    found, noticed = [], False
    for words in (("status",), ("plan",), ("runs", "show", "@last"), ("run", "-q"), ("run", "-q", "--force")):
        status, text = flow(folder, *words)
        noticed = noticed or status in (5, 7)
        if status not in (0, 2, 5, 7) or (status == 2 and words[0] != "runs"):
            found.append(f"flow {' '.join(words)}: exit {status}\n{text[-600:]}")
        if words[0] == "run" and status == 0:
            found += [f"{path} is wrong after flow {' '.join(words)}" for path, want in WANT.items()
                      if open(f"{folder}/{path}", encoding="utf-8").read() != want]
    return found, noticed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    o = parser.parse_args()
    os.environ["PATH"] = os.path.abspath(o.build) + ":" + os.environ["PATH"]
    folder = tempfile.mkdtemp(prefix="flipped-")
    with open(f"{folder}/dag.yaml", "w", encoding="utf-8") as file:
        file.write(DAG)
    flow(folder, "run", "-q")
    flow(folder, "run", "-q", "--force")
    db = sqlite3.connect(f"{folder}/.flow/flow.db")
    db.execute("pragma wal_checkpoint(truncate)").fetchall()
    db.close()
    with open(f"{folder}/.flow/flow.db", "rb") as file:
        whole = file.read()
    noticed = 0
    for seed in range(o.first, o.first + o.seeds):
        lay(folder, change(whole, random.Random(seed)))
        found, was_noticed = faults(folder)
        noticed += was_noticed
        lay(folder, b"")
        if flow(folder, "run", "-q")[0] != 0:
            found.append("with an empty journal it does not work again")
        if found:
            print(f"seed {seed}:", *found, sep="\n")
            sys.exit(1)
    shutil.rmtree(folder)
    print(f"{o.seeds} damaged journals: {noticed} noticed, in the others the bytes did not matter")


main()
