"""Settings of an experiment: one JSON file each in settings/, checked against this dataclass.

A library file (nothing to launch). Also the one way in which files are written: beside, then renamed, so that no reader ever sees half a file.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Settings:
    seed: int = 1
    # text encoder
    buckets: int = 16384
    embedding: int = 32
    prompt: int = 32
    text_steps: int = 900
    # network
    widths: tuple = (64, 96, 144)
    encoder_blocks: tuple = (2, 2)
    middle_blocks: int = 3
    decoder_blocks: tuple = (4, 2)
    descriptor: int = 32
    # training; the schedule follows the clock, not the steps, because cores may be shared
    batch: int = 8
    patches: tuple = ((0.0, 64), (0.75, 96))
    rate: float = 8e-4
    modulation_speed: float = 3.0
    rate_end: float = 1e-6
    warmup: float = 0.03
    weight_decay: float = 1e-4
    clip: float = 0.5
    average: float = 0.999
    fourier: float = 0.05
    dark_weight: float = 0.08
    dark_square: float = 0.0
    processes: int = 2
    workers: int = 1
    # samples
    shares: tuple = (0.50, 0.36, 0.14)
    real_dark: float = 0.5
    held_out_dark: int = 10
    held_out_pictures: int = 12
    free_prompts: int = 3000
    report_seconds: float = 60
    checkpoint_seconds: float = 180
    validate_seconds: float = 720

    def to_dict(self):
        return asdict(self)


def _tuples(value):
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def load_settings(path):
    return Settings(**{key: _tuples(value) for key, value in json.loads(Path(path).read_text()).items()})


def replace_file(path, write):
    """Call write(temporary path), then rename: readers see the old file or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    write(temporary)
    os.replace(temporary, path)


def write_text(path, text):
    replace_file(path, lambda p: p.write_text(text))


def save(state, path):
    import torch

    replace_file(path, lambda p: torch.save(state, p))
