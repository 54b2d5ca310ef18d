#!/usr/bin/env python3
"""How long a training waits for data that memory cannot hold.

    tests/bench/datawait.py --build build [--memory 256] [--times 4] [--epochs 2] [--cores 2]

Makes a shard of byte images, `times` as large as the memory limit (MB), and trains an mlp 784-512-256-10 on it inside a memory
cgroup of that limit, which counts the page cache too: by turns with and without a thread that fetches ahead, in windows and over all
rows. Prints the share of each epoch's time that was waited for data, with the bytes that were read from the disk. Needs a memory
cgroup (v1 or v2) that it may write to, and numpy.
"""
import argparse, json, os, shutil, sqlite3, subprocess, sys, tempfile, time

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--build", default="build")
parser.add_argument("--memory", type=int, default=256)
parser.add_argument("--times", type=float, default=4)
parser.add_argument("--window", type=int, default=8192)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--cores", type=int, default=2)
parser.add_argument("--folder", default=None, help="where the data go; a file system on a disk")
parser.add_argument("--only", default=None, help="one of the ways")
args = parser.parse_args()
flow = os.path.abspath(f"{args.build}/flow")
rows = int(args.memory * 1e6 * args.times / 784)


def make_group():
    """A cgroup of its own, or None."""
    for base, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = f"{base}/flow-bench-{os.getpid()}"
        try:
            os.mkdir(group)
            with open(f"{group}/{limit}", "w") as f:
                f.write(str(args.memory * 1000000))
            return group
        except OSError:
            if os.path.isdir(group):
                os.rmdir(group)
    sys.exit("no memory cgroup can be made here")


def run(command, group=None):
    def enter():
        if group:
            with open(f"{group}/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, preexec_fn=enter)
    if done.returncode:
        sys.exit(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def dag(stages):
    with open(f"{folder}/dag.yaml", "w") as f:
        json.dump({"version": 1, "name": "datawait", "stages": stages}, f)


def make_data():
    random = np.random.default_rng(1)
    x = np.lib.format.open_memmap(f"{folder}/x.npy", mode="w+", dtype=np.uint8, shape=(rows, 28, 28))
    y = random.integers(0, 10, rows)
    face = random.integers(0, 256, (10, 28, 28))
    for first in range(0, rows, 10000):
        part = slice(first, min(first + 10000, rows))
        noise = random.integers(0, 256, (y[part].size, 28, 28))
        x[part] = (face[y[part]] + noise) // 2
    x.flush()
    np.save(f"{folder}/y.npy", y)
    dag({"table": {"uses": "table", "deps": {"data": "x.npy", "labels": "y.npy"}, "outs": {"table": "t.shard"}}})
    run([flow, "run", "-q"])
    os.unlink(f"{folder}/x.npy")
    shutil.rmtree(f"{folder}/.flow")


def disk_bytes():
    """Read by this machine from all its disks so far."""
    total = 0
    for line in open("/proc/diskstats"):
        field = line.split()
        if not field[2].startswith(("loop", "ram", "dm-")) and not field[2][-1].isdigit():
            total += int(field[5]) * 512
    return total


def drop():
    """Out of the page cache: what is read there from now on is counted to the group that reads it."""
    with open(f"{folder}/t.shard") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def train(name, keys, group):
    with_keys = {"model": "mlp", "hidden": [512, 256], "batch_size": 256, "lr": 0.001, "epochs": args.epochs, "patience": 0,
                 "metric_every": 1000000, **keys}
    dag({"train": {"uses": "train", "with": with_keys, "deps": {"table": "t.shard"}, "outs": {"model": f"{name}.safetensors"},
                   "resources": {"cpu": args.cores}}})
    drop()
    before = disk_bytes()
    began = time.time()
    run([flow, "run", "-q"], group)
    took = time.time() - began
    db = sqlite3.connect(f"file:{folder}/.flow/flow.db?mode=ro", uri=True)
    print(f"{name:<24}", end="")
    for metric in ("data_wait", "samples_per_second"):
        values = db.execute("select value from metric where name = ? and attempt = (select max(id) from attempt) order by step", (metric,))
        print(f"  {metric} {'  '.join(f'{v:.4g}' for (v,) in values)}", end="")
    print(f"  {took:.0f} s, {(disk_bytes() - before) / 1e9:.1f} GB read, load {os.getloadavg()[0]:.1f}", flush=True)


folder = tempfile.mkdtemp(prefix="flow-datawait-", dir=args.folder)
group = make_group()
try:
    make_data()
    size = os.path.getsize(f"{folder}/t.shard")
    print(f"{rows} rows, {size / 1e6:.0f} MB, memory {args.memory} MB, {args.cores} cores of {os.cpu_count()}")
    ways = {"windows, 1 thread": {"shuffle_rows": args.window, "decode_threads": 1},
            "windows, no thread": {"shuffle_rows": args.window, "decode_threads": 0},
            "all rows, 1 thread": {"decode_threads": 1},
            "all rows, no thread": {"decode_threads": 0}}
    for name, keys in ways.items():
        if args.only in (None, name):
            train(name, keys, group)
finally:
    shutil.rmtree(folder)
    os.rmdir(group)
