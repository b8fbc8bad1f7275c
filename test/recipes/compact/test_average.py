from dataclasses import replace

import pytest
import torch

import average
import train
from network import Network
from settings import save


def checkpoint(settings, path, seed, **other):
    torch.manual_seed(seed)
    save({"settings": {**settings.to_dict(), **other}, "average": Network(settings).state_dict(), "text": train.make_encoder(settings).state_dict(), "step": 1, "elapsed": 60}, path)
    return torch.load(path, weights_only=False)["average"]


def test_mean_of_runs_that_have_the_same_shape(smoke, tmp_path):
    one, two = (checkpoint(smoke, tmp_path / f"{seed}.pt", seed) for seed in (1, 2))
    save(average.average([tmp_path / "1.pt", tmp_path / "2.pt"]), tmp_path / "mean.pt")
    network = train.load_averaged(tmp_path / "mean.pt")[0]
    for name, value in network.state_dict().items():
        assert torch.allclose(value.float(), (one[name].float() + two[name].float()) / 2, atol=1e-7), name


def test_refuses_what_has_no_mean(smoke, tmp_path):
    checkpoint(smoke, tmp_path / "1.pt", 1)
    checkpoint(replace(smoke, widths=(24, 32)), tmp_path / "wide.pt", 1)
    checkpoint(smoke, tmp_path / "other.pt", 1, task="deblurring")
    with pytest.raises(ValueError, match="different shapes"):
        average.average([tmp_path / "1.pt", tmp_path / "wide.pt"])
    with pytest.raises(ValueError, match="different tasks"):
        average.average([tmp_path / "1.pt", tmp_path / "other.pt"])
