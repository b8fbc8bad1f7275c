"""Peak memory of random networks of growing size on the CPU: what the constants of the library's memory plan are fitted on.

    python memory.py --out runs/memory.json            # a few minutes, below 4 GB

Every case is exported as export.py does and run by memory.mjs in a process of its own, with onnxruntime-node. Listed are the bytes of the files, the process' peak above its start while it loaded,
and the peak above what it held after loading while it ran; sizes are such that the process itself (about 60 MB) does not matter.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel

import export
from configurations import transformer_config, vae_config
from settings import write_text

HERE = Path(__file__).resolve().parent
# heads of 64, rows and columns of latents, precision
TRANSFORMERS = [(4, 16, 24, "fp32"), (8, 16, 24, "fp32"), (8, 32, 48, "fp32"), (16, 32, 48, "fp32"), (8, 32, 48, "fp16"), (16, 32, 48, "fp16")]
# channels at full size (the published ones have 128, twice as many at a quarter, four times at an eighth), rows and columns of latents
AUTOENCODERS = [(16, 16, 24), (32, 16, 24), (32, 24, 36), (64, 16, 24)]


def measured(graph, inputs):
    types = {torch.int64: "int64"}
    described = {name: {"type": types.get(value.dtype, "float32"), "dims": list(value.shape)} for name, value in inputs.items()}
    answer = subprocess.run(["node", str(HERE / "memory.mjs"), str(graph), json.dumps(described)], capture_output=True, text=True, check=True)
    found = json.loads(answer.stdout)
    return {"files": found["files"], "load": found["peakLoaded"] - found["before"], "held": found["loaded"] - found["before"], "run": found["peakRan"] - found["loaded"]}


def transformer_case(heads, height, width, precision, folder, layers=2):
    config = {**transformer_config("5b"), "num_attention_heads": heads, "num_layers": layers, "in_channels": 32}
    torch.manual_seed(0)
    transformer = CogVideoXTransformer3DModel(**config).eval()
    export.write_transformer(transformer, 9, height, width, folder, precision, check=False)
    inputs = export.transformer_inputs(transformer, 9, height, width)
    tokens = transformer.config.max_text_seq_length + 3 * (height // 2) * (width // 2)
    size = {"height": 8 * height, "width": 8 * width, "tokens": tokens}
    return {"part": "transformer", "heads": heads, **size, "precision": precision, **measured(folder / "transformer.onnx", inputs)}


def autoencoder_cases(channels, height, width, folder):
    torch.manual_seed(0)
    vae = AutoencoderKLCogVideoX(**{**vae_config("5b"), "block_out_channels": (channels, 2 * channels, 2 * channels, 4 * channels), "norm_num_groups": 8}).eval()
    export.write_vae(vae, 9, folder, check=False)
    size = {"channels": channels, "height": 8 * height, "width": 8 * width}
    yield {"part": "vae_encoder", **size, **measured(folder / "vae_encoder.onnx", {"sample": torch.zeros(1, 3, 1, 8 * height, 8 * width)})}
    yield {"part": "vae_decoder", **size, **measured(folder / "vae_decoder.onnx", {"latents": torch.zeros(1, 16, 3, height, width)})}


def cases():
    for case in TRANSFORMERS:
        with tempfile.TemporaryDirectory() as folder:
            yield transformer_case(*case, Path(folder))
    for case in AUTOENCODERS:
        with tempfile.TemporaryDirectory() as folder:
            yield from autoencoder_cases(*case, Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args()
    rows = []
    for row in cases():
        rows.append(row)
        print(", ".join(f"{name} {value / 1e6:.0f} MB" if name in ("files", "load", "held", "run") else f"{value}" for name, value in row.items()), flush=True)
        write_text(a.out, json.dumps(rows, indent=1) + "\n")
