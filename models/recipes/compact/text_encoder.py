"""The text encoder: hashed words and letter groups -> weighted means of embeddings -> prompt vector (and the task it asks for).

    python text_encoder.py --data DATA --out RUN/text.pt [--settings settings/text.json] [--old ../../compact] [--corpus corpus.npz]

Trains in minutes on a CPU and is frozen before the picture networks start: they learn on its vectors. A better encoder for networks that exist keeps their vectors (`--old`).
`--data` holds captions.jsonl (descriptions of pictures, {"file", "scene"}); descriptions of test pictures are not trained on.

Besides the task, the prompt vector is asked for the colours of the described picture (a small side loss), so that a description leaves a trace in it.
"""

import argparse
import json
import random
import re
import unicodedata
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

import prompts
import wording
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


ORDERED = ("near", "query", "place", "more")  # the parts that an encoder of the older kind lacks


class TextEncoder(nn.Module):
    """ids (1, L) -> prompt vector and task logits.

    Every id has an embedding; it sees its neighbours in the list (first the words in their order, then pairs, triples and letter groups), and four queries take weighted
    means over the list. A query that is zero gives the plain mean, so a bag of words is a special case: state dicts of that older encoder load and give its numbers.
    """

    QUERIES, PLACES, NEAR, REACH = 4, 64, 48, 64

    def __init__(self, buckets=16384, width=32, prompt=32, tasks=3):
        super().__init__()
        self.table = nn.Embedding(buckets, width)
        nn.init.normal_(self.table.weight, std=0.02)  # a word never seen should say next to nothing
        self.near = nn.Conv1d(width, self.NEAR, 7, padding=3)
        self.nearer = nn.Conv1d(self.NEAR, self.NEAR, 5, padding=2)
        self.nearest = nn.Linear(self.NEAR, width)
        self.query = nn.Linear(width, self.QUERIES, bias=False)
        self.place = nn.Embedding(self.PLACES, self.QUERIES)  # the first words of a text may count more
        self.inner = nn.Linear(width, 96)
        self.more = nn.Linear(width * (self.QUERIES - 1), 96, bias=False)
        self.outer = nn.Linear(96, prompt)
        self.task = nn.Linear(prompt, tasks)
        for parameter in (self.nearest.weight, self.nearest.bias, self.place.weight, self.more.weight):
            nn.init.zeros_(parameter)
        with torch.no_grad():
            self.query.weight[0] = 0

    def _load_from_state_dict(self, state, prefix, *rest):
        for name, value in self.state_dict().items():
            if name.startswith(ORDERED) and prefix + name not in state:
                state[prefix + name] = torch.zeros_like(value)
        super()._load_from_state_dict(state, prefix, *rest)

    def hidden(self, ids, keep=None):
        """ids (N, L), and which of them count (N, L); all unless said otherwise."""
        x = self.table(ids)
        if keep is not None:
            x = x * keep[..., None]
        # Words and their pairs come first in the list; the letter groups behind them have no order worth a look.
        first = x[:, : self.REACH].transpose(1, 2)
        seen = nn.functional.leaky_relu(self.near(first), 0.1)
        if keep is not None:
            seen = seen * keep[:, None, : self.REACH]  # beyond its end a text is empty, alone and in a batch
        seen = seen + nn.functional.leaky_relu(self.nearer(seen), 0.1)
        x = torch.cat([x[:, : self.REACH] + self.nearest(seen.transpose(1, 2)), x[:, self.REACH :]], 1)
        place = torch.arange(ids.shape[1], device=ids.device).clamp(max=self.PLACES - 1)
        score = self.query(x) + self.place(place)
        if keep is not None:
            score = score.masked_fill(keep[..., None] == 0, -1e4)
        pooled = score.softmax(1).transpose(1, 2) @ x  # (N, queries, width)
        return torch.relu(self.inner(pooled[:, 0]) + self.more(pooled[:, 1:].flatten(1)))

    def read(self, hidden):
        prompt = torch.tanh(self.outer(hidden))
        return prompt, self.task(prompt)

    def forward(self, ids):
        """ids (1, L) -> prompt vector (1, P) and logits of the tasks (1, 3): what the exported graph gives."""
        return self.read(self.hidden(ids))

    def encode(self, texts):
        """Prompt vectors and task shares of many texts."""
        ids = [hash_ids(text, self.table.num_embeddings) for text in texts]
        prompt = torch.zeros(len(ids), self.outer.out_features)
        with torch.no_grad():
            for rows, padded, keep in by_length(ids):
                prompt[rows] = self.read(self.hidden(padded, keep))[0]
            return prompt, self.task(prompt).softmax(-1)


