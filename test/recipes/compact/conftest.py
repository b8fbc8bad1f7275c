"""Everything here runs on pictures that it renders itself: no data folder is needed."""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # the machine may be busy: threads that spin would only slow each other down

ROOT = Path(__file__).resolve().parents[3]
RECIPE = ROOT / "models" / "recipes" / "compact"
sys.path.insert(0, str(RECIPE))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

from network import Network  # noqa: E402
from settings import load_settings  # noqa: E402
from text_encoder import TextEncoder  # noqa: E402

cv2.setNumThreads(1)
torch.set_num_threads(2)


def rendered(seed, height=256, width=320):
    """A small drawing with edges, gradients and texture, uint8 RGB."""
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    picture = np.stack([120 + 60 * np.sin(xs / rng.uniform(8, 40) + k) + 40 * np.cos(ys / rng.uniform(8, 40) - k) for k in range(3)], -1)
    picture = np.ascontiguousarray(np.clip(picture, 0, 255).astype(np.uint8))
    for _ in range(40):
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        a, b = (tuple(int(v) for v in rng.integers(0, (width, height))) for _ in range(2))
        [cv2.line, cv2.rectangle][int(rng.integers(2))](picture, a, b, colour, int(rng.integers(1, 6)), cv2.LINE_AA)
        cv2.circle(picture, a, int(rng.integers(3, 30)), colour, -1, cv2.LINE_AA)
    return picture


@pytest.fixture(scope="session")
def draw():
    return rendered


@pytest.fixture
def picture():
    return rendered(0)


@pytest.fixture(scope="session")
def smoke():
    return load_settings(RECIPE / "settings" / "smoke.json")


@pytest.fixture(scope="session")
def models(smoke):
    """A tiny network and encoder with every weight different from every other, so that nothing can be mixed up."""
    torch.manual_seed(5)
    network, encoder = Network(smoke), TextEncoder(smoke.buckets, smoke.embedding, smoke.prompt)
    with torch.no_grad():
        for parameter in [*network.parameters(), *encoder.parameters()]:
            parameter.add_(0.02 * torch.randn_like(parameter))
        network.head.stop_short.fill_(0.1)
    return network.eval(), encoder.eval()


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A data folder in the layout that the recipe reads."""
    root = tmp_path_factory.mktemp("data")
    folders = {name: root / "train" / name for name in ("bsds", "lol/input", "lol/reference", "reds/input", "reds/reference")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    captions = []
    for seed in range(8):
        cv2.imwrite(str(folders["bsds"] / f"{seed}.png"), rendered(seed)[..., ::-1])
        captions.append({"file": f"train/bsds/{seed}.png", "scene": f"Drawing number {seed} with circles and lines."})
    for seed in range(4):
        x = rendered(100 + seed)
        cv2.imwrite(str(folders["lol/reference"] / f"{seed}.png"), x[..., ::-1])
        cv2.imwrite(str(folders["lol/input"] / f"{seed}.png"), x[..., ::-1] // 12)
        cv2.imwrite(str(folders["reds/reference"] / f"{seed}.png"), x[..., ::-1])
        cv2.imwrite(str(folders["reds/input"] / f"{seed}.png"), cv2.blur(x, (7, 1))[..., ::-1])
    (root / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in captions))
    return root
