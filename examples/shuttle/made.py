"""Rows of the kind of Shuttle: nine columns of whole numbers, seven classes, nearly eight of ten rows in one of them."""
import random

draw = random.Random(7)
names = ["Rad.Flow", "Fpv.Close", "Fpv.Open", "High", "Bypass", "Bpv.Close", "Bpv.Open"]
shares = [4558, 50, 171, 890, 320, 8, 11]
rows = []
for kind, (name, count) in enumerate(zip(names, shares)):
    for _ in range(count):
        centre = [45 + 6 * kind, 0, 85 - 4 * kind, 0, 40 - 9 * (kind % 3), 0, 40, 48 + 7 * (kind % 4), 8 * (kind % 2)]
        spread = [7, 30, 6, 20, 8, 60, 9, 7, 5]
        rows.append([str(round(draw.gauss(c, s))) for c, s in zip(centre, spread)] + [name])
        if draw.random() < 0.01:
            rows[-1][draw.randrange(9)] = "NA"
draw.shuffle(rows)
print(",".join(f"V{i}" for i in range(1, 10)) + ",Class")
for row in rows:
    print(",".join(row))