def by_length(ids, size=64, drop=0.0):
    """Lists of ids as padded blocks of like length: (rows, ids (n, L), which count (n, L)). `drop` leaves out a share of them (training only)."""
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        length = len(ids[rows[-1]])
        padded = torch.from_numpy(np.stack([np.pad(np.asarray(ids[i], np.int64), (0, length - len(ids[i]))) for i in rows]))
        keep = (torch.arange(length)[None] < torch.tensor([len(ids[i]) for i in rows])[:, None]).float()
        if drop:
            kept = keep * (torch.rand(keep.shape) >= drop)
            keep = torch.where(kept.sum(1, keepdim=True) > 0, kept, keep)
        yield rows, padded, keep


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


def accuracy(encoder):
    """Share of the requests in prompts.HELD_OUT that are understood, per task."""
    result = {}
    for k, task in enumerate(prompts.TASKS):
        _, share = encoder.encode(prompts.HELD_OUT[task])
        result[task] = float((share.argmax(1) == k).float().mean())
    return result


def written(name):
    """The rows of one of the files of written requests beside this one."""
    return [json.loads(line) for line in (Path(__file__).parent / name).read_text().splitlines() if line.strip()]


def held_out():
    """[(text, task index)]: 300 requests of many voices, written before the grammar of wording.py and never trained on."""
    return [(row["text"], prompts.TASKS.index(row["task"])) for row in written("held_out_prompts.jsonl")]


def development():
    """[(text, task index)]: requests that are never trained on either; whatever has to be chosen is chosen on these, so that the held-out ones stay unseen."""
    return [(row["text"], prompts.TASKS.index(row["task"])) for row in written("development_prompts.jsonl")]


def share_right(encoder, rows):
    """Share of [(text, task index)] that goes to the right task."""
    return float((encoder.encode([text for text, _ in rows])[1].argmax(1) == torch.tensor([k for _, k in rows])).float().mean())


def understood(encoder):
    """Shares of the 300 held-out requests that act on the right task: per task, all, and with a description of a scene around the request."""
    rows = held_out()
    task = torch.tensor([k for _, k in rows])
    right = encoder.encode([text for text, _ in rows])[1].argmax(1) == task
    rng = random.Random(11)
    around = [f"{text} {wording.scene(rng)}" if i % 2 else f"{wording.scene(rng)} {text}" for i, (text, _) in enumerate(rows)]
    described = encoder.encode(around)[1].argmax(1) == task
    result = {name: float(right[task == k].float().mean()) for k, name in enumerate(prompts.TASKS)}
    return {**result, "all": float(right.float().mean()), "with a scene": float(described.float().mean())}


def margins(encoder, scenes, count=400):
    """Uniform sentence and any description: share that stays with the sentence's task, and the smallest probability of that task."""
    rng = random.Random(5)
    texts = list(scenes) + [wording.scene(rng) for _ in range(count)]
    shares = torch.stack([encoder.encode([prompts.with_scene(name, text) for text in texts])[1][:, k] for k, name in enumerate(prompts.TASKS)])
    return {"right": float((shares > 0.5).float().mean()), "smallest": float(shares.min()), "1 % quantile": float(shares.flatten().quantile(0.01))}


def targets(meanings, tasks, old):
    """The prompt vectors that networks were trained with: the old encoder's for the standard wording, the plain uniform sentence's where it misunderstands even that."""
    different = sorted(set(meanings))  # most say the uniform sentence
    place = {text: i for i, text in enumerate(different)}
    at = [place[text] for text in meanings]
    vectors, shares = (part[at] for part in old.encode(different))
    uniform = old.encode([prompts.UNIFORM[name] for name in prompts.TASKS])[0]
    for i, k in enumerate(tasks):
        if k >= 0 and shares[i, k] < 0.8:
            vectors[i] = uniform[k]
    return vectors


