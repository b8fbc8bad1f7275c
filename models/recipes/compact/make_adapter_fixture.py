"""A small expert, an adapter for it, and what PyTorch makes of both: what the library's merging is held against.

    python make_adapter_fixture.py        # writes test/fixtures/adapter

Weights are random. expected.safetensors holds the inputs and the frame at severity 1/4 without the adapter, with it, with half of it, and with it twice at the strengths 1 and -1/2.
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import lora
from export import graph_of, rounded
from from_onnx import load_network
from network import Network, merged
from settings import Settings, write_text

OUT = Path(__file__).resolve().parents[3] / "test/fixtures/adapter"
SETTINGS = Settings(task="deblurring", prompt=8, widths=(8, 12), encoder_blocks=(1,), middle_blocks=1, decoder_blocks=(1,), descriptor=8)
SEVERITY = 0.25


def write_expert(folder):
    """The graphs of export.py, without a text encoder: the prompt is given as a vector."""
    torch.manual_seed(11)
    network = Network(SETTINGS)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.03 * torch.randn_like(parameter))
    network = rounded(merged(network))
    image, features, prompt = torch.rand(1, 3, 64, 96), torch.rand(1, 8, 16, 24), torch.rand(1, 8)
    plane, quarter = {2: "height", 3: "width"}, {2: "quarter_height", 3: "quarter_width"}
    graph_of(network.trunk, (image, torch.rand(1, 3, 64, 64), prompt), ["image", "thumbnail", "prompt"], ["features"], {"image": plane, "features": quarter}, folder / "deblurring-trunk.onnx")
    graph_of(
        network.head, (image, features, prompt, torch.full((1, 1), 0.5)), ["image", "features", "prompt", "severity"], ["frame"],
        {"image": plane, "features": quarter, "frame": plane}, folder / "deblurring-head.onnx",
    )
    files = {}
    for part in ("trunk", "head"):
        data = (folder / f"deblurring-{part}.onnx").read_bytes()
        files[f"deblurring-{part}"] = {"path": f"deblurring-{part}.onnx", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    write_text(folder / "manifest.json", json.dumps({"id": "fixture", "files": files}, indent=2) + "\n")


def write_adapter(folder):
    torch.manual_seed(12)
    network = load_network(folder, "deblurring", SETTINGS)
    factors = lora.attach(network, 3, 5)
    with torch.no_grad():
        for low in factors.values():
            low.b.copy_(0.1 * torch.randn_like(low.b))
    lora.write(folder / "adapter.safetensors", lora.tensors_of(network, factors), folder, "deblurring", 3, 5, "Random: a test's.")


@torch.no_grad()
def expected(folder, inputs):
    """{name: frame} by PyTorch for the inputs."""
    network, file = load_network(folder, "deblurring", SETTINGS), folder / "adapter.safetensors"
    frames = {}
    for name, scales in (("base", []), ("adapted", [1.0]), ("half", [0.5]), ("two", [1.0, -0.5])):
        adapted = merged(network)
        for scale in scales:
            lora.add_adapter(adapted, file, scale)
        frames[f"frame.{name}"] = adapted(inputs["image"], inputs["thumbnail"], inputs["prompt"], [torch.full((1, 1), SEVERITY)])[0]
    return frames


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    write_expert(out)
    write_adapter(out)
    torch.manual_seed(13)
    inputs = {"image": torch.rand(1, 3, 32, 48), "thumbnail": torch.rand(1, 3, 64, 64), "prompt": torch.randn(1, 8)}
    save_file({**inputs, **expected(out, inputs)}, str(out / "expected.safetensors"))
    (out / "expected.safetensors").chmod(0o644)
    print(f"{out}: {sum(path.stat().st_size for path in out.iterdir())} bytes")
