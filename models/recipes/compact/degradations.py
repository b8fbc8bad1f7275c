"""The three severity paths D(x, s): resolution, exposure time and exposure level.

A library file (nothing to launch). Every path returns two pictures: the degraded one, y = D(x, 1), and D(x, s) for the
severity asked for. All noise of a sample is drawn once, with y, and D(x, s) = D0(x, s) + s (y - D0(x, 1)) where D0 is the
path without noise. So D(x, 1) is y to the last bit, D(x, 0) is x, and a clip does not flicker.

Pictures are float32 arrays (height, width, 3) of sRGB values in [0, 1]; sources are uint8.
"""

from functools import lru_cache

import cv2
import numpy as np

# ---------------------------------------------------------------------------------------------------------------------
# Resampling


def cubic(x):
    """MATLAB's bicubic kernel (a = -1/2)."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


@lru_cache(maxsize=512)
def resize_matrix(source, target):
    """One axis of MATLAB's imresize(..., 'bicubic') as a (target, source) matrix; antialiased when it shrinks."""
    scale = target / source
    stretch = min(scale, 1.0)
    width = 4.0 / stretch
    centre = (np.arange(1, target + 1) / scale + 0.5 * (1 - 1 / scale))[:, None]
    index = np.floor(centre - width / 2) + np.arange(int(np.ceil(width)) + 2)[None]
    weight = stretch * cubic(stretch * (centre - index))
    weight /= weight.sum(1, keepdims=True)
    mirror = np.concatenate([np.arange(source), np.arange(source)[::-1]])
    column = mirror[(index.astype(int) - 1) % (2 * source)]
    matrix = np.zeros((target, source))
    np.add.at(matrix, (np.arange(target)[:, None].repeat(column.shape[1], 1), column), weight)
    return matrix.astype(np.float32)


def round8(picture):
    """Round to the 256 levels of an 8-bit picture (halves up, as MATLAB does)."""
    return np.clip(np.floor(picture * 255 + 0.5), 0, 255).astype(np.float32) / np.float32(255)


def resize(picture, height, width, rounded=True):
    """MATLAB's bicubic: rows, then columns, with 8-bit rounding after each of the two passes."""
    step = round8 if rounded else (lambda p: p)
    h, w, c = picture.shape
    picture = step(np.tensordot(resize_matrix(h, height), picture, (1, 0)))
    picture = np.tensordot(picture, resize_matrix(w, width), (1, 1)).transpose(0, 2, 1)
    return np.ascontiguousarray(step(picture))


@lru_cache(maxsize=512)
def box_matrix(source, target):
    """Area average of one axis with fractional coverage, as a (target, source) matrix."""
    edge = np.arange(target + 1) * source / target
    low, high = edge[:-1, None], edge[1:, None]
    cell = np.arange(source)[None]
    cover = np.clip(np.minimum(high, cell + 1) - np.maximum(low, cell), 0, None)
    return (cover / cover.sum(1, keepdims=True)).astype(np.float32)


def thumbnail(picture, size=64):
    """The whole picture averaged onto size x size: what the network knows of the picture outside its tile."""
    h, w, _ = picture.shape
    small = np.tensordot(box_matrix(h, size), picture.astype(np.float32), (1, 0))
    return np.ascontiguousarray(np.tensordot(small, box_matrix(w, size), (1, 1)).transpose(0, 2, 1))


# ---------------------------------------------------------------------------------------------------------------------
# Resolution


def at_resolution(x, ratio):
    """x sampled `ratio` times more coarsely and enlarged again."""
    h, w, _ = x.shape
    small = resize(x, int(np.ceil(h / ratio - 1e-9)), int(np.ceil(w / ratio - 1e-9)))
    return resize(small, h, w)


def resolution_path(x, severity, scale=4.0):
    y = at_resolution(x, scale)
    if severity == 1:
        return y, y
    return y, (x if severity == 0 else at_resolution(x, scale**severity))


# ---------------------------------------------------------------------------------------------------------------------
# Exposure time

TO_LINEAR22 = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)
TO_UNIT = (np.arange(256) / 255.0).astype(np.float32)


