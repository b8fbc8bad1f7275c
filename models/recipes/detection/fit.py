"""Fits the detector of the degradation: features of the library -> coefficients as a TypeScript table.

    node scripts/detector-features.mjs SAMPLES > features.jsonl
    python fit.py --features features.jsonl --out ../../../src/restoration/prompts/detector-coefficients.ts
    python fit.py --features test-features.jsonl --report ../../../src/restoration/prompts/detector-coefficients.ts    # a confusion table, nothing is fitted

Multinomial logistic regression with an L2 penalty on standardised features and half their products (small *and* sharp, dark *and* small), every way of making a sample weighing the same within its class; pictures without a fault are
fitted to equal shares. The temperature is chosen on five folds that share no source picture.
"""

import argparse
import json
import re
import zlib
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

TASKS = ("super-resolution", "deblurring", "low-light")
PENALTY = 0.03


def load(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]


def matrix(rows):
    x = np.array([row["features"] for row in rows], np.float64)
    y = np.array([[float(row["label"] == task) if row["label"] != "none" else 1 / 3 for task in TASKS] for row in rows])
    return x, y


def weights(rows):
    """Classes weigh alike, and so do the ways of making within a class; clean pictures count half."""
    groups = [(row["label"], row["kind"].split("/")[0] + ("/" + row["kind"].split("/")[1] if row["kind"].startswith("real") else "")) for row in rows]
    sizes = {group: groups.count(group) for group in set(groups)}
    kinds = {label: len({g for g in sizes if g[0] == label}) for label, _ in sizes}
    w = np.array([(0.5 if label == "none" else 1.0) / kinds[label] / sizes[(label, kind)] for label, kind in groups])
    return w / w.sum()


def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def fit(x, y, w):
    n = x.shape[1]

    def loss(flat):
        b = flat.reshape(n + 1, 3)
        z = x @ b[:-1] + b[-1]
        lp = log_softmax(z)
        gradient = (np.exp(lp) - y) * w[:, None]
        value = -(w[:, None] * y * lp).sum() + PENALTY / 2 * (b[:-1] ** 2).sum()
        return value, np.vstack([x.T @ gradient + PENALTY * b[:-1], gradient.sum(0)]).ravel()

    return minimize(loss, np.zeros((n + 1) * 3), jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x.reshape(n + 1, 3)


def terms(x, mean, deviation):
    """Standardised features, then half the product of every two of them (i <= j)."""
    x = np.clip((x - mean) / deviation, -3, 3)
    i, j = np.triu_indices(x.shape[1])
    return np.hstack([x, x[:, i] * x[:, j] / 2])


def folds(rows):
    return np.array([zlib.crc32(row["source"].encode()) % 5 for row in rows])


def train(rows):
    x, y = matrix(rows)
    w = weights(rows)
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    x = terms(x, mean, deviation)
    fold, scores = folds(rows), np.zeros((len(rows), 3))
    for k in range(5):
        b = fit(x[fold != k], y[fold != k], w[fold != k] / w[fold != k].sum())
        scores[fold == k] = x[fold == k] @ b[:-1] + b[-1]
    temperature = min(np.geomspace(0.2, 5, 60), key=lambda t: -(w[:, None] * y * log_softmax(scores / t)).sum())
    return {"mean": mean, "deviation": deviation, "coefficients": fit(x, y, w), "temperature": float(temperature)}, scores / temperature


def report(rows, scores):
    """Confusion, accuracy a kind, and calibration as text."""
    kinds = sorted({row["kind"] for row in rows})
    chosen, sure = scores.argmax(1), np.exp(log_softmax(scores)).max(1)
    lines = ["| kind | n | " + " | ".join(TASKS) + " | right | mean confidence |", "| --- |" + " --- |" * 6]
    for kind in kinds:
        at = [i for i, row in enumerate(rows) if row["kind"] == kind]
        label = rows[at[0]]["label"]
        right = "-" if label == "none" else f"{np.mean([TASKS[chosen[i]] == label for i in at]):.1%}"
        lines.append(f"| {kind} ({label}) | {len(at)} | " + " | ".join(str(sum(chosen[i] == k for i in at)) for k in range(3)) + f" | {right} | {np.mean(sure[at]):.2f} |")
    known = [i for i, row in enumerate(rows) if row["label"] != "none"]
    hit = np.array([TASKS[chosen[i]] == rows[i]["label"] for i in known])
    lines.append(f"\nall: {hit.mean():.1%} right of {len(known)}, mean confidence {sure[known].mean():.3f}")
    per = [np.mean([TASKS[chosen[i]] == task for i in known if rows[i]["label"] == task]) for task in TASKS if any(rows[i]["label"] == task for i in known)]
    lines.append(f"mean over the tasks: {np.mean(per):.1%}")
    return "\n".join(lines)


def table(model):
    def row(values):
        return "[" + ", ".join(f"{value:.4g}" for value in values) + "]"

    tasks = ",\n".join(f"    {{ weights: {row(model['coefficients'][:-1, k])}, bias: {model['coefficients'][-1, k]:.5g} }}" for k in range(3))
    return (
        "/**\n * Coefficients of the degradation detector, fitted by `models/recipes/detection/fit.py`: mean and deviation of each feature of\n"
        " * `DETECTOR_FEATURES`, and for each of `TASKS` a weight for every standardised feature and then for half of every product of two\n"
        " * (0 0, 0 1, ... 1 1, 1 2, ...).\n */\nexport const DETECTOR = {\n"
        f"  mean: {row(model['mean'])},\n  deviation: {row(model['deviation'])},\n  temperature: {model['temperature']:.4g},\n  tasks: [\n{tasks},\n  ],\n}} as const;\n"
    )


def read_table(path):
    text = Path(path).read_text()
    numbers = [np.array([float(v) for v in part.split(",") if v.strip()]) for part in re.findall(r"\[([-\d.,e+\s]+)\]", text)]
    biases = [float(v) for v in re.findall(r"bias: ([-\d.e+]+)", text)]
    temperature = float(re.search(r"temperature: ([\d.e+-]+)", text)[1])
    return {"mean": numbers[0], "deviation": numbers[1], "coefficients": np.vstack([np.stack(numbers[2:5], 1), biases]), "temperature": temperature}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", required=True)
    parser.add_argument("--out")
    parser.add_argument("--report", help="coefficients to measure instead of fitting")
    a = parser.parse_args()
    samples = load(a.features)
    if a.report:
        detector = read_table(a.report)
        z = terms(matrix(samples)[0], detector["mean"], detector["deviation"]) @ detector["coefficients"][:-1] + detector["coefficients"][-1]
        print(report(samples, z / detector["temperature"]))
    else:
        detector, left_out = train(samples)
        print(report(samples, left_out))
        if a.out:
            Path(a.out).write_text(table(detector))
