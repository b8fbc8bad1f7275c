import assert from 'node:assert/strict';
import { bestFrames, bestPlace, gainOf } from '../../../src/restoration/report/record';
import { frameOf } from './runs';

describe('the run record', () => {
  it('names the best frame by each metric', () => {
    const frames = [
      frameOf(1, 3, { psnr: 20, ssim: 0.9, lpips: 0.2 }),
      frameOf(2, 3, { psnr: 30, ssim: 0.8, lpips: 0.1 }),
      frameOf(3, 3, { psnr: 25, ssim: 0.7, lpips: 0.3 }),
    ];
    assert.deepEqual(bestFrames(frames), { psnr: 2, ssim: 1, lpips: 2 });
  });

  it('takes the later of equal frames, and infinity over every number', () => {
    const frames = [
      frameOf(1, 3, { psnr: 20, ssim: 0.9 }),
      frameOf(2, 3, { psnr: 'Infinity', ssim: 1 }),
      frameOf(3, 3, { psnr: 'Infinity', ssim: 1 }),
    ];
    assert.deepEqual(bestFrames(frames), { psnr: 3, ssim: 3 });
  });

  it('has no best frame without a reference', () => {
    assert.equal(bestFrames([frameOf(1, 2, { change: 0 }), frameOf(2, 2, { change: 3 })]), undefined);
    assert.equal(bestFrames([]), undefined);
  });

  it('passes over frames without a value', () => {
    assert.equal(bestPlace([undefined, 3, undefined, 5], 'lower'), 1);
    assert.equal(bestPlace([undefined], 'lower'), undefined);
    assert.equal(bestPlace([0, undefined], 'higher'), 0);
  });

  it('gains are last minus first', () => {
    const frames = [frameOf(1, 2, { psnr: 20, lpips: 0.5, ssim: 1 }), frameOf(2, 2, { psnr: 'Infinity', lpips: 0.25 })];
    assert.equal(gainOf(frames, 'psnr'), Number.POSITIVE_INFINITY);
    assert.equal(gainOf(frames, 'lpips'), -0.25);
    assert.equal(gainOf(frames, 'ssim'), undefined);
    assert.equal(gainOf(frames.slice(0, 1), 'psnr'), undefined);
    const identical = [frameOf(1, 2, { psnr: 'Infinity' }), frameOf(2, 2, { psnr: 'Infinity' })];
    assert.equal(gainOf(identical, 'psnr'), 0);
  });
});
