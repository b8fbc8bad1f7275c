import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

import evaluate
import export
import metrics
import quantise
from network import Network
from text_encoder import TextEncoder


@pytest.fixture(scope="module")
def folder(smoke, tmp_path_factory):
    """A tiny model whose super-resolution expert is one chain of blocks, as the shipped one's is; the others are there because a model has all three."""
    torch.manual_seed(7)
    settings = replace(smoke, task="super-resolution", widths=(16,), encoder_blocks=(), middle_blocks=3, decoder_blocks=())
    encoder = TextEncoder(16384, smoke.embedding, smoke.prompt).eval()
    out = tmp_path_factory.mktemp("model")
    networks = {"super-resolution": Network(settings), "low-light": Network(smoke), "deblurring": Network(replace(settings, spectra=8))}
    with torch.no_grad():
        for network in networks.values():
            for parameter in network.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
    export.export({task: network.eval() for task, network in networks.items()}, encoder, out)
    return out


@pytest.fixture(scope="module")
def counts(folder, data):
    _, rows = quantise.calibration(data, "super-resolution", 1, 6)
    return quantise.quantise(folder, "super-resolution", rows)


class Int8(evaluate.OnnxModel):
    def session(self, name):
        return super().session(name if name == "text" else f"{name}-int8")


def test_all_convolutions_of_blocks_and_head_are_fused(counts):
    assert counts == {"trunk": 2 * 3 + 1, "head": 2}


def test_frames_stay_close(counts, folder, draw):
    y = draw(50, 96, 128)
    prompt = evaluate.OnnxModel(folder, 1).prompt("enlarge it")
    full, int8 = (evaluate.trajectory(kind(folder, 1), "super-resolution", y, prompt, (1.0, 0.5, 0.0)) for kind in (evaluate.OnnxModel, Int8))
    assert np.array_equal(int8[0], y)
    for a, b in zip(full[1:], int8[1:]):
        assert not np.array_equal(a, y)
        assert metrics.psnr(a.astype(float), b.astype(float)) > 40


def test_weights_are_those_of_the_expert(counts, folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    named = manifest["experts"]["super-resolution"]["int8"]
    assert set(manifest["files"]) >= set(named.values())
    assert "int8" not in manifest["experts"]["low-light"]
    trunk = onnx.load(str(folder / "super-resolution-trunk-int8.onnx"), load_external_data=False)
    outside = {t.name for t in trunk.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL}
    assert outside >= {f"middle.blocks.{i}.{part}.weight.half" for i in range(3) for part in ("first", "second")}
    assert all(len(t.raw_data) < quantise.SHARED_BYTES for t in trunk.graph.initializer if t.name.endswith(".half"))


def test_calibration_is_repeatable_and_takes_training_pictures(data):
    names, rows = quantise.calibration(data, "super-resolution", 3, 4)
    again, same = quantise.calibration(data, "super-resolution", 3, 4)
    assert names == again and all(name.startswith("train/") for name in names)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(rows, same))
    assert quantise.calibration(data, "low-light", 3, 2)[0][0].startswith("train/lol/input/")


def test_blocks_that_are_modulated_place_by_place_are_refused(folder, data):
    before = (folder / "manifest.json").read_text()
    with pytest.raises(ValueError, match="place by place"):
        quantise.quantise(folder, "deblurring", quantise.calibration(data, "deblurring", 1, 1)[1])
    assert (folder / "manifest.json").read_text() == before
    assert not list(folder.glob("deblurring-*-int8.onnx"))
