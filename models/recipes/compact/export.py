"""PyTorch -> the ONNX files, manifest and golden cases that the TypeScript library reads.

    python export.py --checkpoint runs/super-resolution/last.pt runs/deblurring/last.pt --out ../../compact --golden ../../../test/fixtures/text-encoder.json

One checkpoint an expert; experts that are not named stay as they are in OUT. So does the text encoder: an OUT without one gets that of the checkpoints, or --text FILE.

Weights are stored as fp16 (the embedding table of the text encoder as int8) and cast to fp32 in the graph (half the download, the same arithmetic); the PyTorch side of the comparison is rounded to fp16 too, so the
check measures the graph and not the rounding. Files are checked in a folder beside the target first and renamed one by one, the manifest last.
"""

import argparse
import copy
import hashlib
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from from_onnx import load_text, restored
from network import merged
from prompts import TASKS, UNIFORM
from settings import replace_file, write_text
from text_encoder import MAXIMUM_IDS, accuracy, hash_ids
from train import load_averaged

VERSION = "0.1.0"
TILE, OVERLAP = 768, 96
LICENSE = Path(__file__).parent / "LICENSE"


def rounded(module):
    """A copy whose weights have gone through what the files hold: fp16, and int8 rows for the embedding table."""
    module = copy.deepcopy(module).eval()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name == "table.weight":
                scale = (parameter.abs().amax(1, keepdim=True) / 127).clamp(min=1e-12)
                parameter.copy_((parameter / scale).round() * scale)
            else:
                parameter.copy_(parameter.half().float())
    return module


def store_half(model, smallest=16):
    """Replace large fp32 initialisers by fp16 ones and a Cast."""
    graph = model.graph
    casts = []
    for index, tensor in enumerate(graph.initializer):
        if tensor.name == "table.weight.scale" or tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < smallest:
            continue
        values = numpy_helper.to_array(tensor)
        name = tensor.name
        half = numpy_helper.from_array(values.astype(np.float16), name + ".half")
        graph.initializer[index].CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], name=f"cast.{name}", to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)
    onnx.checker.check_model(model)
    return model


def store_table(model):
    """Replace the embedding table by int8 rows with a scale each: half a megabyte less, and the mean over some sixty rows does not notice."""
    graph = model.graph
    index, table = next((i, t) for i, t in enumerate(graph.initializer) if t.name == "table.weight")
    values = numpy_helper.to_array(table)
    scale = (np.abs(values).max(1) / 127).astype(np.float32)
    rows = np.rint(values / np.maximum(scale, 1e-12)[:, None]).astype(np.int8)
    graph.initializer[index].CopyFrom(numpy_helper.from_array(rows, "table.weight.rows"))
    graph.initializer.append(numpy_helper.from_array(scale, "table.weight.scale"))
    graph.node.insert(0, helper.make_node("DequantizeLinear", ["table.weight.rows", "table.weight.scale"], ["table.weight"], name="table.weight", axis=0))
    return model


def align_channels(model, multiple=4):
    """Give every convolution a multiple of four input channels, the additional ones empty: onnxruntime 1.30 on WebGPU computes others (6, 51) wrongly. Same result."""
    graph = model.graph
    weights = {t.name: t for t in graph.initializer}
    for index in reversed(range(len(graph.node))):
        node = graph.node[index]
        weight = weights.get(node.input[1]) if node.op_type == "Conv" else None
        missing = -weight.dims[1] % multiple if weight is not None else 0
        if not missing:
            continue
        values = numpy_helper.to_array(weight)
        weight.CopyFrom(numpy_helper.from_array(np.pad(values, ((0, 0), (0, missing), (0, 0), (0, 0))), weight.name))
        pads, padded = f"{node.input[1]}.pads", f"{node.input[0]}.padded"
        graph.initializer.append(numpy_helper.from_array(np.array([0, 0, 0, 0, 0, missing, 0, 0], np.int64), pads))
        graph.node.insert(index, helper.make_node("Pad", [node.input[0], pads], [padded], name=padded))
        graph.node[index + 1].input[0] = padded
    return model


