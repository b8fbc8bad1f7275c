"""What train.py has trained, merged into the weights: a folder in diffusers' format that runs without an adapter.

    python merge.py --weights CogVideoX-5b-I2V --run runs/all --out runs/merged

`export.py --run` does the same on the way; this is for those who want the weights themselves.
"""

import argparse
from pathlib import Path

import torch

import lora
from configurations import load_pipeline


def merge(weights, run, out, dtype=torch.float32):
    if Path(out).exists() and any(Path(out).iterdir()):
        raise FileExistsError(f"{out} is not empty; name another folder")
    pipeline = load_pipeline(weights, dtype)
    pipeline.register_modules(transformer=lora.adapted(pipeline.transformer, run))
    pipeline.save_pretrained(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--precision", choices=("fp32", "bf16", "fp16"), default="bf16")
    a = parser.parse_args()
    merge(a.weights, a.run, a.out, {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[a.precision])
    print(f"{a.out}: merged")
