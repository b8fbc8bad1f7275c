"""Reads the shipped weights back: ONNX folder -> PyTorch modules, so that training can go on from them.

    python from_onnx.py --model ../../compact --task deblurring --out start.pt       # a state dict of network and text encoder
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
    """{PyTorch name: fp32 tensor} of a graph's initialisers."""
    model = onnx.load(str(path))
    stored = {t.name.removesuffix(".half"): numpy_helper.to_array(t).astype(np.float32) for t in model.graph.initializer if re.search(r"(\.(weight|bias)|^stop_short|^(spectra|inverse)\.steps)(\.half)?$", t.name)}
    # Equal tensors (biases that always got the same gradients) stand in the file once, and the others are copies of it.
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]]
    rows = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer if t.name in ("table.weight.rows", "table.weight.scale")}
    if rows:
        stored["table.weight"] = rows["table.weight.rows"] * rows["table.weight.scale"][:, None]
    return {name: torch.from_numpy(value.copy()) for name, value in stored.items()}


def count(names, stage):
    return len({name.removeprefix(f"{stage}.blocks.").split(".")[0] for name in names if name.startswith(f"{stage}.blocks.")})


def settings_of(task, trunk, text):
    levels = 1 + len([name for name in trunk if re.fullmatch(r"down\.\d+\.weight", name)])
    return replace(
        Settings(),
        task=task,
        widths=tuple(trunk[f"encode.{k}.blocks.0.first.weight" if k + 1 < levels else "middle.blocks.0.first.weight"].shape[0] for k in range(levels)),
        encoder_blocks=tuple(count(trunk, f"encode.{k}") for k in range(levels - 1)),
        middle_blocks=count(trunk, "middle"),
        decoder_blocks=tuple(count(trunk, f"decode.{k}") for k in range(levels - 1)),
        descriptor=trunk["descriptor.layers.10.weight"].shape[0],
        spectra=trunk["spectra.code.weight"].shape[0] if "spectra.code.weight" in trunk else 0,
        inverse=trunk["inverse.hidden.weight"].shape[0] if "inverse.hidden.weight" in trunk else 0,
        inverse_scales=max(2, sum(bool(re.fullmatch(r"inverse\.mix\.\d+\.weight", name)) for name in trunk)),
        prompt=text["outer.weight"].shape[0],
        buckets=text["table.weight"].shape[0],
        embedding=text["table.weight"].shape[1],
    )


def restored(text):
    """The text encoder of a state dict."""
    encoder = TextEncoder(*text["table.weight"].shape, text["outer.weight"].shape[0])
    encoder.load_state_dict(text)
    return encoder.eval()


def load_text(folder):
    return restored(tensors(Path(folder) / "text.onnx"))


def load_network(folder, task, settings):
    trunk, head = (tensors(Path(folder) / f"{task}-{part}.onnx") for part in ("trunk", "head"))
    network = Network(settings)
    for name, value in network.trunk.state_dict().items():
        if value.ndim == 4:
            trunk[name] = trunk[name][:, : value.shape[1]]  # without the empty channels that the export adds
    network.trunk.load_state_dict(trunk)
    # Equal constants share one name in the file: what is missing of a model that was not calibrated is zero, as in a new network.
    network.head.load_state_dict({"stop_short": network.head.stop_short, **head})
    for layer in (network.trunk.stem, network.head.second):
        layer.split()  # the files hold plain convolutions on pixels
    return network.eval()


def load(folder, task):
    """(network, text encoder, settings) of the expert of a task in an exported model."""
    encoder = load_text(folder)
    settings = settings_of(task, tensors(Path(folder) / f"{task}-trunk.onnx"), encoder.state_dict())
    return load_network(folder, task, settings), encoder, settings


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    network, encoder, settings = load(a.model, a.task)
    save({"settings": settings.to_dict(), "average": network.state_dict(), "text": encoder.state_dict()}, a.out)
