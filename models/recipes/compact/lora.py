"""Adapts the expert of one task to your own pairs, or to another loss: a LoRA adapter that the library merges when it loads the model.

    python lora.py --model ../../compact --task deblurring --pairs PAIRS --minutes 8 --out mine.safetensors
    python lora.py --model ../../compact --task super-resolution --data DATA --loss perceptual --minutes 8 --out perceptual.safetensors
    python lora.py ... --full --out full.pt           # all weights instead, for comparison: a checkpoint for export.py

PAIRS holds input/ and reference/ with the same base names (for super-resolution, inputs may be smaller by four). Pairs that --hold names (a regular expression; a fifth of them
unless said otherwise) are never trained on: base and adapted model are compared on them at the end. Neighbouring frames of a video are nearly the same picture, so hold out whole
clips. DATA is the folder that train.py takes; its held-out pictures are kept out here, too.

The base is frozen. Convolutions get W + alpha/r B A with A of r x in x k x k and B of out x r x 1 x 1, Linear layers A of r x in and B of out x r (Hu et al., LoRA,
arXiv 2106.09685); the file has PEFT's key layout. fine-tune.md is the guide.
"""

import argparse
import hashlib
import json
import re
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrize

import degradations as d
import evaluate
import from_onnx
from network import merged
from perceptual import Lpips
from prompts import TASKS, UNIFORM
from samples import Batches, Pictures, PromptBank, crop, draw_severity, fit, turn
from settings import replace_file, save, write_text
from train import Validation, losses

PREFIX = "base_model.model."
# What sees the whole picture (descriptor), the prompt's first layers and the stem stay: an adapter changes how features are worked on.
ADAPTED = re.compile(
    r"trunk\.(encode|decode)\.\d+\.blocks\.\d+\.(first|second|modulation|local_modulation)|trunk\.middle\.blocks\.\d+\.(first|second|modulation|local_modulation)"
    r"|trunk\.(down|up)\.\d+|trunk\.last|trunk\.spectra\.(mix|code)|head\.(first|second|modulation\.[02])"
)


class LowRank(nn.Module):
    """A weight plus scale times B A; B is zero at first, so training starts from the base."""

    def __init__(self, weight, rank, scale):
        super().__init__()
        outside, inside, *kernel = weight.shape
        self.a = nn.Parameter(torch.empty(rank, inside, *kernel))
        self.b = nn.Parameter(torch.zeros(outside, rank))
        nn.init.kaiming_uniform_(self.a, a=5**0.5)
        self.scale = scale

    def forward(self, weight):
        return weight + self.scale * (self.b @ self.a.flatten(1)).reshape(weight.shape)


def attach(network, rank, alpha):
    """Freezes the network and gives every adapted layer its two factors. Returns {layer: LowRank}."""
    network.requires_grad_(False)
    factors = {}
    for name, layer in network.named_modules():
        if ADAPTED.fullmatch(name) and isinstance(layer, (nn.Conv2d, nn.Linear)):
            factors[name] = LowRank(layer.weight, min(rank, *layer.weight.shape[:2]), alpha / rank)
    for name, low in factors.items():
        parametrize.register_parametrization(network.get_submodule(name), "weight", low)
    return factors


@torch.no_grad()
def tensors_of(network, factors):
    """Factors under PEFT's names, in half precision, for the layers as they are exported."""
    tensors = {}
    for name, low in factors.items():
        layer, b = network.get_submodule(name), low.b
        if hasattr(layer, "patterns"):  # trained on patterns, exported on pixels: the mixture of outputs goes into B
            b = torch.einsum("pkr,kq->pqr", b.reshape(layer.planes, 16, -1), layer.patterns).reshape(b.shape)
        tensors[f"{PREFIX}{name}.lora_A.weight"] = low.a.half().contiguous()
        tensors[f"{PREFIX}{name}.lora_B.weight"] = (b if low.a.ndim == 2 else b[:, :, None, None]).half().contiguous()
    return tensors


def hashes(model, task):
    return {f"{part}_sha256": hashlib.sha256((Path(model) / f"{task}-{part}.onnx").read_bytes()).hexdigest() for part in ("trunk", "head")}


def write(path, tensors, model, task, rank, alpha, about):
    """The file: factors, and in its metadata what PEFT keeps in adapter_config.json, with the base named by the hashes of its networks."""
    identity = json.loads((Path(model) / "manifest.json").read_text())["id"]
    metadata = {
        "format": "pt", "peft_type": "LORA", "r": str(rank), "lora_alpha": f"{alpha:g}", "base_model_name_or_path": identity, "task": task,
        **hashes(model, task), "about": about,
    }

    def save_tensors(temporary):
        save_file(tensors, str(temporary), metadata)
        temporary.chmod(0o644)

    replace_file(path, save_tensors)


