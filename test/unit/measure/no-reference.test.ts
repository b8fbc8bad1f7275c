import assert from 'node:assert/strict';
import { noReference } from '../../../src/measure';
import { assertRefused, noisy } from './pairs';
import { decode, paint } from './pictures';

const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9 * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);

describe('figures without a reference', () => {
  it('of a flat picture', () => {
    const { sharpness, exposure } = noReference(paint(9, 7, () => 128));
    close(sharpness.tenengrad, 0);
    close(sharpness.laplacianVariance, 0);
    close(exposure.mean, 128);
    assert.ok(exposure.contrast < 1e-6);
    assert.deepEqual([exposure.clippedLow, exposure.clippedHigh], [0, 0]);
  });

  it('of a ramp: the Sobel response is eight times its slope, the Laplacian none', () => {
    const { sharpness } = noReference(paint(30, 20, (x, y) => 3 * x + 2 * y));
    close(sharpness.tenengrad, (8 * 3) ** 2 + (8 * 2) ** 2);
    assert.ok(sharpness.laplacianVariance < 1e-9);
  });

  it('of a single bright pixel, by hand', () => {
    const { sharpness } = noReference(paint(5, 5, (x, y) => (x === 2 && y === 2 ? 1 : 0)));
    // |Gx| is 1 at four diagonal neighbours and 2 at left and right; the same for Gy: 2 * (4 * 1 + 2 * 4) = 24.
    close(sharpness.tenengrad, 24 / 9);
    // Laplacian: -4 in the middle, 1 at four neighbours: mean 0, mean square 20 / 9.
    close(sharpness.laplacianVariance, 20 / 9);
  });

  it('counts what is clipped: all channels dark, or any channel bright', () => {
    const picture = paint(4, 1, (x, _y, channel) => {
      if (x === 0) return 2;
      if (x === 1) return channel === 2 ? 3 : 0;
      if (x === 2) return channel === 0 ? 253 : 10;
      return 252;
    });
    const { exposure } = noReference(picture);
    assert.deepEqual([exposure.clippedLow, exposure.clippedHigh], [0.25, 0.25]);
  });

  it('blur lowers sharpness, noise raises it, darkness lowers the mean', async () => {
    const cat = await decode('notebooks/pictures/cat.png');
    const sharp = noReference(cat);
    const blurred = noReference(await decode('notebooks/pictures/cat-blurred.png'));
    const disturbed = noReference(noisy(cat, 40, 1));
    assert.ok(blurred.sharpness.tenengrad < sharp.sharpness.tenengrad);
    assert.ok(blurred.sharpness.laplacianVariance < sharp.sharpness.laplacianVariance);
    assert.ok(disturbed.sharpness.laplacianVariance > sharp.sharpness.laplacianVariance);
    const dark = noReference(await decode('notebooks/pictures/astronaut-dark.png'));
    const bright = noReference(await decode('notebooks/pictures/astronaut.png'));
    assert.ok(dark.exposure.mean < bright.exposure.mean / 2);
  });

  it('of pictures without inner pixels', () => {
    for (const [width, height] of [
      [1, 1],
      [2, 9],
      [9, 2],
    ] as const) {
      const { sharpness, exposure } = noReference(paint(width, height, () => 255));
      assert.deepEqual(sharpness, { tenengrad: 0, laplacianVariance: 0 });
      assert.equal(exposure.clippedHigh, 1);
    }
  });

  it('refuses samples that are not RGB', () => {
    assertRefused(() => noReference({ data: new Uint8Array(16), width: 2, height: 2 }), 'bad-argument', /12 samples/);
  });
});
