"""Tiny models of every configuration and what diffusers makes of them: what the library's pipeline is held against.

    python make_fixtures.py                  # writes test/fixtures/cogvideox
    python make_fixtures.py --out runs/fixtures --variant 5b-i2v

Runs are diffusers' CogVideoXImageToVideoPipeline as it is, given its noise: the initial latents, the noise of the picture's latents, and for DPM what it used at every step.
test/fixtures/cogvideox/README.md, which this writes, says what lies where.
"""

import argparse
import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from diffusers import CogVideoXDPMScheduler
from diffusers.models.autoencoders import vae as gaussian
from diffusers.schedulers import scheduling_dpm_cogvideox
from PIL import Image

import export
import lora
from configurations import TINY_SIDES, UNIFORM, VARIANTS, clone, scheduler, tiny_pipeline
from settings import replace_file, save_tensors, write_text

ROOT = Path(__file__).resolve().parents[3]
OUT = ROOT / "test/fixtures/cogvideox"
STEPS, FRAMES, TASK = 4, 9, "deblurring"
LONGER = {"5b-25": ("5b", 25, "dpm-oscillating"), "1.5-5b-i2v-17": ("1.5-5b-i2v", 17, "ddim-fixed-lora")}  # folder: variant, frames, its one run
RANK, ALPHA = 4, 8
GUIDED = {"": {"kind": "fixed", "scale": 1}, "-fixed": {"kind": "fixed", "scale": 6}, "-oscillating": {"kind": "oscillating", "scale": 6}}
WHOLE = "5b-i2v"  # the variant that has everything: text encoder, decoded parts, frames of more runs
IN_FULL = "ddim-fixed"  # the run of which more frames than the last are kept: all of WHOLE's, two of the others'
PROMPTS = ["", UNIFORM["deblurring"], "A brick wall, seen from the side; its colours are warm.", "Ünscharf  &   blurry … ＡＢＣ!", "step " * 40, "a"]

README = """# CogVideoX fixtures

Made by `models/recipes/cogvideox/make_fixtures.py` with diffusers; `npm run test:recipes` makes them again and compares. Weights are random, sizes tiny, the architecture is that of the published models.

`5b-i2v` is complete. A file that another folder would only repeat is not there: a manifest's file that is missing has the same bytes in a folder beside it (the autoencoder, for instance, is one for
all), and tests put the folders together.

| file | contents |
| --- | --- |
| `VARIANT/manifest.json` and the files it names | a model as `export.py` writes it: `2b` and `5b` with their first layer widened, `5b-i2v`, `1.5-5b-i2v`; `5b-25` and `1.5-5b-i2v-17` make clips of 25 and 17 frames |
| `VARIANT/lora.safetensors` | a LoRA adapter, rank 4, alpha 8 |
| `VARIANT/parts.safetensors` | inputs and outputs of the parts by PyTorch: `PART.NAME`; `transformer.velocity_lora` with the adapter; `rope.*`; in `5b-i2v` also the text encoder, the decoder and the autoencoder in tiles |
| `VARIANT/noise.safetensors` | `noise` the initial latents, `image_noise`, `step_noise` what DPM used at each step |
| `VARIANT/runs.json`, `VARIANT/RUN.safetensors` | runs of the pipeline with four steps: `latents` at the end and `frames` in [0, 1], whose 0-based numbers `runs.json` lists; guidance of scale 1 is none |
| `picture.png` | the degraded picture, of the canvas's size |
| `scheduler.json` | cumulative alphas, timesteps and one-dimensional traces of both schedulers, factors of oscillating guidance |
| `tokens.json` | prompts and their tokens |
"""


class KnownNoise:
    """Gives diffusers its noise from a seed and remembers what it drew."""

    def __init__(self, seed):
        self.generator, self.drawn = torch.Generator().manual_seed(seed), []

    def __call__(self, shape, generator=None, device=None, dtype=None, layout=None):
        self.drawn.append(torch.randn(shape, generator=self.generator))
        return self.drawn[-1]


class FollowedDPM(CogVideoXDPMScheduler):
    """The scheduler as it is; keeps the last noise that each step drew, which is the one it used."""

    source, used = None, None

    def step(self, *arguments, **named):
        result = super().step(*arguments, **named)
        self.used.append(self.source.drawn[-1][0])
        return result


@contextlib.contextmanager
def noise_from(source):
    with mock.patch.object(scheduling_dpm_cogvideox, "randn_tensor", source), mock.patch.object(gaussian, "randn_tensor", source):
        yield


