"""Static int8 graphs of one expert, for CPUs: per-channel weights, activations whose ranges were seen on training pictures.

    python quantise.py --model ../../compact --data DATA --task super-resolution [--list pictures.txt]

Writes TASK-trunk-int8.onnx and TASK-head-int8.onnx beside the expert's files and names them in the manifest. They hold no weights: onnxruntime reads the
fp16 weights out of the expert's own files (as external data) and rounds them to int8 when it loads them, so int8 costs a download next to nothing.

What onnxruntime 1.30 makes fast, found by measuring (64 channels at 128x128, one core with AVX512-VNNI: 8.9 ms in fp32, 2.4 ms in int8):
  - residual blocks stay in NHWC from end to end, because transpositions between quantise and convolve cost as much as the convolutions;
  - activations that become fp32 again have one scale for all channels (others take the slow path); channels are made alike by constant factors that are
    folded into the weights on both sides, or into the modulation of the head;
  - the prompt's factor on a channel is a factor of the convolution's output scale, which may be computed; its shift is a quantised addition, because a bias
    that is computed takes the fast kernel away (2.2 ms become 5.6).
The residual stream itself, stem, modulation, strided and 1x1 convolutions stay fp32.
"""

import argparse
import copy
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import degradations as d
import evaluate
from prompts import TASKS, UNIFORM
from samples import files, read
from settings import replace_file, write_text

MICROSOFT = "com.microsoft"
SIDE = 128  # of the calibration crops
TAIL = 1e-4  # share of a picture's values that may be clipped at either end
SMALLEST = 1e-6
LEAKY_ZERO = 80  # zero point before a leaky ReLU: what is negative loses nine tenths of its weight and needs fewer levels
LEAKY_NEGATIVE = 0.7  # share of the negative range that has to fit
SHARED_BYTES = 1024  # weights from this size on stay in the expert's own file


@dataclass
class Layer:
    conv: onnx.NodeProto
    weight: str
    bias: str
    source: str
    result: str  # the tensor that leaves the layer: after modulation and leaky ReLU
    gate: onnx.NodeProto | None = None
    shift: onnx.NodeProto | None = None
    leaky: onnx.NodeProto | None = None

    @property
    def bent(self):
        """The tensor before the leaky ReLU."""
        return self.shift.output[0] if self.shift is not None else self.conv.output[0]


@dataclass
class Block:
    first: Layer
    second: Layer
    add: onnx.NodeProto


class Graph:
    """An exported network (export.py), its weights as fp32 and who uses what."""

    def __init__(self, path):
        self.path = Path(path)
        self.model = onnx.load(str(path))
        graph = self.model.graph
        self.nodes = list(graph.node)
        named = {n.input[0]: n.output[0] for n in self.nodes if n.op_type == "Cast" and n.input[0].endswith(".half")}
        self.weights = {named.get(t.name, t.name): numpy_helper.to_array(t).astype(np.float32) for t in graph.initializer if t.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)}
        self.users = {}
        self.made = {name: node for node in self.nodes for name in node.output}
        for node in self.nodes:
            for name in node.input:
                self.users.setdefault(name, []).append(node)

    def only_user(self, name, kind):
        users = self.users.get(name, [])
        return users[0] if len(users) == 1 and users[0].op_type == kind else None

    def layer(self, weight):
        """A 3x3 convolution with what follows it: a factor and a shift a channel, a leaky ReLU."""
        conv = next(n for n in self.nodes if n.op_type == "Conv" and n.input[1] == weight)
        layer = Layer(conv, weight, conv.input[2], conv.input[0], conv.output[0])
        gate = self.only_user(conv.output[0], "Mul")
        shift = self.only_user(gate.output[0], "Add") if gate is not None else None
        if shift is not None:
            layer.gate, layer.shift, layer.result = gate, shift, shift.output[0]
        leaky = self.only_user(layer.result, "LeakyRelu")
        if leaky is not None:
            layer.leaky, layer.result = leaky, leaky.output[0]
        return layer

    def chains(self):
        """Residual blocks, those that follow directly on each other together."""
        found = []
        for weight in self.weights:
            if not weight.endswith(".first.weight"):
                continue
            if weight.replace("first", "local_modulation") in self.weights:
                raise ValueError("blocks that are modulated place by place have no int8 form")
            first, second = self.layer(weight), self.layer(weight.replace("first", "second"))
            add = self.only_user(second.result, "Add")
            if first.shift is None or first.leaky is None or second.source != first.result or add is None or first.source not in add.input:
                raise ValueError(f"{weight} does not belong to a residual block that is known here")
            found.append(Block(first, second, add))
        chains = []
        starts = {block.first.source: block for block in found}
        ends = {block.add.output[0] for block in found if len(self.users[block.add.output[0]]) == 2}
        for block in found:
            if block.first.source in ends:
                continue
            chain = [block]
            while chain[-1].add.output[0] in ends and chain[-1].add.output[0] in starts:
                chain.append(starts[chain[-1].add.output[0]])
            chains.append(chain)
        return chains


