"""Trains the expert of one task: the settings file says which.

    python train.py --data DATA --run runs/deblurring --minutes 80 --settings settings/deblurring.json
    python train.py --data DATA --run runs/deblurring --minutes 60 ...        # again: goes on where it stopped
    python train.py --data DATA --run runs/more --minutes 60 ... --start ../../compact   # from shipped weights

One process a task: three of them side by side share nothing but the text encoder (give all the same text.pt).

DATA holds train/photos, train/bsds, train/lol/{input,reference}, optionally train/reds (validation only) and captions.jsonl; what is missing is skipped. The learning
rate follows the clock: `--minutes` is this piece, `--budget` the whole schedule (default: one piece). RUN receives text.pt (the frozen text encoder), last.pt, log.txt and
validation.jsonl.
"""

import os

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # NumPy shares the cores with PyTorch and the loader
    os.environ.setdefault(name, "1")

import argparse  # noqa: E402
import copy  # noqa: E402
import json  # noqa: E402
import math  # noqa: E402
import multiprocessing  # noqa: E402
import signal  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

import evaluate  # noqa: E402
import text_encoder  # noqa: E402
from degradations import resolution_path  # noqa: E402
from network import Network  # noqa: E402
from prompts import UNIFORM  # noqa: E402
from samples import Batches, Pictures, PromptBank, blur_sample, middle  # noqa: E402
from settings import Settings, load_settings, save  # noqa: E402


def make_encoder(settings):
    return text_encoder.TextEncoder(settings.buckets, settings.embedding, settings.prompt).eval()


def known(weights, network):
    """Without the buffers that earlier versions had, with those that they had not."""
    buffers = dict(network.named_buffers())
    return {name: weights.get(name, buffers.get(name)) for name in network.state_dict()}


def take_over(network, weights):
    """Starts from the weights of a network that may have had fewer input channels, or fewer or more parts."""
    own = network.state_dict()
    for name, value in weights.items():
        if name == "head.stop_short":
            continue  # calibrated for those weights, which are about to change
        if name in own and own[name].shape == value.shape:
            own[name].copy_(value)
        elif name in own and own[name].ndim == 4 and own[name].shape[0] == value.shape[0]:
            own[name].zero_()
            own[name][:, : value.shape[1]].copy_(value)


def load_averaged(path, weights="average", encoder=None):
    """(network, text encoder, settings, state) of a checkpoint: the averaged weights, or with "model" the last ones. `encoder` stands in for the checkpoint's own."""
    state = torch.load(path, map_location="cpu", weights_only=False)
    settings = Settings(**state["settings"])
    network = Network(settings)
    network.load_state_dict(known(state[weights], network))
    network.bf16 = False  # bfloat16 is for training: what is measured and exported computes in fp32
    if encoder is None:
        encoder = make_encoder(settings)
        encoder.load_state_dict(state["text"])
    return network.eval(), encoder, settings, state


def rate_at(share, settings):
    """Cosine from rate to rate_end over the budget, after a short warm-up."""
    warm = min(1.0, (share + 1e-4) / settings.warmup)
    wave = 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    return warm * (settings.rate_end + (settings.rate - settings.rate_end) * wave)


def losses(network, batch, settings):
    """Mean absolute error of the clean frame and of one random frame, and of the clean frame's spectrum."""
    x, y, part, real = batch["x"], batch["y"], batch["part"], batch["real"]
    zero = torch.zeros_like(batch["severity"])
    change = network.trunk.inverse(y) if settings.inverse else None
    clean, between = network(y, batch["thumbnail"], batch["prompt"], [zero, batch["severity"]], change)

    def distance(output, target):
        difference = output - target
        error = difference.abs().mean((1, 2, 3))
        # What cannot be known (how bright a scene was, which texture was lost) is answered with its mean by squares, with its median by absolute errors: PSNR asks for the mean.
        if settings.square or settings.decibels:
            squares = difference.square().mean((1, 2, 3))
            error = error + settings.square * squares + settings.decibels * 10 * torch.log10(squares + 1e-5)
        if settings.task != "low-light":
            return error
        # A camera's exposure cannot be guessed exactly: for real pairs half of the loss looks at the structure only.
        level = target.mean((1, 2, 3), keepdim=True) / output.mean((1, 2, 3), keepdim=True).clamp(min=0.02)
        aligned = (output * level.clamp(0.3, 3) - target).abs().mean((1, 2, 3))
        return torch.where(real[:, 0] > 0, 0.5 * (error + aligned), error)

    last, mid = distance(clean, x).mean(), distance(between, part).mean()
    spectrum = (torch.fft.rfft2(clean, norm="ortho") - torch.fft.rfft2(x, norm="ortho")).abs().mean()
    filtered = (y.mean(1, keepdim=True) + change - x.mean(1, keepdim=True)).abs().mean() if settings.inverse else 0.0
    return last + settings.between * mid + settings.fourier * spectrum + settings.filtered * filtered, last.detach(), mid.detach()


