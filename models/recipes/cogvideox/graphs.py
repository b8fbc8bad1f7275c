"""From PyTorch modules to ONNX files: tracing without the weights, weights beside the graph under their own names.

A library file (nothing to launch). The graph is traced with parameters as inputs, and they are written as initialisers afterwards, one by one: so no graph ever holds gigabytes, matrices are stored
[in, out] as MatMul takes them (under NAME.weight_t, where the library's LoRA merging finds them), and files of weights stay below what one buffer holds.
"""

import contextlib
import hashlib
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

PRODUCER, VERSION = "progressive-restoration", "1"
OPSET = 17
SHARD_BYTES = 2**30
SMALL_BYTES = 1024  # tensors below stay in the graph
_NUMPY = {torch.float32: np.float32, torch.float16: np.float16, torch.int64: np.int64, torch.bool: np.bool_}


class FusedAttention(torch.autograd.Function):
    """Scaled dot-product attention as one node of onnxruntime, which has fast kernels for it; plain PyTorch otherwise."""

    @staticmethod
    def forward(ctx, query, key, value, heads):
        def split(x):
            return x.unflatten(2, (heads, -1)).transpose(1, 2)

        return F.scaled_dot_product_attention(split(query), split(key), split(value)).transpose(1, 2).flatten(2)

    @staticmethod
    def symbolic(g, query, key, value, heads):
        return g.op("com.microsoft::MultiHeadAttention", query, key, value, num_heads_i=heads).setType(query.type())


def _rotated(x, cos, sin):
    """diffusers' apply_rotary_emb for interleaved pairs."""
    real, imaginary = x.unflatten(3, (-1, 2)).unbind(-1)
    turned = torch.stack([-imaginary, real], -1).flatten(3)
    return (x.float() * cos + turned.float() * sin).to(x.dtype)


class ExportedAttention:
    """diffusers' CogVideoXAttnProcessor2_0 with a concatenation in place of the assignment to a slice, which would become ScatterND."""

    def __init__(self, fused):
        self.fused = fused

    def __call__(self, attn, hidden_states, encoder_hidden_states, attention_mask=None, image_rotary_emb=None):
        length = encoder_hidden_states.size(1)
        states = torch.cat([encoder_hidden_states, hidden_states], 1)

        def heads(x):
            return x.unflatten(2, (attn.heads, -1)).transpose(1, 2)

        query, key, value = attn.norm_q(heads(attn.to_q(states))), attn.norm_k(heads(attn.to_k(states))), attn.to_v(states)
        if image_rotary_emb is not None:
            query, key = (torch.cat([x[:, :, :length], _rotated(x[:, :, length:], *image_rotary_emb)], 2) for x in (query, key))
        if self.fused:
            states = FusedAttention.apply(query.transpose(1, 2).flatten(2), key.transpose(1, 2).flatten(2), value, attn.heads)
        else:
            scale = query.shape[-1] ** -0.25  # on both sides, so that products in half precision stay small
            weights = torch.softmax((query * scale) @ (key * scale).transpose(2, 3), -1)
            states = (weights @ heads(value)).transpose(1, 2).flatten(2)
        states = attn.to_out[0](states)
        return states[:, length:], states[:, :length]


def _repeated(x, axis, times):
    """Nearest-neighbour enlargement along one axis as Expand and Reshape: five-dimensional Resize is slow or missing on some devices."""
    if times == 1:
        return x
    shape = list(x.shape)
    expanded = x.unsqueeze(axis + 1).expand(*shape[: axis + 1], times, *shape[axis + 1 :])
    return expanded.flatten(axis, axis + 1)


@contextlib.contextmanager
def repeating_interpolation():
    """F.interpolate by whole factors through repetition: the same numbers, other nodes."""
    original = F.interpolate

    def interpolate(x, size=None, scale_factor=None, mode="nearest", **rest):
        sides = [int(side) for side in x.shape[2:]]
        wanted = [int(side) for side in size] if size is not None else [round(side * scale_factor) for side in sides]
        if mode != "nearest" or any(new % old for new, old in zip(wanted, sides)):
            return original(x, size=size, scale_factor=scale_factor, mode=mode, **rest)
        for axis, (new, old) in enumerate(zip(wanted, sides)):
            x = _repeated(x, axis + 2, new // old)
        return x

    F.interpolate = interpolate
    try:
        yield
    finally:
        F.interpolate = original


class Shards:
    """Writes tensors one after another into files NAME.0, NAME.1, ... beside the graph, and says where each is."""

    def __init__(self, folder, name, limit=SHARD_BYTES):
        self.folder, self.name, self.limit = Path(folder), name, limit
        self.paths, self.known, self.file = [], {}, None

    def add(self, values):
        data = np.ascontiguousarray(values).tobytes()
        digest = hashlib.sha256(data).digest()
        if digest in self.known:  # two graphs may share their weights
            return self.known[digest]
        if self.file is None or (self.file.tell() and self.file.tell() + len(data) > self.limit):
            self.close()
            self.paths.append(self.folder / f"{self.name}.{len(self.paths)}")
            self.file = open(self.paths[-1], "wb")
        self.file.write(b"\0" * (-self.file.tell() % 64))
        place = (self.paths[-1].name, self.file.tell(), len(data))
        self.file.write(data)
        self.known[digest] = place
        return place

    def close(self):
        if self.file:
            self.file.close()
            self.file = None


def _external(name, values, place):
    tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(values.dtype), dims=values.shape, data_location=TensorProto.EXTERNAL)
    for key, value in zip(("location", "offset", "length"), place):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def _transposed_matrices(graph, weights):
    """Transpose nodes that turn a Linear's [out, in] for MatMul are dropped; their weights are stored turned, as NAME_t. Returns those names."""
    turned, kept, renamed = set(), [], {}
    for node in graph.node:
        perm = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
        if node.op_type == "Transpose" and node.input[0] in weights and perm == [1, 0]:
            turned.add(node.input[0])
            renamed[node.output[0]] = f"{node.input[0]}_t"
        else:
            kept.append(node)
    for node in kept:
        if node.op_type == "Gemm" and node.input[1] in weights and any(a.name == "transB" and a.i for a in node.attribute):
            turned.add(node.input[1])
            renamed[node.input[1]] = f"{node.input[1]}_t"
            for attribute in [a for a in node.attribute if a.name == "transB"]:
                node.attribute.remove(attribute)
        for index, name in enumerate(node.input):
            if name in renamed:
                node.input[index] = renamed[name]
    del graph.node[:]
    graph.node.extend(kept)
    return turned


