"""The pictures in notebooks/ and test/fixtures/ are what models/recipes/pictures/make_pictures.py makes."""

import json
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

FOLDERS = {"notebooks/pictures": 2_500_000, "notebooks/clean": 500_000, "test/fixtures/pictures": 1_000_000}  # and the most bytes each may take


@pytest.fixture(scope="module")
def bicubic(recipe):
    return recipe("pictures/bicubic")


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def test_the_recipe_makes_the_committed_pictures(root, tmp_path):
    command = [sys.executable, str(root / "models/recipes/pictures/make_pictures.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    for folder in FOLDERS:
        made = sorted(path.name for path in (tmp_path / folder).iterdir())
        assert made == sorted(path.name for path in (root / folder).iterdir() if path.suffix in (".png", ".jpg"))
        for name in made:
            new, old = Image.open(tmp_path / folder / name), Image.open(root / folder / name)
            assert (new.mode, new.size, new.format) == (old.mode, old.size, old.format), name
            # Another libjpeg, or another rounding of a sum, may move a value by a level or two; nothing may move more.
            difference = np.abs(pixels(tmp_path / folder / name) - pixels(root / folder / name))
            assert difference.max() <= 2, name
            assert difference.mean() < 0.02, name


@pytest.mark.parametrize("folder", FOLDERS)
def test_pictures_are_small_and_have_their_origin_written_down(root, folder):
    pictures = [path for path in (root / folder).iterdir() if path.suffix in (".png", ".jpg")]
    assert sum(path.stat().st_size for path in pictures) < FOLDERS[folder]
    readme = (root / folder / "README.md" if "notebooks" in folder else root / "test/fixtures/README.md").read_text()
    for path in pictures:
        scene = path.stem.split("-")[0]
        assert f"`{scene}`" in readme or f"`{scene}*`" in readme, path.name


@pytest.mark.parametrize("scene, degraded", [("cat", "cat-blurred"), ("astronaut", "astronaut-dark")])
def test_a_degraded_picture_lies_on_its_reference(root, scene, degraded):
    reference = pixels(root / f"notebooks/pictures/{scene}.png").mean(2)
    picture = pixels(root / f"notebooks/pictures/{degraded}.png").mean(2)
    inside = picture[4:-4, 4:-4].ravel()

    def likeness(down, right):  # correlation, so that brightness does not matter
        moved = np.roll(reference, (down, right), (0, 1))[4:-4, 4:-4]
        return np.corrcoef(inside, moved.ravel())[0, 1]

    shifts = [(down, right) for down in range(-3, 4) for right in range(-3, 4)]
    assert max(shifts, key=lambda shift: likeness(*shift)) == (0, 0)


def test_the_turned_jpeg_is_the_card(root):
    turned = Image.open(root / "test/fixtures/pictures/card-turned.jpg")
    assert turned.size == (48, 64)
    assert turned.getexif()[0x0112] == 6
    upright = np.asarray(ImageOps.exif_transpose(turned)).astype(int)
    assert np.abs(upright - pixels(root / "test/fixtures/pictures/card.png")).mean() < 3


def test_the_16_bit_png_keeps_neighbouring_values_apart(root):
    content = (root / "test/fixtures/pictures/ramp-16bit.png").read_bytes()
    assert content[24:26] == bytes([16, 2])  # bits a channel, colour type: RGB
    # Pillow reads the upper byte only; the file's rows are unfiltered, so that zlib alone shows both.
    start = content.index(b"IDAT")
    length = struct.unpack(">I", content[start - 4 : start])[0]
    rows = np.frombuffer(zlib.decompress(content[start + 4 : start + 4 + length]), np.uint8).reshape(48, 1 + 64 * 6)
    red = rows[:, 1:].copy().view(">u2").reshape(48, 64, 3)[..., 0]
    assert np.array_equal(red, 20000 + np.arange(48 * 64).reshape(48, 64))
    assert np.array_equal(pixels(root / "test/fixtures/pictures/ramp-16bit.png")[..., 0], red >> 8)


def test_golden_results_of_bicubic(root, bicubic):
    cases = json.loads((root / "test/fixtures/metrics-golden.json").read_text())["bicubic"]
    assert cases
    for case in cases:
        source = np.asarray(Image.open(root / case["source"]))
        if "shrink" in case:
            made = bicubic.shrink(source, case["shrink"])
        elif "enlarge" in case:
            made = bicubic.enlarge(source, case["enlarge"])
        else:
            made = bicubic.resize(source, case["size"][1], case["size"][0])
        assert np.array_equal(made, np.asarray(Image.open(root / case["result"]))), case


def test_bicubic_is_matlabs(bicubic, data):
    # By hand: the taps of a factor of 2 are Keys' kernel at 1/4, 3/4, 5/4 and 7/4, halved and mirrored.
    taps = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
    row = np.random.default_rng(4).integers(0, 256, (1, 16), np.uint8)
    mirrored = np.pad(row[0].astype(float), 3, "symmetric")
    expected = [np.clip(np.floor(mirrored[2 * i : 2 * i + 8] @ taps + 0.5), 0, 255) for i in range(8)]
    assert bicubic.resize_axis(row, 1, 8)[0].tolist() == expected

    # MATLAB itself: the inputs of Set5 were made by it. Near the edges they are not comparable, because they were
    # made from pictures not yet cut to a multiple of four.
    for reference in sorted((data / "test/sr/Set5/reference").glob("*.png")):
        small = np.asarray(Image.open(data / "test/sr/Set5/input" / reference.name))
        made = bicubic.shrink(np.asarray(Image.open(reference)), 4)
        assert np.array_equal(made[2:-2, 2:-2], small[2:-2, 2:-2]), reference.name
