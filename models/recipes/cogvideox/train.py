"""LoRA fine-tuning of CogVideoX on progressions: nine frames from a degraded picture to the clean one.

    python train.py --weights CogVideoX-5b-I2V --data DATA --run runs/all --settings settings/5b-i2v.json
    accelerate launch train.py --weights ...                          # several GPUs: the same arguments
    python train.py ... --run runs/all                                # again: goes on from RUN/state.pt

DATA is a folder of the library's `dataset` command. RUN receives settings.json, embeddings.safetensors, adapter.safetensors (what diffusers and the library load), patch_embed.safetensors for
text-to-video weights, whose first layer is widened and trained, state.pt to go on from, and log.jsonl. --embeddings FILE of embeddings.py keeps the text encoder out of it.

The loss is diffusers' (examples/cogvideo): mean of (x0hat - x0)^2 / (1 - abar), x0hat from the velocity. The picture is the clip's first frame with noise of a random strength, and is left out in
5 % of the clips.
"""

import argparse
import contextlib
import json
import math
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from diffusers import AutoencoderKLCogVideoX, CogVideoXDPMScheduler, CogVideoXTransformer3DModel
from safetensors.torch import load_file

import lora
from clips import Clips, samples_of
from embeddings import load_text, prompts_of
from export import OFS, embeddings_of, latent_frames, rotary, settle_positions
from settings import load_settings, replace_file, save_tensors, write_text

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def noised(pixels, settings, random):
    """The degraded picture of every clip with noise of deviation exp(N(mean, deviation)): [B, 3, 1, H, W]."""
    first = pixels[:, :, :1]
    if settings.image_noise is None:
        return first
    mean, deviation = settings.image_noise
    sigma = torch.exp(mean + deviation * torch.randn(len(first), generator=random)).view(-1, 1, 1, 1, 1).to(first)
    return first + sigma * torch.randn(first.shape, generator=random).to(first)


@torch.no_grad()
def latents_of(vae, transformer, pixels, settings, random):
    """(clip, picture) as the transformer takes them, [B, T, C, h, w]: scaled, filled up in front to whole tokens of 1.5; the picture's followed by zeros, or zeros alone where it is left out."""
    scale = vae.config.scaling_factor
    clip = vae.encode(pixels).latent_dist
    clip = (clip.mean + clip.std * torch.randn(clip.mean.shape, generator=random).to(clip.mean)) * scale
    image = vae.encode(noised(pixels, settings, random)).latent_dist
    image = image.mean + image.std * torch.randn(image.mean.shape, generator=random).to(image.mean)
    image = image / scale if vae.config.invert_scale_latents else image * scale
    clip, image = clip.transpose(1, 2), image.transpose(1, 2)
    count = latent_frames(transformer, settings.frames)
    clip = torch.cat([clip[:, :1]] * (count - clip.shape[1]) + [clip], 1)
    image = torch.cat([image, torch.zeros_like(clip[:, 1:])], 1)
    kept = (torch.rand(len(image), generator=random) >= settings.image_dropout).view(-1, 1, 1, 1, 1).to(image)
    return clip, image * kept


def loss_of(transformer, scheduler, clip, image, text, rope, random, module=None):
    """diffusers' loss of a batch, one number a clip."""
    config, device = (module or transformer).config, clip.device
    times = torch.randint(0, scheduler.config.num_train_timesteps, (len(clip),), generator=random).to(device)
    noise = torch.randn(clip.shape, generator=random).to(clip)
    noisy = scheduler.add_noise(clip, noise, times)
    ofs = torch.full((1,), OFS, device=device, dtype=clip.dtype) if config.ofs_embed_dim else None
    dtype = text.dtype
    output = transformer(torch.cat([noisy, image], 2).to(dtype), text, times, ofs=ofs, image_rotary_emb=rope, return_dict=False)[0].float()
    clean = scheduler.get_velocity(output, noisy, times)  # of v-prediction: sqrt(abar) x - sqrt(1 - abar) v
    weight = 1 / (1 - scheduler.alphas_cumprod.float().to(device)[times])
    return weight * (clean - clip).square().flatten(1).mean(1)