def pin(encoder, texts, vectors):
    """The smallest change of the last layer that maps these texts exactly onto these vectors (least norm), as far as fp16 weights can say it."""
    with torch.no_grad():
        for module in encoder.children():
            if module is not encoder.outer:
                for parameter in module.parameters():
                    parameter.copy_(parameter.half().float())
        ids = [hash_ids(text, encoder.table.num_embeddings) for text in texts]
        hidden = torch.cat([encoder.hidden(torch.tensor([row])) for row in ids])
        inputs = torch.cat([hidden, torch.ones(len(texts), 1)], 1).double()
        wanted = torch.atanh(vectors.clamp(-0.99999, 0.99999)).double()
        for _ in range(20):  # what rounding takes away goes into the next round
            now = encoder.outer(hidden).double()
            change = torch.linalg.pinv(inputs) @ (wanted - now)
            encoder.outer.weight += change[:-1].T.float()
            encoder.outer.bias += change[-1].float()
            for parameter in encoder.outer.parameters():
                parameter.copy_(parameter.half().float())
        return float((torch.tanh(encoder.outer(hidden)) - vectors).abs().max())


def asked(rng, scenes, copies=6):
    """The written requests of requests.jsonl, each as it is, with typing errors, beside a declined wish for another task, and beside a description of a scene."""
    rows, declined = written("requests.jsonl"), written("declined.jsonl")
    made = []
    for row in rows:
        k, meaning = prompts.TASKS.index(row["task"]), prompts.UNIFORM[row["task"]]
        others = [other["text"] for other in declined if other["declines"] != row["task"]]
        made.append((row["text"], k, meaning))
        for _ in range(copies):
            text = row["text"]
            if rng.random() < 0.25:
                parts = [text.rstrip("."), rng.choice(others)]
                if rng.random() < 0.5:
                    parts.reverse()
                text = rng.choice((", ", ". ", ", but ", " and ", "; ", " - ", " ", ", just ")).join(parts)
            text = wording.spoil(rng, text)
            if rng.random() < 0.2:
                words = wording.scene(rng, scenes)
                made.append((f"{text} {words}" if rng.random() < 0.6 else f"{words} {text}", k, f"{meaning} {words}"))
            else:
                made.append((text, k, meaning))
    return made


def strange(generator, ids, words, buckets, share=0.25):
    """Ids with a share of the pairs and triples of words replaced by any bucket: most pairs of a new text were never seen, and their buckets belong to something else."""
    first, last = words, min(len(ids), 3 * words - 3)
    if last <= first:
        return ids
    ids = ids.copy()
    other = first + np.flatnonzero(generator.random(last - first) < share)
    ids[other] = generator.integers(1, buckets, len(other))
    return ids


