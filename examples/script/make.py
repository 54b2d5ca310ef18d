"""Rows made for this example: is a point inside a ring? The squares of its place are columns too, so that a line can tell."""
import random
import sys

draw = random.Random(5)
print("x,y,xx,yy,label")
for _ in range(int(sys.argv[1])):
    x, y = draw.gauss(0, 1), draw.gauss(0, 1)
    inside = x * x + y * y < 1.4
    if draw.random() < 0.03:
        inside = not inside
    print(f"{x:.6f},{y:.6f},{x * x:.6f},{y * y:.6f},{int(inside)}")
