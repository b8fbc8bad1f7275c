"""A degradation, given as JSON, in NumPy: the same pixels as src/restoration/degradation makes of the same parameters.

A library file (nothing to launch). The library draws the parameters of a sample and writes them down (`samples/*.json` of a
progression data set, `degradation` in what `degrade --json` prints); `along_path` turns a clean picture and such parameters
into D(x, s). Everything is written from its formula in float64, so that nothing depends on how a picture library rounds its
coordinates. For training, the compact recipe has faster code of the same paths.

    with open("samples/000000.json") as file: sample = json.load(file)
    frames = along_path(x, sample["degradation"], [1, 0.5, 0])      # x: uint8 (height, width, 3)
"""

import math
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "pictures"))
sys.path.append(str(Path(__file__).resolve().parent))
import bicubic  # noqa: E402
import philox  # noqa: E402


def to_bytes(value):
    return np.clip(np.floor(value * 255 + 0.5), 0, 255).astype(np.uint8)


def to_linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


# ---------------------------------------------------------------------------------------------------------------------
# Resolution


def at_resolution(x, ratio):
    if ratio <= 1 + 1e-9:
        return x
    h, w, _ = x.shape
    return bicubic.resize(bicubic.resize(x, math.ceil(h / ratio - 1e-9), math.ceil(w / ratio - 1e-9)), h, w)


# ---------------------------------------------------------------------------------------------------------------------
# Exposure time


def window_shares(frames, severity):
    if severity * frames <= 1:
        return np.eye(frames)[frames // 2]
    edge = np.arange(frames + 1) / frames - 0.5
    cover = np.clip(np.minimum(edge[1:], severity / 2) - np.maximum(edge[:-1], -severity / 2), 0, None)
    return cover / cover.sum()


def cubic_weights(part):
    """Cubic convolution with a = -3/4: weights of the four samples around a position, stacked in front."""
    a = -0.75
    p, q, c = part + 1, 2 - part, 1 - part
    return np.stack(
        [
            ((a * p - 5 * a) * p + 8 * a) * p - 4 * a,
            ((a + 2) * part - (a + 3)) * part * part + 1,
            ((a + 2) * c - (a + 3)) * c * c + 1,
            ((a * q - 5 * a) * q + 8 * a) * q - 4 * a,
        ]
    )


def mirrored(index, length):
    """2 1 | 0 1 2 ...: the border sample is not repeated."""
    if length == 1:
        return np.zeros_like(index)
    index = np.mod(index, 2 * (length - 1))
    return np.where(index < length, index, 2 * (length - 1) - index)


def smooth_field(grid, h, w):
    cells = grid["cells"]
    values = np.array(grid["values"], np.float64).reshape(cells, cells)

    def axis(length):
        at = (np.arange(length) + 0.5) * cells / length - 0.5
        base = np.floor(at).astype(int)
        matrix = np.zeros((length, cells))
        for tap, weight in enumerate(cubic_weights(at - base)):
            np.add.at(matrix, (np.arange(length), np.clip(base - 1 + tap, 0, cells - 1)), weight)
        return matrix

    return axis(h) @ values @ axis(w).T


def sample(picture, xs, ys):
    """Colours between the pixels, clipped to 0 ... 255."""
    h, w, _ = picture.shape
    left, top = np.floor(xs).astype(int), np.floor(ys).astype(int)
    across, down = cubic_weights(xs - left), cubic_weights(ys - top)
    out = np.zeros((*xs.shape, 3))
    for j in range(4):
        row = mirrored(top - 1 + j, h)
        line = sum(across[i][..., None] * picture[row, mirrored(left - 1 + i, w)] for i in range(4))
        out += down[j][..., None] * line
    return np.clip(out, 0, 255)


def bilinear(mask, xs, ys):
    h, w = mask.shape
    left, top = np.floor(xs).astype(int), np.floor(ys).astype(int)
    fx, fy = xs - left, ys - top
    x0, x1, y0, y1 = np.clip(left, 0, w - 1), np.clip(left + 1, 0, w - 1), np.clip(top, 0, h - 1), np.clip(top + 1, 0, h - 1)
    upper = (1 - fx) * mask[y0, x0] + fx * mask[y0, x1]
    lower = (1 - fx) * mask[y1, x0] + fx * mask[y1, x1]
    return (1 - fy) * upper + fy * lower


def sub_frames(x, motion):
    h, w, _ = x.shape
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float64)
    u, v = (xs - motion["centre"][0]) / motion["focal"], (ys - motion["centre"][1]) / motion["focal"]
    near = np.exp(smooth_field(motion["depth"], h, w))
    masks = [
        np.clip((smooth_field(layer["shape"], h, w) - layer["threshold"]) / layer["softness"] + 0.5, 0, 1)
        for layer in motion["layers"]
    ]
    frames = len(motion["course"])
    for k, (shift_x, shift_y, roll, zoom, yaw, pitch) in enumerate(motion["course"]):
        if k == frames // 2:
            yield x
            continue
        dx = shift_x * near - roll * v + zoom * u * near + yaw * (1 + u * u) + pitch * u * v
        dy = shift_y * near + roll * u + zoom * v * near + yaw * u * v + pitch * (1 + v * v)
        frame = sample(x, xs + dx, ys + dy)
        for layer, mask in zip(motion["layers"], masks):
            tx, ty = layer["course"][k]
            cover = bilinear(mask, xs - tx, ys - ty)[..., None]
            frame = frame + cover * (sample(x, xs - tx, ys - ty) - frame)
        yield np.floor(frame + 0.5).astype(np.uint8)


