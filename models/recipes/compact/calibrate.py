"""Where the last frame of low light should stop: chosen on the real pairs that were taken out of the training data.

    python calibrate.py --data DATA --checkpoint RUN/last.pt --out RUN/calibrated.pt

How bright a dark scene was cannot be known, and with a hundred training pairs the network is surer than it should be: on pictures it has not seen, too bright costs more than too dark,
so stopping a little short of its full exposure is better on average. The experts of the other tasks keep ending at 0. The clip stays a path of the same network: severity s becomes s + (1 - s) short, still exactly the input at 1.
"""

import argparse

import numpy as np
import torch

import evaluate
import metrics
from prompts import UNIFORM
from samples import files, load_pair
from settings import save
from train import load_averaged

CHOICES = (0.0, 0.03, 0.06, 0.09, 0.12, 0.15)


def held_out(data, settings):
    """The real pairs that training leaves alone (the same choice as samples.Pictures makes)."""
    degraded = {p.stem: p for p in files(f"{data}/train/lol/input")}
    references = [p for p in files(f"{data}/train/lol/reference") if p.stem in degraded]
    chosen = {int(i) for i in np.linspace(0, len(references) - 1, min(settings.held_out_dark, len(references) // 4))}
    pairs = [load_pair(p, degraded[p.stem]) for i, p in enumerate(references) if i in chosen]
    return [(p.name, p.y, p.x) for p in pairs]


def calibrate(network, encoder, pairs, log=print):
    """Sets and returns the best choice by the last frame's mean PSNR and SSIM (40 dB of SSIM a unit, the usual exchange rate at these values)."""
    scores, model = {}, evaluate.TorchModel(network, encoder)
    prompt = model.prompt(UNIFORM["low-light"])
    for short in CHOICES:
        network.head.stop_short.fill_(short)
        values = np.array([metrics.compare(evaluate.trajectory(model, "low-light", y, prompt, [0.0])[0], x, "rgb") for _, y, x in pairs]).mean(0)
        scores[short] = values[0] + 40 * values[1]
        log(f"short {short:.2f}: PSNR {values[0]:.2f}, SSIM {values[1]:.4f}")
    best = max(scores, key=scores.get)
    network.head.stop_short.fill_(best)
    return best


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--weights", choices=("average", "model"), default="average")
    a = parser.parse_args()
    torch.set_num_threads(2)
    network, encoder, settings, state = load_averaged(a.checkpoint, a.weights)
    print("stops short by", calibrate(network, encoder, held_out(a.data, settings)))
    save({**state, "average": network.state_dict()}, a.out)