def graph_of(module, arguments, names, outputs, free, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, arguments, str(path), input_names=names, output_names=outputs, dynamic_axes=free, opset_version=17, dynamo=False, do_constant_folding=False)
    model = onnx.load(str(path))
    model.producer_name, model.producer_version, model.doc_string = "progressive-restoration", VERSION, ""
    for node in model.graph.node:
        node.doc_string = ""
    model = align_channels(model)
    if any(t.name == "table.weight" for t in model.graph.initializer):
        model = store_table(model)
    onnx.save(store_half(model), str(path))


def write_text_graph(encoder, folder):
    arguments = (torch.tensor([hash_ids("deblur it", encoder.table.num_embeddings)]),)
    graph_of(encoder, arguments, ["ids"], ["prompt", "task"], {"ids": {1: "length"}}, Path(folder) / "text.onnx")


def write_graphs(task, network, encoder, folder):
    folder = Path(folder)
    prompt = encoder.encode([UNIFORM[task]])[0]
    image = torch.rand(1, 3, 64, 96)
    features = torch.rand(1, network.head.first.in_channels + (16 if network.head.inverse else 0), 16, 24)
    plane = {2: "height", 3: "width"}
    quarter = {2: "quarter_height", 3: "quarter_width"}
    graph_of(network.trunk, (image, torch.rand(1, 3, 64, 64), prompt), ["image", "thumbnail", "prompt"], ["features"], {"image": plane, "features": quarter}, folder / f"{task}-trunk.onnx")
    graph_of(
        network.head, (image, features, prompt, torch.full((1, 1), 0.5)), ["image", "features", "prompt", "severity"], ["frame"],
        {"image": plane, "features": quarter, "frame": plane}, folder / f"{task}-head.onnx",
    )


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def check_text(encoder, folder):
    """Largest difference between ONNX and PyTorch (both on fp16 weights)."""
    encoder, text, worst = rounded(encoder), session(Path(folder) / "text.onnx"), 0.0
    for words in ("", *UNIFORM.values()):
        ids = np.array([hash_ids(words, encoder.table.num_embeddings)], np.int64)
        with torch.no_grad():
            expected = encoder(torch.from_numpy(ids))
        worst = max(worst, *(np.abs(a - b.numpy()).max() for a, b in zip(text.run(None, {"ids": ids}), expected)))
    return float(worst)


def check(task, network, encoder, folder, sizes=((32, 32), (64, 96), (176, 48))):
    network = rounded(merged(network))
    trunk, head = (session(Path(folder) / f"{task}-{part}.onnx") for part in ("trunk", "head"))
    random = torch.Generator().manual_seed(3)
    prompt = encoder.encode([UNIFORM[task]])[0]
    worst = 0.0
    for height, width in sizes:
        image, thumbnail = torch.rand(1, 3, height, width, generator=random), torch.rand(1, 3, 64, 64, generator=random)
        features = trunk.run(None, {"image": image.numpy(), "thumbnail": thumbnail.numpy(), "prompt": prompt.numpy()})[0]
        for severity in (0.0, 0.375, 1.0):
            frame = head.run(None, {"image": image.numpy(), "features": features, "prompt": prompt.numpy(), "severity": np.float32([[severity]])})[0]
            with torch.no_grad():
                wanted = network(image, thumbnail, prompt, [torch.full((1, 1), severity)])[0].numpy()
            worst = max(worst, float(np.abs(frame - wanted).max()))
            if severity == 1.0 and not np.array_equal(frame, image.numpy()):
                raise ValueError("severity 1 does not give the picture back exactly")
    return worst


def golden_texts():
    long = "The alley is dark and wet and the lamps throw small yellow circles on the stones. " * 9
    return [
        "", "   ", "...", "my photo is too dark", "Sharpen this shaky shot, no need to brighten it.", "Could you upscle my photo to 4K?", *UNIFORM.values(),
        UNIFORM["low-light"] + " A wet street between old houses, seen from a doorway.", "ＭＡＫＥ　ＩＴ　ＢＩＧＧＥＲ", "Ünscharfes Foto: bitte deblur \u2014 it's blurry\u2026", "照片太暗 brighten", "I can't see anything!!!",
        "don't sharpen, just make it brighter", "ﬁx the blur", "a", "x " * 300, long, "line one\nline two\ttabbed, 4x upscale", "naïve café \U0001f4f7 enlarge",
    ]


