import assert from 'node:assert/strict';
import { estimateShift, seededRandom, type Pixels } from '../../../src/measure';
import { assertRefused, noisy } from './pairs';
import { decode, paint } from './pictures';

/** A scene given by a formula, so that it can be painted at any place, to any fraction of a pixel. */
function scene(seed: number): (x: number, y: number, channel: number) => number {
  const random = seededRandom(seed);
  const waves = Array.from({ length: 40 }, () => {
    // Amplitudes fall with frequency, as in photographs.
    const frequency = 0.01 * 30 ** random();
    const angle = 2 * Math.PI * random();
    return {
      u: 2 * Math.PI * frequency * Math.cos(angle),
      v: 2 * Math.PI * frequency * Math.sin(angle),
      phase: 2 * Math.PI * random(),
      height: 1.2 / (0.05 + frequency),
    };
  });
  return (x, y, channel) =>
    120 +
    8 * channel +
    waves.reduce((sum, { u, v, phase, height }) => sum + height * Math.sin(u * x + v * y + phase), 0);
}

const painted = (
  seed: number,
  dx: number,
  dy: number,
  change = (value: number): number => value,
  w = 150,
  h = 130,
): Pixels => {
  const at = scene(seed);
  return paint(w, h, (x, y, channel) => change(Math.min(255, Math.max(0, at(x - dx, y - dy, channel)))));
};

/** Box blur of radius 2: even, so that it moves nothing. */
function blurred(pixels: Pixels): Pixels {
  const { width, height, data } = pixels;
  const clamp = (value: number, size: number): number => Math.min(Math.max(value, 0), size - 1);
  return paint(width, height, (x, y, channel) => {
    let sum = 0;
    for (let v = -2; v <= 2; v++) {
      for (let u = -2; u <= 2; u++) sum += data[(clamp(y + v, height) * width + clamp(x + u, width)) * 3 + channel]!;
    }
    return sum / 25;
  });
}

const SHIFTS: Array<[number, number]> = [
  [0, 0],
  [0.25, 0],
  [0.5, -0.5],
  [-3.25, 2],
  [11.4, -7.7],
];

describe('shift between two pictures', () => {
  for (const [dx, dy] of SHIFTS) {
    it(`finds (${dx}, ${dy})`, () => {
      const found = estimateShift(painted(1, dx, dy), painted(1, 0, 0));
      assert.ok(found);
      assert.ok(Math.hypot(found.dx - dx, found.dy - dy) < 0.03, JSON.stringify(found));
      assert.ok(found.confidence > 0.8, JSON.stringify(found));
      if (dx !== 0) assert.ok(found.gain > 0, JSON.stringify(found));
    });
  }

  const changes: Array<[string, (picture: Pixels) => Pixels]> = [
    [
      'dark',
      ({ data, width, height }) => ({ data: Uint8Array.from(data, (v) => 12 * (v / 255) ** 1.6), width, height }),
    ],
    ['noisy', (picture) => noisy(picture, 60, 3)],
    ['blurred', blurred],
    [
      'dark, blurred and noisy',
      ({ data, width, height }) => noisy(blurred({ data: Uint8Array.from(data, (v) => v / 5), width, height }), 6, 4),
    ],
  ];
  for (const [name, change] of changes) {
    it(`is found in a ${name} picture, and not invented`, () => {
      const reference = painted(2, 0, 0);
      for (const [dx, dy] of [
        [0, 0],
        [-1.75, 0.5],
      ] as const) {
        const found = estimateShift(change(painted(2, dx, dy)), reference);
        assert.ok(found, name);
        const off = Math.hypot(found.dx - dx, found.dy - dy);
        assert.ok(off < 0.1 && off < 5 * found.error + 0.02, `(${dx}, ${dy}): ${JSON.stringify(found)}`);
      }
    });
  }

  it('turns its sign with the pictures', () => {
    const forth = estimateShift(painted(3, 0.6, -1.2), painted(3, 0, 0))!;
    const back = estimateShift(painted(3, 0, 0), painted(3, 0.6, -1.2))!;
    assert.ok(Math.abs(forth.dx + back.dx) < 0.02 && Math.abs(forth.dy + back.dy) < 0.02);
  });

  it('is exactly none for identical pictures', async () => {
    const cat = await decode('notebooks/pictures/cat.png');
    const found = estimateShift(cat, cat)!;
    assert.ok(Math.abs(found.dx) < 1e-6 && Math.abs(found.dy) < 1e-6 && found.error < 1e-6);
    assert.ok(found.confidence > 0.999999);
  });

  it('says nothing, or not much, where nothing is in common', () => {
    const flat = paint(64, 64, () => 90);
    assert.equal(
      estimateShift(
        flat,
        painted(4, 0, 0, (v) => v, 64, 64),
      ),
      undefined,
    );
    assert.equal(estimateShift(flat, flat), undefined);
    assert.equal(
      estimateShift(
        painted(4, 1, 0, (v) => v, 31, 90),
        painted(4, 0, 0, (v) => v, 31, 90),
      ),
      undefined,
    );
    const unlike = estimateShift(painted(5, 0, 0), painted(6, 0, 0));
    assert.ok(!unlike || unlike.confidence < 0.5 || unlike.error > 0.5, JSON.stringify(unlike));
  });

  it('refuses pictures of different sizes', () => {
    assertRefused(
      () =>
        estimateShift(
          paint(40, 50, () => 0),
          paint(50, 40, () => 0),
        ),
      'size-mismatch',
      /40x50.*50x40/,
    );
  });
});
