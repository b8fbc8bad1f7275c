"""Full-size CogVideoX with random weights: seconds a step through onnxruntime and through PyTorch on the same card, and the time of a clip that follows.

    python benchmark.py --variant 5b-i2v                        # on a machine with a GPU
    python benchmark.py --variant 5b-i2v --blocks 2 --height 256 --width 256 --out runs/benchmark.json
    python benchmark.py --variant 5b-i2v --tiny                 # the tiny network on the CPU: whether this script works

Speed does not depend on the values of weights. --blocks N exports N of the 30 or 42 blocks and counts the step as the rest (embedding, output) plus the blocks' time times their number, which a
second export with one block less gives; 0 exports all of them (12 GB). Memory is that of the card's driver, where it can be asked.
"""

import argparse
import json
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel

import export
from configurations import TINY_SIDES, VARIANTS, transformer_config, vae_config
from settings import write_text

GPU_PROVIDERS = ("CUDAExecutionProvider", "TensorrtExecutionProvider", "WebGpuExecutionProvider", "ROCMExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider")


def devices():
    """(PyTorch's device, providers of onnxruntime that use a GPU)."""
    providers = [name for name in onnxruntime.get_available_providers() if name in GPU_PROVIDERS]
    return ("cuda" if torch.cuda.is_available() else None), providers


def missing_gpu():
    """Why nothing can be measured here, or None."""
    device, providers = devices()
    if device:
        return None
    return (
        f"There is no GPU that PyTorch can use here ({platform.machine()}, {platform.system()}; onnxruntime offers {', '.join(onnxruntime.get_available_providers())}"
        f"{'' if providers else ', none of them on a GPU'}). Nothing was measured. Run this on a machine with an NVIDIA card, with torch for CUDA and onnxruntime-gpu; --tiny tries the script on the CPU."
    )


def used_memory():
    """Bytes in use on the first card, by its driver; None where it cannot be asked."""
    if not shutil.which("nvidia-smi"):
        return None
    answer = subprocess.run(["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"], capture_output=True, text=True)
    return int(answer.stdout.split()[0]) * 2**20 if answer.returncode == 0 else None


def timed(call, repeats, wait=lambda: None):
    """Median seconds of a call, after one that is not counted."""
    call()
    wait()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        wait()
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def random_transformer(variant, blocks, dtype, device, tiny):
    config = transformer_config(variant, tiny)
    config.update(in_channels=2 * config["out_channels"], **({} if blocks is None else {"num_layers": blocks}))
    torch.manual_seed(0)
    with torch.device(device):
        return CogVideoXTransformer3DModel(**config).to(dtype).eval()


def onnx_seconds(path, inputs, providers, repeats):
    """({provider: median seconds}, {provider: bytes}) with inputs and outputs where the provider keeps them."""
    seconds, memory = {}, {}
    for provider in providers:
        before = used_memory()
        try:
            session = export.session(path, (provider, "CPUExecutionProvider"))
        except Exception as error:  # a provider that is listed but cannot start: said, and the others go on
            seconds[provider] = f"could not start: {str(error).splitlines()[0][:200]}"
            continue
        if session.get_providers()[0] != provider:
            seconds[provider] = "could not start: onnxruntime fell back to the CPU"
            continue
        # Without a block, nothing reads the rotary positions.
        feed = {entry.name: inputs[entry.name].cpu().numpy() for entry in session.get_inputs()}
        seconds[provider] = timed(lambda: session.run(None, feed), repeats)
        memory[provider] = used_memory() - before if before is not None else None
        del session
    return seconds, memory


def transformer_seconds(variant, blocks, frames, sides, folder, device, providers, repeats, tiny):
    precision = "fp32" if device == "cpu" else "fp16"
    transformer = random_transformer(variant, blocks, torch.float32 if precision == "fp32" else torch.float16, device, tiny)
    height, width = sides[0] // 8, sides[1] // 8
    export.settle_positions(transformer, frames, height, width)
    inputs = {name: value.to(device) for name, value in export.transformer_inputs(transformer, frames, height, width).items()}
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    with torch.no_grad():
        result = {"pytorch": timed(lambda: export.velocity(transformer, *inputs.values()), repeats, wait)}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    export.write_transformer(transformer.cpu(), frames, height, width, folder, precision, check=False)
    del transformer
    if device == "cuda":
        torch.cuda.empty_cache()
    seconds, memory = onnx_seconds(folder / "transformer.onnx", inputs, providers, repeats)
    return {**result, **seconds}, memory


