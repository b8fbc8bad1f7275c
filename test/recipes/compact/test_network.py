import copy
import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

import evaluate
import export
import from_onnx
import metrics
from network import Inverse, Network, Windows, merged
from settings import Settings
from train import take_over


def test_severity_one_is_the_picture(models):
    network, encoder = models
    image = torch.rand(2, 3, 48, 32)
    frames = network(image, torch.rand(2, 3, 64, 64), torch.rand(2, 8), [torch.ones(2, 1), torch.zeros(2, 1)])
    assert torch.equal(frames[0], image)
    assert not torch.equal(frames[1], image)


def test_prompt_and_severity_change_the_frame(models):
    network, encoder = models
    image, thumbnail = torch.rand(1, 3, 48, 32), torch.rand(1, 3, 64, 64)
    a, b = (network(image, thumbnail, torch.full((1, 8), v), [torch.zeros(1, 1)])[0] for v in (0.5, -0.5))
    assert not torch.allclose(a, b)


def test_tiles_agree_away_from_their_edges(models):
    network, encoder = models
    image, thumbnail, prompt = torch.rand(1, 3, 256, 160), torch.rand(1, 3, 64, 64), torch.rand(1, 8)
    with torch.no_grad():
        whole = network(image, thumbnail, prompt, [torch.zeros(1, 1)])[0]
        part = network(image[:, :, 64:], thumbnail, prompt, [torch.zeros(1, 1)])[0]
    error = (whole[:, :, 64 + 96 :] - part[:, :, 96:]).abs().max()
    assert error < 2e-3, error


@pytest.fixture(scope="module")
def exported(models, smoke, tmp_path_factory):
    """A model of three experts; two of them have other sizes than the first."""
    network, encoder = models
    folder = tmp_path_factory.mktemp("model") / "compact"
    golden = folder.parent / "golden.json"
    torch.manual_seed(6)
    flat = Network(replace(smoke, task="super-resolution", widths=(16,), encoder_blocks=(), middle_blocks=2, decoder_blocks=()))
    deep = Network(replace(smoke, task="deblurring", widths=(16, 16, 24), encoder_blocks=(1, 2), decoder_blocks=(2, 1), spectra=8, inverse=8, inverse_scales=3))
    with torch.no_grad():  # equal constants would share one name in the files
        for parameter in [*flat.parameters(), *deep.parameters()]:
            parameter.add_(0.02 * torch.randn_like(parameter))
    worst = export.export({"low-light": network, "super-resolution": flat.eval(), "deblurring": deep.eval()}, encoder, folder, golden)
    return folder, golden, worst


PARTS = ["text", *(f"{task}-{part}" for task in ("super-resolution", "deblurring", "low-light") for part in ("trunk", "head"))]


def test_export_matches_pytorch(exported):
    folder, golden, worst = exported
    assert worst < 2e-3
    for part in PARTS:
        model = onnx.load(str(folder / f"{part}.onnx"))
        onnx.checker.check_model(model)
        assert {o.version for o in model.opset_import if o.domain in ("", "ai.onnx")} == {17}
        big = [t for t in model.graph.initializer if np.prod(t.dims) >= 16 and t.data_type == onnx.TensorProto.FLOAT and t.name != "table.weight.scale"]
        assert not big
    contents = json.loads((folder / "manifest.json").read_text())
    assert sorted(contents["files"]) == sorted(PARTS)
    assert contents["experts"]["deblurring"] == {"trunk": "deblurring-trunk", "head": "deblurring-head"}
    assert golden.exists()


def test_an_expert_that_is_not_exported_stays(exported, models):
    folder, _, _ = exported
    before = {part: (folder / f"{part}.onnx").read_bytes() for part in PARTS}
    network = copy.deepcopy(models[0])
    with torch.no_grad():
        network.head.first.bias.add_(0.1)
    export.export({"low-light": network}, models[1], folder)
    changed = [part for part in PARTS if (folder / f"{part}.onnx").read_bytes() != before[part]]
    assert changed == ["low-light-head"]
    export.export({"low-light": models[0]}, models[1], folder)
    with pytest.raises(FileNotFoundError):
        export.export({"low-light": models[0]}, models[1], folder.parent / "empty")


@pytest.mark.parametrize("task", ["super-resolution", "deblurring", "low-light"])
def test_weights_come_back(exported, models, smoke, task):
    folder, _, _ = exported
    network, encoder, settings = from_onnx.load(folder, task)
    assert settings.task == task
    if task == "low-light":
        for name in ("widths", "encoder_blocks", "middle_blocks", "decoder_blocks", "descriptor", "prompt", "buckets", "embedding"):
            assert getattr(settings, name) == getattr(smoke, name), name
        for before, after in ((merged(models[0]), merged(network)), (models[1], encoder)):
            for name, value in before.state_dict().items():
                # Rows of the embedding table are stored in 255 steps.
                step = value.abs().amax(1, keepdim=True) / 127 if name == "table.weight" else torch.tensor(1e-6)
                assert ((value.half().float() - after.state_dict()[name]).abs() <= step + 2e-3 * value.abs()).all(), name
        assert all(torch.allclose(a, b, rtol=5e-3, atol=2e-4) for a, b in zip(models[0].parameters(), network.parameters()))