class Held:
    """A fixed draw of noise, steps and clips, on which the loss can be compared from one moment of a run to another."""

    def __init__(self, vae, module, clips, embeddings, settings, scheduler, device, dtype, count=8):
        self.rows, self.scheduler, self.module = [], scheduler, module
        for index in range(min(count, len(clips))):
            random = torch.Generator().manual_seed(1000 + index)
            pixels, task, prompt = clips[index]
            clip, image = latents_of(vae, module, pixels[None].to(device), settings, random)
            self.rows.append((clip, image, text_of(embeddings, [task], [prompt], settings).to(device, dtype), index))

    @torch.no_grad()
    def loss(self, transformer, rope, draws=4):
        values = [
            loss_of(transformer, self.scheduler, clip, image, text, rope, torch.Generator().manual_seed(2000 + 10 * index + draw), self.module)
            for clip, image, text, index in self.rows for draw in range(draws)
        ]
        return float(torch.cat(values).mean())


def text_of(embeddings, tasks, prompts, settings):
    """[B, L, D]: of the task's uniform sentence, or of the clip's own caption."""
    return torch.stack([embeddings[task if settings.prompts == "uniform" else prompt].float() for task, prompt in zip(tasks, prompts)])


def known_embeddings(weights, samples, settings, length, given, run, device):
    """Embeddings that the run needs: those given, those it made before, or by the text encoder, which is dropped afterwards."""
    kept = Path(run) / "embeddings.safetensors"
    wanted = prompts_of(samples if settings.prompts == "scene" else ())
    for path in (given, kept):
        if path and Path(path).exists():
            known = load_file(path)
            if all(name in known for name in wanted):
                return known
    if given:
        raise ValueError(f"{given} lacks embeddings of {sum(name not in known for name in wanted)} prompts of this run: make it with embeddings.py --data")
    tokenizer, encoder = load_text(weights, device, torch.bfloat16 if device.type == "cuda" else torch.float32)
    made = embeddings_of(tokenizer, encoder, wanted, length)
    save_tensors(kept, made)
    return made


def prepared(weights, settings, device, dtype):
    """(transformer with factors, parameters to train, autoencoder, whether its first layer was widened)."""
    weights = Path(weights)
    transformer = CogVideoXTransformer3DModel.from_pretrained(weights / "transformer", torch_dtype=dtype)
    widened = transformer.config.in_channels == transformer.config.out_channels
    if widened:
        transformer = lora.widen(transformer)
    settle_positions(transformer, settings.frames, settings.height // 8, settings.width // 8, settings.positions)
    parameters = lora.attach(transformer, settings.rank, settings.alpha)
    if widened:
        layer = transformer.get_submodule(lora.WIDENED).float()
        layer.requires_grad_(True)
        # Its input and output keep the precision of the rest.
        layer.register_forward_pre_hook(lambda _, inputs: tuple(x.float() for x in inputs))
        layer.register_forward_hook(lambda _, inputs, output: output.to(dtype))
        parameters += list(layer.parameters())
    if settings.checkpointing:
        transformer.enable_gradient_checkpointing()
    vae = AutoencoderKLCogVideoX.from_pretrained(weights / "vae").to(device).eval().requires_grad_(False)
    if settings.height * settings.width > 256 * 256:
        vae.enable_tiling()
    return transformer.to(device), parameters, vae, widened


def rate_at(step, settings):
    """Linear warm-up, then half a cosine down to a tenth."""
    warm = min(1.0, (step + 1) / max(1, settings.warmup))
    return settings.rate * warm * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / settings.steps))))


def save(run, transformer, optimizer, step, settings, widened, weights):
    lora.save_adapter(run / "adapter.safetensors", transformer, settings.rank, settings.alpha, {"base_model_name_or_path": Path(weights).name, "steps": str(step)})
    if widened:
        lora.save_widened(run / "patch_embed.safetensors", transformer)
    replace_file(run / "state.pt", lambda p: torch.save({"step": step, "optimizer": optimizer.state_dict()}, p))


