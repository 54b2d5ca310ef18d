#!/usr/bin/env python3
"""The stage table beside pandas and pyarrow: CPU seconds to read one CSV of 20 columns, ratios of medians.

    tests/bench/table.py [--build build] [--megabytes 200] [--rounds 5] [--csv FILE] [--skip pandas]

Each round runs every reader once, in a process of its own; only the reading is timed, not the start. flow also writes its shard, with
checksums and figures of each column; the others leave their columns in memory. All have one thread. Needs pandas and pyarrow in this
Python (a venv with PyPI's will do); who is not there is left out. The file: ten columns of 15 to 17 digits, four of two decimals, four of
whole numbers, two of text with few different values.
"""
import argparse, os, random, statistics, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stage

WORDS = ["red", "green", "blue", "yellow"]


def write_csv(path, megabytes):
    draw = random.Random(1)
    head = ",".join([f"f{i}" for i in range(10)] + [f"g{i}" for i in range(4)] + [f"i{i}" for i in range(4)] + ["c0", "c1"])

    def row():
        return ",".join([repr(draw.gauss(0, 1)) for _ in range(10)] + [f"{draw.uniform(0, 1000):.2f}" for _ in range(4)] +
                        [str(draw.randrange(10 ** (2 * i + 1))) for i in range(4)] + [draw.choice(WORDS), f"user_{draw.randrange(500)}"])

    block = "\n".join(row() for _ in range(20000)) + "\n"
    with open(path, "w") as f:
        f.write(head + "\n")
        for _ in range(max(1, megabytes * 1000000 // len(block))):
            f.write(block)


def read_pandas(path):
    import pandas
    start = time.process_time()
    pandas.read_csv(path)
    return time.process_time() - start


def read_pyarrow(path):
    import pyarrow, pyarrow.csv
    start = time.process_time()
    pyarrow.csv.read_csv(path, read_options=pyarrow.csv.ReadOptions(use_threads=False))
    return time.process_time() - start


def versions():
    found = {}
    for name in ("pandas", "pyarrow"):
        try:
            found[name] = __import__(name).__version__
        except ImportError:
            pass
    return found


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", default="build")
    p.add_argument("--megabytes", type=int, default=200)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--csv")
    p.add_argument("--skip", default="")
    a = p.parse_args()
    library = f"{a.build}/stages/flow_stage_table.so"
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = a.csv or f"{folder}/big.csv"
        if not a.csv:
            write_csv(path, a.megabytes)
        size = os.path.getsize(path) / 1e6
        known = stage.in_child(lambda: 0) or versions()
        readers = {"flow": lambda: stage.run(library, {"data": path}, {"table": f"{folder}/x.shard"})}
        for name, read in (("pandas", read_pandas), ("pyarrow", read_pyarrow)):
            if name in known and name not in a.skip:
                readers[name] = lambda read=read: stage.in_child(lambda: read(path))
        seconds = {name: [] for name in readers}
        for i in range(a.rounds):
            for name in list(readers)[i % len(readers):] + list(readers)[:i % len(readers)]:
                seconds[name].append(readers[name]())
        ours = statistics.median(seconds["flow"])
        for name, values in seconds.items():
            median = statistics.median(values)
            print(f"{name:8} {known.get(name, ''):8} {median:6.2f} s CPU ({min(values):.2f} to {max(values):.2f})  {size / median:5.0f} MB/s  {median / ours:5.2f} x flow's time")


main()
