"""Settings of an experiment: one JSON file each in settings/, checked against this dataclass; and how files are written.

A library file (nothing to launch). Files are written beside their place and renamed, so that no reader ever sees half a file.
"""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass
class Settings:
    seed: int = 1
    prompts: str = "uniform"  # or "scene": the captions of the data set, for which the text encoder runs once, before training
    frames: int = 9
    height: int = 480
    width: int = 720
    # LoRA: its factors change the attention's projections by alpha / rank * B A
    rank: int = 128
    alpha: float = 64
    # training
    steps: int = 4000
    batch: int = 1
    accumulate: int = 1
    rate: float = 1e-4
    warmup: int = 200
    betas: tuple = (0.9, 0.95)
    weight_decay: float = 1e-4
    clip: float = 1.0
    image_dropout: float = 0.05
    image_noise: tuple = (-3.0, 0.5)  # mean and deviation of the logarithm of sigma; null for none
    precision: str = "bf16"  # of the frozen weights; the factors are always trained in fp32
    checkpointing: bool = True  # gradient checkpointing: a third slower, most of the memory saved
    rope_grid: str = "inference"  # or "arange": the plain grid of zai-org's trainer
    positions: str = "reference"  # or "slice": the first frames of learned positions, where diffusers takes sines at other lengths
    workers: int = 2
    checkpoint_steps: int = 100
    report_steps: int = 10

    def to_dict(self):
        return asdict(self)


def settings_from(values):
    known = {field.name for field in fields(Settings)}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"settings do not know {', '.join(unknown)}; they are {', '.join(sorted(known))}")
    settings = Settings(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
    if settings.frames % 8 != 1:
        raise ValueError(f"frames is {settings.frames}; clips have 8N + 1 frames")
    for name, allowed in (("prompts", ("uniform", "scene")), ("precision", ("fp32", "bf16", "fp16")), ("rope_grid", ("inference", "arange")), ("positions", ("reference", "slice"))):
        if getattr(settings, name) not in allowed:
            raise ValueError(f"{name} is {getattr(settings, name)!r}; it has to be one of {', '.join(allowed)}")
    return settings


def load_settings(path):
    return settings_from(json.loads(Path(path).read_text()))


def replace_file(path, write):
    """Call write(temporary path), then rename: readers see the old file or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    write(temporary)
    temporary.chmod(0o644)
    os.replace(temporary, path)


def write_text(path, text):
    replace_file(path, lambda p: p.write_text(text))


def save_tensors(path, tensors, metadata=None):
    """A safetensors file; metadata are strings by name."""
    from safetensors.torch import save_file

    replace_file(path, lambda p: save_file({name: value.detach().contiguous().clone() for name, value in tensors.items()}, str(p), metadata))