def train(data, settings, log=print, old=None, corpus=None, start=None):
    """A new encoder. `old`: an encoder whose prompt vectors are kept as well as possible (networks were trained with them); the new one starts from it,
    or from the state dict `start`. `corpus`: texts with the sentence vectors of teacher.py, learned by the hidden layer beside the rest; without it texts are made here."""
    torch.manual_seed(settings.seed)
    rng = random.Random(settings.seed)
    described = read_scenes(data)
    files, scenes = list(described), list(described.values())
    # Everything about a text that does not change is worked out once: steps are then cheap.
    made = [(text, k, meaning) for text, k, _, meaning in (wording.sample(rng, scenes) for _ in range(settings.text_pool))]
    for i in range(settings.text_pool):
        name = prompts.TASKS[i % 3]
        made.append((wording.spoil(rng, wording.contrast(rng, name)), i % 3, prompts.UNIFORM[name]))
    if corpus is not None:
        made = list(zip(corpus["texts"], corpus["tasks"], corpus["meanings"])) + made
    made += asked(rng, scenes, settings.text_copies)
    first_scene = len(made)
    made += [(prompts.with_scene(prompts.TASKS[i % 3], text), i % 3, prompts.with_scene(prompts.TASKS[i % 3], text)) for i, text in enumerate(scenes)]
    first_uniform = len(made)
    made += [(prompts.UNIFORM[name], k, prompts.UNIFORM[name]) for k, name in enumerate(prompts.TASKS)]
    texts, tasks, meanings = zip(*made)
    ids = [np.asarray(hash_ids(text, settings.buckets), np.int64) for text in texts]
    words = [len(normalise(text).split()) for text in texts]
    share = torch.tensor([[float(j == k) if k >= 0 else 1 / 3 for j in range(3)] for k in tasks])
    weight = torch.ones(len(made))
    taught = 0
    if corpus is not None:
        taught = len(corpus["vectors"])
        for i in range(taught):
            if tasks[i] == -2:  # a single word: the teacher's own opinion
                share[i], weight[i] = corpus["shares"][i], 0.3
            # Words that the teacher has not read say nothing.
    weight[[i for i, k in enumerate(tasks) if k == -2 and i >= taught]] = 0
    wanted, pull = None, None
    if old is not None:
        wanted = targets(meanings, tasks, old)
        pull = torch.tensor([0.0 if k == -2 else 3.0 if text.startswith(tuple(prompts.UNIFORM.values())) else 1.0 for text, k, _ in made])
        pull[first_uniform:] = 10.0
    colour = torch.from_numpy(colours(data, files))
    colour = (colour - colour.mean(0)) / (colour.std(0) + 1e-3) if len(files) else colour
    encoder = TextEncoder(settings.buckets, settings.embedding, settings.prompt)
    if old is not None:
        blank = not old.near.weight.any()  # an encoder of the older kind, without these parts
        fresh = {name: value.clone() for name, value in encoder.state_dict().items() if blank and name.startswith(ORDERED)}
        encoder.load_state_dict({**old.state_dict(), **fresh})
    if start is not None:
        encoder.load_state_dict(start)
    colour_head = nn.Linear(settings.prompt, 6)
    heads = [*colour_head.parameters()]
    if taught:
        teacher_head = nn.Linear(encoder.inner.out_features, corpus["vectors"].shape[1])
        heads += teacher_head.parameters()
    optimiser = torch.optim.AdamW([*encoder.parameters(), *heads], lr=settings.text_rate, weight_decay=1e-4)
    steps = settings.text_steps
    generator = np.random.default_rng(settings.seed)
    order = generator.permutation(first_uniform)
    chosen_on = development()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.text_rate * min(1, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * step / steps)))
        at = step * settings.text_batch % len(order)
        if at + settings.text_batch > len(order):
            order = generator.permutation(first_uniform)
            at = 0
        rows = np.concatenate([order[at : at + settings.text_batch], np.arange(first_uniform, len(made))])
        hidden = torch.zeros(len(rows), encoder.inner.out_features)
        # Of long texts the letter groups are many and say little: a part of them, another one each time, is enough to learn on.
        seen = [ids[i] if len(ids[i]) <= 160 else np.concatenate([ids[i][:96], generator.choice(ids[i][96:], 64, replace=False)]) for i in rows]
        seen = [strange(generator, row, words[i], settings.buckets) for i, row in zip(rows, seen)]
        for part, padded, keep in by_length(seen, size=32, drop=0.12):
            hidden = hidden.index_put((torch.tensor(part),), encoder.hidden(padded, keep))
        prompt, logits = encoder.read(hidden)
        rows = torch.from_numpy(rows)
        loss = (-(share[rows] * logits.log_softmax(-1)).sum(1) * weight[rows]).mean() + 0.01 * logits.square().mean()
        pictured = (rows >= first_scene) & (rows < first_uniform)
        if pictured.any():
            loss = loss + 0.1 * nn.functional.smooth_l1_loss(colour_head(prompt[pictured]), colour[rows[pictured] - first_scene])
        if old is not None:
            loss = loss + 2 * ((prompt - wanted[rows]).square().mean(1) * pull[rows]).mean()
        told = rows < taught
        if settings.text_taught and told.any():
            said = nn.functional.normalize(teacher_head(hidden[told]), dim=1)
            loss = loss + settings.text_taught * (1 - (said * corpus["vectors"][rows[told]]).sum(1)).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(encoder.parameters(), 2.0)
        optimiser.step()
        if step % 100 == 0 or step == steps - 1:
            log(f"text step {step} loss {loss.item():.4f} development {share_right(encoder, chosen_on):.3f}")
    encoder.eval()
    if old is not None:
        uniform = [prompts.UNIFORM[name] for name in prompts.TASKS]
        log(f"uniform prompts within {pin(encoder, uniform, old.encode(uniform)[0]):.1e} of the old encoder's")
    return encoder


