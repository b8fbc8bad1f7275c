import assert from 'node:assert/strict';
import { greyToRgb, luma, lumaOf, meanAbsoluteDifference } from '../../../src/measure';
import { RestorationError } from '../../../src/protocol';
import { paint } from './pictures';

describe('colour', () => {
  it('Y spans the studio range', () => {
    assert.equal(luma(0, 0, 0), 16);
    assert.ok(Math.abs(luma(255, 255, 255) - 235) < 1e-12);
    // MATLAB: rgb2ycbcr([255 0 0] / 255) has Y = 81.481 / 255.
    assert.ok(Math.abs(luma(255, 0, 0) - 81.481) < 1e-12);
  });

  it('Y of a picture is not rounded', () => {
    const y = lumaOf(paint(2, 1, (x) => x * 100));
    assert.equal(y.length, 2);
    assert.ok(Math.abs(y[1]! - (16 + (219 * 100) / 255)) < 1e-12);
  });

  it('replicates grey', () => {
    const { data, width, height } = greyToRgb(new Uint8Array([1, 2, 3, 4, 5, 6]), 3, 2);
    assert.deepEqual([...data.subarray(0, 9)], [1, 1, 1, 2, 2, 2, 3, 3, 3]);
    assert.deepEqual([width, height], [3, 2]);
    assert.throws(() => greyToRgb(new Uint8Array(5), 3, 2), RestorationError);
  });
});

describe('change between frames', () => {
  it('is the mean absolute difference in levels', () => {
    const a = paint(4, 4, () => 10);
    const b = paint(4, 4, (x, _y, channel) => (x === 0 && channel === 2 ? 40 : 10));
    assert.equal(meanAbsoluteDifference(a, b), 30 / 12);
    assert.equal(meanAbsoluteDifference(b, a), 30 / 12);
    assert.equal(meanAbsoluteDifference(a, a), 0);
    assert.throws(
      () =>
        meanAbsoluteDifference(
          a,
          paint(4, 5, () => 10),
        ),
      /4x4.*4x5/,
    );
  });
});
