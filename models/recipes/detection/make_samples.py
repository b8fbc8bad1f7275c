"""Degraded pictures to fit the detector of the degradation on: DATA/train -> OUT/*.png and OUT/samples.jsonl.

    python make_samples.py --data DATA --out OUT [--count 260] [--seed 1]

A line of samples.jsonl: {"file", "label", "source", "kind"}; label is a task or "none" (a large picture without a fault); kind says how it was made. Test sets are not read.
"""

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compact"))

import degradations as d  # noqa: E402
from samples import files, read  # noqa: E402


def shrink(x, factor):
    h, w = x.shape[:2]
    return d.resize(x, max(16, round(h / factor)), max(16, round(w / factor)))


def window(rng, x, height, width):
    """A crop, or the whole picture where it is smaller."""
    h, w = x.shape[:2]
    top, left = (int(rng.integers(max(1, n - m + 1))) for n, m in ((h, height), (w, width)))
    return x[top : top + height, left : left + width]


def view(rng, x):
    """A picture as people have it: some smaller version of the original, or a part of it."""
    x = x / np.float32(255)
    if min(x.shape[:2]) > 400 and rng.random() < 0.8:
        x = shrink(x, float(rng.uniform(1, min(x.shape[:2]) / 240)))
    if rng.random() < 0.3:
        side = int(rng.integers(200, 700))
        x = window(rng, x, side, int(side * rng.uniform(1, 1.8)))
    return np.ascontiguousarray(x[:720, :1280])


def jpeg(rng, x, share):
    if rng.random() > share:
        return x
    quality = int(rng.integers(75, 96))
    stored = cv2.imencode(".jpg", (x[..., ::-1] * 255 + 0.5).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(stored, cv2.IMREAD_COLOR)[..., ::-1] / np.float32(255)


def small(rng, x):
    x = view(rng, x)
    factor = float(rng.choice((4, 4, 4, 3, 2))) if min(x.shape[:2]) > 120 else 2.0
    return jpeg(rng, shrink(x, factor), 0.15), f"small/{factor:g}"


def enlarged(rng, x):
    x = view(rng, x)
    h, w = (n // 4 * 4 for n in x.shape[:2])
    factor = float(rng.choice((4, 4, 3, 2.5)))
    low = jpeg(rng, shrink(x[:h, :w], factor), 0.2)
    if rng.random() < 0.6:
        return d.resize(low, h, w), f"enlarged/{factor:g}"
    kind = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST)))
    return np.clip(cv2.resize(low, (w, h), interpolation=kind), 0, 1), f"enlarged/{factor:g}/cv{kind}"


def blurred(rng, x):
    x = view(rng, x)
    length = float(np.exp(rng.uniform(np.log(4), np.log(36)))) * max(0.7, min(1.6, min(x.shape[:2]) / 400))
    x8 = (x * 255 + 0.5).astype(np.uint8)
    way = rng.random()
    if way < 0.12:
        y, kind = d.aperture_path(x, 1.0, length / 5)[0], "defocus"
    elif way < 0.6:
        y, kind = d.shake_path(rng, x8, 1.0, length, 17, rng.random() < 0.4)[0], "shake"
    else:
        h, w = x.shape[:2]
        y, kind = d.exposure_path(rng, x8, 1.0, length, 13, (w / 2, h / 2), float(max(h, w)), int(rng.integers(0, 3)), rng.random() < 0.4)[0], "exposure"
    margin = int(min(length / 2, 24))
    y = y[margin : y.shape[0] - margin, margin : y.shape[1] - margin]
    if rng.random() < 0.4:
        y = y + rng.normal(0, float(rng.uniform(0.002, 0.012)), y.shape).astype(np.float32)
    return jpeg(rng, np.clip(y, 0, 1), 0.4), f"{kind}"


def dark(rng, x):
    x = view(rng, x)
    if rng.random() < 0.3 and min(x.shape[:2]) > 120:  # a small dark picture is dark first of all
        x = shrink(x, float(rng.uniform(2, 4)))
    gain = np.exp(rng.uniform(np.log(0.001), np.log(0.2)) + rng.normal(0, 0.1, 3)).astype(np.float32)
    return jpeg(rng, d.level_path(rng, x, 1.0, gain)[0], 0.3), "darkened"


def clean(rng, x):
    x = x / np.float32(255)
    if rng.random() < 0.5 and min(x.shape[:2]) > 700:
        x = shrink(x, float(rng.uniform(1, 1.8)))
    if rng.random() < 0.3:
        x = window(rng, x, 480, 640)
    return jpeg(rng, x[:800, :1200], 0.5), "clean"


def make(data, out, count, seed):
    train, out = Path(data) / "train", Path(out)
    out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    photos, bsds = files(train / "photos"), files(train / "bsds")
    rows = []

    def keep(x, label, source, kind):
        name = f"{len(rows):05d}.png"
        cv2.imwrite(str(out / name), (np.clip(x[..., ::-1], 0, 1) * 255 + 0.5).astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        rows.append({"file": name, "label": label, "source": source, "kind": kind})

    for part in ("lol", "reds"):
        for path in files(train / part / "input"):
            keep(read(path) / np.float32(255), {"lol": "low-light", "reds": "deblurring"}[part], f"{part}/{path.stem if part == 'lol' else path.stem[:3]}", f"real/{part}")
    rng = np.random.default_rng(seed)
    makers = (("super-resolution", small), ("super-resolution", enlarged), ("deblurring", blurred), ("low-light", dark), ("none", clean), ("deblurring", blurred))
    for i in range(count):
        for label, maker in makers:
            pool = photos if rng.random() < 0.5 and photos else bsds
            path = pool[int(rng.integers(len(pool)))]
            if label == "none" and i % 2:
                continue
            picture, kind = maker(rng, read(path))
            keep(picture, label, path.stem, kind)
    (out / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=260, help="samples of each way of making")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    print(len(make(a.data, a.out, a.count, a.seed)), "samples")
