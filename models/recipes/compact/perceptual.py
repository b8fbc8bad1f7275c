"""LPIPS v0.1 (AlexNet) as a differentiable distance, from the weights that ship in models/lpips.

A library file (nothing to launch). Zhang et al., CVPR 2018, arXiv 1801.03924. Nothing is downloaded.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F

MODEL = Path(__file__).resolve().parents[2] / "lpips"
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
LAYOUT = ((4, 2, 0), (1, 2, 3), (1, 1, 3), (1, 1, 0), (1, 1, 0))  # stride, padding, side of the pooling before it (0 = none)


class Lpips(nn.Module):
    def __init__(self, folder=MODEL):
        super().__init__()
        arrays = {}
        for name in ("lpips-alex.onnx", "lpips-alex-distance.onnx"):
            for tensor in onnx.load(str(Path(folder) / name)).graph.initializer:
                arrays[tensor.name.removesuffix("_half")] = torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
        for level in range(1, 6):
            for kind in ("weight", "bias", "lin"):
                self.register_buffer(f"{kind}{level}", arrays[f"{kind}{level}"])
        self.register_buffer("shift", torch.tensor(SHIFT)[:, None, None])
        self.register_buffer("scale", torch.tensor(SCALE)[:, None, None])

    def features(self, picture):
        x, maps = (2 * picture - 1 - self.shift) / self.scale, []
        for level, (stride, padding, pool) in enumerate(LAYOUT, 1):
            if pool:
                x = F.max_pool2d(x, pool, 2)
            x = F.relu(F.conv2d(x, getattr(self, f"weight{level}"), getattr(self, f"bias{level}"), stride, padding))
            # Below the root, so that a place where nothing fires has a gradient, too.
            maps.append(x / (x.square().sum(1, keepdim=True) + 1e-16).sqrt().clamp(min=1e-8))
        return maps

    def forward(self, a, b):
        """Distances (batch,) of sRGB pictures (batch, 3, h, w) in [0, 1]; sides of 32 at least."""
        return sum(F.conv2d((p - q).square(), getattr(self, f"lin{level}")).mean((1, 2, 3)) for level, (p, q) in enumerate(zip(self.features(a), self.features(b)), 1))
