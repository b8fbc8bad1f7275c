"""
Makes test/fixtures/metrics-golden.json: what other people's programs say about this project's pictures.

    python models/recipes/metrics/make_golden.py
    python models/recipes/metrics/make_golden.py --out FILE --packages FOLDER

    psnr_rgb, ssim_rgb    the `rgb` protocol: all channels, nothing cropped         NumPy in float64; scikit-image
    psnr_y, ssim_y        the `sr` protocol at scale 4: luma, 4 pixels cropped      NumPy in float64; scikit-image
    lpips                 v0.1, AlexNet, in float32                                 the `lpips` package under PyTorch
    flip                  LDR-FLIP at 67.0206 pixels per degree, mean               the `flip-evaluator` package
    maps                  FLIP, SSIM (mean of the channels) and spatial LPIPS       the same programs
                          at a few places of some pairs

scikit-image's SSIM, told to use Gaussian weights of sigma 1.5 and the biased covariance, is the SSIM of Wang et al.
(2004) over the valid region, as BasicSR computes it. Grey pictures are replicated to three channels first. The PSNR of
identical pictures is the string "Infinity", since JSON has no such number. FLIP's mean is taken over its map in float64:
the package sums in float32, and is off by 1e-4 for larger pictures.
"""

import argparse
import json
import re
import sys
import tempfile
import types
from importlib.metadata import version
from pathlib import Path

import flip_evaluator
import numpy as np
import torch
from PIL import Image
from skimage.metrics import structural_similarity

sys.path.append(str(Path(__file__).resolve().parents[1] / "lpips"))
import weights  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
BORDER = 4

FIXTURES, NOTEBOOKS = "test/fixtures/pictures", "notebooks/pictures"
PAIRS = {  # name: (degraded, reference)
    "card blurred": (f"{FIXTURES}/card-blurred.png", f"{FIXTURES}/card.png"),
    "card dark": (f"{FIXTURES}/card-dark.png", f"{FIXTURES}/card.png"),
    "eye identical": (f"{FIXTURES}/eye.png", f"{FIXTURES}/eye.png"),
    "eye noisy": (f"{FIXTURES}/eye-noisy.png", f"{FIXTURES}/eye.png"),
    "eye jpeg": (f"{FIXTURES}/eye-jpeg.png", f"{FIXTURES}/eye.png"),
    "eye shifted": (f"{FIXTURES}/eye-shifted.png", f"{FIXTURES}/eye.png"),
    "least noisy": (f"{FIXTURES}/least-noisy.png", f"{FIXTURES}/least.png"),
    "patch noisy": (f"{FIXTURES}/patch-noisy.png", f"{FIXTURES}/patch.png"),
    "patch jpeg": (f"{FIXTURES}/patch-jpeg.png", f"{FIXTURES}/patch.png"),
    "patch shifted": (f"{FIXTURES}/patch-shifted.png", f"{FIXTURES}/patch.png"),
    "patch dark": (f"{FIXTURES}/patch-dark.png", f"{FIXTURES}/patch.png"),
    "patch other": (f"{FIXTURES}/patch-other.png", f"{FIXTURES}/patch.png"),
    "rim bicubic": (f"{FIXTURES}/rim-down4-up4.png", f"{FIXTURES}/rim-multiple.png"),
    "spoon grey noisy": (f"{FIXTURES}/spoon-grey-noisy.png", f"{FIXTURES}/spoon-grey.png"),
    "spoon grey identical": (f"{FIXTURES}/spoon-grey.png", f"{FIXTURES}/spoon-grey.png"),
    "cat blurred": (f"{NOTEBOOKS}/cat-blurred.png", f"{NOTEBOOKS}/cat.png"),
    "astronaut dark": (f"{NOTEBOOKS}/astronaut-dark.png", f"{NOTEBOOKS}/astronaut.png"),
    "coffee bicubic": (f"{FIXTURES}/coffee-bicubic.png", f"{NOTEBOOKS}/coffee.png"),
}
MAPPED = ["card blurred", "eye noisy", "patch jpeg", "patch dark", "rim bicubic", "coffee bicubic"]
PLACES = 7  # across and down: corners, edges and between
BICUBIC = [  # source, what is done to it, result
    ("rim.png", {"shrink": 4}, "rim-down4.png"),
    ("rim.png", {"shrink": 3}, "rim-down3.png"),
    ("rim.png", {"size": [41, 30]}, "rim-down2-5.png"),
    ("rim-down4.png", {"enlarge": 4}, "rim-down4-up4.png"),
    ("card.png", {"shrink": 4}, "card-small.png"),
]
COLOURS = ["000000", "ffffff", "ff0000", "00ff00", "0000ff", "808080", "0c2238", "fac803"]


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def luma(picture):
    """MATLAB's rgb2ycbcr, Y only, in float64 and without its rounding: 16 to 235."""
    return picture.astype(np.float64) / 255 @ np.array([65.481, 128.553, 24.966]) + 16


def luma_of(colour):
    r, g, b = colour
    return {"r": r, "g": g, "b": b, "y": round(float(luma(np.array([r, g, b]))), 9)}


def psnr(a, b):
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return "Infinity" if error == 0 else round(float(10 * np.log10(255**2 / error)), 8)