@torch.no_grad()
def add_adapter(network, path, scale=1.0):
    """Adds the adapter of a file to a merged network, in place."""
    with safe_open(str(path), "pt") as file:
        about = file.metadata()
        factor = scale * float(about["lora_alpha"]) / int(about["r"])
        for key in file.keys():
            if not key.endswith(".lora_A.weight"):
                continue
            layer = network.get_submodule(key.removeprefix(PREFIX).removesuffix(".lora_A.weight"))
            a, b = file.get_tensor(key).float(), file.get_tensor(key.replace("lora_A", "lora_B")).float()
            layer.weight += factor * (b.flatten(1) @ a.flatten(1)).reshape(layer.weight.shape)


def with_adapter(network, path, scale=1.0):
    """A copy with plain convolutions (as it is exported) and the adapter of a file merged: what the library runs."""
    network = merged(network)
    add_adapter(network, path, scale)
    return network


class PairBatches(torch.utils.data.IterableDataset):
    """Endless batches of crops of pairs that a camera (or anything else) made."""

    def __init__(self, pairs, bank, settings, seed):
        self.pairs, self.bank, self.settings, self.seed = pairs, bank, settings, seed
        self.task = TASKS.index(settings.task)
        self.thumbnails = [d.thumbnail(y / np.float32(255)) for _, y, _ in pairs]

    def sample(self, rng, side):
        index = int(rng.integers(len(self.pairs)))
        name, y, x = self.pairs[index]
        x, y = fit(x, side), fit(y, side)
        top, left, x = crop(rng, x, side, 4)
        y = y[top : top + side, left : left + side]
        x, y, thumb = turn(rng, x, y, self.thumbnails[index])
        x, y, severity = x / np.float32(255), y / np.float32(255), draw_severity(rng)
        if self.task == 0:
            full, part = d.resolution_path(x, severity)
            part = part + np.float32(severity) * (y - full)
        elif self.task == 1:
            severity, part = 0.0, x  # no one knows what half of the exposure would have shown
        else:
            part = d.pair_path(x, y, severity)[1]
        x, y, part, thumb = (np.ascontiguousarray(p.transpose(2, 0, 1), dtype=np.float32) for p in (x, y, part, thumb))
        return {"x": x, "y": y, "part": part, "thumbnail": thumb, "prompt": self.bank.draw(rng, self.task, name), "severity": np.float32([severity]), "real": np.float32([1])}

    def __iter__(self):
        rng = np.random.default_rng(self.seed)
        _, side, count = self.settings.batches[0]
        while True:
            rows = [self.sample(rng, side) for _ in range(count)]
            yield {key: torch.from_numpy(np.stack([row[key] for row in rows])) for key in rows[0]}


def loss_of(network, batch, settings, lpips, weight):
    if lpips is None:
        return losses(network, batch, settings)[0]
    clean, between = network(batch["y"], batch["thumbnail"], batch["prompt"], [torch.zeros_like(batch["severity"]), batch["severity"]])
    total = 0
    for share, output, target in ((1.0, clean, batch["x"]), (settings.between, between, batch["part"])):
        total = total + share * ((output - target).abs().mean() + weight * lpips(output.clamp(0, 1), target).mean())
    return total


