"""Where the last frame of a clip should stop, chosen on pictures that were taken out of the training data.

    python calibrate.py --data DATA --checkpoint RUN/last.pt --out RUN/calibrated.pt

low-light: how bright a dark scene was cannot be known, and with a hundred training pairs the network is surer than it should be: on pictures it has not seen, too bright costs more than too
dark, so stopping a little short of its full exposure is better on average. The best last frame counts.

super-resolution, deblurring: the last bit of detail is right on average and wrong in some pictures, whose PSNR then falls at the end of the clip. A last frame that stops a little short costs
thousandths of a decibel (deblurring: a hundredth), and more curves rise to their end. The largest share of monotone curves counts, among the choices that cost less than COST.

The clip stays a path of the same network: severity s becomes s + (1 - s) short, still exactly the input at 1.
"""

import argparse

import numpy as np
import torch

import evaluate
import metrics
from degradations import resolution_path
from prompts import UNIFORM
from samples import Pictures, blur_sample, files, load_pair
from settings import save
from train import load_averaged

CHOICES = (0.0, 0.03, 0.06, 0.09, 0.12, 0.15)
# Decibels of the last frame that monotone curves may cost.
COST = {"super-resolution": 0.005, "deblurring": 0.02}
# Every step short leaves more of the input in the last frame: a tenth of a blurred picture is what its sharpness can bear.
FURTHEST = {"super-resolution": 0.15, "deblurring": 0.09}
# Steps back that the library does not count against monotony.
TOLERANCE = 0.01


def held_out(data, settings):
    """The real pairs that training leaves alone (the same choice as samples.Pictures makes)."""
    degraded = {p.stem: p for p in files(f"{data}/train/lol/input")}
    references = [p for p in files(f"{data}/train/lol/reference") if p.stem in degraded]
    chosen = {int(i) for i in np.linspace(0, len(references) - 1, min(settings.held_out_dark, len(references) // 4))}
    pairs = [load_pair(p, degraded[p.stem]) for i, p in enumerate(references) if i in chosen]
    return [(p.name, p.y, p.x) for p in pairs]


def held_out_crops(data, settings, side=256):
    """(name, degraded, clean) of four places of every photograph that training leaves alone."""
    crops = []
    for clean in Pictures(data, settings).held_clean:
        picture = clean.levels[0]
        for top in (0.1, 0.55):
            for left in (0.1, 0.6):
                y0, x0 = (int(share * length) // 4 * 4 for share, length in zip((top, left), picture.shape))
                x = picture[y0 : y0 + side, x0 : x0 + side]
                x = x[: x.shape[0] // 4 * 4, : x.shape[1] // 4 * 4]
                y = resolution_path(x / np.float32(255), 1)[0]
                crops.append((clean.name, (y * 255 + 0.5).astype(np.uint8), x))
    return crops


def held_out_blurs(data, settings, side=192):
    """(name, degraded, clean) of four streaks across every photograph that training leaves alone."""
    pairs = []
    for index, clean in enumerate(Pictures(data, settings).held_clean):
        for k in range(4):
            x, y, _, _ = blur_sample(np.random.default_rng([31, index, k]), clean, side, 1.0, (3.0, 40.0), undisturbed=1.0)
            pairs.append((clean.name, *((p * 255 + 0.5).astype(np.uint8) for p in (y, x))))
    return pairs


def monotone_share(curves):
    return float((np.diff(curves, axis=1) > -TOLERANCE).all(1).mean())


def best_exposure(model, prompt, pairs, log):
    """The best choice by the last frame's mean PSNR and SSIM (40 dB of SSIM a unit, the usual exchange rate at these values)."""
    values = np.array([[metrics.compare(frame, x, "rgb") for frame in evaluate.trajectory(model, "low-light", y, prompt, CHOICES)] for _, y, x in pairs]).mean(0)
    for short, (psnr, ssim) in zip(CHOICES, values):
        log(f"short {short:.2f}: PSNR {psnr:.2f}, SSIM {ssim:.4f}")
    return max(zip(CHOICES, values), key=lambda row: row[1][0] + 40 * row[1][1])[0]


def steadiest(model, task, prompt, pairs, log):
    """The choice with most monotone curves among those whose last frame costs less than COST; the smallest of equals."""
    protocol = "sr" if task == "super-resolution" else "rgb"
    grid = sorted({short + (1 - short) * s for short in CHOICES for s in evaluate.SEVERITIES}, reverse=True)

    def errors(y, x):
        wanted = metrics.prepare(x, protocol)
        return [metrics.psnr(metrics.prepare(frame, protocol), wanted) for frame in evaluate.trajectory(model, task, y, prompt, grid)]

    values = np.array([errors(y, x) for _, y, x in pairs])
    place = {severity: index for index, severity in enumerate(grid)}
    rows = []
    for short in CHOICES:
        curves = values[:, [place[short + (1 - short) * s] for s in evaluate.SEVERITIES]]
        rows.append((short, float(curves[:, -1].mean()), monotone_share(curves)))
        log(f"short {short:.2f}: PSNR {rows[-1][1]:.3f}, monotone {rows[-1][2]:.3f}")
    return max((row for row in rows if row[0] <= FURTHEST[task] and row[1] > rows[0][1] - COST[task]), key=lambda row: row[2])[0]


def calibrate(network, encoder, task, pairs, log=print):
    """Sets and returns the best choice for a network of this task."""
    model = evaluate.TorchModel(network, encoder)
    network.head.stop_short.fill_(0.0)  # a last frame that stops short by so much is then the frame of that severity
    prompt = model.prompt(UNIFORM[task])
    best = best_exposure(model, prompt, pairs, log) if task == "low-light" else steadiest(model, task, prompt, pairs, log)
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
    pairs = {"low-light": held_out, "super-resolution": held_out_crops, "deblurring": held_out_blurs}[settings.task](a.data, settings)
    print("stops short by", calibrate(network, encoder, settings.task, pairs))
    save({**state, "average": network.state_dict()}, a.out)