def ssim(a, b):
    """The mean, and the map of the valid region with the mean of the channels at every place."""
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255, "full": True}
    a, b = a.astype(np.float64), b.astype(np.float64)
    mean, full = structural_similarity(a, b, channel_axis=2 if a.ndim == 3 else None, **settings)
    valid = full[5:-5, 5:-5]
    return round(float(mean), 8), valid.mean(2) if valid.ndim == 3 else valid


def flip(test, reference):
    """The mean and the map."""
    pictures = [picture.astype(np.float32) / 255 for picture in (reference, test)]
    errors, mean, parameters = flip_evaluator.evaluate(*pictures, "LDR", applyMagma=False)
    assert abs(parameters["ppd"] - 67.0206) < 1e-4, "flip-evaluator's viewing distance is not the project's"
    errors = errors[..., 0].astype(np.float64)
    assert abs(errors.mean() - mean) < 2e-4, "flip-evaluator's mean is not that of its map"
    return round(float(errors.mean()), 7), errors


def places_of(values, digits):
    """Some places of a map, its corners among them, as [x, y, value]."""
    rows, columns = (np.linspace(0, side - 1, PLACES).round().astype(int) for side in values.shape)
    return [[int(x), int(y), round(float(values[y, x]), digits)] for y in rows for x in columns]


def lpips_package(convolutions):
    """The `lpips` package's own network, with AlexNet's weights put where torchvision would have downloaded them."""
    layers = []
    for level, (weight, bias) in enumerate(convolutions):
        if level in (1, 2):
            layers.append(torch.nn.MaxPool2d(3, 2))
        outputs, inputs, size, _ = weight.shape
        stride, padding = ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))[level]
        layer = torch.nn.Conv2d(inputs, outputs, size, stride, padding)
        layer.weight.data, layer.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
        layers += [layer, torch.nn.ReLU()]
    alexnet = types.SimpleNamespace(features=torch.nn.Sequential(*layers))

    # The package imports torchvision for this one function. A stand-in keeps torchvision, and its download, out.
    torchvision = types.ModuleType("torchvision")
    torchvision.models = types.SimpleNamespace(alexnet=lambda pretrained: alexnet)
    before = sys.modules.get("torchvision")
    sys.modules["torchvision"] = torchvision
    try:
        import lpips

        network = lpips.LPIPS(net="alex", version="0.1", verbose=False).eval()
        spatial = lpips.LPIPS(net="alex", version="0.1", spatial=True, verbose=False).eval()
    finally:
        del sys.modules["torchvision"]
        if before:
            sys.modules["torchvision"] = before

    def tensors(*pictures):
        return [torch.from_numpy(p.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None] for p in pictures]

    def distance(a, b):
        with torch.no_grad():
            return round(float(network(*tensors(a, b))), 7)

    def distances(a, b):
        with torch.no_grad():
            return spatial(*tensors(a, b))[0, 0].numpy()

    distance.map = distances
    return distance


def golden(root, packages):
    distance = lpips_package(weights.load(packages)[0])
    pairs, maps = [], []
    for name, (a, b) in PAIRS.items():
        test, reference = read(root / a), read(root / b)
        inside = slice(BORDER, reference.shape[0] - BORDER), slice(BORDER, reference.shape[1] - BORDER)
        test_y, reference_y = luma(test)[inside], luma(reference)[inside]
        (ssim_rgb, ssim_map), (flip_mean, flip_map) = ssim(test, reference), flip(test, reference)
        figures = {
            "psnr_rgb": psnr(test, reference),
            "ssim_rgb": ssim_rgb,
            "psnr_y": psnr(test_y, reference_y),
            "ssim_y": ssim(test_y, reference_y)[0],
            "lpips": distance(test, reference),
            "flip": flip_mean,
        }
        if name in MAPPED:
            made = {"flip": flip_map, "ssim": ssim_map, "lpips": distance.map(test, reference)}
            maps.append({"name": name} | {metric: places_of(values, 6) for metric, values in made.items()})
        size = {"width": reference.shape[1], "height": reference.shape[0]}
        pairs.append({"name": name, "a": a, "b": b, **size, **figures})
        print(f"{name:22s}", *figures.values())
    return {
        "schema": 1,
        "border": BORDER,
        "versions": {name: version(name) for name in ("numpy", "scikit-image", "torch", "lpips", "flip-evaluator")},
        "pairs": pairs,
        "maps": maps,
        "luma": [luma_of(bytes.fromhex(colour)) for colour in COLOURS],
        "bicubic": [
            {"source": f"{FIXTURES}/{source}", **operation, "result": f"{FIXTURES}/{result}"}
            for source, operation, result in BICUBIC
        ],
    }


def written(made):
    """As JSON with a line a place: small lists of numbers are not torn over lines."""
    text = json.dumps(made, indent=2)
    return re.sub(r"\[\s+([-\d.e]+),\s+([-\d.e]+),\s+([-\d.e]+)\s+\]", r"[\1, \2, \3]", text) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "test/fixtures/metrics-golden.json")
    parser.add_argument("--packages", type=Path, help="folder that keeps the downloads (default: a temporary one)")
    arguments = parser.parse_args()
    if arguments.packages:
        arguments.packages.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # one order of summation, so that the last digits repeat
    with tempfile.TemporaryDirectory() as temporary:
        made = golden(ROOT, arguments.packages or temporary)
    arguments.out.write_text(written(made))


if __name__ == "__main__":
    main()