def session(path_or_bytes, optimised=None):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if optimised:
        options.optimized_model_filepath = str(optimised)
    return onnxruntime.InferenceSession(path_or_bytes if isinstance(path_or_bytes, bytes) else str(path_or_bytes), options, providers=["CPUExecutionProvider"])


def ranges(graph, names, feeds):
    """{name: (largest, smallest) values of every channel over the feeds}, the tails of each picture left out."""
    model = copy.deepcopy(graph.model)
    given = {i.name for i in model.graph.input}
    asked = [n for n in names if n not in given]
    known = {o.name for o in model.graph.output}
    model.graph.output.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in asked if n not in known)
    network = session(model.SerializeToString())
    seen = {}
    for feed in feeds:
        values = dict(zip(asked, network.run(asked, feed))) | {n: feed[n] for n in names if n in given}
        for name, value in values.items():
            plane = value[0].reshape(value.shape[1], -1)
            k = max(1, int(plane.shape[1] * TAIL))
            seen.setdefault(name, []).append((np.partition(plane, -k, 1)[:, -k], np.partition(plane, k - 1, 1)[:, k - 1]))
    return {name: (np.max([s[0] for s in rows], 0), np.min([s[1] for s in rows], 0)) for name, rows in seen.items()}


def size_of(limits):
    return np.maximum(limits[0], -limits[1])


