"""
MATLAB's imresize(picture, ..., 'bicubic') in NumPy, written from its definition tap by tap: the standard behind the
published figures of super-resolution, and the golden value for the library's own.

Keys' kernel with a = -1/2. Where an axis shrinks the kernel is stretched by the factor (antialiasing); the edges are
mirrored, the outermost pixel included; the axis that shrinks most goes first, the vertical one on a tie; 8-bit pictures
are rounded, halves up, after each of the two passes.
"""

import math

import numpy as np


def keys(x):
    x = abs(x)
    if x <= 1:
        return (1.5 * x - 2.5) * x * x + 1
    if x < 2:
        return ((-0.5 * x + 2.5) * x - 4) * x + 2
    return 0.0


def resize_axis(picture, axis, size):
    """uint8 -> uint8 along one axis."""
    length = picture.shape[axis]
    if size == length:
        return picture
    scale = size / length
    stretch = min(scale, 1.0)
    radius = 2 / stretch
    lines = np.moveaxis(picture, axis, 0).astype(np.float64)
    out = np.empty((size, *lines.shape[1:]))
    for position in range(size):
        centre = (position + 0.5) / scale - 0.5
        first, last = math.ceil(centre - radius), math.floor(centre + radius)
        taps = [keys((centre - source) * stretch) for source in range(first, last + 1)]
        total = sum(taps)
        out[position] = 0
        for source, tap in zip(range(first, last + 1), taps):
            source %= 2 * length  # mirrored: 0 1 2 ... n-1 n-1 ... 2 1 0, over and over
            out[position] += tap / total * lines[min(source, 2 * length - 1 - source)]
    return np.moveaxis(np.clip(np.floor(out + 0.5), 0, 255).astype(np.uint8), 0, axis)


def resize(picture, height, width):
    """uint8 [h, w] or [h, w, 3] -> the same kind at height x width."""
    order = [(0, height), (1, width)]
    if width / picture.shape[1] < height / picture.shape[0]:
        order.reverse()
    for axis, size in order:
        picture = resize_axis(picture, axis, size)
    return picture


def shrink(picture, factor):
    """Cut to a multiple of a whole factor (`modcrop`) and shrunk by it: how super-resolution's inputs are made."""
    height, width = (side - side % factor for side in picture.shape[:2])
    return resize(picture[:height, :width], height // factor, width // factor)


def enlarge(picture, factor):
    return resize(picture, picture.shape[0] * factor, picture.shape[1] * factor)
