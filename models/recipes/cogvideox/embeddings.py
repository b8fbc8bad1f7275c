"""Embeddings of prompts by the text encoder, kept in a file: where it has run once, nothing needs its 9 GB again.

    python embeddings.py --weights CogVideoX-5b-I2V --out runs/embeddings.safetensors                  # the uniform sentences and the empty prompt
    python embeddings.py --weights CogVideoX-5b-I2V --out runs/embeddings.safetensors --data DATA      # and all prompts of a data set

Tensors of [length, width] in half precision (--precision fp32: single), named by task, "empty", or by the prompt itself.
"""

import argparse
from pathlib import Path

import torch
from transformers import T5EncoderModel

from clips import samples_of
from configurations import UNIFORM, load_tokenizer
from export import embeddings_of
from settings import save_tensors


def load_text(weights, device="cpu", dtype=torch.float32):
    weights = Path(weights)
    return load_tokenizer(weights), T5EncoderModel.from_pretrained(weights / "text_encoder", dtype=dtype).to(device).eval()


def prompts_of(samples=()):
    return {**UNIFORM, "empty": "", **{sample.prompt: sample.prompt for sample in samples}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--data")
    parser.add_argument("--frames", type=int, default=9)
    parser.add_argument("--length", type=int, default=226, help="tokens of a prompt")
    parser.add_argument("--precision", choices=("fp16", "fp32"), default="fp16")
    a = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    # bf16 on a GPU: T5's activations overflow half precision.
    tokenizer, encoder = load_text(a.weights, device, torch.bfloat16 if device == "cuda" else torch.float32)
    prompts = prompts_of(samples_of(a.data, a.frames) if a.data else ())
    made = embeddings_of(tokenizer, encoder, prompts, a.length)
    save_tensors(a.out, {name: value.half() if a.precision == "fp16" else value for name, value in made.items()})
    print(f"{a.out}: {len(made)} embeddings")
