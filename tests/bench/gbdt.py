#!/usr/bin/env python3
"""`uses: train` with model gbdt beside XGBoost in Python: the same rows, bins, depth, rate and rounds, one thread, by turns. From the
start of the process to the model in its file: starting, reading and all. CPU seconds and wall seconds; medians; the ratio is flow / Python.

    tests/bench/gbdt.py [--build build] [--rounds 5] [--rows 100000] [--columns 50] [--trees 100] [--threads 1] [--python python3]

`--python` is one that has numpy and xgboost (Debian: python3-xgboost).
"""
import argparse, json, os, resource, shutil, statistics, subprocess, tempfile, time

MAKE = """
import sys, numpy
folder, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
draw = numpy.random.default_rng(1)
x = draw.standard_normal((rows, columns)).astype("f4")
z = x[:, 0] * 2 + x[:, 1] * x[:, 2] * 1.5 - (x[:, 3] > 0.5) * 2 + numpy.sin(x[:, 4] * 3) + draw.standard_normal(rows) * 0.5
numpy.save(folder + "/x.npy", x)
numpy.save(folder + "/y.npy", (z > 0).astype("i8"))
"""
TRAIN = """
import sys, numpy, xgboost
folder, kind, trees, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
x, y = numpy.load(folder + "/x.npy"), numpy.load(folder + "/y.npy")
matrix = xgboost.QuantileDMatrix(x, y, nthread=threads) if kind == "QuantileDMatrix" else xgboost.DMatrix(x, y, nthread=threads)
options = {"tree_method": "hist", "objective": "binary:logistic", "eta": 0.1, "max_depth": 6, "nthread": threads}
xgboost.train(options, matrix, trees).save_model(folder + "/python.ubj")
"""
COMPARE = """
import sys, numpy, xgboost
folder = sys.argv[1]
x, y = numpy.load(folder + "/x.npy"), numpy.load(folder + "/y.npy")
loss = lambda p: -numpy.mean(y * numpy.log(p) + (1 - y) * numpy.log1p(-p))
for name in "flow", "python":
    print(f"  loss of {name}'s model on its rows {loss(xgboost.Booster(model_file=f'{folder}/{name}.ubj').predict(xgboost.DMatrix(x))):.5f}")
print("  xgboost", xgboost.__version__, "numpy", numpy.__version__)
"""


def measured(command, **more):
    """CPU and wall seconds of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - began


def prepare_flow(folder, o):
    project = f"{folder}/project"
    shutil.rmtree(project, ignore_errors=True)
    os.mkdir(project)
    stage = {"uses": "train", "with": {"model": "gbdt", "rounds": o.trees, "patience": 0}, "resources": {"cpu": o.threads},
             "deps": {"features": f"{folder}/x.npy", "labels": f"{folder}/y.npy"}, "outs": {"model": "model.ubj"}}
    with open(f"{project}/dag.yaml", "w") as f:
        json.dump({"version": 1, "stages": {"train": stage}}, f)
    return project


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--python", default="python3")
    for name, value in ("rounds", 5), ("rows", 100000), ("columns", 50), ("trees", 100), ("threads", 1):
        parser.add_argument("--" + name, type=int, default=value)
    o = parser.parse_args()
    flow, folder = os.path.abspath(f"{o.build}/flow"), tempfile.mkdtemp(prefix="flow-bench-")
    subprocess.run([o.python, "-c", MAKE, folder, str(o.rows), str(o.columns)], check=True)
    took = {}
    for _ in range(o.rounds):
        project = prepare_flow(folder, o)
        took.setdefault("flow", []).append(measured([flow, "run", "-q"], cwd=project, stderr=subprocess.DEVNULL))
        for kind in "DMatrix", "QuantileDMatrix":
            command = [o.python, "-c", TRAIN, folder, kind, str(o.trees), str(o.threads)]
            took.setdefault(kind, []).append(measured(command))
    shutil.copy(f"{project}/model.ubj", f"{folder}/flow.ubj")
    print(f"{o.rows} rows, {o.columns} columns, {o.trees} trees, {o.threads} threads, medians of {o.rounds}; load {os.getloadavg()[0]:.1f}")
    middle = {name: [statistics.median(t[i] for t in times) for i in (0, 1)] for name, times in took.items()}
    for name, (cpu, wall) in middle.items():
        ratio = "" if name == "flow" else f"   flow / it: CPU {middle['flow'][0] / cpu:.2f}, wall {middle['flow'][1] / wall:.2f}"
        print(f"  {name:16} CPU {cpu:6.2f} s   wall {wall:6.2f} s{ratio}")
    subprocess.run([o.python, "-c", COMPARE, folder], check=True)
    shutil.rmtree(folder)


main()