def from_light(light, linear):
    light = np.clip(light, 0, 1)
    return light ** (1 / 2.2) if linear else light


def averaged(x, motion, severities):
    table = np.arange(256) / 255
    if motion["linear"]:
        table = table**2.2
        table[255] = motion["highlights"]
    shares = [window_shares(len(motion["course"]), s) for s in severities]
    sums = [np.zeros(x.shape) for _ in severities]
    for k, frame in enumerate(sub_frames(x, motion)):
        for share, total in zip(shares, sums):
            if share[k] > 0:
                total += share[k] * table[frame]
    return [from_light(total, motion["linear"]) for total in sums]


def correlate(picture, kernel):
    """Borders mirrored without repeating the border sample."""
    h, w, _ = picture.shape
    reach = kernel.shape[0] // 2
    rows, columns = (mirrored(np.arange(-reach, n + reach), n) for n in (h, w))
    wide = picture[rows][:, columns]
    out = np.zeros(picture.shape)
    for j, i in zip(*np.nonzero(kernel)):
        out += kernel[j, i] * wide[j : j + h, i : i + w]
    return out


def path_kernel(course, shares):
    course = np.array(course, np.float64)
    reach = math.ceil(np.abs(course).max()) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    base = np.floor(course).astype(int)
    part = course - base
    for dx in (0, 1):
        for dy in (0, 1):
            weight = shares * np.where(dx, part[:, 0], 1 - part[:, 0]) * np.where(dy, part[:, 1], 1 - part[:, 1])
            np.add.at(kernel, (base[:, 1] + dy + reach, base[:, 0] + dx + reach), weight)
    return kernel


def shaken(x, shake, severities):
    light = (x / 255) ** 2.2 if shake["linear"] else x / 255
    kernels = [path_kernel(shake["course"], window_shares(len(shake["course"]), s)) for s in severities]
    return [from_light(correlate(light, kernel), shake["linear"]) for kernel in kernels]


def defocused(x, radius):
    if radius < 0.3:
        return x / 255
    reach = math.ceil(radius) + 1
    ys, xs = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.sqrt(xs**2 + ys**2), 0, 1)
    return correlate(x / 255, disc / disc.sum())


def blur_path(x, blur, severities):
    if blur["kind"] == "motion":
        return averaged(x, blur, severities)
    if blur["kind"] == "shake":
        return shaken(x, blur, severities)
    return [defocused(x, blur["radius"] * s) for s in severities]


# ---------------------------------------------------------------------------------------------------------------------
# What JPEG leaves: baseline, IJG's scaling of Annex K's tables, 4:2:0, transform in float64

LUMA = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
CHROMA = """17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99"""
TIE = 1e-6  # exact ties go up, whatever the last bit of a sum says
_K, _N = np.mgrid[0:8, 0:8]
BASIS = np.where(_K == 0, math.sqrt(1 / 8), 0.5) * np.cos((2 * _N + 1) * _K * np.pi / 16)


def levels(value):
    return np.clip(np.floor(value + 0.5 + TIE), 0, 255)