class Quantiser:
    """Builds the new graph: nodes that are replaced go, new ones come, and all are put in order at the end."""

    def __init__(self, graph, limits):
        self.graph, self.limits = graph, limits
        self.added, self.constants, self.gone, self.restored = [], {}, set(), {}
        self.one = self.constant("int8.one", np.float32(1))

    def constant(self, name, value):
        self.constants.setdefault(name, numpy_helper.from_array(np.asarray(value), name))
        return name

    def zero(self, value):
        return self.constant(f"int8.zero.{value}", np.uint8(value))

    def node(self, kind, inputs, output, **attributes):
        self.added.append(helper.make_node(kind, inputs, [output], name=f"int8.{output}", **attributes))
        return output

    def quantise(self, name, scale):
        return self.node("QuantizeLinear", [name, self.constant(f"{name}.scale", np.float32(scale)), self.zero(128)], f"{name}.int8")

    def weight(self, layer, source_scale):
        """(name of the int8 weights, fp32 scale of an accumulated unit for every output channel)."""
        values = self.graph.weights[layer.weight] * source_scale[None, :, None, None]
        scale = (np.abs(values).max((1, 2, 3)) / 127 + 1e-12).astype(np.float32)
        scaled = self.node("Mul", [layer.weight, self.constant(f"{layer.weight}.source", source_scale.astype(np.float32)[None, :, None, None])], f"{layer.weight}.scaled")
        zeros = self.constant(f"{layer.weight}.zero", np.zeros(len(scale), np.int8))
        return self.node("QuantizeLinear", [scaled, self.constant(f"{layer.weight}.unit", scale), zeros], f"{layer.weight}.int8", axis=0), scale

    def convolve(self, layer, source, zero, source_scale, out_scale, last=False):
        """int8 of a layer's result (after modulation and leaky ReLU), in units of `out_scale` (one a channel). Returns its name and zero point."""
        weight, unit = self.weight(layer, source_scale)
        out_zero = LEAKY_ZERO if layer.leaky is not None else 128
        bias = self.constant(f"{layer.bias}.int32", np.rint(self.graph.weights[layer.bias] / unit).astype(np.int32))
        factor = self.constant(f"{layer.weight}.factor", (unit / out_scale).astype(np.float32))
        self.gone.add(id(layer.conv))
        if layer.shift is not None:
            gate, shift = (next(i for i in n.input if i != o) for n, o in ((layer.gate, layer.conv.output[0]), (layer.shift, layer.gate.output[0])))
            flat = self.constant("int8.flat", np.array([-1], np.int64))
            factor = self.node("Mul", [self.node("Reshape", [gate, flat], f"{layer.weight}.gate"), factor], f"{layer.weight}.gated")
            self.gone |= {id(layer.gate), id(layer.shift)}
        zeros = f"{layer.weight}.zero"
        attributes = {a.name: helper.get_attribute_value(a) for a in layer.conv.attribute}
        name = self.node(
            "QLinearConv", [source, self.one, self.zero(zero), weight, factor, zeros, self.one, self.zero(out_zero), bias], f"{layer.conv.output[0]}.int8",
            **attributes, **({} if last else {"domain": MICROSOFT, "channels_last": 1}),
        )
        if layer.shift is not None:
            inverse = self.constant(f"{layer.weight}.inverse", (1 / out_scale).astype(np.float32))
            scaled = self.node("Mul", [self.node("Reshape", [shift, "int8.flat"], f"{layer.weight}.shift"), inverse], f"{layer.weight}.shifted")
            added = self.node("QuantizeLinear", [scaled, self.one, self.zero(128)], f"{layer.weight}.shift.int8")
            name = self.node("QLinearAdd", [name, self.one, self.zero(out_zero), added, self.one, self.zero(128), self.one, self.zero(out_zero)], f"{layer.shift.output[0]}.int8", domain=MICROSOFT)
        if layer.leaky is not None:
            self.gone.add(id(layer.leaky))
            alpha = helper.get_attribute_value(next(a for a in layer.leaky.attribute if a.name == "alpha"))
            name = self.node("QLinearLeakyRelu", [name, self.one, self.zero(out_zero), self.one, self.zero(out_zero)], f"{layer.result}.int8", domain=MICROSOFT, alpha=alpha)
        return name, out_zero

    def out_scale(self, layer):
        """Units of a layer's result a channel, so that its values before the shift and after it fit."""
        limits = [self.limits[layer.bent]] + ([self.limits[layer.gate.output[0]]] if layer.gate is not None else [])
        high, low = np.max([v[0] for v in limits], 0), np.min([v[1] for v in limits], 0)
        if layer.leaky is None:
            return size_of((high, low)) / 127 + SMALLEST
        return np.maximum(high / (255 - LEAKY_ZERO), -LEAKY_NEGATIVE * low / LEAKY_ZERO) + SMALLEST

    def restore(self, name, zero, scale, result):
        self.node("DequantizeLinear", [name, self.constant(f"{result}.scale", np.float32(scale)), self.zero(zero)], result)

    def chain(self, blocks):
        """Residual blocks in NHWC; the stream between them is fp32, its channels made alike by `level`."""
        level = np.max([size_of(self.limits[b.first.source]) for b in blocks], 0)
        level = np.maximum(level, level.max() * 0.01 + SMALLEST).astype(np.float32)
        start, end = blocks[0].first.source, blocks[-1].add.output[0]
        laid = self.node("Transpose", [start], f"{start}.laid", perm=[0, 2, 3, 1])
        stream = self.node("Mul", [laid, self.constant(f"{start}.level.inverse", 1 / level)], f"{start}.even")
        for block in blocks:
            scale = float((size_of(self.limits[block.first.source]) / level).max() / 127 + SMALLEST)
            inner = self.out_scale(block.first)
            name, zero = self.convolve(block.first, self.quantise(stream, scale), 128, scale * level, inner)
            outer = float((self.out_scale(block.second) / level).max())
            name, zero = self.convolve(block.second, name, zero, inner, outer * level)
            self.restore(name, zero, outer, f"{block.second.result}.even")
            stream = self.node("Add", [stream, f"{block.second.result}.even"], f"{block.add.output[0]}.even")
            self.gone.add(id(block.add))
        back = self.node("Mul", [stream, self.constant(f"{start}.level", level)], f"{end}.laid")
        self.node("Transpose", [back], end, perm=[0, 3, 1, 2])

    def scaled(self, name, factor, label):
        """A vector of one value a channel times a constant: free, compared with a picture."""
        return self.node("Mul", [name, self.constant(f"{label}.by", factor.astype(np.float32)[None, :, None, None])], label)

    def even_source(self, layer):
        """(tensor to quantise, scale a channel): where a layer's source is modulated, the modulation makes its channels alike."""
        size = size_of(self.limits[layer.source])
        add = self.graph.made.get(layer.source)
        if not modulated(self.graph, layer.source) or len(self.graph.users[layer.source]) > 1:
            return layer.source, np.full(len(size), size.max() / 127 + SMALLEST, np.float32)
        multiply = next(self.graph.made[n] for n in add.input if self.graph.made[n].op_type == "Mul")
        level = np.maximum(size, size.max() * 0.01 + SMALLEST).astype(np.float32)
        shift = next(n for n in add.input if n != multiply.output[0])
        plane, gate = self.restored.get(multiply.output[0], (multiply.input[0], multiply.input[1]))
        # What an earlier layer left there is not needed any more.
        self.added = [n for n in self.added if multiply.output[0] not in n.output]
        multiplied = self.node("Mul", [plane, self.scaled(gate, 1 / level, f"{layer.source}.gate")], f"{layer.source}.multiplied")
        self.gone |= {id(add), id(multiply)}
        even = self.node("Add", [multiplied, self.scaled(shift, 1 / level, f"{layer.source}.shift")], f"{layer.source}.even")
        return even, (level / 127).astype(np.float32)

    def single(self, layer):
        """A layer between fp32 tensors."""
        source, scale = self.even_source(layer)
        step = scale.max() if source == layer.source else 1 / 127
        out = self.out_scale(layer).astype(np.float32)
        follower = self.graph.only_user(layer.result, "Mul")
        gated = follower is not None and layer.leaky is not None
        if not gated:
            out = np.full_like(out, out.max())
        name, zero = self.convolve(layer, self.quantise(source, step), 128, scale, out, last=True)
        if not gated:
            return self.restore(name, zero, out[0], layer.result)
        # The factor that follows gives the channels their own units back; whoever reads its result finds it under its name.
        self.gone.add(id(follower))
        self.restore(name, zero, 1.0, f"{layer.result}.even")
        self.restored[follower.output[0]] = (f"{layer.result}.even", self.scaled(follower.input[1], out, f"{layer.result}.gate"))
        self.node("Mul", list(self.restored[follower.output[0]]), follower.output[0])

    def finish(self):
        """The new model, whose large weights are references into the expert's own file."""
        model, stored = copy.deepcopy(self.graph.model), self.graph.path.read_bytes()
        graph = model.graph
        nodes = [n for n in self.graph.nodes if id(n) not in self.gone] + self.added
        used = {name for node in nodes for name in node.input}
        weights = []
        for tensor in (t for t in graph.initializer if t.name in used):
            if len(tensor.raw_data) >= SHARED_BYTES:
                offset, length = stored.index(tensor.raw_data), len(tensor.raw_data)
                tensor.ClearField("raw_data")
                tensor.data_location = TensorProto.EXTERNAL
                for key, value in (("location", self.graph.path.name), ("offset", offset), ("length", length)):
                    tensor.external_data.add(key=key, value=str(value))
            weights.append(copy.deepcopy(tensor))
        weights += [t for name, t in self.constants.items() if name in used]
        ready = {i.name for i in graph.input} | {t.name for t in weights} | {""}
        ordered = []
        while nodes:
            later = []
            for node in nodes:
                if ready.issuperset(node.input):
                    ready.update(node.output)
                    ordered.append(copy.deepcopy(node))
                else:
                    later.append(node)
            if len(later) == len(nodes):
                raise ValueError(f"nothing gives {sorted(set(later[0].input) - ready)}")
            nodes = later
        del graph.node[:], graph.initializer[:]
        # Biases whose layers are int8 leave conversions behind that nobody needs.
        needed = {name for node in ordered for name in node.input} | {o.name for o in graph.output}
        graph.node.extend(n for n in ordered if needed.intersection(n.output))
        needed = {name for node in graph.node for name in node.input}
        graph.initializer.extend(t for t in weights if t.name in needed)
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
        shorten(model)
        return model


