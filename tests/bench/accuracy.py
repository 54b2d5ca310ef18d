#!/usr/bin/env python3
"""Test accuracy of `uses: train` beside PyTorch on Fashion-MNIST: the same net, data, scaling, optimiser and epochs, several seeds each.
A difference of the means inside what the seeds spread is none. The exit status is 1 when it is outside.

    tests/bench/accuracy.py [--build build] [--seeds 5] [--epochs 10] [--rows 60000]

PyTorch is looked for in the Python that runs this; without it the accuracies of flow alone are printed.
"""
import argparse, gzip, json, os, shutil, statistics, struct, subprocess, sys, tempfile

DATA = "/usr/share/datasets/fashion-mnist"
HIDDEN, BATCH, RATE, DECAY = [512, 256], 256, 0.001, 0.01
LEAST_DEVIATION = 0.1 * 255  # a pixel that hardly changes is not blown up: stages/nn/samples.c


def unpack(folder):
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        with gzip.open(f"{DATA}/{name}-ubyte.gz") as packed, open(f"{folder}/{name}", "wb") as to:
            shutil.copyfileobj(packed, to)


def write_rows(path, rows):
    text = f"{{'descr': '<i8', 'fortran_order': False, 'shape': ({rows},), }}".ljust(117) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + struct.pack(f"<{rows}q", *range(rows)))


def write_project(folder, epochs):
    train = {"uses": "train", "params": ["train.seed"], "outs": {"model": "model.safetensors"},
             "with": {"model": "mlp", "hidden": HIDDEN, "batch_size": BATCH, "lr": RATE, "weight_decay": DECAY, "schedule": "constant",
                      "patience": 0, "epochs": epochs},
             "deps": {"images": "train-images-idx3", "labels": "train-labels-idx1", "rows": "rows.npy"}}
    test = {"uses": "evaluate", "outs": {"report": "report.json"},
            "deps": {"model": "model.safetensors", "images": "t10k-images-idx3", "labels": "t10k-labels-idx1"}}
    with open(f"{folder}/dag.yaml", "w") as f:
        json.dump({"version": 1, "params": {"train": {"seed": 0}}, "stages": {"train": train, "test": test}}, f)


def by_flow(flow, folder, seed):
    subprocess.run([flow, "run", "-q", "-p", f"train.seed={seed}"], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    with open(f"{folder}/report.json") as f:
        return json.load(f)["accuracy"]


def images(folder, part, rows):
    import numpy, torch

    x = numpy.fromfile(f"{folder}/{part}-images-idx3", numpy.uint8)[16:].reshape(-1, 784)[:rows]
    y = numpy.fromfile(f"{folder}/{part}-labels-idx1", numpy.uint8)[8:][:rows]
    return torch.from_numpy(x).float(), torch.from_numpy(y).long()


def by_torch(folder, seed, rows, epochs):
    import torch

    torch.manual_seed(seed)
    x, y = images(folder, "train", rows)
    test, truth = images(folder, "t10k", None)
    mean, deviation = x.mean(0), x.std(0, unbiased=False).clamp(min=LEAST_DEVIATION)
    layers, width = [], 784
    for hidden in HIDDEN:
        layers += [torch.nn.Linear(width, hidden), torch.nn.ReLU()]
        width = hidden
    net = torch.nn.Sequential(*layers, torch.nn.Linear(width, 10))
    groups = [{"params": [p for p in net.parameters() if p.dim() == 2], "weight_decay": DECAY},
              {"params": [p for p in net.parameters() if p.dim() == 1], "weight_decay": 0}]
    optimiser = torch.optim.AdamW(groups, lr=RATE)
    x = (x - mean) / deviation
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimiser.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimiser.step()
    with torch.no_grad():
        return (net((test - mean) / deviation).argmax(1) == truth).float().mean().item()


def tell(name, accuracies):
    each = "  ".join(f"{a:.4f}" for a in accuracies)
    spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0
    print(f"{name:16}{each}   mean {statistics.mean(accuracies):.4f}   deviation {spread:.4f}   "
          f"from {min(accuracies):.4f} to {max(accuracies):.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rows", type=int, default=60000)
    o = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="flow-accuracy-")
    ours, theirs = [], []
    try:
        import torch

        name = f"PyTorch {torch.__version__.split('+')[0]}"
    except ImportError:
        name = None
        print("PyTorch is not installed", file=sys.stderr)
    try:
        unpack(folder)
        write_rows(f"{folder}/rows.npy", o.rows)
        write_project(folder, o.epochs)
        for seed in range(1, o.seeds + 1):
            ours.append(by_flow(os.path.abspath(f"{o.build}/flow"), folder, seed))
            if name is not None:
                theirs.append(by_torch(folder, seed, o.rows, o.epochs))
    finally:
        shutil.rmtree(folder)
    print(f"mlp 784-{HIDDEN[0]}-{HIDDEN[1]}-10, Fashion-MNIST, {o.rows} rows, {o.epochs} epochs: accuracy on the 10,000 of the test, by seed")
    tell("flow", ours)
    if name is None:
        return 0
    tell(name, theirs)
    apart = statistics.mean(ours) - statistics.mean(theirs)
    spread = max(max(ours) - min(ours), max(theirs) - min(theirs))
    print(f"the means are {apart:+.4f} apart; the seeds spread over {spread:.4f}")
    return 0 if o.seeds < 2 or abs(apart) <= spread else 1


sys.exit(main())
