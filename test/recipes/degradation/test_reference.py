"""What the library's reference computes is what the compact model is trained on."""

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="module")
def ours(recipe):
    return recipe("degradation/degradation")


@pytest.fixture(scope="module")
def trained(recipe):
    return recipe("compact/degradations")


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(3)
    ys, xs = np.mgrid[0:72, 0:88].astype(np.float32)
    picture = np.stack([120 + 60 * np.sin(xs / (5 + k) + k) + 50 * np.cos(ys / (7 - k)) for k in range(3)], -1)
    picture = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
    cv2.circle(picture, (40, 30), 14, (250, 30, 90), -1, cv2.LINE_AA)
    return picture


def unit(picture):
    return picture.astype(np.float32) / np.float32(255)


def levels(a, b):
    return np.abs(a.astype(np.float64) * 255 - b.astype(np.float64))


class Script:
    """A generator that says what it is told to, in order: the recipe draws the parameters that we were given."""

    def __init__(self, uniform=(), normal=(), random=()):
        self.values = {"uniform": iter(uniform), "standard_normal": iter(normal), "random": iter(random)}

    def uniform(self, *_):
        return next(self.values["uniform"])

    def standard_normal(self, *_):
        return next(self.values["standard_normal"])

    def random(self):
        return next(self.values["random"])


@pytest.mark.parametrize("severity", [1, 0.8, 0.7])
def test_resolution(ours, trained, picture, severity):
    # Sides of which both axes shrink alike: elsewhere MATLAB begins with the axis that shrinks most, the recipe with the rows.
    x, scale = np.ascontiguousarray(picture[:64, :80]), 4 ** (1 / severity)
    _, theirs = trained.resolution_path(unit(x), severity, scale)
    [frame] = ours.along_path(x, {"task": "super-resolution", "scale": scale}, [severity])
    difference = levels(theirs, frame)
    assert difference.max() <= 1.01 and difference.mean() < 0.01


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("severity", [1, 0.6, 0.25])
def test_exposure_level(ours, trained, picture, severity, smooth):
    gain, shot, read = [0.05, 0.055, 0.047], 2e-4, 3e-4
    light = {"kind": "gain", "gain": gain, "shot": shot, "read": read, "sensor": "gaussian", "seed": 9}
    if smooth:
        light["smoothing"] = {"sigma": 0.8, "weaker": 1.5}
    grain = ours.philox.normal(9, 0, picture.size).reshape(picture.shape).astype(np.float32)
    uniform = [np.log(shot), np.log(read), *([0.8, 1.5] if smooth else [])]
    rng = Script(uniform=uniform, normal=[grain], random=[0.0 if smooth else 1.0])
    _, theirs = trained.level_path(rng, unit(picture), severity, np.float32(gain))
    [frame] = ours.along_path(picture, {"task": "low-light", "light": light}, [severity])
    difference = levels(theirs, frame)
    assert np.quantile(difference, 0.999) <= 1.01 and difference.mean() < 0.3
    # The library stores 8 bits, the recipe trains on the values before rounding.
    assert difference.max() <= 2


@pytest.mark.parametrize("severity", [0.8, 0.3])
def test_real_pair(ours, trained, picture, severity):
    dark = picture // 14
    _, theirs = trained.pair_path(unit(picture), unit(dark), severity)
    degradation = {"task": "low-light", "light": {"kind": "pair", "floor": 5e-4}}
    [frame] = ours.along_path(picture, degradation, [severity], dark)
    assert levels(theirs, frame).max() <= 0.51


@pytest.mark.parametrize("severity", [1, 0.5])
def test_defocus(ours, trained, picture, severity):
    full, part = trained.aperture_path(unit(picture), severity, 4.3)
    _, theirs = trained.spoil(None, full, part, severity, noise=0, jpeg=0)
    degradation = {"task": "deblurring", "blur": {"kind": "defocus", "radius": 4.3}}
    [frame] = ours.along_path(picture, degradation, [severity])
    assert levels(theirs, frame).max() <= 0.52


def test_window_of_the_exposure(ours, trained):
    for frames in (7, 17, 33):
        for severity in (0.0, 0.02, 0.3, 0.77, 1.0):
            assert np.allclose(ours.window_shares(frames, severity), trained.window_weights(frames, severity))


def test_a_moved_frame_is_what_opencv_makes_of_it(ours, picture):
    """cv2.remap looks its coordinates up in steps of 1/32 pixel: on steps of that size the two agree."""
    h, w, _ = picture.shape
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    dx, dy = np.float32(2 + 5 / 32), np.float32(-3 - 17 / 32)
    theirs = cv2.remap(picture, xs + dx, ys + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    assert np.abs(ours.sample(picture, xs + dx, ys + dy) - theirs).max() <= 1.01


def test_camera_motion_is_that_of_the_recipe(ours, trained, picture):
    h, w, _ = picture.shape
    centre, focal = (30.0, -12.0), 140.0

    class Flat:  # no depth: the same for all
        def uniform(self, *_):
            return 0.0

        def integers(self, *_):
            return 2

        def standard_normal(self, size):
            return np.zeros(size)

    fields = trained.camera_fields(Flat(), h, w, centre, focal)
    pose = np.array([1.5, -0.5, 3.0, 2.0, 1.0, -2.0])
    dx, dy = np.tensordot(pose, fields, (0, 0))
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float64)
    still = [0.0] * 6
    motion = {"centre": centre, "focal": focal, "depth": {"cells": 2, "values": [0.0] * 4}, "layers": []}
    motion["course"] = [pose.tolist(), still, still]
    first = next(iter(ours.sub_frames(picture, motion)))
    expected = np.floor(ours.sample(picture, xs + dx, ys + dy) + 0.5)
    assert np.abs(first - expected).max() <= 1


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_jpeg_is_close_to_opencvs(ours, picture, quality):
    coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    theirs = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].astype(float)
    loss = np.mean((theirs - picture) ** 2)
    assert np.mean((ours.through_jpeg(picture, quality) - theirs) ** 2) < loss / 10 + 0.5
