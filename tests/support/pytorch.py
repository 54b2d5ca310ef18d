#!/usr/bin/env python3
"""Models that flow wrote, scored by PyTorch: the names and the layout of the tensors must mean there what they mean here.

    tests/support/pytorch.py BUILD             compares; 77 where PyTorch is not installed
    tests/support/pytorch.py BUILD --record    writes tests/support/pytorch_scores.h, for tests where it is not
"""
import json, os, struct, subprocess, sys, tempfile

try:
    import torch
    from torch.nn import functional
except ImportError:
    print("PyTorch is not installed")
    sys.exit(77)

HEADER = """/*
 * tests/support/pytorch_scores.h - what PyTorch makes of the models of test_stage_pytorch.c.
 *
 * Written by tests/support/pytorch.py BUILD --record.
 */
#ifndef FLOW_TESTS_SUPPORT_PYTORCH_SCORES_H
#define FLOW_TESTS_SUPPORT_PYTORCH_SCORES_H

static const float pytorch_scores[] = {
%s};

#endif
"""


def read(path):
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(size)), f.read()
    notes = header.pop("__metadata__", {})
    kinds = {"F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=kinds[t["dtype"]]).reshape(t["shape"])
    return tensors, notes


class Model:
    """The network of a file, in functions of PyTorch."""

    def __init__(self, path):
        self.t, notes = read(path)
        self.height, self.width, self.channels = json.loads(notes["input_shape"])
        self.hidden, self.stages = json.loads(notes["hidden"]), json.loads(notes["stages"])
        self.categories = json.loads(notes.get("categories", "[]"))
        self.kind, self.norm_kind, self.residual = notes["model"], notes["norm"], notes["residual"] == "true"
        self.is_point = False  # the image has become one
        self.unit = float(notes["unit"])
        self.activate = torch.relu if notes["activation"] == "relu" else lambda x: functional.gelu(x, approximate="tanh")

    def norm(self, name, x):
        t = self.t
        if self.norm_kind == "batch":
            return functional.batch_norm(x, t[name + ".running_mean"], t[name + ".running_var"], t[name + ".weight"], t[name + ".bias"], eps=1e-5)
        if self.norm_kind == "layer":
            return functional.layer_norm(x, x.shape[1:], t[name + ".weight"], t[name + ".bias"], eps=1e-5)
        return x

    def linear(self, name, x):
        return functional.linear(x, self.t[name + ".weight"], self.t[name + ".bias"])

    def conv(self, name, x):
        x = functional.conv2d(x, self.t[name + ".conv.weight"], self.t[name + ".conv.bias"], padding=1)
        return self.norm(name + ".norm", x)

    def embed(self, x):
        columns, codes = self.categories[0::3], self.categories[1::3]
        parts = [x[:, [j for j in range(x.shape[1]) if j not in columns]]]
        for number, (column, count) in enumerate(zip(columns, codes)):
            code = x[:, column].long()
            code = torch.where((code >= 0) & (code < count), code, count)
            parts.append(functional.embedding(code, self.t[f"embedding.{number}.weight"], padding_idx=count))
        return torch.cat(parts, 1)

    def images(self, x):
        x = x.reshape(-1, self.height, self.width, self.channels).permute(0, 3, 1, 2)
        for i in range(len(self.stages)):
            first = self.activate(self.conv(f"stages.{i}.0", x))
            x = self.conv(f"stages.{i}.1", first)
            x = self.activate(x + first if self.residual else x)
            if x.shape[2] >= 2 and x.shape[3] >= 2:
                x = functional.max_pool2d(x, 2)
        self.is_point = x.shape[2] == 1
        return x.flatten(1) if self.hidden else x.mean((2, 3))

    def score(self, value):
        x = (value * self.unit - self.t["input.mean"]) / self.t["input.std"]
        if self.kind == "cnn":
            x = self.images(x)
        if self.categories:
            x = self.embed(x)
        for i in range(len(self.hidden)):
            y = self.activate(self.norm(f"hidden.{i}.norm", self.linear(f"hidden.{i}.linear", x)))
            inner = i > 0 or self.is_point
            x = y + x if self.residual and inner and x.shape == y.shape else y
        return self.linear("head", x)


def main():
    build, scores = sys.argv[1], []
    with tempfile.TemporaryDirectory(prefix="flow-pytorch-") as folder:
        subprocess.run([f"{build}/tests/test_stage_pytorch", folder], check=True)
        for number in range(len(os.listdir(folder)) // 2):
            rows, _ = read(f"{folder}/{number}.rows")
            made = Model(f"{folder}/{number}.model").score(rows["value"])
            scores += made.flatten().tolist()
            off = (made - rows["score"]).abs().max().item()
            print(f"model {number}: at most {off:.1g} apart, of {made.abs().max():.2g}")
            if off > 1e-5:
                return 1
    if sys.argv[2:] == ["--record"]:
        with open(os.path.join(os.path.dirname(__file__), "pytorch_scores.h"), "w") as f:
            f.write(HEADER % "".join(f"\t{s:.9g}f,\n" if "." in f"{s:.9g}" else f"\t{s:.9g}.0f,\n" for s in scores))
    return 0


sys.exit(main())