@pytest.mark.parametrize("task", ["super-resolution", "deblurring", "low-light"])
def test_both_back_ends_evaluate_alike(exported, picture, task):
    folder, _, _ = exported
    network, encoder, _ = from_onnx.load(folder, task)
    onnx_model, torch_model = evaluate.OnnxModel(folder, 1), evaluate.TorchModel(network, encoder)
    onnx_model.prompt = torch_model.prompt  # the small encoder of this test has another number of buckets
    prompt = torch_model.prompt("deblur this")
    a, b = (evaluate.trajectory(m, task, picture[:100, :90], prompt) for m in (onnx_model, torch_model))
    assert len(a) == 9 and np.array_equal(a[0], picture[:100, :90])
    assert max(np.abs(p.astype(int) - q).max() for p, q in zip(a, b)) <= 1


def test_metrics(picture):
    skimage = pytest.importorskip("skimage.metrics")
    noisy = np.clip(picture + np.random.default_rng(0).normal(0, 12, picture.shape), 0, 255).astype(np.uint8)
    psnr, ssim = metrics.compare(noisy, picture, "rgb")
    assert np.isclose(psnr, skimage.peak_signal_noise_ratio(picture, noisy))
    expected = skimage.structural_similarity(picture, noisy, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=2)
    assert np.isclose(ssim, expected, atol=1e-6)
    assert metrics.compare(picture, picture, "sr") == (float("inf"), pytest.approx(1.0))
    with pytest.raises(ValueError):
        metrics.compare(picture, picture[:-1], "rgb")


def test_inverse_filters_of_one_add_up_to_the_picture():
    """Factors of one everywhere leave windows as they are; what overlaps has to add up to the brightness (of smooth pictures: half of one column of frequencies is left out)."""
    inverse = Network(Settings(task="deblurring", widths=(16,), encoder_blocks=(), middle_blocks=1, decoder_blocks=(), inverse=8)).trunk.inverse
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 16), scale_factor=16.0, mode="bicubic")
    luma = smooth.mean(1, keepdim=True)
    with torch.no_grad():
        assert not inverse(smooth).any()  # a new filter changes nothing
        for chosen, border, most in ((0, 0, 1e-3), (1, 32, 2e-2)):
            for k, layer in enumerate(inverse.factors):
                layer.bias.fill_(float(k == chosen))
            error = (inverse(smooth) - luma).abs()
            assert error[:, :, border : 192 - border, border : 256 - border].max() < most


@pytest.mark.parametrize("scales", [2, 3])
def test_fast_transforms_filter_as_the_exported_convolutions_do(scales):
    torch.manual_seed(2)
    inverse = Inverse(16, scales)
    for parameter in inverse.parameters():
        torch.nn.init.normal_(parameter, 0, 0.05)
    pictures = torch.rand(2, 3, 96, 160)
    fast = inverse(pictures)
    inverse.exported = True
    slow = inverse(pictures)
    assert slow.abs().mean() > 0.01
    assert (fast - slow).abs().max() < 1e-5


def test_the_third_scale_separates_lines_that_a_window_of_64_pixels_does_not():
    """Two waves of 1/32 and 1/19 cycles a pixel, at one place: the difference is 0.021, a bin and a third of 64 pixels, and nearly three of 128."""
    steps, place = torch.arange(32.0), torch.arange(512.0)
    row = torch.cos(2 * torch.pi * place / 32) + torch.cos(2 * torch.pi * place / 18.7)
    picture = row.expand(1, 1, 512, 512)

    def along(scale):
        small = torch.nn.functional.avg_pool2d(picture, 1 << scale)
        cosines, sines = Windows(steps, 32 >> (scale + 1), 12).spectrum(small)
        power = (cosines.square() + sines.square()).mean((0, 2, 3)).reshape(24, 12)[12]
        return power[1 << scale >> 1 :]  # leave out the mean's neighbourhood

    def valleys(power):
        inner = power[1:-1]
        return int(((inner < power[:-2]) & (inner < power[2:]) & (inner < 0.5 * power.max())).sum())

    assert valleys(along(1)) == 0
    assert valleys(along(2)) == 1


@pytest.mark.parametrize("before, after", [({}, {"inverse": 8}), ({"inverse": 8}, {"inverse": 8, "inverse_scales": 3})], ids=["none", "two scales"])
def test_a_network_with_further_inverse_filters_starts_as_the_one_before(smoke, before, after):
    torch.manual_seed(4)
    common = dict(task="deblurring", widths=(16, 24), encoder_blocks=(1,), decoder_blocks=(1,), spectra=8)
    old, new = Network(replace(smoke, **common, **before)).eval(), Network(replace(smoke, **common, **after)).eval()
    for parameter in old.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    old.head.stop_short.fill_(0.1)
    take_over(new, old.state_dict())
    assert not new.head.stop_short.any()  # it was calibrated for the weights as they were
    old.head.stop_short.zero_()
    image, small, prompt = torch.rand(1, 3, 64, 48), torch.rand(1, 3, 64, 64), torch.rand(1, smoke.prompt)
    with torch.no_grad():
        frames = [network(image, small, prompt, [torch.full((1, 1), 0.25)])[0] for network in (old, new)]
    assert torch.allclose(*frames, atol=1e-5)
    assert (frames[0] - image).abs().max() > 0.01