def fine_tune(network, batches, settings, rate, minutes=None, steps=None, lpips=None, weight=0.2, log=print):
    """Trains what requires a gradient until the first of minutes and steps is used up; returns the losses."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.99), weight_decay=0)
    began = told = time.monotonic()
    history = []
    for batch in batches:
        share = max(len(history) / steps if steps else 0, (time.monotonic() - began) / 60 / minutes if minutes else 0)
        if share >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, share / 0.05 + 0.02) * 0.5 * (1 + np.cos(np.pi * share))
        loss = loss_of(network, batch, settings, lpips, weight)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        if torch.isfinite(norm):
            optimiser.step()
        history.append(float(loss.detach()))
        if time.monotonic() - told > 30:
            told = time.monotonic()
            recent = history[-50:]
            log(f"step {len(history)}, {100 * share:.0f} % of the time, loss {sum(recent) / len(recent):.5f}")
    return history


def figures(network, encoder, pairs, task, lpips):
    """Means over held-out pairs: PSNR and SSIM of the nine frames, LPIPS of the last."""
    if not pairs:
        return {}
    model = evaluate.TorchModel(network, encoder)
    prompt = model.prompt(UNIFORM[task])
    curves, distances = [], []
    for _, y, x in pairs:
        frames = evaluate.trajectory(model, task, y, prompt)
        curves.append([evaluate.metrics.compare(frame, x, "sr" if task == "super-resolution" else "rgb") for frame in frames])
        a, b = (torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1)))[None] / 255 for p in (frames[-1], x))
        with torch.no_grad():
            distances.append(float(lpips(a, b)))
    summary = evaluate.summary(np.array(curves))
    return {"pictures": len(pairs), "psnr": summary["psnr"], "ssim": summary["ssim"], "lpips": round(float(np.mean(distances)), 4)}


def split(pairs, hold):
    """(trained on, held out) by a regular expression on the names; a fifth of them, the last by name, without one."""
    if hold is None:
        count = max(1, len(pairs) // 5)
        return pairs[:-count], pairs[-count:]
    return [p for p in pairs if not re.search(hold, p[0])], [p for p in pairs if re.search(hold, p[0])]


def adapt(model, task, out, pairs=None, data=None, hold=None, rank=4, alpha=None, rate=None, minutes=None, steps=None, side=96, count=8, loss="pixel", weight=0.2, full=False, seed=1, about="", log=print):
    """Trains and writes; returns {base, adapted: figures on held-out pairs, losses, parameters, steps}."""
    torch.manual_seed(seed)
    cv2.setNumThreads(1)
    alpha = 2 * rank if alpha is None else alpha
    rate = rate or (1e-4 if full else 2e-3)
    network, encoder, settings = from_onnx.load(model, task)
    settings = replace(settings, batches=((0.0, side, count),), free_prompts=300, square=0.0)
    bank = PromptBank(encoder, {}, settings)
    if pairs:
        known = list(evaluate.inputs(pairs, task))
        trained, held = split(known, hold)
        if not trained:
            raise ValueError(f"no pairs to train on: {len(known)} under {pairs}, {len(held)} of them held out")
        batches = PairBatches(trained, bank, settings, seed)
        log(f"{len(trained)} pairs to train on, {len(held)} held out: {', '.join(name for name, _, _ in held)}")
    else:
        pictures = Pictures(data, settings)
        made = Batches(pictures, bank, settings, type("Share", (), {"value": 1.0})(), seed)
        batches = torch.utils.data.DataLoader(made, batch_size=None, num_workers=1, prefetch_factor=4)
        held = next(iter(Validation(pictures, settings).sets.values()))
        log(f"{len(pictures.clean)} pictures to train on, {len(held)} held out")
    lpips = Lpips().eval()
    base = figures(network, encoder, held, task, lpips)
    factors = {} if full else attach(network, rank, alpha)
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    history = fine_tune(network.train(), batches, settings, rate, minutes, steps, lpips if loss == "perceptual" else None, weight, log)
    network.eval()
    if full:
        save({"settings": settings.to_dict(), "average": network.state_dict(), "model": network.state_dict(), "text": encoder.state_dict(), "step": len(history), "elapsed": 60 * (minutes or 0)}, out)
        adapted = figures(network, encoder, held, task, lpips)
    else:
        write(out, tensors_of(network, factors), model, task, rank, alpha, about)
        fresh, _, _ = from_onnx.load(model, task)
        adapted = figures(with_adapter(fresh, out), encoder, held, task, lpips)  # of the file as it is, not of what was trained
    return {"base": base, "adapted": adapted, "losses": history, "parameters": parameters, "steps": len(history)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of the exported model")
    parser.add_argument("--task", required=True, choices=TASKS)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--pairs", help="folder with input/ and reference/")
    source.add_argument("--data", help="folder of train.py: samples are made from clean pictures")
    parser.add_argument("--hold", help="names that match are not trained on")
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, help="at most so long; the learning rate falls to its end by then")
    parser.add_argument("--steps", type=int, help="at most so many: the same result on any machine, if there is time for them")
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--alpha", type=float, help="twice the rank unless said otherwise")
    parser.add_argument("--rate", type=float, help="learning rate: 2e-3, with --full 1e-4")
    parser.add_argument("--side", type=int, default=96, help="of the crops, a multiple of 16")
    parser.add_argument("--count", type=int, default=8, help="crops a step")
    parser.add_argument("--loss", choices=("pixel", "perceptual"), default="pixel")
    parser.add_argument("--weight", type=float, default=0.2, help="of LPIPS beside the absolute error, with --loss perceptual")
    parser.add_argument("--full", action="store_true", help="train all weights")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--about", default="", help="a sentence for the file's metadata")
    parser.add_argument("--report", help="JSON file for the figures")
    parser.add_argument("--threads", type=int, default=2)
    a = vars(parser.parse_args())
    if not a["minutes"] and not a["steps"]:
        parser.error("give --minutes, --steps or both")
    torch.set_num_threads(a.pop("threads"))
    report = a.pop("report")
    result = adapt(**a, log=lambda text: print(text, flush=True))
    history = result.pop("losses")
    edge = max(1, len(history) // 10)
    result["loss"] = [round(sum(part) / len(part), 5) for part in (history[:edge], history[-edge:])]
    result["bytes"] = Path(a["out"]).stat().st_size
    print(f"{result['steps']} steps, {result['parameters']} parameters, {result['bytes']} bytes, loss {result['loss'][0]} to {result['loss'][1]}")
    for name in ("base", "adapted"):
        print(name, json.dumps(result[name]))
    if report:
        write_text(report, json.dumps(result, indent=1) + "\n")