def shorten(model):
    """Short names for all that has none to the outside: names were half of the file."""
    graph = model.graph
    kept = {v.name for v in (*graph.input, *graph.output)} | {t.name for t in graph.initializer if t.data_location == TensorProto.EXTERNAL} | {""}
    short = {}

    def rename(name):
        return name if name in kept else short.setdefault(name, f"{len(short):x}")

    for tensor in graph.initializer:
        tensor.name = rename(tensor.name)
    for node in graph.node:
        inputs, outputs = [rename(n) for n in node.input], [rename(n) for n in node.output]
        del node.input[:], node.output[:]
        node.input.extend(inputs)
        node.output.extend(outputs)
        node.name = node.doc_string = ""
    del graph.value_info[:]


def modulated(graph, name):
    """The tensor whose modulation by a factor and a shift a channel gives `name`, as a set; empty if it comes from elsewhere."""
    add = graph.made.get(name)
    multiply = next((graph.made[n] for n in add.input if n in graph.made and graph.made[n].op_type == "Mul"), None) if add is not None and add.op_type == "Add" else None
    return {multiply.input[0]} if multiply is not None else set()


def quantised(path, feeds, singles):
    """The int8 form of an exported trunk or head. `singles`: convolutions outside blocks, by their weights."""
    graph = Graph(path)
    chains = graph.chains()
    alone = [graph.layer(weight) for weight in singles]
    names = set()
    for layer in alone + [layer for chain in chains for block in chain for layer in (block.first, block.second)]:
        names |= {layer.source, layer.bent, layer.result} | modulated(graph, layer.source) | ({layer.gate.output[0]} if layer.gate is not None else set())
    builder = Quantiser(graph, ranges(graph, sorted(names), feeds))
    for chain in chains:
        builder.chain(chain)
    for layer in alone:
        builder.single(layer)
    return builder.finish()


