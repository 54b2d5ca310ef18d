#!/usr/bin/env python3
"""A training program of one's own, in plain Python: logistic regression. Where a framework would be is told in comments.

All it needs of flow is in its environment: FLOW_DEP_* and FLOW_OUT_* are paths, FLOW_CHECKPOINT is a folder that outlives a
failed attempt, FLOW_METRICS a file for lines of JSON, FLOW_STOP a file that appears when it is to end, FLOW_SEED a number.
"""
import argparse
import array
import json
import math
import os
import random
import signal
import struct


def npy(path):
    """The numbers of an NPY file and the length of its rows; numpy.load() where there is NumPy."""
    with open(path, "rb") as file:
        data = file.read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    head = data[10:start].decode()
    kind = {"<f4": "f", "<f8": "d", "<i8": "q", "|u1": "B"}[head.split("'descr': '")[1].split("'")[0]]
    shape = [int(n) for n in head.split("(")[1].split(")")[0].split(",") if n.strip()]
    return array.array(kind, data[start:]), math.prod(shape[1:])


def report(**record):
    with open(os.environ["FLOW_METRICS"], "a") as file:
        file.write(json.dumps(record) + "\n")


def save(path, state):
    """Whole or not at all: a kill between two lines leaves the one before."""
    with open(path + ".part", "w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def score(weight, row):
    s = weight[-1] + sum(w * v for w, v in zip(weight, row))
    return 1 / (1 + math.exp(-s)) if s > -700 else 0.0


def loss_of(weight, rows):
    total = 0.0
    for row, label in rows:
        p = score(weight, row) if label else 1 - score(weight, row)
        total += -math.log(p) if p > 0 else math.inf
    return total / len(rows)


def epoch_of(weight, rows, rate):
    """One walk over the rows, in batches of 32; optimizer.step() where there is a framework."""
    for first in range(0, len(rows), 32):
        batch = rows[first:first + 32]
        slope = [0.0] * len(weight)
        for row, label in batch:
            off = (score(weight, row) - label) / len(batch)
            for j, value in enumerate(row):
                slope[j] += off * value
            slope[-1] += off
        for j, s in enumerate(slope):
            weight[j] -= rate * s


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--epochs", type=int, required=True)
    ask.add_argument("--lr", type=float, required=True)
    asked = ask.parse_args()
    env = os.environ

    values, columns = npy(env["FLOW_DEP_X"])
    labels, _ = npy(env["FLOW_DEP_LABELS"])
    rows = [(values[i * columns:(i + 1) * columns], labels[i]) for i in range(len(labels))]
    train, valid = ([rows[i] for i in npy(env[name])[0]] for name in ("FLOW_DEP_TRAIN", "FLOW_DEP_VALID"))

    checkpoint = os.path.join(env["FLOW_CHECKPOINT"], "state.json")
    # The key stands for all that decides the result. What a training of another key has left is not this one's.
    key = env["FLOW_IDEMPOTENCY_KEY"]
    state = {"key": key, "epoch": 0, "weight": [0.0] * (columns + 1), "best": None, "best_loss": None, "curve": []}
    if os.path.exists(checkpoint):
        with open(checkpoint) as file:
            left = json.load(file)
        if left["key"] == key:
            state = left
            print("goes on after epoch", state["epoch"])
            for record in state["curve"]:  # metrics belong to an attempt: this one has the whole curve
                report(**record)

    while state["epoch"] < asked.epochs and not os.path.exists(env["FLOW_STOP"]):
        epoch = state["epoch"] = state["epoch"] + 1
        # The order is a function of seed and epoch, so that it is the same for an attempt that goes on.
        random.Random(int(env["FLOW_SEED"]) * 1000003 + epoch).shuffle(order := list(train))
        epoch_of(state["weight"], order, asked.lr)
        valid_loss = loss_of(state["weight"], valid)
        if state["best"] is None or valid_loss < state["best_loss"]:
            state["best"], state["best_loss"] = list(state["weight"]), valid_loss
        for name, value in ("loss", loss_of(state["weight"], train)), ("valid_loss", valid_loss):
            state["curve"].append({"key": name, "value": value, "step": epoch})
            report(**state["curve"][-1])
        report(progress=epoch, total=asked.epochs, what=f"valid loss {valid_loss:.4f}")
        save(checkpoint, state)
        if epoch == int(env.get("DIE_AFTER", 0)) and env["FLOW_ATTEMPT_NUMBER"] == "1":
            os.kill(os.getpid(), signal.SIGKILL)

    right = sum((score(state["best"], row) > 0.5) == label for row, label in valid)
    report(key="valid_accuracy", value=right / len(valid))
    save(env["FLOW_OUT_MODEL"], {"weight": state["best"][:-1], "bias": state["best"][-1]})


main()
