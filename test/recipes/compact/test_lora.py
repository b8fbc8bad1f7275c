import copy
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import evaluate
import export
import from_onnx
import lora
import make_adapter_fixture
import perceptual
from network import Network, merged
from samples import PromptBank

TASK = "deblurring"
FIXTURE = Path(__file__).resolve().parents[2] / "fixtures/adapter"


def write_pairs(draw, folder, degrade, seeds):
    for part in ("input", "reference"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        x = draw(seed, 96, 112)
        cv2.imwrite(str(folder / "reference" / f"clip{seed // 100}-{seed}.png"), x[..., ::-1])
        cv2.imwrite(str(folder / "input" / f"clip{seed // 100}-{seed}.png"), degrade(x)[..., ::-1])
    return folder


@pytest.fixture(scope="module")
def tuned(models, smoke, draw, tmp_path_factory):
    """A base that has learned one degradation, exported; pairs of another; an adapter, and all weights trained for as many steps."""
    root = tmp_path_factory.mktemp("lora")
    settings = replace(smoke, task=TASK, batches=((0.0, 64, 4),))
    torch.manual_seed(2)
    encoder, network = models[1], Network(settings)
    grey = list(evaluate.inputs(write_pairs(draw, root / "before", lambda x: x // 2 + 64, range(100, 106)), TASK))
    bank = PromptBank(encoder, {}, settings)
    lora.fine_tune(network.train(), lora.PairBatches(grey, bank, settings, 1), settings, 2e-3, steps=150)
    folder = root / "model"
    others = {task: copy.deepcopy(network) for task in ("super-resolution", "low-light")}
    export.export({TASK: network.eval(), **others}, encoder, folder)
    pairs = write_pairs(draw, root / "pairs", lambda x: x // 2 + np.uint8([30, 64, 98]), [*range(200, 208), *range(300, 303)])
    options = dict(model=folder, task=TASK, pairs=pairs, hold="^clip3-", steps=150, side=64, count=4, log=lambda text: None)
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    low = lora.adapt(out=root / "mine.safetensors", rank=4, rate=4e-3, **options)
    full = lora.adapt(out=root / "full.pt", full=True, rate=1e-3, **options)
    assert before == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    return root, low, full


def test_loss_falls_and_held_out_pairs_gain(tuned):
    root, low, full = tuned
    for result in (low, full):
        history = result["losses"]
        assert len(history) == 150
        assert np.mean(history[-15:]) < 0.7 * np.mean(history[:15])
        assert result["adapted"]["pictures"] == 3
        assert result["adapted"]["psnr"][-1] > result["base"]["psnr"][-1] + 1
    assert low["parameters"] < full["parameters"] / 3
    assert (root / "mine.safetensors").stat().st_size < (root / "full.pt").stat().st_size / 10


def test_file_has_the_layout_of_peft_and_names_its_base(tuned):
    root, _, _ = tuned
    with safe_open(str(root / "mine.safetensors"), "pt") as file:
        about, keys = file.metadata(), list(file.keys())
        a, b = (file.get_tensor(f"base_model.model.trunk.middle.blocks.0.first.lora_{k}.weight") for k in "AB")
    network, _, _ = from_onnx.load(root / "model", TASK)
    layer = network.trunk.middle.blocks[0].first
    assert a.shape == (4, layer.in_channels, 3, 3) and b.shape == (layer.out_channels, 4, 1, 1)
    assert (about["r"], about["lora_alpha"], about["task"], about["base_model_name_or_path"]) == ("4", "8", TASK, "compact")
    files = json.loads((root / "model/manifest.json").read_text())["files"]
    assert about["trunk_sha256"] == files[f"{TASK}-trunk"]["sha256"] and about["head_sha256"] == files[f"{TASK}-head"]["sha256"]
    assert any("modulation" in key for key in keys) and not any("stem" in key or "descriptor" in key for key in keys)


def test_merged_file_is_what_was_trained(models, smoke, tmp_path):
    """Also where training works on patterns and the file on pixels."""
    network, encoder = models
    folder = tmp_path / "model"
    export.export({task: network for task in export.TASKS}, encoder, folder)
    trained, _, _ = from_onnx.load(folder, TASK)
    factors = lora.attach(trained, 3, 6)
    with torch.no_grad():
        for low in factors.values():
            low.a.copy_(low.a.half())
            low.b.copy_(0.1 * torch.randn_like(low.b))
    lora.write(tmp_path / "a.safetensors", lora.tensors_of(trained, factors), folder, TASK, 3, 6, "")
    fresh, _, _ = from_onnx.load(folder, TASK)
    arguments = (torch.rand(1, 3, 32, 48), torch.rand(1, 3, 64, 64), torch.rand(1, 8), [torch.full((1, 1), 0.25)])
    with torch.no_grad():
        wanted, plain = trained(*arguments)[0], fresh(*arguments)[0]
        assert (lora.with_adapter(fresh, tmp_path / "a.safetensors")(*arguments)[0] - wanted).abs().max() < 2e-3
        assert torch.equal(lora.with_adapter(fresh, tmp_path / "a.safetensors", 0.0)(*arguments)[0], merged(fresh)(*arguments)[0])
    assert (wanted - plain).abs().max() > 0.02
    assert "head.second" in factors and hasattr(trained.head.second, "patterns")


def test_fixture_of_the_library_is_what_pytorch_gives():
    stored = load_file(str(FIXTURE / "expected.safetensors"))
    for name, frame in make_adapter_fixture.expected(FIXTURE, stored).items():
        assert (frame - stored[name]).abs().max() < 1e-4, name


def test_lpips_is_that_of_the_package_and_has_a_gradient(picture):
    a = torch.from_numpy(picture[:64, :96].transpose(2, 0, 1).copy())[None] / 255
    b = (a + 0.1 * torch.randn(a.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    network, distance = (onnxruntime.InferenceSession(str(perceptual.MODEL / f"{name}.onnx"), providers=["CPUExecutionProvider"]) for name in ("lpips-alex", "lpips-alex-distance"))
    maps = {}
    for side, x in (("a", a), ("b", b)):
        maps |= {f"{side}{k}": value for k, value in enumerate(network.run(None, {"image": x.numpy()}), 1)}
    b.requires_grad_()
    value = perceptual.Lpips()(b, a)
    assert abs(value.item() - float(distance.run(None, maps)[0][0])) < 1e-4
    value.sum().backward()
    assert torch.isfinite(b.grad).all() and b.grad.abs().max() > 0
    assert float(perceptual.Lpips()(a, a)) == 0


def test_perceptual_loss_trains_on_made_samples(models, data, tmp_path):
    network, encoder = models
    folder = tmp_path / "model"
    export.export({task: network for task in export.TASKS}, encoder, folder)
    result = lora.adapt(folder, "super-resolution", tmp_path / "p.safetensors", data=data, steps=40, side=64, count=2, loss="perceptual", rate=4e-3, log=lambda text: None)
    assert np.mean(result["losses"][-8:]) < np.mean(result["losses"][:8])
    assert result["adapted"]["lpips"] < result["base"]["lpips"]


def test_split():
    names = [(f"{clip}_{k}", None, None) for clip in ("000", "001") for k in range(5)]
    trained, held = lora.split(names, "^001")
    assert [n for n, _, _ in held] == [f"001_{k}" for k in range(5)] and len(trained) == 5
    assert [n for n, _, _ in lora.split(names, None)[1]] == ["001_3", "001_4"]
