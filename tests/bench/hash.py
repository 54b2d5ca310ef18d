#!/usr/bin/env python3
"""What reading inputs costs: large files against sha256sum, small files against the floor of one open, stat, read and digest each, and
unchanged ones, which are looked at once each and not read.

    tests/bench/hash.py BUILD [--large MIB] [--small N] [--rounds N] [--folder F]

CPU seconds are compared, not the clock, so that it can be run beside other work; status 1 when large files take more than 1/0.9 of
sha256sum's, small ones more than 1.3 times the floor's, or an unchanged file is looked at more than once.
"""
import argparse
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

DAG = "version: 1\nstages:\n  a: {cmd: 'echo x > %s', deps: [%s], outs: [%s]}\n"


def cpu_of(words, folder, stdin=subprocess.DEVNULL):
    process = subprocess.Popen(words, cwd=folder, stdin=stdin, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("%s failed" % " ".join(words[:3]))
    return used.ru_utime + used.ru_stime


def floor(folder, paths):
    """CPU seconds of open, fstat, read, digest and close of each file, in one process."""
    code = """import hashlib, os, sys
for path in sys.stdin.read().split():
    fd = os.open(path, os.O_RDONLY); os.fstat(fd); hashlib.sha256(os.read(fd, 8192)).digest(); os.close(fd)"""
    names = os.path.join(folder, "names")
    with open(names, "w") as file:
        file.write("\n".join(paths))
    with open(names) as file:
        return cpu_of([sys.executable, "-c", code], folder, file) - cpu_of([sys.executable, "-c", "import hashlib, os, sys"], folder)


def write(folder, dag, out, deps):
    with open(os.path.join(folder, dag), "w") as file:
        file.write(DAG % (out, ", ".join(deps), out))


def first(program, folder, dag):
    """CPU seconds of a plan that has seen no file before."""
    shutil.rmtree(os.path.join(folder, ".flow"), ignore_errors=True)
    return cpu_of([program, "plan", dag], folder)


def medians(rounds, ours, theirs):
    """One after the other, round by round, so that both meet the same machine."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def line(what, seconds, against, limit):
    bad = seconds > against * limit
    print("%-34s %7.2f s CPU, %5.2f of %s%s" % (what, seconds, seconds / against, "its floor", "  TOO MUCH" if bad else ""), flush=True)
    return bad


def looked_at(program, folder):
    """How often each file of the folder is asked for by a plan."""
    log = os.path.join(folder, "calls")
    subprocess.run(["strace", "-f", "-qq", "-o", log, "-e", "trace=newfstatat,statx,openat", program, "plan", "small.yaml"], cwd=folder,
                   stdout=subprocess.DEVNULL, check=True)
    looks, reads = 0, 0
    with open(log) as file:
        for text in file:
            if re.search(r'"f\d+"|"small/\d+/f\d+"', text):
                looks += "openat" not in text
                reads += "openat" in text
    return looks, reads


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--large", type=int, default=1024)
    parser.add_argument("--small", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder")
    options = parser.parse_args()
    program, folder = os.path.join(os.path.abspath(options.build), "flow"), tempfile.mkdtemp(prefix="hash-", dir=options.folder)
    try:
        large = ["large%d" % i for i in range(8)]
        for name in large:
            with open(os.path.join(folder, name), "wb") as file:
                for _ in range(options.large // 8):
                    file.write(os.urandom(1 << 20))
        small = ["small/%d/f%d" % (i % 100, i) for i in range(options.small)]
        for i in range(100):
            os.makedirs(os.path.join(folder, "small", str(i)))
        for name in small:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(hashlib.sha256(name.encode()).digest() * 128)
        write(folder, "large.yaml", "a", large)
        write(folder, "small.yaml", "b", ["small"])
        bad = line("%d MiB in 8 files" % options.large,
                   *medians(options.rounds, lambda: first(program, folder, "large.yaml"), lambda: cpu_of(["sha256sum", *large], folder)), 1 / 0.9)
        bad |= line("%d files of 4 KiB, first time" % options.small,
                    *medians(options.rounds, lambda: first(program, folder, "small.yaml"), lambda: floor(folder, small)), 1.3)
        subprocess.run([program, "run", "-q", "small.yaml"], cwd=folder, stderr=subprocess.DEVNULL, check=True)
        looks, reads = looked_at(program, folder)
        print("%-34s looked at %d times, opened %d times" % ("the same, unchanged", looks, reads))
        bad |= looks != options.small or reads != 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
