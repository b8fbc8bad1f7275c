import assert from 'node:assert/strict';
import fc from 'fast-check';
import { guidanceFactor, guide } from '../../../src/restoration/cogvideox/guidance';
import { cumulativeAlphas, trailingTimesteps } from '../../../src/restoration/cogvideox/noise-schedule';
import { seededNoise } from '../../../src/restoration/cogvideox/noise';
import { createScheduler } from '../../../src/restoration/cogvideox/scheduler';

function near(actual: number | undefined, expected: number, tolerance: number): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= tolerance, `${actual}, not ${expected}`);
}

describe('noise schedule of CogVideoX', () => {
  it('has the values of the reference for both shifts', () => {
    for (const [shift, values] of [
      [1, [0.99915, 0.98101, 0.24236, 0]],
      [3, [0.99745, 0.94657, 0.09597, 0]],
    ] as const) {
      const alphas = cumulativeAlphas(shift);
      for (const [i, t] of [0, 19, 499, 999].entries()) near(alphas[t], values[i] as number, 5e-6);
    }
  });

  it('falls to exactly nothing', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 5, noNaN: true }), (shift) => {
        const alphas = cumulativeAlphas(shift);
        assert.equal(alphas[999], 0);
        for (let t = 1; t < 1000; t++) assert.ok((alphas[t] as number) < (alphas[t - 1] as number));
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  it('stops at trailing steps, halves rounded to even', () => {
    assert.deepEqual(trailingTimesteps(4), [999, 749, 499, 249]);
    assert.deepEqual(trailingTimesteps(3), [999, 666, 332]);
    // 937.5 and 812.5 are halves: numpy takes 938 and 812.
    assert.deepEqual(trailingTimesteps(16).slice(0, 4), [999, 937, 874, 811]);
    assert.deepEqual(trailingTimesteps(1), [999]);
    const many = trailingTimesteps(50);
    assert.deepEqual([many[0], many[1], many[49]], [999, 979, 19]);
  });
});

describe('schedulers', () => {
  const latents = (seed: number): Float32Array => seededNoise(seed).latents(64);

  it('reach a clean clip when the network knows it, whatever noise is added', () => {
    const clean = latents(1);
    for (const kind of ['ddim', 'dpm'] as const) {
      for (const count of [1, 2, 7, 50]) {
        for (const shift of [1, 3]) {
          const scheduler = createScheduler(kind, count, shift);
          const alphas = cumulativeAlphas(shift);
          let x = latents(2);
          for (const step of scheduler.steps) {
            const a = alphas[step.timestep] as number;
            // v = (sqrt(a) x - clean) / sqrt(1 - a)
            const velocity = x.map((value, i) => (Math.sqrt(a) * value - (clean[i] as number)) / Math.sqrt(1 - a));
            const estimate = scheduler.estimate(step, x, velocity);
            estimate.forEach((value, i) => near(value, clean[i] as number, 1e-5));
            x = scheduler.advance(step, x, estimate, scheduler.stochastic ? latents(3 + step.index) : undefined);
            assert.ok(x.every(Number.isFinite), `${kind}, ${count} steps, step ${step.index}`);
          }
          // Seven steps of the reference do not end below 0: its stride is the whole part of 1000 / 7.
          const left = count === 7 ? Math.sqrt(1 - (alphas[0] as number)) * 6 : 1e-5;
          x.forEach((value, i) => near(value, clean[i] as number, left));
        }
      }
    }
  });

  it('refuse to go on without the noise that they add', () => {
    const scheduler = createScheduler('dpm', 4, 1);
    const step = scheduler.steps[0];
    assert.ok(step);
    assert.throws(() => scheduler.advance(step, latents(1), latents(1)), RangeError);
  });

  it('keep the variance of noise at one where the estimate is noise-free', () => {
    const scheduler = createScheduler('dpm', 10, 1);
    const alphas = cumulativeAlphas(1);
    const count = 20_000;
    const zero = new Float32Array(count);
    let x = seededNoise(5).latents(count);
    for (const step of scheduler.steps.slice(0, 6)) {
      x = scheduler.advance(step, x, zero, seededNoise(6).step(step.index, count));
      const next = alphas[step.timestep - 100] as number;
      const variance = x.reduce((sum, value) => sum + value * value, 0) / count;
      near(variance, 1 - next, 0.03);
    }
  });
});

describe('guidance', () => {
  it('swings as the reference has it', () => {
    const guidance = { kind: 'oscillating', scale: 6 } as const;
    const values = trailingTimesteps(50).map((t, i) => guidanceFactor(guidance, i, t, 50));
    for (const [i, expected] of [2.29, 2.54, 6.97, 6.42].entries()) near(values[i], expected, 5e-3);
  });

  it('rises from about 1 to 1 + scale by index', () => {
    const guidance = { kind: 'cosine', scale: 6 } as const;
    const values = trailingTimesteps(50).map((t, i) => guidanceFactor(guidance, i, t, 50));
    near(values[0], 1, 1e-6);
    near(values[49], 7, 1e-9);
    values.slice(1).forEach((value, i) => assert.ok(value >= (values[i] as number)));
  });

  it('leads from the empty prompt through the prompt', () => {
    assert.deepEqual([...guide(Float32Array.of(1, 2), Float32Array.of(2, 0), 3)], [4, -4]);
    assert.equal(guidanceFactor({ kind: 'fixed', scale: 6 }, 3, 500, 50), 6);
  });
});

describe('seeded noise', () => {
  it('is the same for the same seed, normal, and another one for every step', () => {
    const noise = seededNoise(42);
    assert.deepEqual(noise.latents(100), seededNoise(42).latents(100));
    assert.notDeepEqual(noise.latents(100), seededNoise(43).latents(100));
    assert.notDeepEqual(noise.step(0, 100), noise.step(1, 100));
    assert.equal(noise.image(100), undefined);
    const many = noise.latents(50_000);
    near(many.reduce((sum, value) => sum + value, 0) / many.length, 0, 0.02);
    near(many.reduce((sum, value) => sum + value * value, 0) / many.length, 1, 0.02);
    // Pinned, so that a seed means the same clip in every version.
    for (const [i, expected] of PINNED.entries()) near(noise.latents(4)[i], expected, 1e-6);
  });
});

/** The first numbers of seed 42. */
const PINNED: readonly number[] = [0.785440743, 1.1346277, 0.175656676, 0.462027788];
