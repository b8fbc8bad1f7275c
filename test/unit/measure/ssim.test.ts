import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createReference, lumaOf, measurePair, type Pixels } from '../../../src/measure';
import { directSsim } from './direct-ssim';
import { paint } from './pictures';

/** Two related pictures of any size: noise of any strength on a pattern, so that SSIM takes all values. */
const pairs = fc
  .record({
    width: fc.integer({ min: 11, max: 29 }),
    height: fc.integer({ min: 11, max: 29 }),
    noise: fc.constantFrom(0, 1, 20, 300),
    period: fc.double({ min: 0.05, max: 3, noNaN: true }),
  })
  .chain(({ width, height, noise, period }) =>
    fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 }).map((random): [Pixels, Pixels] => {
      const pattern = paint(width, height, (x, y, channel) => 128 + 120 * Math.sin(period * (x + 2 * y) + channel));
      const disturbed = paint(width, height, (x, y, channel) => {
        const i = (y * width + x) * 3 + channel;
        return pattern.data[i]! + noise * (random[i]! / 255 - 0.5);
      });
      return [disturbed, pattern];
    }),
  );

function direct([a, b]: [Pixels, Pixels]): number {
  const at =
    ({ data, width }: Pixels) =>
    (x: number, y: number, channel: number): number =>
      data[(y * width + x) * 3 + channel]!;
  return directSsim(at(a), at(b), a.width, a.height, 3);
}

describe('SSIM', () => {
  it('is the mean of the map that the formula gives', () => {
    fc.assert(
      fc.property(pairs, (pair) => {
        const { ssim } = measurePair(...pair, { protocol: 'rgb', scale: 1 });
        assert.ok(Math.abs(ssim - direct(pair)) < 1e-11, `${ssim} is not ${direct(pair)}`);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it('measures Y without its border in the sr protocol', () => {
    fc.assert(
      fc.property(pairs, fc.integer({ min: 1, max: 4 }), ([a, b], scale) => {
        fc.pre(Math.min(a.width, a.height) - 2 * scale >= 11);
        const at = (pixels: Pixels) => {
          const y = lumaOf(pixels);
          return (column: number, row: number): number => y[(row + scale) * pixels.width + column + scale]!;
        };
        const expected = directSsim(at(a), at(b), a.width - 2 * scale, a.height - 2 * scale, 1);
        const { ssim } = measurePair(a, b, { protocol: 'sr', scale });
        assert.ok(Math.abs(ssim - expected) < 1e-11, `${ssim} is not ${expected}`);
      }),
      { seed: 2, numRuns: 40 },
    );
  });

  it('is symmetric, at most 1, and exactly 1 for identical pictures', () => {
    fc.assert(
      fc.property(pairs, fc.constantFrom('rgb' as const, 'sr' as const), ([a, b], protocol) => {
        fc.pre(protocol === 'rgb' || Math.min(a.width, a.height) >= 13);
        const options = { protocol, scale: 1 };
        const forth = measurePair(a, b, options).ssim;
        assert.ok(forth <= 1 && forth >= -1);
        assert.ok(Math.abs(forth - measurePair(b, a, options).ssim) < 1e-12);
        assert.equal(measurePair(b, b, options).ssim, 1);
        assert.equal(createReference(b, options).measure(b).ssim, 1);
      }),
      { seed: 3, numRuns: 40 },
    );
  });

  it('gives the same against a kept reference, frame after frame, with and without memory for it', () => {
    fc.assert(
      fc.property(pairs, fc.constantFrom('rgb' as const, 'sr' as const), ([a, b], protocol) => {
        fc.pre(protocol === 'rgb' || Math.min(a.width, a.height) >= 15);
        const options = { protocol, scale: 2 };
        const expected = measurePair(a, b, options);
        const kept = createReference(b, options);
        const unkept = createReference(b, { ...options, statisticsBytes: 0 });
        for (const metrics of [kept.measure(a), kept.measure(a), unkept.measure(a)]) {
          assert.equal(metrics.psnr, expected.psnr);
          assert.ok(Math.abs(metrics.ssim - expected.ssim) < 1e-12);
        }
        assert.equal(unkept.measure(a).ssim, expected.ssim);
      }),
      { seed: 4, numRuns: 40 },
    );
  });

  it('reads samples that start in the middle of a buffer', () => {
    const a = paint(12, 13, (x, y) => x * y);
    const b = paint(12, 13, (x, y, channel) => x * y + channel);
    const shifted = new Uint8Array(a.data.length + 7);
    shifted.set(a.data, 7);
    const options = { protocol: 'rgb', scale: 1 } as const;
    assert.deepEqual(measurePair({ ...a, data: shifted.subarray(7) }, b, options), measurePair(a, b, options));
  });
});
