import numpy as np
import pytest

import degradations as d


def unit(picture):
    return picture.astype(np.float32) / np.float32(255)


def paths(picture):
    x = unit(picture)
    gain = np.float32([0.02, 0.021, 0.019])
    return {
        "resolution": (x, lambda s: d.resolution_path(x, s)),
        "motion": (x, lambda s: d.exposure_path(np.random.default_rng(1), picture, s, 9.0, 11, layers=1)),
        "motion in linear light": (x, lambda s: d.exposure_path(np.random.default_rng(1), picture, s, 9.0, 11, linear=True)),
        "aperture": (x, lambda s: d.aperture_path(x, s, 3.0)),
        "level": (x, lambda s: d.level_path(np.random.default_rng(1), x, s, gain)),
        "pair": (x, lambda s: d.pair_path(x, unit(picture // 14), s)),
    }


NAMES = ["resolution", "motion", "motion in linear light", "aperture", "level", "pair"]


@pytest.mark.parametrize("name", NAMES)
def test_ends_of_the_path(picture, name):
    x, path = paths(picture)[name]
    y, full = path(1)
    assert np.array_equal(y, full)
    assert np.array_equal(path(0)[1], x)
    assert np.array_equal(path(0.5)[0], y), "the degraded picture does not depend on the severity that is asked for"


@pytest.mark.parametrize("name", NAMES)
def test_severity_moves_away_from_the_clean_picture(picture, name):
    x, path = paths(picture)[name]
    errors = [np.mean((path(k / 4)[1] - x) ** 2) for k in range(5)]
    assert all(a <= b for a, b in zip(errors, errors[1:])), errors
    assert errors[4] > 1e-5


def test_noise_of_a_sample_is_drawn_once(picture):
    full, part = d.exposure_path(np.random.default_rng(1), picture, 0.5, 5.0, 9)
    rng = np.random.default_rng(2)
    y, mid = d.spoil(rng, full, part, 0.5, noise=0.02, jpeg=80)
    assert np.allclose(mid - part, 0.5 * (y - full), atol=1e-6)
    y, same = d.spoil(np.random.default_rng(2), full, full, 1, noise=0.02, jpeg=80)
    assert np.array_equal(y, same)
    assert np.allclose(y * 255, np.round(y * 255), atol=1e-4)


def test_window_weights_are_a_centred_average():
    for frames in (7, 11, 33):
        for severity in (0.0, 0.01, 0.3, 0.77, 1.0):
            weights = d.window_weights(frames, severity)
            assert np.isclose(weights.sum(), 1) and np.allclose(weights, weights[::-1])
        assert d.window_weights(frames, 0.0)[frames // 2] == 1
        assert np.allclose(d.window_weights(frames, 1.0), 1 / frames)


def test_streak_has_the_length_asked_for():
    for seed in range(5):
        field = d.motion(np.random.default_rng(seed), 64, 64, (200.0, -50.0), 900.0, 12.0, 17)
        travel = np.sqrt((np.abs(np.diff(field, axis=0)).sum(0) ** 2).sum(0)).max()
        assert 11.5 < travel < 14
        assert np.allclose(field[8], 0, atol=1e-4), "the middle of the exposure is the sharp picture"


def test_bicubic_is_matlabs():
    # imresize of a ramp by 1/4: rows of weights sum to one, are symmetric, and reach 4 * 4 pixels because of the antialiasing.
    matrix = d.resize_matrix(32, 8)
    assert np.allclose(matrix.sum(1), 1, atol=1e-6)
    assert np.allclose(matrix, matrix[::-1, ::-1], atol=1e-6)
    assert np.count_nonzero(np.abs(matrix[4]) > 1e-8) == 16
    # Enlarging by four: the phase 1/8 of Keys' kernel with a = -1/2.
    weights = d.resize_matrix(8, 32)[18]
    t = 1 / 8
    expected = [-0.5 * (1 + t) ** 3 + 2.5 * (1 + t) ** 2 - 4 * (1 + t) + 2, 1.5 * t**3 - 2.5 * t**2 + 1]
    assert np.allclose(sorted(weights[np.abs(weights) > 0])[-1], expected[1], atol=1e-6)
    assert np.isclose(weights[3], expected[0], atol=1e-6)
    assert np.array_equal(d.resize_matrix(9, 9), np.eye(9, dtype=np.float32))


def test_resize_keeps_a_flat_picture_and_eight_bits():
    flat = np.full((17, 23, 3), 93, np.uint8)
    small = d.resize(unit(flat), 5, 6)
    assert small.shape == (5, 6, 3) and np.allclose(small * 255, 93, atol=1e-4)


def test_thumbnail_is_an_area_average(picture):
    x = unit(picture)
    assert np.allclose(d.thumbnail(x), x.reshape(64, 4, 64, 5, 3).mean((1, 3)), atol=1e-5)
    odd = unit(picture[:201, :133])
    assert np.allclose(d.thumbnail(odd).mean((0, 1), float), odd.mean((0, 1), float), atol=1e-5)


def test_srgb_round_trip():
    x = np.linspace(0, 1, 256, dtype=np.float32)
    assert np.allclose(d.to_srgb(d.to_linear(x)), x, atol=1e-5)