class Validation:
    """Curves on pictures taken out of the training data and, for deblurring, on real video blur that is never trained on."""

    def __init__(self, pictures, settings):
        rng = np.random.default_rng(12345)
        self.sets, self.task = {}, settings.task
        if settings.task == "super-resolution":
            self.sets["sr"] = []
            for clean in pictures.held_clean:
                x = middle(clean.levels[0], 256)
                y = resolution_path(x / np.float32(255), 1)[0]
                self.sets["sr"].append((clean.name, (y * 255 + 0.5).astype(np.uint8), x))
        elif settings.task == "deblurring":
            for name, lengths in (("short", (2.0, 6.0)), ("long", (8.0, 24.0))):
                self.sets[name] = []
                for clean in pictures.held_clean:
                    made = blur_sample(rng, clean, 192, 1.0, lengths, undisturbed=1.0)
                    self.sets[name].append((clean.name, *((made[k] * 255 + 0.5).astype(np.uint8) for k in (1, 0))))
            self.sets["reds"] = [(p.name, p.y, p.x) for p in pictures.video[::2]]
        else:
            self.sets["lol"] = [(p.name, p.y, p.x) for p in pictures.held_pairs]

    def __call__(self, network, encoder):
        model = evaluate.TorchModel(network, encoder)
        protocol = "sr" if self.task == "super-resolution" else "rgb"
        return {name: evaluate.measure(model, pairs, self.task, protocol).mean(0).round(4).T.tolist() for name, pairs in self.sets.items() if pairs}


