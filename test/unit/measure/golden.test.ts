import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createReference, luma, measurePair } from '../../../src/measure';
import { decode, ROOT } from './pictures';

/** Figures of scikit-image (and NumPy for Y) on the pictures of the fixtures; see their README. */
interface Golden {
  /** Border of the sr protocol. */
  border: number;
  pairs: Array<{
    name: string;
    a: string;
    b: string;
    width: number;
    height: number;
    psnr_rgb: number | 'Infinity';
    psnr_y: number | 'Infinity';
    ssim_rgb: number;
    ssim_y: number;
  }>;
  luma: Array<{ r: number; g: number; b: number; y: number }>;
}

const golden = JSON.parse(readFileSync(path.join(ROOT, 'test/fixtures/metrics-golden.json'), 'utf8')) as Golden;

function assertClose(name: string, actual: number, expected: number | 'Infinity'): void {
  if (expected === 'Infinity') assert.equal(actual, Number.POSITIVE_INFINITY, name);
  else assert.ok(Math.abs(actual - expected) < 1e-6, `${name}: ${actual} is not ${expected}`);
}

describe('golden figures', () => {
  it('has figures to hold against', () => {
    assert.ok(golden.pairs.length >= 10);
    assert.ok(golden.luma.length >= 5);
  });

  it('Y of single colours', () => {
    for (const { r, g, b, y } of golden.luma) assert.ok(Math.abs(luma(r, g, b) - y) < 1e-8, `${r} ${g} ${b}`);
  });

  for (const pair of golden.pairs) {
    it(`${pair.name}: PSNR and SSIM in both protocols`, async () => {
      const a = await decode(pair.a);
      const b = await decode(pair.b);
      assert.deepEqual([a.width, a.height], [pair.width, pair.height]);
      for (const [protocol, psnr, ssim] of [
        ['rgb', pair.psnr_rgb, pair.ssim_rgb],
        ['sr', pair.psnr_y, pair.ssim_y],
      ] as const) {
        const options = { protocol, scale: golden.border };
        for (const metrics of [measurePair(a, b, options), createReference(b, options).measure(a)]) {
          assertClose(`PSNR ${protocol}`, metrics.psnr, psnr);
          assertClose(`SSIM ${protocol}`, metrics.ssim, ssim);
        }
      }
    });
  }
});
