#!/usr/bin/env python3
"""`uses: train` beside PyTorch and scikit-learn: the same data, net, batch size and optimiser, one thread each, by turns.
Samples per CPU-second: what one epoch more costs, so that starting, loading and scaling do not count. Medians; the ratio is of medians.

    tests/bench/train.py [--build build] [--rounds 5] [--case mlp,small,cnn] [--python PYTHON]...

PyTorch and scikit-learn are looked for in the Python that runs this, or in each that is named, so that releases can be compared; what is
missing is left out. Each peer runs in a process of its own.
"""
import argparse, gzip, json, os, resource, shutil, statistics, struct, subprocess, sys, tempfile, time

DATA = "/usr/share/datasets/fashion-mnist"
CASES = {  # features, hidden, epochs that are timed
    "mlp": {"hidden": [512, 256], "batch": 256, "epochs": 2, "rows": 60000},
    "small": {"hidden": [64, 32], "batch": 256, "epochs": 10, "rows": 60000, "columns": 16},
    "cnn": {"stages": [32, 64], "hidden": [128], "batch": 256, "epochs": 1, "rows": 6000},
}


def unpack(folder):
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        with gzip.open(f"{DATA}/{name}-ubyte.gz") as packed, open(f"{folder}/{name}", "wb") as to:
            shutil.copyfileobj(packed, to)


def npy(path, kind, shape, data):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data)


def make_table(folder, rows, columns):
    """Numbers from a small generator, and ten classes that depend on them."""
    state, values, classes = 12345, [], []
    for _ in range(rows):
        row = []
        for _ in range(columns):
            state = (state * 1103515245 + 12345) % 2147483648
            row.append(state / 1073741824 - 1)
        values += row
        classes.append(int(abs(row[0] * 3 + row[1] * row[2] * 5 + row[3]) * 2) % 10)
    npy(f"{folder}/table.npy", "<f4", (rows, columns), struct.pack(f"<{len(values)}f", *values))
    npy(f"{folder}/classes.npy", "<i8", (rows,), struct.pack(f"<{rows}q", *classes))


def flow_train(flow, folder, case, epochs, seed=0, lr=0.001, extra=None):
    """CPU seconds of one training by flow; its model is model.safetensors."""
    spec = CASES[case]
    project = f"{folder}/project"
    shutil.rmtree(project, ignore_errors=True)
    os.mkdir(project)
    options = {"model": "cnn" if "stages" in spec else "mlp", "hidden": spec["hidden"], "batch_size": spec["batch"], "epochs": epochs, "lr": lr,
               "schedule": "constant", "patience": 0, "metric_every": 1000000}
    if "stages" in spec:
        options["stages"] = spec["stages"]
    options.update(extra or {})
    table = "columns" in spec
    deps = {"features" if table else "images": f"{folder}/table.npy" if table else f"{folder}/train-images-idx3",
            "labels": f"{folder}/classes.npy" if table else f"{folder}/train-labels-idx1"}
    npy(f"{folder}/rows.npy", "<i8", (spec["rows"],), struct.pack(f"<{spec['rows']}q", *range(spec["rows"])))
    deps["rows"] = f"{folder}/rows.npy"
    stages = {"train": {"uses": "train", "with": options, "deps": deps, "outs": {"model": "model.safetensors"}, "resources": {"cpu": 1},
                        "env": {"SEED": str(seed)}}}
    with open(f"{project}/dag.yaml", "w") as f:
        json.dump({"version": 1, "stages": stages}, f)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([flow, "run", "-q"], cwd=project, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def read_data(folder, case):
    import numpy

    spec = CASES[case]
    if "columns" in spec:
        return numpy.load(f"{folder}/table.npy"), numpy.load(f"{folder}/classes.npy")
    x = numpy.fromfile(f"{folder}/train-images-idx3", numpy.uint8)[16:].reshape(60000, 784)[: spec["rows"]]
    return x, numpy.fromfile(f"{folder}/train-labels-idx1", numpy.uint8)[8:].astype(numpy.int64)[: spec["rows"]]


def torch_net(spec, columns):
    from torch import nn

    layers, width = [], columns
    if "stages" in spec:
        side, before = 28, 1
        for channels in spec["stages"]:
            for _ in range(2):
                layers += [nn.Conv2d(before, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()]
                before = channels
            layers.append(nn.MaxPool2d(2))
            side //= 2
        layers.append(nn.Flatten())
        width = before * side * side
    for hidden in spec["hidden"]:
        layers += [nn.Linear(width, hidden), nn.ReLU()]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, 10))


