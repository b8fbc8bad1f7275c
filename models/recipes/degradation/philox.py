"""The project's random numbers, as in src/restoration/degradation/random.ts: Philox-4x32-10 (Salmon et al., SC 2011).

A library file (nothing to launch). Key = the 64-bit seed, low word first; counter = block (64 bits), stream, 0. Noise of
sample i of a picture comes from word i of a stream, whatever the order in which it is computed.
"""

import math

import numpy as np

M0, M1, W0, W1 = (np.uint64(v) for v in (0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85))
LOW, SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)

GRAIN, PHOTONS, MANY_PHOTONS_STREAM = 0, 1, 2
MANY_PHOTONS = 64


def philox(counter, key):
    """(4, n) words of counters and 2 words of key -> (4, n) words."""
    c0, c1, c2, c3 = (np.asarray(c, np.uint64) for c in counter)
    k0, k1 = (np.uint64(k) for k in key)
    for _ in range(10):
        p0, p1 = M0 * c0, M1 * c2
        c0, c1, c2, c3 = (p1 >> SHIFT) ^ c1 ^ k0, p1 & LOW, (p0 >> SHIFT) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return np.stack([c0, c1, c2, c3])


def uniform(seed, stream, count):
    """`count` numbers in (0, 1), float64."""
    blocks = np.arange(-(-count // 4), dtype=np.uint64)
    zero = np.zeros_like(blocks)
    words = philox((blocks, zero, zero + np.uint64(stream), zero), (seed & 0xFFFFFFFF, seed >> 32))
    return ((words.T.reshape(-1)[:count].astype(np.float64)) + 0.5) / 2**32


def normal(seed, stream, count):
    """`count` standard normal numbers, float64: Box and Muller's two from each pair."""
    u = uniform(seed, stream, count + count % 2).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log(u[:, 0])), 2 * np.pi * u[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:count]


def poisson(mean, u, z):
    """One Poisson number by inversion of `u`; from MANY_PHOTONS on the rounded normal approximation with `z`."""
    if mean <= 0:
        return 0
    if mean >= MANY_PHOTONS:
        return max(0, math.floor(mean + math.sqrt(mean) * z + 0.5))
    probability = total = math.exp(-mean)
    k = 0
    while u > total and k < 4 * MANY_PHOTONS:
        k += 1
        probability *= mean / k
        total += probability
    return k
