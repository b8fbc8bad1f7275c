"""Reads the shipped weights back: ONNX folder -> PyTorch modules, so that training can go on from them.

    python from_onnx.py --model ../../compact --out start.pt       # a state dict of network and text encoder
    python train.py ... --start ../../compact                      # or directly

The initialisers keep their PyTorch names in the graph. Widths and numbers of blocks are read off the tensors, so no settings file is needed.
"""

import argparse
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from network import Network
from settings import Settings, save
from text_encoder import TextEncoder


def tensors(path):
    """{PyTorch name: fp32 array} of a graph's initialisers; Linear layers whose weight was transposed are turned back."""
    model = onnx.load(str(path))
    stored = {t.name.removesuffix(".half"): numpy_helper.to_array(t).astype(np.float32) for t in model.graph.initializer if re.search(r"(\.(weight|bias)|^stop_\w+?)(\.half)?$", t.name)}
    return {name: torch.from_numpy(value.copy()) for name, value in stored.items()}


def count(names, stage):
    return len({name.split(".")[2] for name in names if name.startswith(f"{stage}.blocks.")})


def settings_of(trunk, text):
    return replace(
        Settings(),
        widths=tuple(trunk[f"{stage}.blocks.0.first.weight"].shape[0] for stage in ("encode0", "encode1", "middle")),
        encoder_blocks=(count(trunk, "encode0"), count(trunk, "encode1")),
        middle_blocks=count(trunk, "middle"),
        decoder_blocks=(count(trunk, "decode0"), count(trunk, "decode1")),
        descriptor=trunk["descriptor.layers.10.weight"].shape[0],
        prompt=text["outer.weight"].shape[0],
        buckets=text["table.weight"].shape[0],
        embedding=text["table.weight"].shape[1],
    )


def load(folder):
    """(network, text encoder, settings) of an exported model."""
    trunk, head, text = (tensors(Path(folder) / f"{part}.onnx") for part in ("trunk", "head", "text"))
    settings = settings_of(trunk, text)
    network = Network(settings)
    encoder = TextEncoder(settings.buckets, settings.embedding, settings.prompt)
    for name, value in network.trunk.state_dict().items():
        if value.ndim == 4:
            trunk[name] = trunk[name][:, : value.shape[1]]  # without the empty channels that the export adds
    network.trunk.load_state_dict(trunk)
    # Equal constants share one name in the file: what is missing of a model that was not calibrated is zero, as in a new network.
    network.head.load_state_dict({**{name: value for name, value in network.head.named_buffers() if name.startswith("stop_")}, **head})
    for layer in (network.trunk.stem, network.head.second):
        layer.split()  # the files hold plain convolutions on pixels
    encoder.load_state_dict(text)
    return network.eval(), encoder.eval(), settings


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    network, encoder, settings = load(a.model)
    save({"settings": settings.to_dict(), "average": network.state_dict(), "text": encoder.state_dict()}, a.out)
