import json

import numpy as np
import pytest
import torch


def test_a_sample_goes_from_degraded_to_clean(cog, fixtures, smoke):
    samples = cog.clips.samples_of(fixtures / "data-set", 9)
    assert [sample.task for sample in samples[:3]] == ["super-resolution", "deblurring", "low-light"]
    pixels, task, prompt = cog.clips.Clips(samples, smoke)[2]
    assert pixels.shape == (3, 9, 32, 48) and task == "low-light" and prompt.startswith("Brighten this dark picture")
    light = pixels.mean((0, 2, 3))
    assert (light[1:] > light[:-1]).all() and -1 <= pixels.min() < pixels.max() <= 1


def test_a_clip_is_read_where_there_are_no_frames(cog, root, tmp_path, smoke):
    clip = root / "test/fixtures/degradation/clip/clip.mp4"
    (tmp_path / "clip.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "metadata.jsonl").write_text(json.dumps({"file_name": "clip.mp4", "text": "sharpen it", "task": "deblurring"}) + "\n")
    pixels, _, prompt = cog.clips.Clips(cog.clips.samples_of(tmp_path, 9), smoke)[0]
    assert pixels.shape == (3, 9, 32, 48) and prompt == "sharpen it"
    from PIL import Image

    frame = np.asarray(Image.open(sorted(clip.parent.glob("*.png"))[-1]).convert("RGB"))
    wanted = torch.from_numpy(cog.clips.fitted(frame, 32, 48).transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)
    assert (pixels[:, -1] - wanted).abs().mean() < 0.05  # the clip is slightly lossy


def test_wrong_data_is_said(cog, fixtures, tmp_path):
    with pytest.raises(ValueError, match="has 9 frames, 17 are trained on"):
        cog.clips.samples_of(fixtures / "data-set", 17)
    with pytest.raises(FileNotFoundError, match="progressive-restoration dataset"):
        cog.clips.samples_of(tmp_path, 9)
