#!/usr/bin/env python3
"""Objects of the store cut, flipped, removed and replaced at random: every one is found, none is served.

    tests/faults/corrupt_objects.py BUILD [--count N] [--seed S]

Each round damages some objects, asks `flow cache verify --read-data` which results that hurts, takes the outs away and lets
`flow run` bring them back: every file must be what it was. Every other round the damage is repaired first.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

DAG = """version: 1
stages:
  file:
    foreach: [%s]
    cmd: "seq ${item} $((${item} * 40)) > ${outs.o}"
    outs: {o: "out/f${item}"}
  folder:
    foreach: [1, 2, 3]
    cmd: "mkdir -p ${outs.o}/deep; for i in 1 2 3 4 5; do echo folder ${item} $i > ${outs.o}/deep/$i; done; printf x > ${outs.o}/x"
    outs: {o: "out/d${item}"}
""" % ", ".join(str(n) for n in range(1, 25))


def flow(program, folder, *words):
    return subprocess.run([program, *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120)


def files_below(folder):
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


def objects_of(store):
    return [os.path.join(base, name) for base, _, names in os.walk(store) for name in names if os.path.basename(base) != "tmp"]


def overwrite(path, at, change):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([change(byte)]))


def damage(path, chance):
    """One of the ways in which a file of the store can cease to be what it was."""
    os.chmod(path, 0o644)
    size = os.path.getsize(path)
    way = chance.choice(["cut", "flip", "other", "longer", "empty", "removed", "folder", "link"] if size else ["longer", "removed"])
    if way in ("cut", "empty"):
        os.truncate(path, chance.randrange(size) if way == "cut" else 0)
    elif way == "flip":
        overwrite(path, chance.randrange(size), lambda byte: byte ^ 1 << chance.randrange(8))
    elif way == "other":
        overwrite(path, chance.randrange(size), lambda byte: (byte + chance.randrange(1, 256)) % 256)
    elif way == "longer":
        with open(path, "ab") as file:
            file.write(b"!")
    else:
        os.unlink(path)
        if way == "folder":
            os.mkdir(path)
        if way == "link":
            os.symlink("/etc/passwd", path)


def artifacts_of(folder):
    """(task, path) -> its objects, by the journal and the manifests as they are before the damage."""
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(folder, ".flow", "flow.db"), uri=True)
    found = {}
    for task, path, digest, mode in db.execute("""SELECT task, path, lower(hex(digest)), mode FROM artifact
            JOIN attempt ON attempt.id = attempt WHERE gone = ''"""):
        objects = found.setdefault((task, path), set())
        objects.add(digest)
        if mode & 0x10000:
            with open(os.path.join(folder, ".flow", "objects", digest[:2], digest[2:])) as file:
                objects.update(line.split(" ")[1] for line in file)
    db.close()
    return found


def round_of(program, folder, want, count, chance, repair):
    hurt, wrong, artifacts = set(), [], artifacts_of(folder)
    # Away first: a hard link would damage the work tree, too, and then it is no question what is served.
    shutil.rmtree(os.path.join(folder, "out"))
    objects = sorted(objects_of(os.path.join(folder, ".flow", "objects")))
    for path in chance.sample(objects, min(count, len(objects))):
        damage(path, chance)
        hurt.add(os.path.basename(os.path.dirname(path)) + os.path.basename(path))
    tied = {name for name, names in artifacts.items() if names & hurt}
    done = flow(program, folder, "cache", "verify", "--read-data", "--json", *(["--repair"] if repair else []))
    told = {(row["task"], row["out"]) for row in json.loads(done.stdout)["hurt"]}
    if told != tied:
        wrong.append("verify names %s too many, %s are missing" % (sorted(told - tied), sorted(tied - told)))
    if tied and done.returncode != (0 if repair else 4):
        wrong.append("verify ends with %s: %s" % (done.returncode, done.stdout[:500]))
    run = flow(program, folder, "run", "-q")
    if run.returncode != 0:
        wrong.append("the run ends with %s: %s" % (run.returncode, run.stdout[:500]))
    have = files_below(os.path.join(folder, "out"))
    wrong += ["%s is not what it was" % path for path in sorted(set(want) | set(have)) if want.get(path) != have.get(path)]
    again = flow(program, folder, "cache", "verify", "--read-data", "--repair")
    return wrong if again.returncode == 0 else wrong + ["repairing ends with %s: %s" % (again.returncode, again.stdout[:500])]


def prepare(program, folder):
    with open(os.path.join(folder, "dag.yaml"), "w") as file:
        file.write(DAG)
    first = flow(program, folder, "run", "-q")
    if first.returncode != 0:
        raise SystemExit("the project does not run: " + first.stdout)
    return files_below(os.path.join(folder, "out"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program, chance = os.path.join(os.path.abspath(options.build), "flow"), random.Random(options.seed)
    folder, damaged, rounds, bad = tempfile.mkdtemp(prefix="corrupt-"), 0, 0, 0
    try:
        want = prepare(program, folder)
        while damaged < options.count and bad < 5:
            count = min(chance.randrange(1, 20), options.count - damaged)
            wrong = round_of(program, folder, want, count, chance, rounds % 2 == 1)
            damaged, rounds, bad = damaged + count, rounds + 1, bad + bool(wrong)
            for line in wrong[:5]:
                print("round %d: %s" % (rounds, line))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("%d corruptions in %d rounds, %d rounds went wrong" % (damaged, rounds, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
