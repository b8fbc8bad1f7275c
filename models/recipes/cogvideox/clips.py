"""Progression data sets as training clips.

A library file (nothing to launch). `progressive-restoration dataset PICTURES --out DATA` makes such a set: metadata.jsonl with one row a sample, frames/NUMBER/001.png (the degraded picture) to
009.png (the clean one), and the same as videos/NUMBER.mp4. Frames are read where they are, and the clip, which is slightly lossy, where they are not.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image


@dataclass(frozen=True)
class Sample:
    prompt: str
    task: str
    frames: tuple  # of paths; empty when there is only a clip
    clip: Path | None


def samples_of(folder, frames):
    """The samples of a data set with exactly so many frames."""
    folder, samples = Path(folder), []
    listing = folder / "metadata.jsonl"
    if not listing.exists():
        raise FileNotFoundError(f"{folder} holds no metadata.jsonl: make a data set with `progressive-restoration dataset PICTURES --out {folder}`")
    for number, line in enumerate(listing.read_text().splitlines(), 1):
        row = json.loads(line)
        pictures = tuple(sorted((folder / row["frames"]).glob("*.png"))) if row.get("frames") else ()
        clip = folder / row["file_name"] if row["file_name"].endswith(".mp4") else None
        if len(pictures) != frames and (pictures or clip is None):
            raise ValueError(f"row {number} of {listing} has {len(pictures)} frames, {frames} are trained on")
        samples.append(Sample(row["text"], row["task"], pictures, clip))
    if not samples:
        raise ValueError(f"{listing} names no sample")
    return samples


def _read_clip(path, frames):
    import cv2

    video, pictures = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        pictures.append(read[1][:, :, ::-1])
    if len(pictures) != frames:
        raise ValueError(f"{path} has {len(pictures)} frames, {frames} are trained on")
    return pictures


def fitted(picture, height, width):
    """Covers the size, aspect ratio kept, and cuts the middle out: the rule of zai-org's trainer. The same for all frames of a clip."""
    if picture.shape[:2] == (height, width):
        return picture
    scale = max(height / picture.shape[0], width / picture.shape[1])
    sides = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    resized = np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize(sides, Image.BICUBIC))
    top, left = (sides[1] - height) // 2, (sides[0] - width) // 2
    return resized[top : top + height, left : left + width]


def pixels_of(sample, frames, height, width):
    """[3, F, H, W] in [-1, 1]; the first frame is the degraded picture."""
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in sample.frames] if sample.frames else _read_clip(sample.clip, frames)
    clip = np.stack([fitted(picture, height, width) for picture in pictures])
    return torch.from_numpy(clip.transpose(3, 0, 1, 2).astype(np.float32) / 127.5 - 1)


class Clips(torch.utils.data.Dataset):
    def __init__(self, samples, settings):
        self.samples, self.settings = samples, settings

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        sample, s = self.samples[index], self.settings
        return pixels_of(sample, s.frames, s.height, s.width), sample.task, sample.prompt