def train(weights, data, run, settings, given=None, stop=None, log=print):
    """Trains until settings.steps (or stop, for a part of it). Returns {step: loss on the fixed draw} of this call's first and last step."""
    run = Path(run)
    run.mkdir(parents=True, exist_ok=True)
    accelerator = Accelerator(gradient_accumulation_steps=settings.accumulate)
    device, dtype = accelerator.device, DTYPES[settings.precision]
    kept = run / "settings.json"
    if kept.exists() and load_settings(kept) != settings:
        raise ValueError(f"{run} was begun with other settings; name another folder")
    if accelerator.is_main_process:
        write_text(kept, json.dumps(settings.to_dict(), indent=1) + "\n")
    set_seed(settings.seed)
    samples = samples_of(data, settings.frames)
    transformer, parameters, vae, widened = prepared(weights, settings, device, dtype)
    embeddings = known_embeddings(weights, samples, settings, transformer.config.max_text_seq_length, given, run, device)
    scheduler = CogVideoXDPMScheduler.from_pretrained(Path(weights) / "scheduler")
    optimizer = torch.optim.AdamW(parameters, lr=settings.rate, betas=tuple(settings.betas), weight_decay=settings.weight_decay)
    step = 0
    if (run / "state.pt").exists():
        state = torch.load(run / "state.pt", map_location="cpu", weights_only=True)
        step = state["step"]
        lora.load_adapter(transformer, run / "adapter.safetensors")
        if widened:
            lora.load_widened(transformer, run / "patch_embed.safetensors")
        optimizer.load_state_dict(state["optimizer"])
        log(f"goes on from step {step}")
    clips = Clips(samples, settings)
    module = transformer
    grid = rotary(module, latent_frames(module, settings.frames), settings.height // 8, settings.width // 8, settings.rope_grid)
    rope = tuple(table.to(device) for table in grid) if grid else None
    held = Held(vae, module, clips, embeddings, settings, scheduler, device, dtype)
    transformer, optimizer = accelerator.prepare(transformer, optimizer)
    transformer.train()
    history, recent = {step: held.loss(transformer, rope)}, []
    log(f"{len(samples)} clips, {sum(p.numel() for p in parameters)} parameters, loss on the fixed draw {history[step]:.4f}")
    end = min(settings.steps, stop or settings.steps)
    processes, rank = accelerator.num_processes, accelerator.process_index
    while step < end:
        # Everything random in a step comes from its number, so that a run that was interrupted goes on as if it had not been.
        random = torch.Generator().manual_seed(settings.seed * 1_000_003 + step * processes + rank)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, settings)
        for part in range(settings.accumulate):
            chosen = torch.randint(0, len(clips), (settings.batch,), generator=random).tolist()
            pixels, tasks, prompts = zip(*(clips[index] for index in chosen))
            clip, image = latents_of(vae, module, torch.stack(pixels).to(device), settings, random)
            text = text_of(embeddings, tasks, prompts, settings).to(device, dtype)
            synchronised = part == settings.accumulate - 1
            with contextlib.nullcontext() if synchronised else accelerator.no_sync(transformer):
                loss = loss_of(transformer, scheduler, clip, image, text, rope, random, module).mean()
                accelerator.backward(loss / settings.accumulate)
            recent.append(float(loss.detach()))
        norm = accelerator.clip_grad_norm_(parameters, settings.clip)
        if torch.isfinite(torch.as_tensor(norm)):
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if accelerator.is_main_process and step % settings.report_steps == 0:
            mean = sum(recent) / len(recent)
            recent.clear()
            with open(run / "log.jsonl", "a") as file:
                file.write(json.dumps({"step": step, "loss": round(mean, 5), "rate": rate_at(step - 1, settings), "norm": round(float(norm), 4)}) + "\n")
            log(f"step {step}, loss {mean:.4f}")
        if accelerator.is_main_process and (step % settings.checkpoint_steps == 0 or step == end):
            save(run, accelerator.unwrap_model(transformer), optimizer, step, settings, widened, weights)
    history[step] = held.loss(transformer, rope)
    log(f"loss on the fixed draw {history[step]:.4f}")
    return history


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True, help="folder in diffusers' format")
    parser.add_argument("--data", required=True, help="folder of the library's dataset command")
    parser.add_argument("--run", required=True)
    parser.add_argument("--settings", required=True)
    parser.add_argument("--embeddings", help="file of embeddings.py")
    a = parser.parse_args()
    train(a.weights, a.data, a.run, load_settings(a.settings), a.embeddings, log=lambda text: print(text, flush=True))
