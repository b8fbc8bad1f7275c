"""test/fixtures/metrics-golden.json is what models/recipes/metrics/make_golden.py makes, and means what it says."""

import json
import re

import flip_evaluator
import numpy as np
import pytest


@pytest.fixture(scope="module")
def make_golden(recipe):
    return recipe("metrics/make_golden")


@pytest.fixture(scope="module")
def committed(root):
    return json.loads((root / "test/fixtures/metrics-golden.json").read_text())


def test_the_figures_are_made_again(make_golden, committed, root, packages):
    made = make_golden.golden(root, packages)
    assert made.keys() == committed.keys()
    for key in ("schema", "border", "luma", "bicubic"):
        assert made[key] == committed[key]
    assert [pair["name"] for pair in made["pairs"]] == [pair["name"] for pair in committed["pairs"]]
    for new, old in zip(made["pairs"], committed["pairs"], strict=True):
        for key, value in old.items():
            # The last digits of a float32 sum depend on the processor.
            expected = pytest.approx(value, abs=2e-6) if isinstance(value, float) else value
            assert new[key] == expected, (old["name"], key)
    assert [entry["name"] for entry in made["maps"]] == [entry["name"] for entry in committed["maps"]]
    for new, old in zip(made["maps"], committed["maps"], strict=True):
        for metric in ("flip", "ssim", "lpips"):
            assert np.array(new[metric]) == pytest.approx(np.array(old[metric]), abs=2e-5), (old["name"], metric)


def test_identical_pictures_are_infinitely_alike(committed):
    identical = [pair for pair in committed["pairs"] if pair["a"] == pair["b"]]
    assert identical
    for pair in identical:
        assert pair["psnr_rgb"] == pair["psnr_y"] == "Infinity"
        assert pair["ssim_rgb"] == pair["ssim_y"] == 1
        assert pair["lpips"] == pair["flip"] == 0


def wang(a, b):
    """SSIM by its definition (Wang et al. 2004): an 11x11 Gaussian window at every place where it fits, one channel."""
    offset = np.arange(-5, 6)
    line = np.exp(-(offset**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def mean(values):
        patches = np.lib.stride_tricks.sliding_window_view(values, (11, 11))
        return (patches * window).sum((2, 3))

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = mean(a), mean(b)
    va, vb, covariance = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    return np.mean((2 * ma * mb + c1) * (2 * covariance + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))


def test_ssim_is_wangs(make_golden, committed, root):
    for pair in committed["pairs"]:
        a, b = (make_golden.read(root / pair[side]).astype(np.float64) for side in "ab")
        channels = [wang(a[..., channel], b[..., channel]) for channel in range(3)]
        assert np.mean(channels) == pytest.approx(pair["ssim_rgb"], abs=1e-7), pair["name"]
        a, b = (make_golden.luma(side)[4:-4, 4:-4] for side in (a, b))
        assert wang(a, b) == pytest.approx(pair["ssim_y"], abs=1e-7), pair["name"]


def test_luma_of_the_corners(committed):
    luma = {(row["r"], row["g"], row["b"]): row["y"] for row in committed["luma"]}
    assert luma[0, 0, 0] == 16
    assert luma[255, 255, 255] == 235
    assert luma[255, 0, 0] == 81.481


def test_the_lpips_package_gives_its_published_distances(make_golden, packages, root, data):
    distance = make_golden.lpips_package(make_golden.weights.load(packages)[0])
    patch, other = (make_golden.read(root / f"test/fixtures/pictures/{name}.png") for name in ("patch", "patch-other"))
    assert distance(patch, patch) == 0
    assert distance(patch, other) == pytest.approx(distance(other, patch))
    if (data / "reference/lpips").exists():
        reference = make_golden.read(data / "reference/lpips/ex_ref.png")
        for name, expected in (("ex_p0", 0.7219), ("ex_p1", 0.1376)):
            got = distance(make_golden.read(data / f"reference/lpips/{name}.png"), reference)
            assert got == pytest.approx(expected, abs=5e-5)


def test_magma_is_the_one_of_flips_own_tools(root):
    text = (root / "src/measure/magma.ts").read_text()
    table = np.frombuffer(bytes.fromhex("".join(re.findall(r"'([0-9a-f]{96})'", text))), np.uint8).reshape(256, 3)
    random = np.random.default_rng(0)
    reference = random.random((64, 64, 3), np.float32)
    test = np.clip(reference + random.normal(0, 0.3, reference.shape), 0, 1).astype(np.float32)
    plain, _, _ = flip_evaluator.evaluate(reference, test, "LDR", applyMagma=False)
    painted, _, _ = flip_evaluator.evaluate(reference, test, "LDR")
    ours = table[np.round(plain[..., 0] * 255).astype(int)]
    assert np.abs(ours - painted * 255).max() < 0.51