def smooth_field(rng, h, w, cells):
    """Smooth random numbers, about unit variance: a stand-in for depth and for the outline of things."""
    field = cv2.resize(rng.standard_normal((cells, cells)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    return field


def camera_fields(rng, h, w, centre, focal):
    """Velocity field of each of the six degrees of freedom, pixels, (6, 2, h, w): the small-motion form of a homography.

    The crop sits somewhere in its picture (`centre` is the optical axis in crop coordinates), so a roll or a zoom of the
    camera is mostly a shift there, with a little rotation or divergence: as in real pictures. Depth varies smoothly and scales the translations.
    """
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    xs = (xs - centre[0]) / focal
    ys = (ys - centre[1]) / focal
    one, zero = np.ones_like(xs), np.zeros_like(xs)
    depth = np.exp(rng.uniform(0, 0.5) * smooth_field(rng, h, w, int(rng.integers(2, 6))))
    return np.stack(
        [
            np.stack([depth, zero]),
            np.stack([zero, depth]),
            np.stack([-ys, xs]),
            np.stack([xs * depth, ys * depth]),
            np.stack([one + xs * xs, xs * ys]),
            np.stack([xs * ys, one + ys * ys]),
        ]
    )


def time_course(rng, times):
    """Position over the exposure, 0 in its middle: nearly steady motion, sometimes a tremor."""
    if rng.random() < 0.8:
        bend, twist = rng.normal(0, 0.7), rng.normal(0, 1.2)
        return times + bend * times**2 + twist * times**3
    knots = np.cumsum(rng.standard_normal(6))
    course = np.poly1d(np.polyfit(np.linspace(-0.5, 0.5, 6), knots, 4))
    return course(times) - course(0.0)


def motion(rng, h, w, centre, focal, length, frames):
    """Displacement of every pixel in every sub-frame, (frames, 2, h, w); the longest streak is about `length` pixels."""
    times = np.linspace(-0.5, 0.5, frames)
    kind = rng.choice(["shift", "turn", "roll", "zoom", "all"], p=[0.4, 0.25, 0.1, 0.05, 0.2])
    strength = {
        "shift": [1, 1, 0, 0, 0, 0],
        "turn": [0.1, 0.1, 0.3, 0, 1, 1],
        "roll": [0.1, 0.1, 2, 0, 0.1, 0.1],
        "zoom": [0.1, 0.1, 0, 2, 0.1, 0.1],
        "all": [0.5, 0.5, 1, 1, 0.5, 0.5],
    }[kind]
    amount = rng.standard_normal(6) * strength
    shared = time_course(rng, times)
    wobble = rng.uniform(0, 0.5)
    course = np.stack([a * (shared + wobble * time_course(rng, times)) for a in amount], 1).astype(np.float32)
    fields = camera_fields(rng, h, w, centre, focal)
    field = (course @ fields.reshape(6, -1)).reshape(frames, 2, h, w)
    streak = np.abs(np.diff(field[:, :, :: max(h // 8, 1), :: max(w // 8, 1)], axis=0)).sum(0)
    streak = np.sqrt((streak**2).sum(0)).max()
    return field * np.float32(length / max(streak, 1e-6))


def window_weights(frames, severity):
    """Share of each sub-frame in an exposure of `severity` times the full one, centred.

    Each sub-frame stands for 1/frames of the exposure and counts with the part of its cell that the window covers, so the path is continuous in s and ends in the middle frame.
    """
    if severity * frames <= 1:
        weights = np.zeros(frames)
        weights[frames // 2] = 1
        return weights
    edge = np.arange(frames + 1) / frames - 0.5
    cover = np.clip(np.minimum(edge[1:], severity / 2) - np.maximum(edge[:-1], -severity / 2), 0, None)
    return cover / cover.sum()


def sub_frames(rng, source, centre, focal, length, frames, layers):
    """Yield the sub-frames (uint8) of an exposure: the camera moves, and `layers` soft-edged things move by themselves."""
    h, w, _ = source.shape
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    field = motion(rng, h, w, centre, focal, length, frames)
    things = []
    for _ in range(layers):
        blob = smooth_field(rng, h, w, int(rng.integers(3, 6))) - rng.uniform(0.2, 0.9)
        mask = np.clip(blob / rng.uniform(0.05, 0.4) + 0.5, 0, 1)
        angle, reach = rng.uniform(0, 2 * np.pi), length * rng.uniform(0, 1.6)
        course = time_course(rng, np.linspace(-0.5, 0.5, frames))
        things.append((mask, reach * np.cos(angle) * course, reach * np.sin(angle) * course))
    for k in range(frames):
        if k == frames // 2:
            yield source
            continue
        frame = cv2.remap(source, xs + field[k, 0], ys + field[k, 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        for mask, dx, dy in things:
            shift = np.float32([[1, 0, dx[k]], [0, 1, dy[k]]])
            cover = cv2.warpAffine(mask, shift, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[..., None]
            thing = cv2.warpAffine(source, shift, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
            frame = (frame + cover * (thing.astype(np.float32) - frame) + 0.5).astype(np.uint8)
        yield frame


def exposure_path(rng, source, severity, length, frames, centre=None, focal=None, layers=0, linear=False):
    """Averaged-video blur: the mean of sub-frames along the camera path, in plain sRGB or in linear light."""
    h, w, _ = source.shape
    centre = centre if centre is not None else (w / 2, h / 2)
    focal = focal or float(max(h, w))
    table = TO_LINEAR22 if linear else TO_UNIT
    full = np.zeros((h, w, 3), np.float32)
    part = np.zeros((h, w, 3), np.float32)
    share = window_weights(frames, severity)
    for k, frame in enumerate(sub_frames(rng, source, centre, focal, length, frames, layers)):
        light = cv2.LUT(frame, table)
        full = cv2.scaleAdd(light, 1.0 / frames, full)
        if share[k] > 0:
            part = cv2.scaleAdd(light, float(share[k]), part)
    if linear:
        full, part = (np.clip(p, 0, None) ** np.float32(1 / 2.2) for p in (full, part))
    if severity == 0:
        part = TO_UNIT[source]
    return full, (full if severity == 1 else part)


def shake_kernels(rng, length, frames, severity):
    """Two kernels of one camera shake, the exposure in full and its centred part: the taps of `frames` sub-frames, each placed bilinearly.

    What a homography is on a small crop: the same path for every pixel. Twenty times faster than warping each sub-frame.
    """
    times = np.linspace(-0.5, 0.5, frames)
    angle, wobble = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.5)
    along = time_course(rng, times)
    across = wobble * time_course(rng, times)
    path = np.stack([along * np.cos(angle) - across * np.sin(angle), along * np.sin(angle) + across * np.cos(angle)], 1)
    path = path * (length / max(np.sqrt((np.diff(path, axis=0) ** 2).sum(1)).sum(), 1e-6))
    reach = int(np.ceil(np.abs(path).max())) + 1
    kernels = []
    for share in (np.full(frames, 1 / frames), window_weights(frames, severity)):
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        base = np.floor(path).astype(int)
        part = path - base
        for dx in (0, 1):
            for dy in (0, 1):
                weight = share * np.where(dx, part[:, 0], 1 - part[:, 0]) * np.where(dy, part[:, 1], 1 - part[:, 1])
                np.add.at(kernel, (base[:, 1] + dy + reach, base[:, 0] + dx + reach), weight)
        kernels.append(kernel)
    return kernels


def shake_path(rng, source, severity, length, frames, linear=False):
    """Averaged-video blur by one path for the whole crop."""
    table = TO_LINEAR22 if linear else TO_UNIT
    full_kernel, part_kernel = shake_kernels(rng, length, frames, severity)
    light = cv2.LUT(source, table)
    full, part = (np.clip(cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REFLECT_101), 0, 1) for kernel in (full_kernel, part_kernel))
    if linear:
        full, part = (p ** np.float32(1 / 2.2) for p in (full, part))
    if severity == 0:
        part = TO_UNIT[source]
    return full, (full if severity == 1 else part)


def defocus(x, radius):
    """x through a round aperture."""
    if radius < 0.3:
        return x
    reach = int(np.ceil(radius)) + 1
    ys, xs = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.sqrt(xs**2 + ys**2), 0, 1).astype(np.float32)
    return cv2.filter2D(x, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101)


def aperture_path(x, severity, radius):
    full = defocus(x, radius)
    return full, (full if severity == 1 else defocus(x, radius * severity))


# ---------------------------------------------------------------------------------------------------------------------
# Exposure level


def to_linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


def level_path(rng, x, severity, gain):
    """x re-darkened: `gain` holds the exposure of each channel (so white balance drifts with it)."""
    light = to_linear(x)
    dark = light * gain
    # A fixed sensor sees fewer photons: shot noise grows with what is left of the light, read noise does not change.
    shot, read = np.exp(rng.uniform(np.log(3e-5), np.log(8e-4))), np.exp(rng.uniform(np.log(5e-5), np.log(8e-4)))
    grain = rng.standard_normal(x.shape).astype(np.float32)
    if rng.random() < 0.5:  # cameras smooth their noise
        sigma = rng.uniform(0.4, 1.2)
        grain = cv2.GaussianBlur(grain, (0, 0), sigma)
        grain /= max(grain.std(), 1e-6) * rng.uniform(1, 2)
    y = round8(to_srgb(dark + grain * np.sqrt(shot * dark + read**2)))
    if severity == 1:
        return y, y
    if severity == 0:
        return y, x
    return y, with_noise(to_srgb(light * gain**severity), to_srgb(dark), y, severity)


def pair_path(x, y, severity, floor=5e-4):
    """Between a real pair: geometric in linear light. Without `floor`, black pixels would stay black until the end."""
    if severity in (0, 1):
        return y, (y if severity else x)
    light = (to_linear(y) + floor) ** severity * (to_linear(x) + floor) ** (1 - severity) - floor
    return y, to_srgb(light)


# ---------------------------------------------------------------------------------------------------------------------
# Noise, drawn once a sample


def with_noise(clean_path, clean_full, y, severity):
    return clean_path + severity * (y - clean_full)


def spoil(rng, full, part, severity, noise, jpeg):
    """Sensor noise, sometimes JPEG, and 8-bit rounding of the degraded picture; the path carries them in proportion."""
    y = full
    if noise > 0:
        y = y + rng.standard_normal(y.shape).astype(np.float32) * noise
    y = round8(y)
    if jpeg:
        coded = cv2.imencode(".jpg", (y * 255 + 0.5).astype(np.uint8)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, jpeg])[1]
        y = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32) / np.float32(255)
    if severity == 1:
        return y, y
    return y, (part if severity == 0 else with_noise(part, full, y, severity))