def run(pipeline, kind, guidance, picture, noise, count=FRAMES, steps=STEPS):
    """(latents, frames [F, 3, H, W] in [0, 1], noise of the picture, noise of the steps) of the real pipeline."""
    source, last = KnownNoise(5), {}
    pipeline.scheduler = scheduler(export.variant_of(pipeline.transformer), kind)
    if kind == "dpm":
        pipeline.scheduler = FollowedDPM.from_config(pipeline.scheduler.config)
        pipeline.scheduler.source, pipeline.scheduler.used = source, []

    def keep(_pipeline, _step, _time, values):
        last.update(values)
        return values

    with noise_from(source), torch.no_grad():
        frames = pipeline(
            image=picture, prompt=UNIFORM[TASK], height=picture.height, width=picture.width, num_frames=count, num_inference_steps=steps, guidance_scale=guidance["scale"],
            use_dynamic_cfg=guidance["kind"] == "oscillating", latents=noise.clone(), max_sequence_length=pipeline.transformer.config.max_text_seq_length, output_type="pt",
            callback_on_step_end=keep, callback_on_step_end_tensor_inputs=["latents"],
        ).frames[0]
    return last["latents"].clone(), frames.clone(), source.drawn[0].clone(), torch.stack(pipeline.scheduler.used) if kind == "dpm" else None


def random_adapter(pipeline, path, seed):
    """A LoRA file with factors that visibly change the result."""
    random, transformer = torch.Generator().manual_seed(seed), clone(pipeline.transformer)
    lora.attach(transformer, RANK, ALPHA)
    with torch.no_grad():
        for name, parameter in transformer.named_parameters():
            if "lora_" in name:
                parameter.copy_(0.5 * torch.randn(parameter.shape, generator=random) / parameter.shape[1] ** 0.5)
    lora.save_adapter(path, transformer, RANK, ALPHA)