def step_seconds(variant, blocks, frames, sides, folder, device, providers, repeats, tiny):
    """Seconds of a whole step by backend; extrapolated from two depths when only some blocks are run."""
    total = transformer_config(variant, tiny)["num_layers"]
    if not blocks or blocks >= total:
        return transformer_seconds(variant, None, frames, sides, folder, device, providers, repeats, tiny)
    flat, _ = transformer_seconds(variant, blocks - 1, frames, sides, folder, device, providers, repeats, tiny)
    deep, memory = transformer_seconds(variant, blocks, frames, sides, folder, device, providers, repeats, tiny)
    whole = {name: value if isinstance(value, str) or isinstance(flat[name], str) else value + (total - blocks) * max(0.0, value - flat[name]) for name, value in deep.items()}
    return whole, memory


def vae_seconds(variant, frames, sides, folder, device, providers, repeats, tiny):
    torch.manual_seed(0)
    vae = AutoencoderKLCogVideoX(**vae_config(variant, tiny)).eval().to(device)
    count = (frames - 1) // 4 + 1
    inputs = {"vae_encoder": {"sample": torch.zeros(1, 3, 1, *sides)}, "vae_decoder": {"latents": torch.zeros(1, vae.config.latent_channels, count, sides[0] // 8, sides[1] // 8)}}
    wait, result = torch.cuda.synchronize if device == "cuda" else lambda: None, {}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with torch.no_grad():
        for name, function in (("vae_encoder", export.encode), ("vae_decoder", export.decode)):
            value = next(iter(inputs[name].values())).to(device)
            result[name] = {"pytorch": timed(lambda: function(vae, value), repeats, wait)}
    export.write_vae(vae.cpu(), frames, folder, check=False)
    for name in result:
        result[name] |= onnx_seconds(folder / f"{name}.onnx", inputs[name], providers, repeats)[0]
    return result


def measure(variant, blocks, frames, sides, steps, guided, repeats, folder, tiny):
    device, providers = ("cpu", ["CPUExecutionProvider"]) if tiny else devices()
    step, memory = step_seconds(variant, blocks, frames, sides, Path(folder) / "transformer", device, providers, repeats, tiny)
    vae = vae_seconds(variant, frames, sides, Path(folder) / "vae", device, providers, repeats, tiny)
    runs = steps * (2 if guided else 1)
    clip = {}
    for backend, seconds in step.items():
        parts = [vae[name].get(backend) for name in vae]
        if not isinstance(seconds, str) and all(isinstance(part, float) for part in parts):
            clip[backend] = runs * seconds + sum(parts)
    return {
        "variant": variant, "tiny": tiny, "frames": frames, "height": sides[0], "width": sides[1], "steps": steps, "guided": guided, "blocks": blocks or "all",
        "device": torch.cuda.get_device_name(0) if device == "cuda" else platform.processor() or platform.machine(), "torch": torch.__version__, "onnxruntime": onnxruntime.__version__,
        "seconds_a_transformer_run": step, "seconds_of_the_autoencoder": vae, "seconds_a_clip": clip, "bytes_of_the_transformer": memory,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=VARIANTS, default="5b-i2v")
    parser.add_argument("--blocks", type=int, default=2, help="of the transformer that are run; 0 for all")
    parser.add_argument("--frames", type=int, default=9)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=720)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--unguided", action="store_true", help="one run of the transformer a step in place of two")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", help="JSON file of the figures")
    parser.add_argument("--folder", help="for the exported networks; a temporary one unless said otherwise")
    parser.add_argument("--tiny", action="store_true")
    a = parser.parse_args()
    if not a.tiny and (reason := missing_gpu()):
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as temporary:
        sides = TINY_SIDES if a.tiny else (a.height, a.width)
        figures = measure(a.variant, a.blocks, a.frames, sides, a.steps, not a.unguided, a.repeats, a.folder or temporary, a.tiny)
    print(json.dumps(figures, indent=1))
    if a.out:
        write_text(a.out, json.dumps(figures, indent=1) + "\n")
