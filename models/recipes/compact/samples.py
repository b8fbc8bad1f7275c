"""Training samples: crops of photographs, degraded on the fly, each with a prompt and the thumbnail of its whole picture.

A library file (nothing to launch). `Pictures` reads a data folder into memory (train/photos, train/bsds, train/lol; anything missing is skipped) and sets
some pictures apart for validation. `Batches` is an endless data set of ready batches.
"""

import random
import signal
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

import degradations as d
from prompts import TASKS, UNIFORM, free, with_scene

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


def read(path):
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"not a picture: {path}")
    return np.ascontiguousarray(picture[..., ::-1])


def files(folder):
    folder = Path(folder)
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS) if folder.is_dir() else []


@dataclass
class Clean:
    name: str
    levels: list  # the picture and smaller copies: blur and detail of every size
    thumbnail: np.ndarray
    photo: bool


@dataclass
class Pair:
    name: str
    x: np.ndarray
    y: np.ndarray
    thumbnail: np.ndarray  # of the degraded picture


def load_pair(reference, degraded):
    x, y = read(reference), read(degraded)
    return Pair(f"train/{reference.parent.parent.name}/reference/{reference.name}", x, y, d.thumbnail(y / np.float32(255)))


class Pictures:
    def __init__(self, data, settings, smallest=192):
        train = Path(data) / "train"
        clean = []
        for part in ("photos", "bsds"):
            for path in files(train / part):
                x = read(path)
                levels, factor = [x], 1.5
                while min(x.shape[:2]) / factor >= smallest and len(levels) < 4:
                    h, w = (int(round(side / factor)) for side in x.shape[:2])
                    levels.append((d.resize(x / np.float32(255), h, w) * 255 + 0.5).astype(np.uint8))
                    factor += 0.75
                clean.append(Clean(f"train/{part}/{path.name}", levels, d.thumbnail(x / np.float32(255)), part == "photos"))
        pairs = []
        degraded = {p.stem: p for p in files(train / "lol" / "input")}
        for path in files(train / "lol" / "reference"):
            if path.stem in degraded:
                pairs.append(load_pair(path, degraded[path.stem]))
        # Spread over the sorted names, so that no folder or film roll is taken out as a whole.
        held = {int(i) for i in np.linspace(0, len(clean) - 1, min(settings.held_out_pictures, len(clean) // 4))} if clean else set()
        dark = {int(i) for i in np.linspace(0, len(pairs) - 1, min(settings.held_out_dark, len(pairs) // 4))} if pairs else set()
        self.clean = [c for i, c in enumerate(clean) if i not in held]
        self.held_clean = [c for i, c in enumerate(clean) if i in held]
        self.pairs = [p for i, p in enumerate(pairs) if i not in dark]
        self.held_pairs = [p for i, p in enumerate(pairs) if i in dark]
        if not self.clean:
            raise ValueError(f"no pictures under {train}")
        # Real averaged-video blur: never trained on, it only says whether synthetic blur transfers.
        degraded = {p.stem: p for p in files(train / "reds" / "input")}
        self.video = [load_pair(p, degraded[p.stem]) for p in files(train / "reds" / "reference") if p.stem in degraded]


class PromptBank:
    """Prompt vectors, encoded once: uniform, uniform with the picture's own description, free wording."""

    def __init__(self, encoder, scenes, settings):
        rng = random.Random(settings.seed + 7)
        texts = list(scenes.values())

        def encode(rows):
            return encoder.encode(rows)[0].numpy() if rows else np.zeros((0, settings.prompt), np.float32)

        self.uniform = encode([UNIFORM[task] for task in TASKS])
        self.free = [encode([free(rng, task, texts) for _ in range(settings.free_prompts)]) for task in TASKS]
        table = [encode([with_scene(task, text) for text in texts]) for task in TASKS]
        self.scene = {name: [table[k][i] for k in range(3)] for i, name in enumerate(scenes)}

    def draw(self, rng, task, name):
        kind = rng.random()
        if kind < 1 / 3:
            return self.uniform[task]
        if kind < 2 / 3 and name in self.scene:
            return self.scene[name][task]
        return self.free[task][rng.integers(len(self.free[task]))]


def at(schedule, share):
    """The entry of a schedule ((share, values ...), ...) that holds at a share of the run."""
    return [values for start, *values in schedule if share >= start][-1]


def draw_severity(rng):
    """Half on the grid of the nine frames, half anywhere but more often near the clean end."""
    return int(rng.integers(1, 8)) / 8 if rng.random() < 0.5 else float(rng.random() ** 1.5)


def turn(rng, *pictures):
    """The same flip and quarter turn for all."""
    flip, quarters = rng.random() < 0.5, int(rng.integers(4))
    return [np.ascontiguousarray(np.rot90(p[:, ::-1] if flip else p, quarters)) for p in pictures]


def crop(rng, picture, side, grid=1):
    h, w, _ = picture.shape
    top, left = (int(rng.integers((n - side) // grid + 1)) * grid for n in (h, w))
    return top, left, picture[top : top + side, left : left + side]


def middle(picture, side):
    h, w, _ = picture.shape
    top, left = (h - side) // 2, (w - side) // 2
    return picture[top : top + side, left : left + side]


def fit(picture, side):
    """Mirror a picture that is smaller than the crop."""
    h, w, _ = picture.shape
    if h >= side and w >= side:
        return picture
    return cv2.copyMakeBorder(picture, 0, max(side - h, 0), 0, max(side - w, 0), cv2.BORDER_REFLECT)


def resolution_sample(rng, clean, side, severity):
    source = fit(clean.levels[int(rng.choice(min(3, len(clean.levels)), p=None))], side + 32)
    _, _, x = crop(rng, source, side + 32)
    x, thumb = turn(rng, x, clean.thumbnail)
    x = x / np.float32(255)
    scale = 4.0 if rng.random() < 0.8 else float(rng.uniform(2, 4))
    y, part = d.resolution_path(x, severity, scale)
    # The margin of 16 keeps the low-resolution grid where the network expects it, in multiples of four.
    return [middle(p, side) for p in (x, y, part)] + [thumb]


def blur_sample(rng, clean, side, severity, lengths=(1.5, 40.0), kernels=0.6, undisturbed=0.8):
    """`lengths`: shortest and longest streak in pixels; `kernels`: share of crops with one path for all pixels; `undisturbed`: share without noise and JPEG."""
    length = float(np.exp(rng.uniform(*np.log(lengths))))
    if rng.random() < 0.04:
        length = float(rng.uniform(0.2, 1.5))  # nearly sharp: leave it alone
    # Videos are often averaged first and made smaller afterwards; the streak is then measured in small pixels.
    shrink = int(rng.integers(2, 4)) if clean.photo and rng.random() < 0.15 and length < 12 else 1
    margin = int(min(length, 28)) + 4
    full = (side + 2 * margin) * shrink
    level = 0 if shrink > 1 else int(rng.choice(len(clean.levels)))
    source = clean.levels[level]
    if shrink > 1 and min(source.shape[:2]) < full:
        shrink, full = 1, side + 2 * margin
    source = fit(source, full)
    top, left, x8 = crop(rng, source, full)
    centre = (source.shape[1] / 2 - left, source.shape[0] / 2 - top)
    linear = rng.random() < 0.35
    least = 7 if length < 10 or rng.random() < 0.5 else min(int(length), 31)
    frames = min(int(rng.integers(least // 2, max(least // 2 + 1, 9))) * 2 + 1, 33)
    if rng.random() < 0.05:
        y, part = d.aperture_path(x8 / np.float32(255), severity, length * shrink / 6)
    elif rng.random() < kernels:
        y, part = d.shake_path(rng, x8, severity, length * shrink, frames, linear)
    else:
        layers = int(rng.integers(1, 4)) if shrink == 1 and rng.random() < 0.3 else 0
        y, part = d.exposure_path(rng, x8, severity, length * shrink, frames, centre, float(max(source.shape[:2])), layers, linear)
    x = x8 / np.float32(255)
    if shrink > 1:
        n = full // shrink
        x, y, part = (d.resize(p, n, n) for p in (x, y, part))
    x, y, part = (middle(p, side) for p in (x, y, part))
    noise, jpeg = 0.0, 0
    if rng.random() > undisturbed:
        noise = float(np.exp(rng.uniform(np.log(0.002), np.log(0.015))))
        jpeg = int(rng.integers(70, 97)) if rng.random() < 0.4 else 0
    y, part = d.spoil(rng, y, part, severity, noise, jpeg)
    return turn(rng, x, y, part, clean.thumbnail)


def dark_sample(rng, clean, side, severity):
    source = fit(clean.levels[int(rng.choice(len(clean.levels)))], side)
    _, _, x = crop(rng, source, side)
    x, small = turn(rng, x, clean.thumbnail)
    gain = np.exp(rng.uniform(np.log(0.001), np.log(0.3)) + rng.normal(0, 0.1, 3)).astype(np.float32)
    x = x / np.float32(255)
    y, part = d.level_path(rng, x, severity, gain)
    return x, y, part, d.to_srgb(d.to_linear(small) * gain)


def pair_sample(rng, pair, side, severity):
    x, y, thumb = fit(pair.x, side), fit(pair.y, side), pair.thumbnail
    if rng.random() < 0.8:
        # Another framing of the same scene: with a hundred thumbnails alone, the exposure of each was learned by heart.
        h, w = (int(rng.uniform(max(0.4, side / n), 1) * n) for n in x.shape[:2])
        top, left = (int(rng.integers(n - m + 1)) for n, m in zip(x.shape[:2], (h, w)))
        x, y = x[top : top + h, left : left + w], y[top : top + h, left : left + w]
        thumb = d.thumbnail(y / np.float32(255))
    top, left, x = crop(rng, x, side)
    y = y[top : top + side, left : left + side]
    x, y, thumb = turn(rng, x, y, thumb)
    x, y = x / np.float32(255), y / np.float32(255)
    if rng.random() < 0.3:  # the same scene through a little more or less exposure
        more = np.float32(np.exp(rng.normal(0, 0.3)))
        y, thumb = d.round8(d.to_srgb(d.to_linear(y) * more)), d.to_srgb(d.to_linear(thumb) * more)
    y, part = d.pair_path(x, y, severity)
    return x, y, part, thumb


class Batches(torch.utils.data.IterableDataset):
    """Endless batches of one task. `share` is how far the schedule has come, a shared number that the training loop moves while workers run."""

    def __init__(self, pictures, bank, settings, share, seed):
        self.pictures, self.bank, self.settings, self.share, self.seed = pictures, bank, settings, share, seed
        self.task = TASKS.index(settings.task)
        self.photos = [c for c in pictures.clean if c.photo]

    def sample(self, rng, side):
        clean, pairs = self.pictures.clean, self.pictures.pairs
        severity = draw_severity(rng)
        real = False
        # Photographs have more pixels than the BSDS pictures: draw them more often than their number says.
        source = clean[int(rng.integers(len(clean)))]
        if self.photos and rng.random() < 0.4:
            source = self.photos[int(rng.integers(len(self.photos)))]
        if self.task == 0:
            made = resolution_sample(rng, source, side, severity)
        elif self.task == 1:
            made = blur_sample(rng, source, side, severity, at(self.settings.blur_lengths, self.share.value), self.settings.blur_kernels, self.settings.clean_blur)
        elif pairs and rng.random() < self.settings.real_dark:
            source, real = pairs[int(rng.integers(len(pairs)))], True
            made = pair_sample(rng, source, side, severity)
        else:
            made = dark_sample(rng, source, side, severity)
        x, y, part, thumb = (np.ascontiguousarray(p.transpose(2, 0, 1), dtype=np.float32) for p in made)
        return {"x": x, "y": y, "part": part, "thumbnail": thumb, "prompt": self.bank.draw(rng, self.task, source.name), "severity": np.float32([severity]), "real": np.float32([real])}

    def __iter__(self):
        cv2.setNumThreads(1)
        info = torch.utils.data.get_worker_info()
        if info:  # the training process decides when to end
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        while True:
            side, count = at(self.settings.batches, self.share.value)
            rows = [self.sample(rng, side) for _ in range(count)]
            yield {key: torch.from_numpy(np.stack([row[key] for row in rows])) for key in rows[0]}
