import re

import numpy as np
import torch

import calibrate
import train


def losses(run):
    rows = [re.search(r"loss super (\S+)/\S+ deblu (\S+)/\S+ low-l (\S+)/", line) for line in (run / "log.txt").read_text().splitlines()]
    return [[float(v) for v in row.groups()] for row in rows if row]


def test_loss_falls_and_training_goes_on_where_it_stopped(data, smoke, tmp_path):
    run = tmp_path / "run"
    train.train(data, run, smoke, minutes=0.5, budget=0.7)
    first = torch.load(run / "last.pt", weights_only=False)
    train.train(data, run, smoke, minutes=0.2, budget=0.7)
    second = torch.load(run / "last.pt", weights_only=False)
    assert second["step"] > first["step"] > 5 and second["elapsed"] > first["elapsed"]
    network, encoder, settings, _ = train.load_averaged(run / "last.pt")
    assert settings.widths == smoke.widths
    assert calibrate.calibrate(network, encoder, calibrate.held_out(data, settings)[:1], log=lambda text: None) in calibrate.CHOICES
    curves = losses(run)
    dark = [row[2] for row in curves if np.isfinite(row[2])]
    assert dark[-1] < 0.8 * dark[0], "the largest error, that of dark pictures, falls first"
    assert (run / "validation.jsonl").read_text().count("\n") == 2


def test_schedule_follows_the_clock(smoke):
    rates = [train.rate_at(share, smoke) for share in np.linspace(0, 1, 101)]
    assert rates[0] < rates[5] and rates[5] > rates[50] > rates[99]
    assert np.isclose(rates[100], smoke.rate_end, rtol=0.01)
    assert train.patch_at(0.0, smoke) == smoke.patches[0][1]
