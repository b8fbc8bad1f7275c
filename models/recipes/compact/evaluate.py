"""Nine frames of every test picture, against the reference: PSNR and SSIM a frame, one table.

    python evaluate.py --data DATA --model ../../compact            # the exported ONNX files
    python evaluate.py --data DATA --checkpoint RUN/last.pt         # PyTorch, averaged weights: the sets of that expert's task
    [--out result.json] [--sets Set5 GoPro] [--limit 3] [--threads 2]

Protocols (metrics.py): `sr` for super-resolution, `rgb` for the others. The last frame is the headline, never the best one. Test pictures
are for this table only; nothing is selected on them.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import degradations as d
import metrics
from prompts import TASKS, UNIFORM
from samples import Pictures, files, read

SEVERITIES = [(9 - k) / 8 for k in range(1, 10)]


@dataclass
class TestSet:
    name: str
    folder: str
    task: str
    protocol: str


SETS = [
    TestSet("Set5", "test/sr/Set5", "super-resolution", "sr"),
    TestSet("Set14", "test/sr/Set14", "super-resolution", "sr"),
    TestSet("BSD100", "test/sr/BSD100", "super-resolution", "sr"),
    TestSet("LOL eval15", "test/lowlight/lol_eval15", "low-light", "rgb"),
    TestSet("GoPro", "test/deblur/gopro", "deblurring", "rgb"),
    TestSet("REDS", "test/deblur/reds", "deblurring", "rgb"),
]


def pad(picture, multiple=16, least=32):
    """Mirror the lower and right edges up to the multiple that the network wants."""
    h, w, _ = picture.shape
    return np.pad(picture, ((0, max(-h % multiple, least - h)), (0, max(-w % multiple, least - w)), (0, 0)), mode="reflect")


class TorchModel:
    def __init__(self, network, encoder):
        self.network, self.encoder = network.eval(), encoder

    def prompt(self, text):
        return self.encoder.encode([text])[0].numpy()

    def frames(self, task, picture, thumbnail, prompt, severities):
        import torch

        with torch.no_grad():
            image, small = (torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1)))[None] for p in (picture, thumbnail))
            steps = [torch.full((1, 1), float(s)) for s in severities]
            outputs = self.network(image, small, torch.from_numpy(prompt), steps)
        return [o[0].numpy().transpose(1, 2, 0) for o in outputs]


class OnnxModel:
    def __init__(self, folder, threads=2):
        self.folder, self.threads, self.sessions = Path(folder), threads, {}

    def session(self, name):
        import onnxruntime

        if name not in self.sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self.threads
            options.log_severity_level = 3
            self.sessions[name] = onnxruntime.InferenceSession(str(self.folder / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
        return self.sessions[name]

    def prompt(self, text):
        from text_encoder import hash_ids

        return self.session("text").run(["prompt"], {"ids": np.array([hash_ids(text)], np.int64)})[0]

    def frames(self, task, picture, thumbnail, prompt, severities):
        image, small = (np.ascontiguousarray(p.transpose(2, 0, 1))[None].astype(np.float32) for p in (picture, thumbnail))
        features = self.session(f"{task}-trunk").run(None, {"image": image, "thumbnail": small, "prompt": prompt})[0]
        head = self.session(f"{task}-head")
        return [head.run(None, {"image": image, "features": features, "prompt": prompt, "severity": np.float32([[s]])})[0][0].transpose(1, 2, 0) for s in severities]


def trajectory(model, task, picture, prompt, severities=SEVERITIES):
    """8-bit frames of an 8-bit picture, whole (no tiles)."""
    y = picture.astype(np.float32) / np.float32(255)
    h, w, _ = y.shape
    return [metrics.to_uint8(frame[:h, :w]) for frame in model.frames(task, pad(y), d.thumbnail(y), prompt, severities)]


def inputs(folder, task, scale=4, limit=None):
    """(name, degraded at full size, reference) of a set; small pictures are enlarged as the runtime does."""
    references = {p.stem: p for p in files(Path(folder) / "reference")}
    for path in files(Path(folder) / "input")[:limit]:
        y, x = read(path), read(references[path.stem])
        if task == "super-resolution":
            h, w = y.shape[0] * scale, y.shape[1] * scale
            x = x[:h, :w]  # modcrop
            y = (d.resize(y / np.float32(255), h, w) * 255 + 0.5).astype(np.uint8)
        yield path.stem, y, x


def measure(model, pairs, task, protocol):
    """Per-picture curves: an array (pictures, 9, 2) of PSNR and SSIM."""
    prompt = model.prompt(UNIFORM[task])
    return np.array([[metrics.compare(frame, x, protocol) for frame in trajectory(model, task, y, prompt)] for _, y, x in pairs])


def summary(curves):
    mean = curves.mean(0)
    rising = np.diff(mean, axis=0) > 0
    return {
        "pictures": len(curves),
        "psnr": [round(float(v), 4) for v in mean[:, 0]],
        "ssim": [round(float(v), 5) for v in mean[:, 1]],
        "rises": {"psnr": bool(rising[:, 0].all()), "ssim": bool(rising[:, 1].all())},
        "monotone share": round(float((np.diff(curves[:, :, 0], axis=1) > 0).all(1).mean()), 3),
        "per picture gain": [round(float(c[-1, 0] - c[0, 0]), 3) for c in curves],
    }


def table(results):
    lines = ["| set | n | metric | " + " | ".join(["input", *map(str, range(2, 9)), "last"]) + " | rises |", "| --- " * 13 + "|"]
    for name, row in results.items():
        for metric, digits in (("psnr", 2), ("ssim", 4)):
            lines.append(f"| {name} | {row['pictures']} | {metric.upper()} | " + " | ".join(f"{v:.{digits}f}" for v in row[metric]) + f" | {'yes' if row['rises'][metric] else 'no'} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", help="folder of an exported model")
    parser.add_argument("--checkpoint")
    parser.add_argument("--weights", choices=("average", "model"), default="average")
    parser.add_argument("--validation", action="store_true", help="with --checkpoint: the held-out training pictures and real video pairs instead of the test sets")
    parser.add_argument("--out")
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    only = None
    if arguments.model:
        model = OnnxModel(arguments.model, arguments.threads)
    else:
        import torch

        from train import Validation, load_averaged

        torch.set_num_threads(arguments.threads)
        network, encoder, settings, _ = load_averaged(arguments.checkpoint, arguments.weights)
        model, only = TorchModel(network, encoder), settings.task
        if arguments.validation:
            protocol = "sr" if only == "super-resolution" else "rgb"
            for name, pairs in Validation(Pictures(arguments.data, settings), settings).sets.items():
                print("\n".join(table({name: summary(measure(model, pairs, only, protocol))}).splitlines()[2:]), flush=True)
            return
    results = {}
    for chosen in SETS:
        if (arguments.sets and chosen.name not in arguments.sets) or only not in (None, chosen.task):
            continue
        pairs = list(inputs(Path(arguments.data) / chosen.folder, chosen.task, limit=arguments.limit))
        if not pairs:
            continue
        results[chosen.name] = {"task": chosen.task, "protocol": chosen.protocol, **summary(measure(model, pairs, chosen.task, chosen.protocol))}
        print(table({chosen.name: results[chosen.name]}).splitlines()[-2], flush=True)
        print(table({chosen.name: results[chosen.name]}).splitlines()[-1], flush=True)
    print(table(results))
    if arguments.out:
        from settings import write_text

        write_text(arguments.out, json.dumps(results, indent=1) + "\n")


assert tuple(UNIFORM) == TASKS

if __name__ == "__main__":
    main()
