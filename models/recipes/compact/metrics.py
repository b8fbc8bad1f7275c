"""PSNR and SSIM as BasicSR defines them, on 8-bit pictures.

A library file (nothing to launch). Protocol `sr`: Y channel, a border of `scale` pixels cropped. Protocol `rgb`: all channels, no crop.
"""

import cv2
import numpy as np


def to_uint8(picture):
    return np.clip(np.floor(picture * 255.0 + 0.5), 0, 255).astype(np.uint8)


def luma(picture):
    """MATLAB's rgb2ycbcr, not rounded: (h, w, 1) in [16, 235]."""
    weights = np.array([65.481, 128.553, 24.966]) / 255.0
    return (picture.astype(np.float64) @ weights + 16.0)[..., None]


def prepare(picture, protocol, scale=4):
    if protocol == "sr":
        return luma(picture)[scale:-scale, scale:-scale]
    return picture.astype(np.float64)


def psnr(a, b):
    error = np.mean((a - b) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def ssim(a, b):
    kernel = cv2.getGaussianKernel(11, 1.5)

    def blur(x):
        return cv2.sepFilter2D(x, cv2.CV_64F, kernel, kernel)[5:-5, 5:-5]

    values = []
    for k in range(a.shape[2]):
        x, y = np.ascontiguousarray(a[..., k]), np.ascontiguousarray(b[..., k])
        mx, my = blur(x), blur(y)
        vx, vy, vxy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        values.append(np.mean((2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))))
    return float(np.mean(values))


def compare(output, reference, protocol, scale=4):
    """(PSNR, SSIM) of two uint8 pictures under a protocol."""
    if output.shape != reference.shape:
        raise ValueError(f"sizes differ: {output.shape} and {reference.shape}")
    a, b = prepare(output, protocol, scale), prepare(reference, protocol, scale)
    return psnr(a, b), ssim(a, b)
