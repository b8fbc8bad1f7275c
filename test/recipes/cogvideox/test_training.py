from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file


@pytest.mark.parametrize("variant", ["5b-i2v", "1.5-5b-i2v", "2b", "5b"])
def test_training_lowers_the_loss(trained, smoke, variant):
    run, losses = trained(variant)
    assert losses[smoke.steps] < 0.75 * losses[0]
    assert (run / "log.jsonl").read_text().count("\n") == smoke.steps // smoke.report_steps
    # Text-to-video weights are widened, and the new layer is trained beside the factors.
    assert (run / "patch_embed.safetensors").exists() == (variant in ("2b", "5b"))
    if variant == "2b":
        weight = load_file(run / "patch_embed.safetensors")["patch_embed.proj.weight"]
        assert weight.shape[1] == 8 and weight[:, 4:].abs().max() > 0


def test_a_run_that_was_interrupted_ends_the_same(cog, weights, fixtures, smoke, tmp_path):
    settings = replace(smoke, steps=12, checkpoint_steps=4)
    for name, stops in (("whole", (None,)), ("parts", (5, None))):
        for stop in stops:
            cog.train.train(weights("5b"), fixtures / "data-set", tmp_path / name, settings, stop=stop, log=lambda text: None)
    for file in ("adapter", "patch_embed"):
        one, other = (load_file(tmp_path / name / f"{file}.safetensors") for name in ("whole", "parts"))
        assert one.keys() == other.keys() and all(torch.allclose(one[key], other[key], atol=1e-5) for key in one)
    with pytest.raises(ValueError, match="other settings"):
        cog.train.train(weights("5b"), fixtures / "data-set", tmp_path / "parts", replace(settings, rank=2), log=lambda text: None)


def test_scene_prompts_are_embedded_once(cog, weights, fixtures, smoke, tmp_path):
    # In the precision and with the checkpointing that large networks are trained with.
    settings = replace(smoke, prompts="scene", steps=2, precision="bf16", checkpointing=True)
    cog.train.train(weights("5b-i2v"), fixtures / "data-set", tmp_path / "run", settings, log=lambda text: None)
    known = load_file(tmp_path / "run/embeddings.safetensors")
    samples = cog.clips.samples_of(fixtures / "data-set", 9)
    assert {sample.prompt for sample in samples} < set(known) and {"deblurring", "empty"} < set(known)
    with pytest.raises(ValueError, match="lacks embeddings of 9"):
        cog.train.train(weights("5b-i2v"), fixtures / "data-set", tmp_path / "other", settings, given=fixtures / "5b-i2v/embeddings.safetensors", log=lambda text: None)


def test_loss_is_the_error_of_the_velocity(cog, weights, smoke):
    """1 / (1 - abar) (x0hat - x0)^2 is (v - vhat)^2: the same loss, computed without the scheduler."""
    pipeline = cog.configurations.load_pipeline(weights("5b-i2v"), text=False)
    transformer, scheduler = pipeline.transformer, cog.configurations.scheduler("5b-i2v", "dpm")
    clip, text = torch.randn(2, 3, 4, 4, 6), torch.randn(2, 16, 32)
    image = torch.randn_like(clip)
    rope = cog.export.rotary(transformer, 3, 4, 6)
    with torch.no_grad():
        found = cog.train.loss_of(transformer, scheduler, clip, image, text, rope, torch.Generator().manual_seed(7))
        random = torch.Generator().manual_seed(7)
        times = torch.randint(0, 1000, (2,), generator=random)
        noise = torch.randn(clip.shape, generator=random)
        bar = scheduler.alphas_cumprod[times].float().view(2, 1, 1, 1, 1)
        output = transformer(torch.cat([bar.sqrt() * clip + (1 - bar).sqrt() * noise, image], 2), text, times, image_rotary_emb=rope, return_dict=False)[0]
        wanted = (output - (bar.sqrt() * noise - (1 - bar).sqrt() * clip)).square().flatten(1).mean(1)
    assert torch.allclose(found, wanted, rtol=1e-3)


def test_the_picture_is_noised_and_sometimes_left_out(cog, weights, fixtures, smoke):
    pipeline = cog.configurations.load_pipeline(weights("1.5-5b-i2v"), text=False)
    clips = cog.clips.Clips(cog.clips.samples_of(fixtures / "data-set", 9), smoke)
    pixels = torch.stack([clips[0][0]] * 64)
    clip, image = cog.train.latents_of(pipeline.vae, pipeline.transformer, pixels, replace(smoke, image_dropout=0.5), torch.Generator().manual_seed(1))
    # 1.5 has tokens of two latent frames: three are filled up in front, and the picture is alone at the start.
    assert clip.shape == image.shape == (64, 4, 4, 4, 6)
    assert torch.equal(clip[:, 0], clip[:, 1]) and image[:, 1:].abs().max() == 0
    assert 16 < (image.flatten(1).abs().sum(1) == 0).sum() < 48
    strengths = (cog.train.noised(pixels, smoke, torch.Generator().manual_seed(2)) - pixels[:, :, :1]).flatten(1).std(1)
    assert abs(float(strengths.log().mean()) + 3) < 0.25 and 0.3 < float(strengths.log().std()) < 0.7


def test_rate_rises_and_falls(cog, smoke):
    rates = [cog.train.rate_at(step, smoke) for step in range(smoke.steps + 1)]
    assert rates[0] < rates[smoke.warmup] and np.isclose(rates[-1], 0.1 * smoke.rate)


def test_settings_are_checked(cog):
    with pytest.raises(ValueError, match="do not know ranks"):
        cog.settings.settings_from({"ranks": 4})
    with pytest.raises(ValueError, match="8N"):
        cog.settings.settings_from({"frames": 10})
    for path in sorted((cog.settings.Path(cog.settings.__file__).parent / "settings").glob("*.json")):
        cog.settings.load_settings(path)