def load_corpus(path):
    """What teacher.py wrote: texts, task indices (-1 none, -2 a single word), unit vectors, and the shares of the tasks that a linear probe on them gives."""
    with np.load(path, allow_pickle=False) as stored:
        vectors = torch.from_numpy(stored["vectors"].astype(np.float32))
        texts, meanings, tasks = [str(text) for text in stored["texts"]], [str(text) for text in stored["meanings"]], [int(k) for k in stored["tasks"]]
    return {"texts": texts, "meanings": meanings, "tasks": tasks, "vectors": vectors, "shares": probe(vectors, tasks)[0]}


def probe(vectors, tasks, steps=300):
    """A linear reading of the teacher's vectors: (shares of the tasks for all rows, the layer)."""
    layer = nn.Linear(vectors.shape[1], 3)
    known = torch.tensor([i for i, k in enumerate(tasks) if k >= 0])
    target = torch.tensor(tasks)[known]
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.03)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(layer(vectors[known] * 10), target).backward()
        optimiser.step()
    with torch.no_grad():
        return layer(vectors * 10).softmax(1), layer


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--settings", default=str(Path(__file__).parent / "settings" / "text.json"))
    parser.add_argument("--old", help="an exported model (a folder with text.onnx) or a text.pt whose prompt vectors are to be kept")
    parser.add_argument("--seed", type=int, help="instead of the settings' seed")
    parser.add_argument("--start", help="a text.pt to go on from")
    parser.add_argument("--corpus", help="what teacher.py wrote")
    parser.add_argument("--held-out", action="store_true", help="measure on the held-out requests too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    chosen: Settings = load_settings(arguments.settings)
    if arguments.seed is not None:
        chosen = replace(chosen, seed=arguments.seed)
    before = None
    if arguments.old:
        from from_onnx import load_text

        before = TextEncoder(chosen.buckets, chosen.embedding, chosen.prompt) if arguments.old.endswith(".pt") else load_text(arguments.old)
        if arguments.old.endswith(".pt"):
            before.load_state_dict(torch.load(arguments.old, weights_only=False)["model"])
        before.eval()
    begun = torch.load(arguments.start, weights_only=False)["model"] if arguments.start else None
    model = train(arguments.data, chosen, old=before, corpus=load_corpus(arguments.corpus) if arguments.corpus else None, start=begun)
    save({"model": model.state_dict()}, arguments.out)
    print(f"development requests understood: {share_right(model, development()):.3f}; run with --held-out once a setting is chosen")
    if arguments.held_out:
        print(f"300 held-out requests understood: {understood(model)}")
    print(f"uniform sentence and any description: {margins(model, read_scenes(arguments.data, ('train', 'test')).values())}")
    if before is not None:
        generator = random.Random(3)
        requests = [wording.sample(generator, list(read_scenes(arguments.data).values())) for _ in range(2000)]
        for wanted in ("uniform", "scene", "free"):
            rows = [(text, k, meaning) for text, k, kind, meaning in requests if kind.startswith(wanted)]
            wish = targets([meaning for *_, meaning in rows], [k for _, k, _ in rows], before)
            got = model.encode([text for text, *_ in rows])[0]
            print(f"{wanted}: median cosine to the old encoder's vectors {float(nn.functional.cosine_similarity(got, wish).median()):.4f}")