def coded(plane, table, quality):
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    steps = np.clip((np.array(table.split(), int).reshape(8, 8) * scale + 50) // 100, 1, 255)
    h, w = plane.shape
    wide = np.pad(plane, ((0, -h % 8), (0, -w % 8)), mode="edge") - 128
    blocks = wide.reshape(wide.shape[0] // 8, 8, -1, 8).transpose(0, 2, 1, 3)
    quantised = np.floor(BASIS @ blocks @ BASIS.T / steps + 0.5 + TIE) * steps
    back = (BASIS.T @ quantised @ BASIS).transpose(0, 2, 1, 3).reshape(wide.shape)
    return levels(back[:h, :w] + 128)


def halved(plane):
    h, w = plane.shape
    wide = np.pad(plane, ((0, h % 2), (0, w % 2)), mode="edge")
    return levels((wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]) / 4)


def enlarged(plane, h, w):
    def neighbours(length, size):
        at = np.arange(size)
        return at // 2, np.clip(at // 2 + np.where(at % 2, 1, -1), 0, length - 1)

    (row, far_row), (column, far_column) = neighbours(plane.shape[0], h), neighbours(plane.shape[1], w)
    near, far = plane[row], plane[far_row]
    return (9 * near[:, column] + 3 * near[:, far_column] + 3 * far[:, column] + far[:, far_column]) / 16


def through_jpeg(x, quality):
    r, g, b = (x[..., c].astype(np.float64) for c in range(3))
    luma = coded(levels(0.299 * r + 0.587 * g + 0.114 * b), LUMA, quality)
    blue = levels(-0.168736 * r - 0.331264 * g + 0.5 * b + 128)
    red = levels(0.5 * r - 0.418688 * g - 0.081312 * b + 128)
    u, v = (enlarged(coded(halved(plane), CHROMA, quality), *x.shape[:2]) - 128 for plane in (blue, red))
    rgb = (luma + 1.402 * v, luma - 0.344136 * u - 0.714136 * v, luma + 1.772 * u)
    return np.stack([levels(c) for c in rgb], -1).astype(np.uint8)


# ---------------------------------------------------------------------------------------------------------------------
# Exposure level


def gaussian_blur(picture, sigma):
    reach = (math.floor(sigma * 8 + 1.5) | 1) >> 1
    taps = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    kernel[reach] = taps / taps.sum()
    return correlate(correlate(picture, kernel), kernel.T)


def darkened(x, light):
    """The degraded picture, uint8."""
    dark = to_linear(x / 255) * np.array(light["gain"])
    deviation = np.sqrt(light["shot"] * dark + light["read"] ** 2)
    grain = philox.normal(light["seed"], philox.GRAIN, x.size).reshape(x.shape)
    if light["sensor"] == "poisson" and light["shot"] > 0:
        u = philox.uniform(light["seed"], philox.PHOTONS, x.size).reshape(x.shape)
        z = philox.normal(light["seed"], philox.MANY_PHOTONS_STREAM, x.size).reshape(x.shape)
        counts = np.frompyfunc(philox.poisson, 3, 1)(dark / light["shot"], u, z).astype(np.float64)
        noise = light["shot"] * counts - dark + light["read"] * grain
        grain = np.divide(noise, deviation, out=grain.copy(), where=deviation > 0)
    if "smoothing" in light:
        grain = gaussian_blur(grain, light["smoothing"]["sigma"])
        grain = grain / (max(grain.std(), 1e-6) * light["smoothing"]["weaker"])
    return to_bytes(to_srgb(dark + grain * deviation))


# ---------------------------------------------------------------------------------------------------------------------
# The paths


def along_path(x, degradation, severities, partner=None):
    """D(x, s) for each severity: uint8 pictures of x's size. `partner` is the degraded photograph of a real pair."""
    task = degradation["task"]
    if task == "super-resolution":
        return [x if s == 0 else at_resolution(x, degradation["scale"] ** s) for s in severities]
    if task == "deblurring":
        full, *parts = blur_path(x, degradation["blur"], [1, *severities])
        y = full
        if "noise" in degradation:
            noise = degradation["noise"]
            y = y + noise["sigma"] * philox.normal(noise["seed"], philox.GRAIN, x.size).reshape(x.shape)
        y = to_bytes(y)
        if "jpeg" in degradation:
            y = through_jpeg(y, degradation["jpeg"])
        return [
            x if s == 0 else y if s == 1 else to_bytes(part + s * (y / 255 - full)) for s, part in zip(severities, parts)
        ]
    light = degradation["light"]
    if light["kind"] == "pair":
        e = light["floor"]
        bright, dark = to_linear(x / 255) + e, to_linear(partner / 255) + e
        return [
            x if s == 0 else partner if s == 1 else to_bytes(to_srgb(dark**s * bright ** (1 - s) - e)) for s in severities
        ]
    y, linear, gain = darkened(x, light), to_linear(x / 255), np.array(light["gain"])
    full = to_srgb(linear * gain)
    return [
        x if s == 0 else y if s == 1 else to_bytes(to_srgb(linear * gain**s) + s * (y / 255 - full)) for s in severities
    ]
