"""What the frames between the ends and the words are worth: the tables of the model card beside the headline.

    python studies.py --data DATA --model ../../compact --out studies.json [--limit 20]

`frames`: frames 3 to 7 against their own targets D(x, s_k), beside two things that cost nothing to make: a cross-fade from the input to the last frame, and the last frame
degraded again. `prompts`: the last frame under five prompts (uniform; the sentence and a description of the clean picture; of another picture; the description alone; nothing at all),
paired differences to uniform with 95 % bootstrap intervals. `steering`: each task's sentence on each degradation.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import degradations as d
import metrics
from evaluate import SETS, SEVERITIES, OnnxModel, inputs, trajectory
from prompts import TASKS, UNIFORM, with_scene
from samples import Pictures, blur_sample
from settings import Settings, write_text
from text_encoder import hash_ids, read_scenes

MIDDLE = range(2, 7)  # frames 3 to 7


class Router:
    """The exported model; the expert that acts is the one that the text names, as in the library."""

    def __init__(self, folder, threads=1):
        self.model = OnnxModel(folder, threads)

    def task(self, text):
        scores = self.model.session("text").run(["task"], {"ids": np.array([hash_ids(text)], np.int64)})[0]
        return TASKS[int(scores[0].argmax())]

    def frames(self, picture, text, severities=SEVERITIES):
        return trajectory(self.model, self.task(text), picture, self.model.prompt(text), severities)


def to8(picture):
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def again(task, clean, y, severity):
    """`clean` degraded to a severity as the task's path does where the degradation is known from the input: by resolution, or between a pair. Blur's path is not."""
    clean = clean / np.float32(255)
    if task == "super-resolution":
        return to8(d.resolution_path(clean, severity)[1])
    return to8(d.pair_path(clean, y / np.float32(255), severity)[1])


def path_samples(data, limit):
    """(task, name, y, x, [D(x, s) of frames 3 to 7]) of pictures whose path is known."""
    settings = Settings()
    for chosen in SETS:
        if chosen.name in ("Set14", "LOL eval15"):
            for name, y, x in list(inputs(Path(data) / chosen.folder, chosen.task))[:limit]:
                h, w = (side // 4 * 4 for side in x.shape[:2])
                y, x = y[:h, :w], x[:h, :w]
                yield chosen.task, name, y, x, [again(chosen.task, x, y, SEVERITIES[k]) for k in MIDDLE]
    # Real blur has no path between its ends: held-out photographs with a blur of our own, the same exposure for all severities.
    for index, clean in enumerate(Pictures(data, settings).held_clean[:limit]):
        made = [blur_sample(np.random.default_rng([9, index]), clean, 192, s, (4.0, 16.0), undisturbed=1.0) for s in (1.0, *(SEVERITIES[k] for k in MIDDLE))]
        yield "deblurring", clean.name, to8(made[0][1]), to8(made[0][0]), [to8(m[2]) for m in made[1:]]


def frames_study(router, data, limit):
    rows = {}
    for task, _, y, x, targets in path_samples(data, limit):
        clip = router.frames(y, UNIFORM[task])
        protocol = "sr" if task == "super-resolution" else "rgb"
        values = []
        for k, target in zip(MIDDLE, targets):
            s = np.float32(SEVERITIES[k])
            fade = to8((s * y + (1 - s) * clip[-1]) / np.float32(255))
            candidates = [clip[k], fade] + ([] if task == "deblurring" else [again(task, clip[-1], y, SEVERITIES[k])])
            values.append([metrics.compare(c, target, protocol)[0] for c in candidates])
        rows.setdefault(task, []).append(values)
    names = ("frame", "cross-fade", "last frame degraded again")
    result = {}
    for task, values in rows.items():
        mean = np.minimum(np.array(values), 100.0).mean(0)
        result[task] = {"pictures": len(values), **{name: [round(float(v), 2) for v in mean[:, i]] for i, name in enumerate(names[: mean.shape[1]])}}
    return result


def interval(differences, seed=1, rounds=2000):
    rng = np.random.default_rng(seed)
    means = np.array(differences)[rng.integers(0, len(differences), (rounds, len(differences)))].mean(1)
    return [round(float(v), 3) for v in (np.mean(differences), *np.percentile(means, [2.5, 97.5]))]


def prompts_study(router, data, limit):
    scenes = read_scenes(data, ("test/",))
    result = {}
    for chosen in SETS:
        if chosen.name not in ("Set5", "Set14", "BSD100", "LOL eval15"):
            continue  # three GoPro pictures and two REDS clips are too few for an interval
        rows = []
        folder = Path(data) / chosen.folder / "reference"
        own = {path.stem: scenes.get(path.relative_to(data).as_posix()) for path in folder.iterdir()}
        pairs = list(inputs(Path(data) / chosen.folder, chosen.task, limit=limit))
        for index, (name, y, x) in enumerate(pairs):
            other = own[pairs[(index + 1) % len(pairs)][0]]
            texts = {"uniform": UNIFORM[chosen.task], "scene": with_scene(chosen.task, own[name]), "shuffled": with_scene(chosen.task, other), "scene alone": own[name], "empty": ""}
            last = {}
            for kind, text in texts.items():
                # With a task given the expert is fixed; what changes is the modulation.
                frame = trajectory(router.model, chosen.task, y, router.model.prompt(text), [0.0])[0]
                last[kind] = metrics.compare(frame, x, chosen.protocol)[0]
            rows.append(last)
        result[chosen.name] = {
            "pictures": len(rows), "uniform": round(float(np.mean([r["uniform"] for r in rows])), 3),
            **{kind: interval([r[kind] - r["uniform"] for r in rows]) for kind in rows[0] if kind != "uniform"},
            "scene routed to the task": sum(router.task(with_scene(chosen.task, own[name])) == chosen.task for name, _, _ in pairs),
        }
    return result


def steering_study(router, data, limit):
    table = {}
    for chosen in SETS:
        if chosen.name in ("Set14", "LOL eval15", "REDS"):
            for name, y, x in list(inputs(Path(data) / chosen.folder, chosen.task))[:limit]:
                for task in TASKS:
                    frame = router.frames(y, UNIFORM[task], [0.0])[0]
                    table.setdefault(chosen.task, {}).setdefault(task, []).append(metrics.compare(frame, x, chosen.protocol)[0] - metrics.compare(y, x, chosen.protocol)[0])
    return {degradation: {task: round(float(np.mean(v)), 2) for task, v in row.items()} for degradation, row in table.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    a = parser.parse_args()
    router = Router(a.model, a.threads)
    found = {}
    for name, study in (("frames", frames_study), ("prompts", prompts_study), ("steering", steering_study)):
        found[name] = study(router, a.data, a.limit)
        print(name, json.dumps(found[name], indent=1), flush=True)
        write_text(a.out, json.dumps(found, indent=1) + "\n")
