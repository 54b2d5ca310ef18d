"""Features and labels of 60 rows with one thing wrong: make.py WHAT"""
import struct, sys

what = sys.argv[1] if len(sys.argv) > 1 else ""
rows, columns = 60, 3
x = [[(r * 7 + c * 3) % 11 / 11 for c in range(columns)] for r in range(rows)]
y = [r % 2 for r in range(rows)]
x_type, y_type, shape = "<f4", "<i8", f"({rows}, {columns})"
if what == "nan":
    x[41][2] = float("nan")
elif what == "infinite":
    x[7][0] = float("-inf")
elif what == "label":
    y, y_type = [float(v) for v in y], "<f4"
    y[5] = float("nan")
elif what == "negative":
    y[5] = -1
elif what == "one":
    y = [1] * rows
elif what == "rare":
    y[30] = 2
elif what == "constant":
    x = [[row[0], 4.5, row[2]] for row in x]
elif what == "complex":
    x_type = "<c8"
elif what == "swapped":
    x_type = ">f4"
elif what == "cube":
    shape = f"({rows}, 1, {columns})"
elif what == "lying":
    shape = "(4611686018427387904, 4)"
elif what == "short":
    y = y[:-1]


def npy(path, kind, shape, values):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + values)


npy("x.npy", x_type, shape, struct.pack(f"<{rows * columns}f", *(v for row in x for v in row))[:-5 if what == "cut" else None])
npy("y.npy", y_type, f"({len(y)},)", struct.pack(f"<{len(y)}{'f' if y_type == '<f4' else 'q'}", *y))
