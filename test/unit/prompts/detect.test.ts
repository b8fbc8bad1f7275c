import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TASKS, type Task } from '../../../src/protocol';
import { resizeBicubic } from '../../../src/restoration/image/bicubic';
import { createPixels, type Pixels } from '../../../src/restoration/image/pixels';
import { describeMeasures } from '../../../src/restoration/prompts/describe';
import { detectDegradation } from '../../../src/restoration/prompts/detect';
import { DETECTOR } from '../../../src/restoration/prompts/detector-coefficients';
import { DETECTOR_FEATURES, detectorFeatures } from '../../../src/restoration/prompts/detector-features';
import { detailLimit, measurePicture } from '../../../src/restoration/prompts/picture-measures';
import { powerSpectrum } from '../../../src/restoration/prompts/power-spectrum';
import { darkened, deadLeaves, seeded, smeared } from './dead-leaves';

const SEEDS = [1, 2, 3];

function enlarged(source: Pixels, factor: number): Pixels {
  const small = resizeBicubic(source, Math.round(source.width / factor), Math.round(source.height / factor));
  return resizeBicubic(small, source.width, source.height);
}

describe('detection of the degradation', () => {
  const ways: [string, Task, (seed: number) => Pixels][] = [
    ['a small sharp picture', 'super-resolution', (seed) => resizeBicubic(deadLeaves(480, 360, seed), 120, 90)],
    ['a picture enlarged four times', 'super-resolution', (seed) => enlarged(deadLeaves(480, 360, seed), 4)],
    ['a smeared picture', 'deblurring', (seed) => smeared(deadLeaves(640, 480, seed), 19)],
    ['a dark picture', 'low-light', (seed) => darkened(deadLeaves(480, 360, seed), 0.01)],
    [
      'a small dark picture',
      'low-light',
      (seed) => darkened(resizeBicubic(deadLeaves(480, 360, seed), 160, 120), 0.005),
    ],
  ];
  for (const [name, task, make] of ways) {
    for (const seed of SEEDS) {
      it(`names ${task} for ${name} (${seed})`, () => {
        const { task: found, confidence, shares, evidence } = detectDegradation(make(seed));
        assert.equal(found, task, JSON.stringify(shares));
        assert.equal(confidence, Math.max(...Object.values(shares)));
        assert.ok(evidence.length >= 4 && evidence.every((line) => line.length > 5));
      });
    }
  }

  it('is less sure of a large picture without a fault', () => {
    const clean = detectDegradation(deadLeaves(960, 640, 4)).confidence;
    const dark = detectDegradation(darkened(deadLeaves(960, 640, 4), 0.005)).confidence;
    assert.ok(clean < dark, `${clean} < ${dark}`);
  });

  it('gives probabilities for any picture, however small or flat', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.constantFrom('noise', 'flat', 'black', 'white', 'checks'),
        (width, height, seed, kind) => {
          const random = seeded(seed);
          const picture = createPixels(width, height);
          const level = random() * 255;
          for (let i = 0; i < picture.data.length; i++) {
            picture.data[i] = { noise: random() * 256, flat: level, black: 0, white: 255, checks: (i % 2) * 255 }[kind];
          }
          const { task, confidence, shares } = detectDegradation(picture);
          assert.ok(TASKS.includes(task));
          assert.ok(confidence > 1 / 3 - 1e-9 && confidence <= 1);
          assert.ok(Math.abs(Object.values(shares).reduce((a, b) => a + b, 0) - 1) < 1e-9);
          assert.match(describeMeasures(measurePicture(picture)), /^A [^\n]+\.$/);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has one coefficient a term', () => {
    const features = detectorFeatures(measurePicture(deadLeaves(64, 64, 1)));
    assert.equal(features.length, DETECTOR_FEATURES.length);
    for (const list of [DETECTOR.mean, DETECTOR.deviation]) assert.equal(list.length, features.length);
    for (const { weights } of DETECTOR.tasks) {
      assert.equal(weights.length, features.length + (features.length * (features.length + 1)) / 2);
    }
    assert.equal(DETECTOR.tasks.length, TASKS.length);
  });
});

describe('measures of a picture', () => {
  it('finds the frequency of a grating, and its direction', () => {
    for (const [angle, sector] of [
      [0, 0],
      [90, 4],
      [45, 2],
    ] as const) {
      const plane = new Float32Array(128 * 128);
      const [fx, fy] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
      for (let i = 0; i < plane.length; i++) {
        // A quarter of Nyquist: eight pixels a period.
        plane[i] = 0.5 + 0.4 * Math.sin((2 * Math.PI * ((i % 128) * fx + Math.floor(i / 128) * fy)) / 8);
      }
      const { bands, sectors } = powerSpectrum(plane, 128, 128);
      const strongest = [...bands].indexOf(Math.max(...bands));
      assert.ok(strongest === 3 || strongest === 4, `band ${strongest}`);
      assert.equal([...sectors].indexOf(Math.max(...sectors)), sector);
    }
  });

  it('sees where the detail of an enlarged picture ends', () => {
    const sharp = deadLeaves(480, 360, 5);
    const limits = [1, 2, 4].map((factor) =>
      detailLimit(measurePicture(factor === 1 ? sharp : enlarged(sharp, factor)).spectrum),
    );
    assert.ok(
      (limits[0] as number) > (limits[1] as number) && (limits[1] as number) > (limits[2] as number),
      limits.join(),
    );
    assert.ok((limits[2] as number) <= 0.45, limits.join());
  });

  it('tells sideways smears from sharp edges', () => {
    const sharp = measurePicture(deadLeaves(480, 360, 6)).edges;
    const { horizontal, vertical } = measurePicture(smeared(deadLeaves(480, 360, 6), 15)).edges;
    assert.ok(horizontal < 0.6 * sharp.horizontal, `${horizontal} ${sharp.horizontal}`);
    assert.ok(vertical > 1.3 * horizontal, `${vertical} ${horizontal}`);
  });

  it('measures noise within a fifth', () => {
    const random = seeded(7);
    const picture = createPixels(200, 200);
    for (let i = 0; i < picture.data.length; i += 3) {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      picture.data.fill(Math.round(128 + 10 * normal), i, i + 3);
    }
    const { noise } = measurePicture(picture);
    assert.ok(Math.abs(noise * 255 - 10) < 2, `${noise * 255}`);
  });
});

describe('the built-in describer', () => {
  const filled = (red: number, green: number, blue: number): Pixels => {
    const picture = createPixels(300, 300);
    for (let i = 0; i < picture.data.length; i += 3) picture.data.set([red, green, blue], i);
    return picture;
  };
  const cases: [string, Pixels, RegExp][] = [
    ['darkness', darkened(deadLeaves(300, 300, 1), 0.003), /^A very dark .*near black/],
    ['a blue picture', filled(20, 60, 220), /in blue/],
    ['a red picture', filled(200, 20, 20), /in red/],
    ['a grey picture', filled(120, 120, 120), /^A mid-toned, low-contrast picture in grey with smooth areas/],
    ['texture', deadLeaves(480, 360, 2), /with (fine|moderate) texture\.$/],
    ['a smear', smeared(deadLeaves(480, 360, 2), 21), /edges are (smeared sideways|soft in all directions)/],
    ['an enlarged picture', enlarged(deadLeaves(480, 360, 2), 4), /fine detail is missing|soft in all directions/],
    ['a small picture', deadLeaves(90, 70, 2), /it is small/],
  ];
  for (const [name, picture, expected] of cases) {
    it(`describes ${name}`, () => assert.match(describeMeasures(measurePicture(picture)), expected));
  }
});
