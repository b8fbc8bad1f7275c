"""The Python reference makes the committed golden pictures, and reads the library's random numbers and clips."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

FOLDER = "test/fixtures/degradation"


@pytest.fixture(scope="module")
def make_golden(recipe):
    return recipe("degradation/make_golden")


@pytest.fixture(scope="module")
def cases(root):
    return json.loads((root / FOLDER / "cases.json").read_text())


def test_the_recipe_makes_the_committed_pictures_within_one_level(root, make_golden, cases):
    assert {path.stem for path in (root / FOLDER).glob("*.png")} == {case["name"] for case in cases}
    for case in cases:
        made = make_golden.golden(case).astype(int)
        committed = np.asarray(Image.open(root / FOLDER / f"{case['name']}.png")).astype(int)
        assert made.shape == committed.shape, case["name"]
        assert np.abs(made - committed).max() <= 1, case["name"]
        assert np.mean(made != committed) < 0.001, case["name"]


def test_random_numbers_are_philox(recipe):
    philox = recipe("degradation/philox")
    # The known answer that comes with Random123, for the digits of pi.
    counter = [np.uint64(c) for c in (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)]
    words = philox.philox([c[None] for c in counter], (0xA4093822, 0x299F31D0))
    assert [int(w) for w in words[:, 0]] == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]
    sample = philox.normal(5, 0, 100_001)
    assert len(sample) == 100_001 and abs(sample.mean()) < 0.02 and abs(sample.std() - 1) < 0.02


def test_a_clip_is_read_by_opencv_frame_by_frame(root):
    folder = root / FOLDER / "clip"
    frames = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.png"))]
    video = cv2.VideoCapture(str(folder / "clip.mp4"))
    assert video.isOpened()
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == len(frames) == 9
    assert video.get(cv2.CAP_PROP_FPS) == 8
    decoded = []
    while True:
        there, frame = video.read()
        if not there:
            break
        decoded.append(frame[..., ::-1])
    assert len(decoded) == 9

    def psnr(a, b):
        return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))

    def luma(picture):
        return picture @ np.array([0.299, 0.587, 0.114])

    for i, frame in enumerate(decoded):
        # Chroma is halved; what the eye sees first is not.
        assert psnr(luma(frame), luma(frames[i])) > 42
        assert psnr(frame, frames[i]) > 31
        # In order: no other frame is nearer.
        assert np.argmax([psnr(frame, other) for other in frames]) == i
    # Every frame is a key frame: reading may begin anywhere.
    video.set(cv2.CAP_PROP_POS_FRAMES, 6)
    assert np.array_equal(video.read()[1][..., ::-1], decoded[6])
