"""Settings of an experiment: one JSON file each in settings/, checked against this dataclass.

A library file (nothing to launch). Also the one way in which files are written: beside, then renamed, so that no reader ever sees half a file.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Settings:
    task: str = "deblurring"
    seed: int = 1
    # text encoder
    buckets: int = 16384
    embedding: int = 32
    prompt: int = 32
    text_steps: int = 900
    text_batch: int = 192
    text_pool: int = 40000
    text_copies: int = 6  # spoiled copies of every written request
    text_rate: float = 4e-3
    text_taught: float = 0.0  # weight of the teacher's sentence vectors; its opinion on single words counts whenever there is a corpus
    # network: one width a level, the first at a quarter of the resolution
    widths: tuple = (64, 96, 144)
    encoder_blocks: tuple = (1, 2)
    middle_blocks: int = 5
    decoder_blocks: tuple = (3, 3)
    descriptor: int = 32
    inverse: int = 0  # width of what chooses the inverse filters; 0 = none
    inverse_scales: int = 2  # windows of the picture and its half; with 3 of its quarter, too
    spectra: int = 0  # channels of the code of local power spectra; 0 = none
    # training; the schedule follows the clock, not the steps, because cores may be shared
    batches: tuple = ((0.0, 64, 8), (0.5, 96, 8))  # (from this share of the schedule, side of the crops, crops a step)
    rate: float = 8e-4
    modulation_speed: float = 3.0
    rate_end: float = 1e-6
    warmup: float = 0.03
    weight_decay: float = 1e-4
    clip: float = 2.0  # times the running mean of the gradient's norm
    average: float = 0.999
    between: float = 0.5
    fourier: float = 0.05
    square: float = 0.0  # weight of the mean squared error beside the absolute one
    decibels: float = 0.0  # weight of each sample's 10 log10 of the mean squared error: PSNR itself
    filtered: float = 0.3  # weight of the inverse filter's own error
    bf16: bool = False  # trunk in bfloat16: two to four times as fast where the cores have AMX, slower where they do not
    processes: int = 1
    workers: int = 1
    # samples
    real_dark: float = 0.5
    held_out_dark: int = 10
    held_out_pictures: int = 12
    free_prompts: int = 3000
    blur_lengths: tuple = ((0.0, 1.5, 14.0), (0.3, 1.5, 40.0))  # (from this share of the schedule, shortest, longest streak in pixels, log-uniform)
    blur_kernels: float = 0.6
    clean_blur: float = 0.8
    report_seconds: float = 60
    checkpoint_seconds: float = 180
    validate_seconds: float = 600

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
