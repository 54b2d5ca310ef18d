"""Rows of numbers in four classes: features.npy, labels.npy, train.npy, valid.npy."""
import random, struct


def npy(path, kind, shape, data):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data)


random.seed(1)
rows = [[random.uniform(-1, 1) for _ in range(8)] for _ in range(1200)]
classes = [2 * (r[0] * r[1] > 0) + (r[2] + r[3] > 0) for r in rows]
npy("features.npy", "<f4", (1200, 8), struct.pack("<9600f", *[x for r in rows for x in r]))
npy("labels.npy", "<i8", (1200,), struct.pack("<1200q", *classes))
npy("train.npy", "<i8", (1000,), struct.pack("<1000q", *range(1000)))
npy("valid.npy", "<i8", (200,), struct.pack("<200q", *range(1000, 1200)))
