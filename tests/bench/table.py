#!/usr/bin/env python3
"""The stage table beside pandas and pyarrow: CPU seconds to read one CSV of 20 columns, ratios of medians.

    tests/bench/table.py [--build build] [--megabytes 200] [--rounds 5] [--csv FILE] [--skip pandas]

Each round runs every reader once, in a process of its own; only the reading is timed, not the start. flow also writes its shard, with
checksums and figures of each column; the others leave their columns in memory. All have one thread; pandas has its default engine and
options. `system` is the kernel's part; `floor` is what the kernel takes to read the file and to write a shard of that size, and no more. Needs pandas and pyarrow in this
Python (a venv with PyPI's will do); who is not there is left out. The file: ten columns of 15 to 17 digits, four of two decimals, four of
whole numbers, two of text with few different values.
"""
import argparse, os, random, resource, statistics, sys, tempfile, time

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


def system_seconds():
    return resource.getrusage(resource.RUSAGE_SELF).ru_stime


def timed(work):
    """CPU seconds of it, and how many of them were the kernel's."""
    start, system = time.process_time(), system_seconds()
    work()
    return time.process_time() - start, system_seconds() - system


def read_pandas(path):
    import pandas
    return timed(lambda: pandas.read_csv(path))


def read_pyarrow(path):
    import pyarrow, pyarrow.csv
    return timed(lambda: pyarrow.csv.read_csv(path, read_options=pyarrow.csv.ReadOptions(use_threads=False)))


def read_flow(library, path, shard):
    # What the last round wrote goes first: to remove it is no part of making it.
    if os.path.exists(shard):
        os.unlink(shard)
    return timed(lambda: stage.call(library, {"data": path}, {"table": shard}, {}, 1))


def copy_bytes(path, shard):
    """As many bytes read and written as flow does, by 256 KiB, from and to the page cache."""
    left, out = os.path.getsize(shard), shard + ".copy"

    def work():
        nonlocal left
        block = bytearray(262144)
        with open(path, "rb", buffering=0) as source, open(out, "wb", buffering=0) as target:
            while source.readinto(block):
                pass
            while left > 0:
                left -= target.write(memoryview(block)[:left])

    seconds = timed(work)
    os.unlink(out)
    return seconds


def versions():
    """Asked in a child: what is loaded here would be in every reader's memory."""
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
        shard = f"{folder}/x.shard"
        known = stage.in_child(versions)
        readers = {"flow": lambda: read_flow(library, path, shard)}
        for name, read in (("pandas", read_pandas), ("pyarrow", read_pyarrow)):
            if name in known and name not in a.skip:
                readers[name] = lambda read=read: read(path)
        readers["floor"] = lambda: copy_bytes(path, shard)
        stage.in_child(readers["flow"])
        seconds = {name: [] for name in readers}
        for i in range(a.rounds):
            for name in list(readers)[i % len(readers):] + list(readers)[:i % len(readers)]:
                seconds[name].append(stage.in_child(readers[name]))
        ours = statistics.median(both for both, _ in seconds["flow"])
        for name, pairs in seconds.items():
            values, system = [both for both, _ in pairs], statistics.median(part for _, part in pairs)
            median = statistics.median(values)
            print(f"{name:8} {known.get(name, ''):8} {median:6.2f} s CPU ({min(values):.2f} to {max(values):.2f}), system {system:5.2f}"
                  f"  {size / median:5.0f} MB/s  {median / ours:5.2f} x flow's time")


main()
