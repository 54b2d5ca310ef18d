#!/usr/bin/env python3
"""Start-up: `flow version`, and a run of a six-stage pipeline in which nothing has changed. Medians; /bin/true beside them.

    tests/bench/start.py [--flow build/flow] [--rounds 200]
"""
import argparse, os, shutil, statistics, subprocess, tempfile, time


def median(argv, folder, rounds):
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--flow", default="build/flow")
    parser.add_argument("--rounds", type=int, default=200)
    o = parser.parse_args()
    flow = os.path.abspath(o.flow)
    folder = tempfile.mkdtemp(prefix="flow-bench-")
    with open(f"{folder}/dag.yaml", "w") as f:
        f.write("version: 1\nstages:\n  s0: {cmd: echo 0 > o0, outs: [o0]}\n")
        for i in range(1, 6):
            f.write(f"  s{i}: {{cmd: cp o{i - 1} o{i}, deps: [o{i - 1}], outs: [o{i}]}}\n")
    subprocess.run([flow, "run", "-q"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    time.sleep(0.1)
    subprocess.run([flow, "run", "-q"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
    for name, argv in (("/bin/true", ["/bin/true"]), ("flow version", [flow, "version"]), ("flow run, nothing to do", [flow, "run", "-q"])):
        print(f"{name:26}{median(argv, folder, o.rounds):7.2f} ms")
    print(f"load {os.getloadavg()[0]:.1f}")
    shutil.rmtree(folder)


main()
