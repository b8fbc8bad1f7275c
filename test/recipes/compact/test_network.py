import numpy as np
import onnx
import pytest
import torch

import evaluate
import export
import from_onnx
import metrics
from network import merged


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
    folder = tmp_path_factory.mktemp("model") / "compact"
    golden = folder.parent / "golden.json"
    worst = export.export(*models, smoke, folder, golden)
    return folder, golden, worst


def test_export_matches_pytorch(exported):
    folder, golden, worst = exported
    assert worst < 2e-3
    for part in ("trunk", "head", "text"):
        model = onnx.load(str(folder / f"{part}.onnx"))
        onnx.checker.check_model(model)
        assert {o.version for o in model.opset_import if o.domain in ("", "ai.onnx")} == {17}
        big = [t for t in model.graph.initializer if np.prod(t.dims) >= 16 and t.data_type == onnx.TensorProto.FLOAT]
        assert not big
    assert golden.exists() and (folder / "manifest.json").exists()


def test_weights_come_back(exported, models, smoke):
    folder, _, _ = exported
    network, encoder, settings = from_onnx.load(folder)
    for name in ("widths", "encoder_blocks", "middle_blocks", "decoder_blocks", "descriptor", "prompt", "buckets", "embedding"):
        assert getattr(settings, name) == getattr(smoke, name), name
    for before, after in ((merged(models[0]), merged(network)), (models[1], encoder)):
        for name, value in before.state_dict().items():
            assert torch.allclose(value.half().float(), after.state_dict()[name], rtol=2e-3, atol=1e-6), name
    assert all(torch.allclose(a, b, rtol=5e-3, atol=2e-4) for a, b in zip(models[0].parameters(), network.parameters()))


def test_both_back_ends_evaluate_alike(exported, models, picture):
    folder, _, _ = exported
    network, encoder, _ = from_onnx.load(folder)
    onnx_model, torch_model = evaluate.OnnxModel(folder, 1), evaluate.TorchModel(network, encoder)
    onnx_model.prompt = torch_model.prompt  # the small encoder of this test has another number of buckets
    prompt = torch_model.prompt("deblur this")
    a, b = (evaluate.trajectory(m, picture[:100, :90], prompt) for m in (onnx_model, torch_model))
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