def torch_train(folder, case, loader, fused):
    """CPU seconds of the epochs, after one step that is not counted."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    spec = CASES[case]
    x, y = (torch.from_numpy(a) for a in read_data(folder, case))
    shape = (-1, 1, 28, 28) if "stages" in spec else (-1, x.shape[1])
    mean, deviation = x.float().mean(0), x.float().std(0).clamp(min=1)
    net = torch_net(spec, x.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.001, fused=fused)
    criterion = torch.nn.CrossEntropyLoss()

    def step(a, b):
        optimiser.zero_grad(set_to_none=True)
        criterion(net(((a.float() - mean) / deviation).reshape(shape)), b).backward()
        optimiser.step()

    step(x[: spec["batch"]], y[: spec["batch"]])
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=spec["batch"], shuffle=True)
    began = time.process_time()
    for _ in range(spec["epochs"]):
        if loader:
            for a, b in data:
                step(a, b)
        else:
            for rows in torch.randperm(len(x)).split(spec["batch"]):
                step(x[rows], y[rows])
    return time.process_time() - began


def sklearn_train(folder, case):
    import warnings
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")
    spec = CASES[case]
    x, y = read_data(folder, case)
    x = ((x - x.mean(0)) / x.std(0).clip(1)).astype("float32")
    with threadpool_limits(1):
        times = []
        for epochs in (1, 1 + spec["epochs"]):
            net = MLPClassifier(spec["hidden"], batch_size=spec["batch"], max_iter=epochs, tol=0, random_state=0)
            began = time.process_time()
            net.fit(x, y)
            times.append(time.process_time() - began)
    return times[1] - times[0]


def peers_here(case):
    """What this Python has: name of each peer, and its function."""
    found = {}
    try:
        import torch

        name = f"PyTorch {torch.__version__}"
        found[name] = lambda f: torch_train(f, case, False, False)
        found[f"{name}, fused AdamW"] = lambda f: torch_train(f, case, False, True)
        if case == "small":
            found[f"{name}, DataLoader"] = lambda f: torch_train(f, case, True, False)
    except ImportError:
        pass
    try:
        import numpy
        import sklearn

        if case != "cnn":
            found[f"scikit-learn {sklearn.__version__}, numpy {numpy.__version__}"] = lambda f: sklearn_train(f, case)
    except ImportError:
        pass
    return found


def ask(python, case, *more):
    """What another Python prints of its peers: the names of all, or the seconds of one."""
    return subprocess.run([python, __file__, "--case", case, *more], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def measure(flow, folder, case, rounds, pythons):
    spec = CASES[case]
    rates = {"flow": []}
    peers = [(name, python) for python in pythons for name in ask(python, case, "--peer", "")]
    for _ in range(rounds):
        took = flow_train(flow, folder, case, 1 + spec["epochs"]) - flow_train(flow, folder, case, 1)
        rates["flow"].append(spec["rows"] * spec["epochs"] / took)
        for name, python in peers:
            took = float(ask(python, case, "--peer", name, "--folder", folder)[-1])
            rates.setdefault(name, []).append(spec["rows"] * spec["epochs"] / took)
    print(f"{case}: {spec}")
    for name, each in rates.items():
        rate = statistics.median(each)
        ratio = statistics.median(rates["flow"]) / rate
        print(f"  {name:38}{rate:12,.0f} samples per CPU-second   ({min(each):,.0f} to {max(each):,.0f})   flow is {ratio:.2f} x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", default="mlp,small,cnn")
    parser.add_argument("--python", action="append", help="a Python that has peers; may be repeated; this one by default")
    parser.add_argument("--peer", help=argparse.SUPPRESS)  # of ask()
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.peer is not None:
        print(peers_here(o.case)[o.peer](o.folder) if o.peer else "\n".join(peers_here(o.case)))
        return
    folder = tempfile.mkdtemp(prefix="flow-bench-")
    unpack(folder)
    make_table(folder, CASES["small"]["rows"], CASES["small"]["columns"])
    for case in o.case.split(","):
        measure(os.path.abspath(f"{o.build}/flow"), folder, case, o.rounds, o.python or [sys.executable])
    print(f"load {os.getloadavg()[0]:.1f}")
    shutil.rmtree(folder)


main()