def planes(picture):
    return np.ascontiguousarray(picture.transpose(2, 0, 1))[None].astype(np.float32)


def calibration(data, task, seed, count):
    """(names, [(degraded crop, thumbnail)]) from DATA/train alone."""
    train, rng = Path(data) / "train", np.random.default_rng(seed)
    if task == "low-light" and files(train / "lol" / "input"):
        paths = files(train / "lol" / "input")
    else:
        paths = files(train / "photos") + files(train / "bsds")
    if not paths:
        raise ValueError(f"no pictures under {train}")
    chosen = sorted(rng.choice(len(paths), min(count, len(paths)), replace=False))
    rows = []
    for path in (paths[i] for i in chosen):
        x = read(path) / np.float32(255)
        height, width = (min(side, 2 * SIDE) // 16 * 16 for side in x.shape[:2])
        top, left = ((side - part) // 2 for side, part in zip(x.shape[:2], (height, width)))
        part = x[top : top + height, left : left + width]
        y = d.resolution_path(part, 1.0)[0] if task == "super-resolution" else part
        rows.append((planes(y[:SIDE, :SIDE]), planes(d.thumbnail(np.float32(y)))))
    return [f"train/{paths[i].relative_to(train).as_posix()}" for i in chosen], rows


SEVERITIES = (0.0, 0.375, 0.75)
SINGLES = {"trunk": ("last.weight",), "head": ("first.weight", "second.weight")}


def quantise(folder, task, rows):
    """Writes the int8 files of an expert beside its own and names them in the manifest. Returns {part: convolutions that are int8 once onnxruntime has optimised the graph}."""
    folder = Path(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    expert = manifest["experts"][task]
    paths = {part: folder / manifest["files"][expert[part]]["path"] for part in ("trunk", "head")}
    prompt = evaluate.OnnxModel(folder, 1).prompt(UNIFORM[task])
    trunk = session(paths["trunk"])
    feeds = {"trunk": [{"image": image, "thumbnail": thumbnail, "prompt": prompt} for image, thumbnail in rows], "head": []}
    for feed in feeds["trunk"]:
        features = trunk.run(None, feed)[0]
        feeds["head"] += [{"image": feed["image"], "features": features, "prompt": prompt, "severity": np.float32([[s]])} for s in SEVERITIES]
    counts = {}
    for part, path in paths.items():
        data = quantised(path, feeds[part], SINGLES[part]).SerializeToString()
        key = f"{task}-{part}-int8"
        replace_file(folder / f"{key}.onnx", lambda p, data=data: p.write_bytes(data))
        counts[part] = fused(folder / f"{key}.onnx")
        manifest["files"][key] = {"path": f"{key}.onnx", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    expert["int8"] = {part: f"{task}-{part}-int8" for part in paths}
    write_text(folder / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    return counts


def fused(path):
    """How many convolutions of a graph onnxruntime computes in int8."""
    optimised = Path(path).with_suffix(".optimised")
    try:
        session(path, optimised)
        return sum(node.op_type == "QLinearConv" for node in onnx.load(str(optimised), load_external_data=False).graph.node)
    finally:
        optimised.unlink(missing_ok=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--task", required=True, choices=TASKS)
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", help="file for the names of the calibration pictures")
    a = parser.parse_args()
    names, rows = calibration(a.data, a.task, a.seed, a.pictures)
    print(f"{len(names)} pictures:", *names)
    if a.list:
        write_text(a.list, "\n".join(names) + "\n")
    print("int8 convolutions", quantise(a.model, a.task, rows))