def _compact(graph):
    """Short names for what only the graph itself refers to, and every constant and every computation once: a fraction of the bytes, the same network.

    A trace repeats itself: CogVideoX's decoder enlarges the same latents anew for every norm of a level, and asks for the same sizes at every use.
    """
    kept, alias, known = [], {}, {}
    outputs = {entry.name for entry in graph.output}
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = alias.get(name, name)
        key = (node.domain, node.op_type, tuple(node.input), len(node.output), tuple(sorted(attribute.SerializeToString() for attribute in node.attribute)))
        if key in known and not outputs & set(node.output):
            alias.update(zip(node.output, known[key]))
            continue
        known.setdefault(key, list(node.output))
        kept.append(node)
    fixed = {entry.name for entry in (*graph.input, *graph.output, *graph.initializer)}
    short = {}
    for node in kept:
        node.name = ""
        for index, name in enumerate(node.input):
            node.input[index] = short.get(name, name)
        for index, name in enumerate(node.output):
            if name and name not in fixed:
                short[name] = f"v{len(short)}"
                node.output[index] = short[name]
    del graph.node[:]
    graph.node.extend(kept)


class _Named(torch.nn.Module):
    """A function on a module, with the module's own parameter names."""

    def __init__(self, module, function):
        super().__init__()
        self.wrapped, self.function = module, function

    def forward(self, *arguments):
        return self.function(self.wrapped, *arguments)


def write_graph(module, function, arguments, outputs, path, shards, free=None, sizes=None, replaced=None):
    """Traces function(module, *arguments) and writes PATH with its weights in shards.

    arguments: {input name: tensor}. free: {input or output name: {axis: name}}, sizes that stay open. sizes: {input or output name: dimensions} that are declared although others were traced, which is
    how a large network is traced at a small size. replaced: {name: tensor} in place of the module's own values. Returns the names of the operators that the graph has.
    """
    path = Path(path)
    weights = dict(module.named_parameters()) | dict(module.named_buffers())
    # export_params=False: parameters become inputs under the names of the module.
    with warnings.catch_warnings(), torch.no_grad(), repeating_interpolation():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Named(module, function).eval(), tuple(arguments.values()), str(path), input_names=list(arguments), output_names=list(outputs), dynamic_axes=free or {}, opset_version=OPSET, dynamo=False,
            do_constant_folding=False, export_params=False, custom_opsets={"com.microsoft": 1},
        )
    model = onnx.load(str(path), load_external_data=False)
    graph = model.graph
    model.producer_name, model.producer_version, model.doc_string = PRODUCER, VERSION, ""
    for node in graph.node:
        node.doc_string = ""
        for index, name in enumerate(node.input):
            node.input[index] = name.removeprefix("wrapped.")
    for entry in list(graph.input):
        if entry.name not in arguments:
            graph.input.remove(entry)
    for entry in (*graph.input, *graph.output):
        for dimension, size in zip(entry.type.tensor_type.shape.dim, (sizes or {}).get(entry.name, ())):
            dimension.dim_value = size
    weights |= replaced or {}
    used = {name for node in graph.node for name in node.input}
    turned = _transposed_matrices(graph, weights)
    for name, value in weights.items():
        if name not in used:
            continue
        values = value.detach().cpu().numpy()
        if name in turned:
            name, values = f"{name}_t", np.ascontiguousarray(values.T)
        if values.nbytes < SMALL_BYTES:
            graph.initializer.append(numpy_helper.from_array(values, name))
        else:
            graph.initializer.append(_external(name, values, shards.add(values)))
    del graph.value_info[:]
    _compact(graph)
    if not any("microsoft" in node.domain for node in graph.node):
        for entry in [e for e in model.opset_import if e.domain == "com.microsoft"]:
            model.opset_import.remove(entry)
    onnx.save(model, str(path))
    return {node.op_type for node in graph.node}