def train(data, run, settings, minutes, budget=None, start=None, device="cpu"):
    run = Path(run)
    run.mkdir(parents=True, exist_ok=True)
    budget = budget or minutes
    cv2.setNumThreads(1)
    torch.set_num_threads(1)  # the processes below are the parallelism
    torch.manual_seed(settings.seed)
    log_file = open(run / "log.txt", "a", buffering=1)

    def log(text):
        print(text, flush=True)
        log_file.write(text + "\n")

    network, encoder = Network(settings), make_encoder(settings)
    last = run / "last.pt"
    state = torch.load(last, weights_only=False) if last.exists() else None
    if state:
        encoder.load_state_dict(state["text"])
    elif start:
        from from_onnx import load

        shipped, encoder = load(start, settings.task)[:2]
        take_over(network, shipped.state_dict())
    elif (run / "text.pt").exists():
        encoder.load_state_dict(torch.load(run / "text.pt", weights_only=False)["model"])
    else:
        encoder = text_encoder.train(data, settings, log)
        save({"model": encoder.state_dict()}, run / "text.pt")

    pictures = Pictures(data, settings)
    bank = PromptBank(encoder, text_encoder.read_scenes(data), settings)
    log(f"{len(pictures.clean)} pictures, {len(pictures.pairs)} real dark pairs; {sum(p.numel() for p in network.parameters())} parameters; uniform prompts {list(UNIFORM)}")

    network = network.to(device).to(memory_format=torch.channels_last).share_memory()
    average = copy.deepcopy(network).eval()
    step, before, validated, pieces = 0, 0.0, 0.0, 0
    if state:
        network.load_state_dict(known(state["model"], network))
        average.load_state_dict(known(state["average"], network))
        torch.set_rng_state(state["rng"])
        step, before, validated, pieces = state["step"], state["elapsed"], state["validated"], state["pieces"]
        log(f"goes on at step {step}, {before / 60:.1f} minutes")
    validate = Validation(pictures, settings)
    began = time.monotonic()
    stop = multiprocessing.Value("b", 0)
    # Ctrl-C or a terminate request ends the piece in good order, with a checkpoint.
    for request in (signal.SIGINT, signal.SIGTERM):
        signal.signal(request, lambda *_: setattr(stop, "value", 1))

    def elapsed():
        return before + time.monotonic() - began

    def steps(rank):
        """Endless training steps of one process: yields (optimiser, batch, losses, seconds waited for samples)."""
        # What depends on the prompt starts at nothing and has to tell the tasks apart before any of them can be learned: it moves faster.
        groups = {"weights": [], "biases": [], "modulation": []}
        for name, parameter in network.named_parameters():
            kind = "modulation" if "modulation" in name or "condition" in name else "weights" if parameter.ndim > 1 else "biases"
            groups[kind].append(parameter)
        speed = {"weights": 1.0, "biases": 1.0, "modulation": settings.modulation_speed}
        optimiser = torch.optim.AdamW(
            [{"params": rows, "speed": speed[kind], "weight_decay": settings.weight_decay if kind == "weights" else 0.0} for kind, rows in groups.items()], lr=settings.rate, betas=(0.9, 0.99)
        )
        if state:
            try:
                optimiser.load_state_dict(state["optimiser"])
            except ValueError:
                log("the optimiser's groups have changed: its moments start anew")
        done = multiprocessing.Value("d", elapsed() / 60 / budget)
        # A new piece draws new samples: the state of the workers is not kept, the seed moves on instead.
        batches = Batches(pictures, bank, settings, done, settings.seed * 1000 + pieces * 50 + rank)
        loader = iter(torch.utils.data.DataLoader(batches, batch_size=None, num_workers=settings.workers, prefetch_factor=4 if settings.workers else None))
        usual = 0.0
        while not stop.value:
            share = elapsed() / 60 / budget
            for group in optimiser.param_groups:
                group["lr"] = group["speed"] * rate_at(share, settings)
            done.value = share
            asked = time.monotonic()
            batch = {key: value.to(device, memory_format=torch.channels_last if value.ndim == 4 else torch.preserve_format) for key, value in next(loader).items()}
            waited = time.monotonic() - asked
            loss, last_error, mid_error = losses(network, batch, settings)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            # Clipped to a multiple of what is usual at this point: a fixed bound let one freak batch throw a run back by hundreds of steps.
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), settings.clip * usual if usual else math.inf)
            if torch.isfinite(norm):
                usual = usual + 0.02 * (min(float(norm), settings.clip * usual) - usual) if usual else float(norm)
                optimiser.step()
            yield optimiser, batch["x"].shape, last_error, mid_error, norm, waited

    def helper(rank):
        torch.manual_seed(settings.seed + rank)
        for _ in steps(rank):
            with counter.get_lock():
                counter.value += 1

    # Further processes update the same weights in shared memory without locks. With two cores that others use too, threads that wait for each other in every
    # layer lost a third of the time; processes that never wait do not, and a gradient that is one step old does no harm.
    counter = multiprocessing.Value("l", 0)
    helpers = [multiprocessing.Process(target=helper, args=(rank,)) for rank in range(1, settings.processes)]
    for process in helpers:
        process.start()

    def checkpoint(optimiser):
        save(
            {
                "settings": settings.to_dict(), "model": network.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(), "text": encoder.state_dict(),
                "rng": torch.get_rng_state(), "step": step, "elapsed": elapsed(), "validated": validated, "pieces": pieces + 1,
            },
            last,
        )

    def report(label):
        result = validate(average, encoder)
        with open(run / "validation.jsonl", "a") as out:
            out.write(json.dumps({"step": step, "minutes": round(elapsed() / 60, 1), **result}) + "\n")
        log(f"{label} at step {step}: " + "; ".join(f"{name} {' '.join(f'{v:.2f}' for v in curve[0])}" for name, curve in result.items()))

    saved = reported = began
    reported_step = step
    recent = {key: [] for key in ("last", "mid", "norm")}
    waited = 0.0
    for optimiser, shape, last_error, mid_error, norm, wait in steps(0):
        with counter.get_lock():
            step, counter.value = step + 1 + counter.value, 0
        waited += wait
        with torch.no_grad():
            keep = min(settings.average, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)
        for key, value in (("last", last_error), ("mid", mid_error), ("norm", norm)):
            recent[key].append(float(value))
        now = time.monotonic()
        if now - reported >= settings.report_seconds or step <= settings.processes:
            means = {key: sum(values) / len(values) for key, values in recent.items()}
            speed = (now - reported) / max(step - reported_step, 1)
            log(
                f"step {step} minute {elapsed() / 60:.1f} crops {shape[0]}x{shape[-1]} lr {optimiser.param_groups[0]['lr']:.2e} "
                f"loss {means['last']:.5f}/{means['mid']:.5f} norm {means['norm']:.2f} s/step {speed:.3f} waited {waited:.1f}s"
            )
            reported, reported_step, waited = now, step, 0.0
            recent = {key: [] for key in recent}
        if elapsed() - validated >= settings.validate_seconds:
            validated = elapsed()
            report("validation")
        if now - saved >= settings.checkpoint_seconds:
            checkpoint(optimiser)
            saved = now
        if now - began >= 60 * minutes:
            stop.value = 1
    for process in helpers:
        process.join(30)
        if process.is_alive():
            process.kill()
    checkpoint(optimiser)
    report("end")
    return network, average, encoder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--budget", type=float, help="minutes of the whole schedule, over all pieces")
    parser.add_argument("--settings", required=True)
    parser.add_argument("--start", help="folder with shipped ONNX weights to start from")
    parser.add_argument("--device", default="cpu", help="cuda needs settings with one process, more workers and larger batches")
    a = parser.parse_args()
    train(a.data, a.run, load_settings(a.settings), a.minutes, a.budget, a.start, a.device)
