import multiprocessing
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

import calibrate
import train
from samples import Batches, Pictures, PromptBank, at


def losses(run):
    rows = [re.search(r"loss (\S+)/", line) for line in (run / "log.txt").read_text().splitlines()]
    return [float(row.group(1)) for row in rows if row]


def test_loss_falls_and_training_goes_on_where_it_stopped(data, smoke, tmp_path):
    run = tmp_path / "run"
    train.train(data, run, smoke, minutes=0.5, budget=0.7)
    first = torch.load(run / "last.pt", weights_only=False)
    train.train(data, run, smoke, minutes=0.2, budget=0.7)
    second = torch.load(run / "last.pt", weights_only=False)
    assert second["step"] > first["step"] > 5 and second["elapsed"] > first["elapsed"]
    network, encoder, settings, _ = train.load_averaged(run / "last.pt")
    assert settings.widths == smoke.widths
    assert calibrate.calibrate(network, encoder, settings.task, calibrate.held_out(data, settings)[:1], log=lambda text: None) in calibrate.CHOICES
    curve = losses(run)
    assert curve[-1] < 0.8 * curve[0]
    assert (run / "validation.jsonl").read_text().count("\n") == 2


class Overshooting:
    """Goes 15 % too far: the error is nothing where 1 - s is 1 / 1.15, at s = 0.13, and grows again to the clean end."""

    def __init__(self, clean):
        self.clean = clean / np.float32(255)

    def frames(self, task, picture, thumbnail, prompt, severities):
        return [picture + (1 - np.float32(s)) * np.float32(1.15) * (self.clean - picture) for s in severities]


def test_the_last_frame_stops_where_curves_rise_to_their_end(data, smoke):
    name, y, x = next(row for row in calibrate.held_out_blurs(data, smoke, side=64) if row[1].std() > 10)
    y = (0.8 * x + 0.1 * 255 + 0.5).astype(np.uint8)  # so that nothing is clipped on the way past the clean picture
    rows = []
    # Frames at 0.06 and 0.18 are as far from it on either side: 0.09 is the first choice whose last frame is the nearest.
    assert calibrate.steadiest(Overshooting(x), "deblurring", None, [(name, y, x)], rows.append) == 0.09
    assert [row.split()[-1] for row in rows] == ["0.000", "0.000", "0.000", "1.000", "1.000", "1.000"]


def test_schedule_follows_the_clock(smoke):
    rates = [train.rate_at(share, smoke) for share in np.linspace(0, 1, 101)]
    assert rates[0] < rates[5] and rates[5] > rates[50] > rates[99]
    assert np.isclose(rates[100], smoke.rate_end, rtol=0.01)
    assert at(((0.0, 64, 8), (0.5, 96, 4)), 0.4) == [64, 8]
    assert at(((0.0, 64, 8), (0.5, 96, 4)), 0.5) == [96, 4]


@pytest.mark.parametrize("task", ["super-resolution", "deblurring", "low-light"])
def test_samples_of_every_task(data, smoke, task):
    settings = replace(smoke, task=task, batches=((0.0, 64, 16),), blur_lengths=((0.0, 2.0, 12.0),))
    pictures = Pictures(data, settings)
    encoder = train.make_encoder(settings)
    batches = Batches(pictures, PromptBank(encoder, {}, settings), settings, multiprocessing.Value("d", 0.0), 3)
    batch = next(iter(batches))
    assert batch["x"].shape == batch["y"].shape == batch["part"].shape == (16, 3, 64, 64)
    assert all(torch.isfinite(value).all() for value in batch.values())
    # Somewhere between its ends, every path is nearer to the clean picture than the degraded one is.
    far, near = ((batch[key] - batch["x"]).square().mean((1, 2, 3)) for key in ("y", "part"))
    assert (near <= far + 1e-6).float().mean() > 0.9
