import assert from 'node:assert/strict';
import { createReference, measurePair, type Pixels } from '../../../src/measure';
import { RestorationError, type ErrorCode, type MetricProtocol } from '../../../src/protocol';
import { paint } from './pictures';

const grey = (level: number, width = 16, height = 16): Pixels => paint(width, height, () => level);

function assertRefused(action: () => unknown, code: ErrorCode, message: RegExp): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof RestorationError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.notEqual(error.remedy, '');
    return true;
  });
}

describe('metric protocols', () => {
  it('rgb: PSNR over all pixels and channels together', () => {
    // One channel of one of 256 pixels is off by 48: MSE = 48^2 / (256 * 3) = 3, PSNR = 10 log10(65025 / 3).
    const other = grey(100);
    other.data[3 * 37 + 1] = 148;
    const { psnr } = measurePair(other, grey(100), { protocol: 'rgb', scale: 1 });
    assert.ok(Math.abs(psnr - 10 * Math.log10(65025 / 3)) < 1e-12);
  });

  it('rgb: the textbook extremes', () => {
    const { psnr, ssim } = measurePair(grey(0), grey(255), { protocol: 'rgb', scale: 1 });
    assert.equal(psnr, 0);
    // Means 0 and 255, no variance: SSIM = C1 / (255^2 + C1).
    assert.ok(Math.abs(ssim - 6.5025 / (65025 + 6.5025)) < 1e-12);
  });

  it('sr: Y of grey changes by 219 / 255 a level and is not rounded', () => {
    const { psnr } = measurePair(grey(101), grey(100), { protocol: 'sr', scale: 2 });
    assert.ok(Math.abs(psnr - 20 * Math.log10((255 * 255) / 219)) < 1e-9);
  });

  it('sr: weighs the channels as MATLAB does', () => {
    const weights = [65.481, 128.553, 24.966];
    weights.forEach((weight, changed) => {
      const a = paint(20, 20, (_x, _y, channel) => (channel === changed ? 255 : 0));
      const { psnr } = measurePair(a, grey(0, 20, 20), { protocol: 'sr', scale: 1 });
      assert.ok(Math.abs(psnr - 20 * Math.log10(255 / weight)) < 1e-9, `channel ${changed}: ${psnr}`);
    });
  });

  it('sr: ignores a border of exactly `scale` pixels', () => {
    const inBorder = grey(100, 24, 24);
    inBorder.data.fill(0, (3 * 24 + 12) * 3, (3 * 24 + 13) * 3);
    const inside = grey(100, 24, 24);
    inside.data.fill(0, (4 * 24 + 12) * 3, (4 * 24 + 13) * 3);
    const options = { protocol: 'sr', scale: 4 } as const;
    assert.equal(measurePair(inBorder, grey(100, 24, 24), options).psnr, Number.POSITIVE_INFINITY);
    assert.ok(Number.isFinite(measurePair(inside, grey(100, 24, 24), options).psnr));
  });

  it('identical pictures give infinity and 1', () => {
    const picture = paint(24, 19, (x, y, channel) => x * 7 + y * 11 + channel * 50);
    for (const protocol of ['rgb', 'sr'] as const) {
      assert.deepEqual(measurePair(picture, picture, { protocol, scale: 4 }), {
        psnr: Number.POSITIVE_INFINITY,
        ssim: 1,
      });
    }
  });

  it('refuses what cannot be measured', () => {
    const rgb = { protocol: 'rgb', scale: 1 } as const;
    assertRefused(() => measurePair(grey(0, 16, 12), grey(0, 12, 16), rgb), 'size-mismatch', /16x12.*12x16/);
    assertRefused(() => createReference(grey(0), rgb).measure(grey(0, 16, 17)), 'size-mismatch', /16x17.*16x16/);
    assertRefused(() => measurePair(grey(0, 10, 40), grey(0, 10, 40), rgb), 'bad-argument', /11x11.*10x40/);
    assertRefused(() => createReference(grey(0, 40, 10), rgb), 'bad-argument', /11x11.*40x10/);
    const sr = { protocol: 'sr', scale: 4 } as const;
    assertRefused(() => measurePair(grey(0, 18, 40), grey(0, 18, 40), sr), 'bad-argument', /11x11.*10x32/);
    assertRefused(() => measurePair(grey(0, 8, 8), grey(0, 8, 8), sr), 'bad-argument', /border of 4.*8x8/);
    for (const scale of [0, -1, 1.5, Number.NaN]) {
      assertRefused(() => measurePair(grey(0), grey(0), { protocol: 'sr', scale }), 'bad-argument', /scale/);
    }
    assertRefused(
      () => measurePair(grey(0), grey(0), { protocol: 'ycbcr' as MetricProtocol, scale: 1 }),
      'bad-argument',
      /"ycbcr".*sr, rgb/,
    );
    const withAlpha = { data: new Uint8Array(16 * 16 * 4), width: 16, height: 16 };
    assertRefused(() => measurePair(withAlpha, grey(0), rgb), 'bad-argument', /768 samples, but 1024/);
  });
});