@torch.no_grad()
def parts(pipeline, folder, picture):
    """Inputs and outputs of every part."""
    transformer, vae, variant = pipeline.transformer, pipeline.vae, export.variant_of(pipeline.transformer)
    random, values = torch.Generator().manual_seed(6), {}
    sample = pipeline.video_processor.preprocess(picture).unsqueeze(2)
    values["vae_encoder.sample"], values["vae_encoder.moments"] = sample, export.encode(vae, sample)
    inputs = export.transformer_inputs(transformer, FRAMES, TINY_SIDES[0] // 8, TINY_SIDES[1] // 8)
    values |= {f"transformer.{name}": value.float() for name, value in inputs.items() if not name.startswith("rope")}
    values["transformer.velocity"] = export.velocity(transformer, *inputs.values())
    adapted = clone(transformer)
    lora.load_adapter(adapted, folder / "lora.safetensors")
    values["transformer.velocity_lora"] = export.velocity(adapted, *inputs.values())
    count = export.latent_frames(transformer, FRAMES)
    for name, grid, (height, width) in (("", "inference", (4, 6)), ("arange_", "arange", (4, 6)), ("wide_", "inference", (6, 16))):
        if tables := export.rotary(transformer, count, height, width, grid):
            values[f"rope.{name}cos"], values[f"rope.{name}sin"] = (table.float() for table in tables)
    if variant == WHOLE:
        ids = export.tokens_of(pipeline.tokenizer, [PROMPTS[2]], transformer.config.max_text_seq_length)
        values["text_encoder.input_ids"], values["text_encoder.prompt_embeds"] = ids.float(), export.embed_text(pipeline.text_encoder, ids)
        latents = torch.randn(1, vae.config.latent_channels, 3, 2, 3, generator=random)
        values["vae_decoder.latents"], values["vae_decoder.sample"] = latents, export.decode(vae, latents)
        tile = export.tile_of(vae)
        tiled = clone(vae)
        tiled.enable_tiling(tile["height"], tile["width"], tile["overlapHeight"], tile["overlapWidth"])
        latents = torch.randn(1, vae.config.latent_channels, 3, 5, 6, generator=random)
        whole = sample.repeat(1, 1, 1, 2, 2)[..., :40, :64]
        values["vae_tiled.latents"], values["vae_tiled.last_frame"] = latents, export.decode(tiled, latents)[:, :, -1:]
        values["vae_tiled.picture"], values["vae_tiled.moments"] = whole, export.encode(tiled, whole)
    return values


def tiny(variant):
    """(pipeline, options of its export), the same at every call."""
    pipeline = tiny_pipeline(variant, seed=10 + VARIANTS.index(variant))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, {"text": variant == WHOLE, "fused": variant != "2b", "free": variant in ("5b", "1.5-5b-i2v"), "log": lambda text: None}


def all_runs():
    """(name, scheduler, guidance, whether with the adapter) of every run."""
    for kind in ("ddim", "dpm"):
        for suffix, guidance in GUIDED.items():
            for adapter in (False, True) if (kind, suffix) == ("ddim", "-fixed") else (False,):
                yield f"{kind}{suffix}{'-lora' if adapter else ''}", kind, guidance, adapter


def write_runs(pipeline, folder, picture, count, wanted, kept):
    """Runs the pipeline and writes what it gave, its noise and the list of runs. kept: numbers of the frames that are kept of a run."""
    config = pipeline.transformer.config
    sides = (TINY_SIDES[0] // 8, TINY_SIDES[1] // 8)
    noise = torch.randn(1, export.latent_frames(pipeline.transformer, count), config.out_channels, *sides, generator=torch.Generator().manual_seed(4))
    listed, noises = [], {"noise": noise}
    for name, kind, guidance, adapter in wanted:
        if adapter:
            pipeline.load_lora_weights(str(folder), weight_name="lora.safetensors")
        latents, frames, image_noise, step_noise = run(pipeline, kind, guidance, picture, noise, count)
        if adapter:
            pipeline.unload_lora_weights()
        noises["image_noise"] = image_noise
        if step_noise is not None:
            noises["step_noise"] = step_noise
        numbers = kept(name)
        save_tensors(folder / f"{name}.safetensors", {"latents": latents, "frames": frames[numbers].half()})
        listed.append({
            "name": name, "scheduler": kind, "guidance": guidance, "steps": STEPS, "lora": adapter, "task": TASK, "picture": "../picture.png", "noise": "noise.safetensors",
            "result": f"{name}.safetensors", "frames": numbers,
        })
    save_tensors(folder / "noise.safetensors", noises)
    write_text(folder / "runs.json", json.dumps(listed, indent=1) + "\n")


def emptied(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    return folder


def write_variant(variant, out, picture, vae_from=None):
    folder = emptied(Path(out) / variant)
    pipeline, options = tiny(variant)
    export.settle_positions(pipeline.transformer, FRAMES, TINY_SIDES[0] // 8, TINY_SIDES[1] // 8)
    found = export.export(clone_of(pipeline), folder, f"cogvideox-tiny-{variant}", f"CogVideoX {variant}, tiny and random", FRAMES, TINY_SIDES, "fp32", **options, vae_from=vae_from)
    random_adapter(pipeline, folder / "lora.safetensors", 20)
    save_tensors(folder / "parts.safetensors", parts(pipeline, folder, picture))
    last = FRAMES - 1
    more = list(range(FRAMES)) if variant == WHOLE else [last // 2, last]
    write_runs(pipeline, folder, picture, FRAMES, all_runs(), lambda name: more if name == IN_FULL else [last])
    return found


def write_longer(name, out, picture):
    """The same weights exported for more frames, and one run of them."""
    variant, count, wanted = LONGER[name]
    folder = emptied(Path(out) / name)
    pipeline, options = tiny(variant)
    found = export.export(clone_of(pipeline), folder, f"cogvideox-tiny-{name}", f"CogVideoX {variant}, tiny and random, {count} frames", count, TINY_SIDES, "fp32", **options)
    random_adapter(pipeline, folder / "lora.safetensors", 20)
    # The decoder takes eight frames at a time: both sides of every border, and the last.
    kept = [number for number in range(1, count) if number % 8 in (0, 1) and number > 1]
    write_runs(pipeline, folder, picture, count, [each for each in all_runs() if each[0] == wanted], lambda _: kept)
    return found


def without_repetitions(out):
    """Removes every file of a model that the model of a folder before has, too."""
    known = set()
    for name in dict.fromkeys((WHOLE, *VARIANTS, *LONGER)):
        folder = Path(out) / name
        for file in json.loads((folder / "manifest.json").read_text())["files"].values() if folder.exists() else ():
            content = (file["path"], file["sha256"])
            if content in known:
                (folder / file["path"]).unlink()
            known.add(content)


def completed(name, fixtures, out):
    """A copy of a model in OUT with everything that its manifest names, wherever among the fixtures that lies."""
    folder = Path(shutil.copytree(Path(fixtures) / name, Path(out) / name))
    for file in json.loads((folder / "manifest.json").read_text())["files"].values():
        if not (folder / file["path"]).exists():
            same = [path for path in sorted(Path(fixtures).glob(f"*/{file['path']}")) if hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]]
            if not same:
                raise FileNotFoundError(f"no fixture has the {file['path']} of {name}")
            shutil.copy(same[0], folder)
    return folder


def clone_of(pipeline):
    """A pipeline of copies: the export changes what it is given."""
    return type(pipeline)(pipeline.tokenizer, clone(pipeline.text_encoder), clone(pipeline.vae), clone(pipeline.transformer), pipeline.scheduler)


def scheduler_tables():
    """What the schedulers hold and do, as numbers."""
    tables = {"shifts": {}, "oscillating": []}
    for variant, shift in (("5b-i2v", 1.0), ("2b", 3.0)):
        made = scheduler(variant)
        entry = {"alphas_cumprod": {str(i): float(made.alphas_cumprod[i]) for i in (0, 19, 499, 999)}, "timesteps": {}, "traces": {}}
        for steps in (4, 50):
            made.set_timesteps(steps)
            entry["timesteps"][str(steps)] = made.timesteps.tolist()
            for kind in ("ddim", "dpm"):
                stepped = scheduler(variant, kind)
                if kind == "dpm":
                    stepped = FollowedDPM.from_config(stepped.config)
                    stepped.source, stepped.used = KnownNoise(steps), []
                stepped.set_timesteps(steps)
                state, old, trace = torch.tensor([[0.7, -1.3, 0.2]], dtype=torch.float64), None, []
                with noise_from(KnownNoise(steps) if kind == "ddim" else stepped.source):
                    for index, time in enumerate(stepped.timesteps):
                        output = torch.sin(state * 3 + index)
                        if kind == "ddim":
                            state = stepped.step(output, time, state, return_dict=False)[0]
                        else:
                            back = stepped.timesteps[index - 1] if index else None
                            state, old = stepped.step(output, old, time, back, state, return_dict=False)
                        trace.append([float(v) for v in state[0]])
                entry["traces"][f"{kind}-{steps}"] = {"start": [0.7, -1.3, 0.2], "states": trace, **({"noise": torch.stack(stepped.used).tolist()} if kind == "dpm" else {})}
        tables["shifts"][str(shift)] = entry
    made = scheduler("5b-i2v")
    made.set_timesteps(50)
    tables["oscillating"] = [1 + 6 * (1 - np.cos(np.pi * ((50 - t) / 50) ** 5.0)) / 2 for t in made.timesteps.tolist()]
    tables["about"] = "Traces: the model's output at step i is sin(3 x + i). oscillating: 50 steps, scale 6."
    return tables


def write(out, variants=VARIANTS):
    out, found = Path(out), {}
    out.mkdir(parents=True, exist_ok=True)
    picture = Image.open(ROOT / "test/fixtures/pictures/card-blurred.png").convert("RGB").crop((4, 8, 4 + TINY_SIDES[1], 8 + TINY_SIDES[0]))
    replace_file(out / "picture.png", lambda p: picture.save(p, "png"))
    for variant in variants:
        # One autoencoder for all: it is exported once.
        first = next(iter(found), None)
        found[variant] = write_variant(variant, out, picture, first and out / first)
    for name, (variant, *_) in LONGER.items():
        if variant in variants:
            found[name] = write_longer(name, out, picture)
    without_repetitions(out)
    write_text(out / "scheduler.json", json.dumps(scheduler_tables()) + "\n")
    tokenizer = tiny_pipeline(WHOLE).tokenizer
    write_text(out / "tokens.json", json.dumps([{"prompt": prompt, "ids": export.tokens_of(tokenizer, [prompt], 16)[0].tolist()} for prompt in PROMPTS], indent=1, ensure_ascii=False) + "\n")
    write_text(out / "README.md", README)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--variant", nargs="+", choices=VARIANTS, default=VARIANTS)
    a = parser.parse_args()
    torch.set_num_threads(1)
    for variant, differences in write(a.out, a.variant).items():
        size = sum(path.stat().st_size for path in (a.out / variant).iterdir())
        print(f"{variant}: {size / 1e3:.0f} kB; " + ", ".join(f"{part} {value:.1e}" for part, value in differences.items()))
