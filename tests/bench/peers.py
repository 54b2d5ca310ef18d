#!/usr/bin/env python3
"""flow beside ninja and make on the same graphs: cold run, nothing to do, plan; ratios of medians.

    tests/bench/peers.py [--flow build/flow] [--tasks 1000] [--shape layered|wide|chain] [--rounds 5] [--what cold,noop,plan]

Each round runs every program once, one after the other, in an order that rotates, so that a busy machine hits all alike. A task copies
one small file; in `layered` it waits for three of the layer above. The peers get the command as a shell line, as their users write it.
"""
import argparse, os, resource, shutil, statistics, subprocess, sys, tempfile, threading, time

LAYER = 100


def graph(shape, count):
    """Yields (name, inputs)."""
    for i in range(count):
        if shape == "chain":
            yield f"t{i}", [f"t{i - 1}"] if i else []
        elif shape == "layered" and i >= LAYER:
            base = (i // LAYER - 1) * LAYER
            yield f"t{i}", [f"t{base + (i + k * 37) % LAYER}" for k in range(3)]
        else:
            yield f"t{i}", []


def write_flow(folder, tasks):
    with open(f"{folder}/dag.yaml", "w") as f:
        f.write("version: 1\nstages:\n")
        for name, inputs in tasks:
            deps = [f"out/{i}" for i in inputs] or ["src"]
            f.write(f"  {name}:\n    cmd: cp {deps[0]} out/{name}\n    deps: [{', '.join(deps)}]\n    outs: [out/{name}]\n")


def write_ninja(folder, tasks):
    with open(f"{folder}/build.ninja", "w") as f:
        f.write("rule cp\n command = cp $first $out\n")
        for name, inputs in tasks:
            deps = [f"out/{i}" for i in inputs] or ["src"]
            f.write(f"build out/{name}: cp {' '.join(deps)}\n first = {deps[0]}\n")


def write_make(folder, tasks):
    with open(f"{folder}/Makefile", "w") as f:
        f.write("all: " + " ".join(f"out/{n}" for n, _ in tasks) + "\n")
        for name, inputs in tasks:
            deps = [f"out/{i}" for i in inputs] or ["src"]
            f.write(f"out/{name}: {' '.join(deps)}\n\tcp {deps[0]} out/{name}\n")


def clear(folder):
    for name in ("out", ".flow", ".ninja_log", ".ninja_deps"):
        path = f"{folder}/{name}"
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.remove(path)
    os.makedirs(f"{folder}/out")


def peak_of(pid, answer):
    """The kernel's high-water mark, looked at until the process is gone (rusage would tell that of this interpreter)."""
    while True:
        try:
            with open(f"/proc/{pid}/status") as f:
                lines = [line for line in f if line.startswith("VmHWM")]
        except OSError:
            return
        if not lines:
            return
        answer[0] = int(lines[0].split()[1])
        time.sleep(0.02)


def timed(argv, folder, peak=False):
    """Seconds of wall time, CPU seconds of all it waited for, peak KiB of the program itself when asked for."""
    began = time.perf_counter()
    answer = [0]
    process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if peak:
        watcher = threading.Thread(target=peak_of, args=(process.pid, answer))
        watcher.start()
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    if peak:
        watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{argv}: exit {process.returncode}\n{err.decode()[-2000:]}")
    return took, usage.ru_utime + usage.ru_stime, answer[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--flow", default="build/flow")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--shape", default="layered", choices=["layered", "wide", "chain"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--what", default="cold,noop,plan")
    parser.add_argument("--peers", default="flow,ninja,make")
    o = parser.parse_args()
    flow = os.path.abspath(o.flow)
    tasks = list(graph(o.shape, o.tasks))
    top = tempfile.mkdtemp(prefix="flow-bench-")
    writers = {"flow": write_flow, "ninja": write_ninja, "make": write_make}
    commands = {
        "cold": {"flow": [flow, "run", "-q", "-j2"], "ninja": ["ninja", "-j2", "--quiet"], "make": ["make", "-sj2", "all"]},
        "plan": {"flow": [flow, "plan"], "ninja": ["ninja", "-n"], "make": ["make", "-n", "all"]},
    }
    commands["noop"] = commands["cold"]
    peers = [p for p in o.peers.split(",") if p == "flow" or shutil.which(p)]
    for peer in peers:
        folder = f"{top}/{peer}"
        os.makedirs(folder)
        writers[peer](folder, tasks)
        with open(f"{folder}/src", "w") as f:
            f.write("a small file\n" * 8)
        clear(folder)
    result = {}
    for what in ("plan", "cold", "noop"):
        if what not in o.what.split(",") and not (what == "cold" and "noop" in o.what):
            continue
        rounds = o.rounds if what in o.what.split(",") else 1
        for r in range(rounds):
            for peer in peers[r % len(peers):] + peers[: r % len(peers)]:
                folder = f"{top}/{peer}"
                if what == "cold":
                    clear(folder)
                result.setdefault((what, peer), []).append(timed(commands[what][peer], folder, what == "cold"))
    print(f"{o.shape}, {o.tasks} tasks, -j2, {o.rounds} rounds, load {os.getloadavg()[0]:.1f}")
    print(f"{'':6}{'program':8}{'median':>10}{'ratio':>8}{'CPU':>9}{'peak':>10}")
    for what in ("cold", "noop", "plan"):
        if (what, "flow") not in result:
            continue
        for peer in peers:
            rows = result[(what, peer)]
            wall = statistics.median(row[0] for row in rows)
            base = statistics.median(row[0] for row in result[(what, "ninja" if "ninja" in peers else "flow")])
            cpu = statistics.median(row[1] for row in rows)
            print(f"{what:6}{peer:8}{wall * 1000:8.0f}ms{wall / base:8.2f}{cpu * 1000:7.0f}ms{max(row[2] for row in rows) or '-':>7} KiB")
    shutil.rmtree(top)


main()
