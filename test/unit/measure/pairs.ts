import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom, type Pixels } from '../../../src/measure';
import { RestorationError, type ErrorCode } from '../../../src/protocol';
import { paint } from './pictures';

/** Two related pictures with sides of `least` to `most`: noise of any strength on a pattern. */
export function related({ least, most }: { least: number; most: number }): fc.Arbitrary<[Pixels, Pixels]> {
  return fc
    .record({
      width: fc.integer({ min: least, max: most }),
      height: fc.integer({ min: least, max: most }),
      noise: fc.constantFrom(0, 1, 20, 300),
      period: fc.double({ min: 0.05, max: 3, noNaN: true }),
      seed: fc.nat(),
    })
    .map(({ width, height, noise, period, seed }) => {
      const pattern = paint(width, height, (x, y, channel) => 128 + 120 * Math.sin(period * (x + 2 * y) + channel));
      return [noisy(pattern, noise, seed), pattern];
    });
}

/** Uniform noise of `strength` levels from end to end. */
export function noisy(picture: Pixels, strength: number, seed: number): Pixels {
  const random = seededRandom(seed);
  const { data, width, height } = picture;
  const disturbed = Uint8ClampedArray.from(data, (value) => value + strength * (random() - 0.5));
  return { data: disturbed, width, height };
}

export function assertRefused(action: () => unknown, code: ErrorCode, message: RegExp): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof RestorationError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.notEqual(error.remedy, '');
    return true;
  });
}