def golden(folder, buckets):
    text = session(Path(folder) / "text.onnx")
    cases = []
    for words in golden_texts():
        ids = hash_ids(words, buckets)
        prompt, task = text.run(None, {"ids": np.array([ids], np.int64)})
        cases.append({"text": words, "ids": ids, "prompt": [float(f"{v:.6g}") for v in prompt[0]], "task": [float(f"{v:.6g}") for v in task[0]]})
    return cases


def manifest(folder, encoder):
    """What the files in a folder are: the text encoder and the experts of all tasks."""
    entries, experts = {}, {}
    for name in ("text", *(f"{task}-{part}" for task in TASKS for part in ("trunk", "head"))):
        data = (Path(folder) / f"{name}.onnx").read_bytes()
        entries[name] = {"path": f"{name}.onnx", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    for task in TASKS:
        experts[task] = {"trunk": f"{task}-trunk", "head": f"{task}-head"}
    buckets, _ = encoder.table.weight.shape
    return {
        "schema": 1, "id": "compact", "name": "Compact trajectory model", "version": VERSION, "license": "MIT", "kind": "trajectory", "tasks": list(TASKS), "files": entries, "experts": experts,
        "input": {"range": [0, 1], "layout": "NCHW", "channels": 3, "multiple": 16, "minimumSide": 32},
        "tile": {"size": TILE, "overlap": OVERLAP}, "thumbnail": 64,
        "prompt": {"buckets": buckets, "maximumIds": MAXIMUM_IDS, "width": encoder.outer.out_features},
        "uniformPrompts": UNIFORM,
    }


def export(experts, encoder, out, golden_path=None, limit=2e-3):
    """`experts` is {task: network}; those that are missing stay as they are in `out`. Returns the largest difference to PyTorch, which has to stay below `limit`."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        write_text_graph(rounded(encoder), temporary)
        worst = [check_text(encoder, temporary)]
        for task, network in experts.items():
            write_graphs(task, rounded(merged(network)), encoder, temporary)
            worst.append(check(task, network, encoder, temporary))
        if not max(worst) < limit:
            raise ValueError(f"ONNX and PyTorch differ by {max(worst)}")
        written = sorted(Path(temporary).glob("*.onnx"))
        for name in (f"{task}-{part}.onnx" for task in TASKS for part in ("trunk", "head")):
            if not (Path(temporary) / name).exists():
                (Path(temporary) / name).write_bytes((out / name).read_bytes())
        contents = manifest(temporary, encoder)
        cases = golden(temporary, encoder.table.num_embeddings)
        for file in written:
            data = file.read_bytes()
            replace_file(out / file.name, lambda p, data=data: p.write_bytes(data))
    if LICENSE.exists():
        write_text(out / "LICENSE", LICENSE.read_text())
    write_text(out / "manifest.json", json.dumps(contents, indent=2, ensure_ascii=False) + "\n")
    if golden_path:
        write_text(golden_path, json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
    return max(worst)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", required=True, nargs="+")
    parser.add_argument("--text", help="text.pt that replaces the text encoder of OUT")
    parser.add_argument("--out", required=True)
    parser.add_argument("--golden")
    parser.add_argument("--weights", choices=("average", "model"), default="average", help="averaged over the run, or the last step's (better after a short run; decide on validation)")
    a = parser.parse_args()
    torch.set_num_threads(1)
    encoder = None
    if a.text:
        encoder = restored(torch.load(a.text, map_location="cpu", weights_only=False)["model"])
    elif (Path(a.out) / "text.onnx").exists():
        encoder = load_text(a.out)
    chosen = {}
    for path in a.checkpoint:
        network, encoder, settings, state = load_averaged(path, a.weights, encoder)
        chosen[settings.task] = network
        print(f"{settings.task}: step {state['step']}, {state['elapsed'] / 60:.0f} minutes, {sum(p.numel() for p in network.parameters())} parameters")
    difference = export(chosen, encoder, a.out, a.golden)
    size = sum(path.stat().st_size for path in Path(a.out).glob("*.onnx"))
    print(f"largest difference {difference:.2e}; {size / 1e6:.2f} MB; held-out requests understood {accuracy(encoder)}")
