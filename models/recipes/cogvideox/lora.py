"""LoRA factors of the transformer: attaching, saving as diffusers does, merging; and widening text-to-video weights.

A library file (nothing to launch). What a file holds is what `pipeline.load_lora_weights` of diffusers and the library's own merging read:
`transformer.transformer_blocks.{i}.attn1.{to_q, to_k, to_v, to_out.0}.lora_A|lora_B.weight`, with rank and alpha in the metadata.
"""

import json
from pathlib import Path

import torch
from diffusers import CogVideoXTransformer3DModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import safe_open

from settings import save_tensors

TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]
PREFIX = "transformer."
WIDENED = "patch_embed.proj"


def widen(transformer):
    """Text-to-video weights made ready for a picture's latents behind the noise: twice the input channels, the new ones with zero weights, so that nothing changes until they are trained."""
    config = transformer.config
    if config.in_channels != config.out_channels:
        raise ValueError(f"the transformer takes {config.in_channels} channels and gives {config.out_channels}: only text-to-video weights, which take what they give, can be widened")
    if config.patch_size_t is not None:
        raise ValueError("CogVideoX 1.5 has image-to-video weights; its text-to-video weights are not widened here")
    dtype = next(transformer.parameters()).dtype
    wider = CogVideoXTransformer3DModel.from_config({**config, "in_channels": 2 * config.in_channels}).to(dtype)
    weights = transformer.state_dict()
    name = f"{WIDENED}.weight"
    weights[name] = torch.cat([weights[name], torch.zeros_like(weights[name])], 1)
    wider.load_state_dict(weights)
    return wider.train(transformer.training)


def attach(transformer, rank, alpha):
    """Freezes the transformer and gives it factors; B is zero at first. Returns the parameters to train, in fp32."""
    transformer.requires_grad_(False)
    transformer.add_adapter(LoraConfig(r=rank, lora_alpha=alpha, init_lora_weights=True, target_modules=TARGETS))
    trained = [parameter for parameter in transformer.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.data = parameter.data.float()
    return trained


def save_adapter(path, transformer, rank, alpha, about=None):
    layers = {PREFIX + name: value.float().cpu() for name, value in get_peft_model_state_dict(transformer).items()}
    own = {"r": rank, "lora_alpha": alpha, "target_modules": TARGETS}
    metadata = {
        "format": "pt", "peft_type": "LORA", "r": str(rank), "lora_alpha": f"{alpha:g}", **(about or {}),
        "lora_adapter_metadata": json.dumps({PREFIX + name: value for name, value in own.items()}),
    }
    save_tensors(path, layers, metadata)


def read_adapter(path):
    """(tensors by name without prefix, rank, alpha)."""
    with safe_open(str(path), "pt") as file:
        metadata = file.metadata() or {}
        tensors = {name.removeprefix(PREFIX): file.get_tensor(name) for name in file.keys()}
    own = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    rank = own.get(f"{PREFIX}r", metadata.get("r"))
    alpha = own.get(f"{PREFIX}lora_alpha", metadata.get("lora_alpha"))
    if rank is None or alpha is None:
        raise ValueError(f"{path} does not say its rank and alpha")
    return tensors, int(rank), float(alpha)


def load_adapter(transformer, path):
    """Puts a file's factors onto a transformer that has none yet, or the same ones."""
    tensors, rank, alpha = read_adapter(path)
    if not hasattr(transformer, "peft_config"):
        attach(transformer, rank, alpha)
    result = set_peft_model_state_dict(transformer, tensors)
    if result.unexpected_keys:
        raise ValueError(f"{path} has factors for layers that are not there: {', '.join(sorted(result.unexpected_keys)[:3])}")
    return rank, alpha


@torch.no_grad()
def merge(transformer, path, scale=1.0):
    """W + scale * alpha / rank * B A for every layer that the file names, in place and in the weights' precision."""
    tensors, rank, alpha = read_adapter(path)
    changed = 0
    for name, a in tensors.items():
        if not name.endswith(".lora_A.weight"):
            continue
        b = tensors[name.replace("lora_A", "lora_B")].float()
        weight = transformer.get_submodule(name.removesuffix(".lora_A.weight")).weight
        weight.copy_((weight.float() + scale * alpha / rank * (b @ a.float()).to(weight.device)).to(weight.dtype))
        changed += 1
    if not changed:
        raise ValueError(f"{path} names no layer")
    return changed


def save_widened(path, transformer):
    layer = transformer.get_submodule(WIDENED)
    save_tensors(path, {f"{WIDENED}.weight": layer.weight.float().cpu(), f"{WIDENED}.bias": layer.bias.float().cpu()})


@torch.no_grad()
def load_widened(transformer, path):
    """The widened first layer, which is trained as a whole beside the factors."""
    with safe_open(str(path), "pt") as file:
        for kind in ("weight", "bias"):
            getattr(transformer.get_submodule(WIDENED), kind).copy_(file.get_tensor(f"{WIDENED}.{kind}"))


def adapted(transformer, run):
    """A transformer with everything that a run has trained, merged."""
    run = Path(run)
    if (run / "patch_embed.safetensors").exists():
        if transformer.config.in_channels == transformer.config.out_channels:
            transformer = widen(transformer)
        load_widened(transformer, run / "patch_embed.safetensors")
    merge(transformer, run / "adapter.safetensors")
    return transformer
