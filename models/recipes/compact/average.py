"""The mean of the weights of several runs that went on from the same ones.

    python average.py --checkpoint runs/a/last.pt runs/b/last.pt --start ../../compact --out runs/mean/last.pt

Finishing runs of low light fit their hundred pairs each in its own way, and weights that go on from the same ones may be averaged (Wortsman et al., Model soups, 2022). On ten held-out pairs the mean was better
than each of three runs, on LOL eval15 it was not: the card has the figures. `--start` counts the weights that the runs went on from as one more. Needs experts of the same shape and task.
"""

import argparse

import torch

from settings import Settings, save
from train import known


def mean_of(states):
    """The mean of state dicts; every one has to have the same names and shapes."""
    first = states[0]
    for other in states[1:]:
        if other.keys() != first.keys() or any(other[name].shape != value.shape for name, value in first.items()):
            raise ValueError("the checkpoints are of networks of different shapes")
    return {name: torch.stack([state[name].float() for state in states]).mean(0).to(value.dtype) for name, value in first.items()}


def average(checkpoints, start=None):
    """A checkpoint like the first, with the mean of all averaged weights."""
    states = [torch.load(path, map_location="cpu", weights_only=False) for path in checkpoints]
    settings = Settings(**states[0]["settings"])
    if any(state["settings"]["task"] != settings.task for state in states):
        raise ValueError("the checkpoints are of experts of different tasks")
    weights = [state["average"] for state in states]
    if start:
        from from_onnx import load

        shipped = load(start, settings.task)[0]
        weights = [known(state, shipped) for state in weights] + [shipped.state_dict()]
    return {**states[0], "average": mean_of(weights)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", nargs="+", required=True)
    parser.add_argument("--start", help="folder with shipped ONNX weights that count too")
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    save(average(a.checkpoint, a.start), a.out)
