"""The text encoder: hashed words and letter groups -> mean of embeddings -> prompt vector (and the task it asks for).

    python text_encoder.py --data DATA --out RUN/text.pt [--settings settings/base.json]

Trains in about two minutes on two CPU cores and is frozen before the picture network starts: that network learns on its vectors. `--data` holds captions.jsonl
(descriptions of pictures, {"file", "scene"}); descriptions of test pictures are not used.

Besides the task, the prompt vector is asked for the colours of the described picture (a small side loss), so that a description leaves a trace in it.
"""

import argparse
import json
import random
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

import prompts
from settings import Settings, load_settings, save

MAXIMUM_IDS = 1024


@lru_cache(maxsize=1 << 20)
def bucket(feature, buckets):
    """FNV-1a (32 bits) of the UTF-8 bytes; 0 is kept for the empty text."""
    value = 2166136261
    for byte in feature.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return 1 + value % (buckets - 1)


def normalise(text):
    return re.sub(r"[^a-z0-9']+", " ", unicodedata.normalize("NFKC", text).lower()).strip()[:512].strip()


def hash_ids(text, buckets=16384):
    """Token ids of a text: words, pairs, triples, then the letter triples of every word."""
    text = normalise(text)
    if not text:
        return [0]
    words = text.split(" ")
    features = ["w:" + word for word in words]
    features += ["b:" + " ".join(words[i : i + 2]) for i in range(len(words) - 1)]
    features += ["t:" + " ".join(words[i : i + 3]) for i in range(len(words) - 2)]
    for word in words:
        padded = f"^{word}$"
        features += ["c:" + padded[i : i + 3] for i in range(len(padded) - 2)]
    return [bucket(feature, buckets) for feature in features[:MAXIMUM_IDS]]


class TextEncoder(nn.Module):
    def __init__(self, buckets=16384, width=32, prompt=32, tasks=3):
        super().__init__()
        self.table = nn.Embedding(buckets, width)
        nn.init.normal_(self.table.weight, std=0.02)  # a word never seen should say next to nothing
        self.inner = nn.Linear(width, 96)
        self.outer = nn.Linear(96, prompt)
        self.task = nn.Linear(prompt, tasks)

    def from_mean(self, mean):
        prompt = torch.tanh(self.outer(torch.relu(self.inner(mean))))
        return prompt, self.task(prompt)

    def forward(self, ids):
        """ids (1, L) -> prompt vector (1, P) and shares of the tasks (1, 3)."""
        prompt, logits = self.from_mean(self.table(ids).mean(1))
        return prompt, logits.softmax(-1)

    def encode(self, texts):
        """Prompt vectors and task shares of many texts."""
        buckets = self.table.num_embeddings
        ids = [hash_ids(text, buckets) for text in texts]
        with torch.no_grad():
            prompt, logits = self.from_mean(mean_rows(self.table.weight, ids))
        return prompt, logits.softmax(-1)


def mean_rows(table, ids, drop=0.0):
    """Mean embedding of each list of ids; `drop` leaves out a share of them (training only)."""
    flat = torch.tensor([i for row in ids for i in row])
    offsets = torch.tensor(np.cumsum([0] + [len(row) for row in ids[:-1]]))
    weights = (torch.rand(len(flat)) >= drop).float() / (1 - drop) if drop else None
    lengths = torch.tensor([float(len(row)) for row in ids])[:, None]
    return nn.functional.embedding_bag(flat, table, offsets, mode="sum", per_sample_weights=weights) / lengths


def read_scenes(data, parts=("train/photos", "train/bsds", "train/lol")):
    """{file: description} of the training pictures."""
    path = Path(data) / "captions.jsonl"
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return {row["file"]: row["scene"] for row in rows if row["file"].startswith(parts)}


def colours(data, files):
    """Mean and spread of each picture's channels: what a description can be asked for."""
    import cv2

    out = []
    for file in files:
        picture = cv2.imread(str(Path(data) / file), cv2.IMREAD_REDUCED_COLOR_8)
        picture = np.zeros((2, 2, 3)) if picture is None else picture / 255.0
        out.append(np.concatenate([picture.mean((0, 1)), picture.std((0, 1))]))
    return np.asarray(out, np.float32).reshape(len(out), 6)


def sample(rng, scenes):
    """A text, the shares of the tasks that it asks for, and the index of its description (or -1)."""
    task = rng.randrange(3)
    share = [0.0, 0.0, 0.0]
    share[task] = 1.0
    name = prompts.TASKS[task]
    index = rng.randrange(len(scenes)) if scenes else -1
    kind = rng.random()
    if index >= 0 and kind < 0.03:  # a description alone asks for nothing in particular
        return scenes[index], [1 / 3, 1 / 3, 1 / 3], index
    if index >= 0 and kind < 0.2:
        return prompts.with_scene(name, scenes[index]), share, index
    if index >= 0 and kind < 0.4:
        text = prompts.spoken(rng, prompts.wish(rng, name))
        return (f"{text} {scenes[index]}" if rng.random() < 0.5 else f"{scenes[index]} {text}"), share, index
    if kind < 0.42:
        return rng.choice(("", "hello", "a photo", "nice picture", "image", "please")), [1 / 3, 1 / 3, 1 / 3], -1
    return prompts.free(rng, name), share, -1


def accuracy(encoder):
    """Share of the held-out requests that are understood, per task."""
    result = {}
    for k, task in enumerate(prompts.TASKS):
        _, share = encoder.encode(prompts.HELD_OUT[task])
        result[task] = float((share.argmax(1) == k).float().mean())
    return result


def train(data, settings, log=print):
    torch.manual_seed(settings.seed)
    rng = random.Random(settings.seed)
    described = read_scenes(data)
    files, scenes = list(described), list(described.values())
    target = torch.from_numpy(colours(data, files))
    target = (target - target.mean(0)) / (target.std(0) + 1e-3) if len(files) else target
    encoder = TextEncoder(settings.buckets, settings.embedding, settings.prompt)
    colour_head = nn.Linear(settings.prompt, 6)
    optimiser = torch.optim.AdamW([*encoder.parameters(), *colour_head.parameters()], lr=3e-3, weight_decay=1e-4)
    steps = settings.text_steps
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * min(1, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * step / steps)))
        batch = [sample(rng, scenes) for _ in range(256)]
        ids = [hash_ids(text, settings.buckets) for text, _, _ in batch]
        prompt, logits = encoder.from_mean(mean_rows(encoder.table.weight, ids, drop=0.15))
        share = torch.tensor([s for _, s, _ in batch])
        loss = -(share * logits.log_softmax(-1)).sum(1).mean() + 0.01 * logits.square().mean()
        scene = torch.tensor([index for _, _, index in batch])
        if (scene >= 0).any():
            loss = loss + 0.1 * nn.functional.smooth_l1_loss(colour_head(prompt[scene >= 0]), target[scene[scene >= 0]])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 100 == 0 or step == steps - 1:
            log(f"text step {step} loss {loss.item():.4f} held out {accuracy(encoder)}")
    return encoder.eval()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--settings", default=str(Path(__file__).parent / "settings" / "base.json"))
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    chosen: Settings = load_settings(arguments.settings)
    model = train(arguments.data, chosen)
    save({"model": model.state_dict()}, arguments.out)
