import assert from 'node:assert/strict';
import { bootstrapInterval, finiteMean, isMonotone, mean, monotoneShare, seededRandom } from '../../../src/measure';
import { RestorationError } from '../../../src/protocol';

describe('statistics', () => {
  it('means keep infinities apart', () => {
    assert.equal(mean([]), undefined);
    assert.equal(mean([1, 2, 6]), 3);
    assert.deepEqual(finiteMean([30, Infinity, 20]), { mean: 25, finite: 2, infinite: 1 });
    assert.deepEqual(finiteMean([Infinity]), { mean: undefined, finite: 0, infinite: 1 });
  });

  it('monotone means never worse by more than the tolerance', () => {
    assert.ok(isMonotone([20, 20.5, 20.495, 21], 'higher', 0.01));
    assert.ok(!isMonotone([20, 20.5, 20.48, 21], 'higher', 0.01));
    assert.ok(isMonotone([0.3, 0.2, 0.2004], 'lower', 0.0005));
    assert.ok(!isMonotone([0.3, 0.2, 0.2006], 'lower', 0.0005));
    assert.ok(isMonotone([30, Infinity, Infinity], 'higher', 0.01));
    assert.ok(!isMonotone([30, Infinity, 40], 'higher', 0.01));
    assert.equal(
      monotoneShare(
        [
          [1, 2],
          [2, 1],
          [1, 1],
          [0, 5],
        ],
        'higher',
        0,
      ),
      0.75,
    );
    assert.equal(monotoneShare([], 'higher', 0), undefined);
  });

  it('seeded numbers are uniform and repeatable', () => {
    const first = seededRandom(7);
    const second = seededRandom(7);
    const other = seededRandom(8);
    const values = Array.from({ length: 20_000 }, () => first());
    assert.deepEqual(
      values.slice(0, 100),
      Array.from({ length: 100 }, () => second()),
    );
    assert.notEqual(values[0], other());
    assert.ok(values.every((value) => value >= 0 && value < 1));
    assert.ok(Math.abs(mean(values)! - 0.5) < 0.01);
    const tenths = new Array<number>(10).fill(0);
    for (const value of values) tenths[Math.floor(value * 10)]!++;
    assert.ok(tenths.every((count) => Math.abs(count - 2000) < 200));
  });

  it('the bootstrap interval has the width that theory gives', () => {
    const random = seededRandom(1);
    const values = Array.from({ length: 400 }, () => random() * Math.sqrt(12));
    const { mean: centre, low, high } = bootstrapInterval(values, { seed: 3 });
    // Uniform values of variance 1: half width 1.96 / sqrt(400) = 0.098.
    assert.ok(Math.abs(centre - low - 0.098) < 0.012, `${low} ${centre} ${high}`);
    assert.ok(Math.abs(high - centre - 0.098) < 0.012, `${low} ${centre} ${high}`);
    assert.deepEqual(bootstrapInterval(values, { seed: 3 }), { mean: centre, low, high });
  });

  it('covers the true mean about as often as it claims', () => {
    const random = seededRandom(2);
    let covered = 0;
    for (let trial = 0; trial < 300; trial++) {
      const values = Array.from({ length: 30 }, () => random());
      const { low, high } = bootstrapInterval(values, { seed: trial, resamples: 400, confidence: 0.9 });
      if (low <= 0.5 && 0.5 <= high) covered++;
    }
    assert.ok(covered > 300 * 0.82 && covered < 300 * 0.96, `${covered} of 300`);
  });

  it('draws values of one group together', () => {
    const values = [1, 1, 1, 1, 5, 5, 5, 5];
    const groups = ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b'];
    // Two groups: a quarter of the resamples holds only one of them, so the interval spans all.
    const grouped = bootstrapInterval(values, { seed: 5, groups });
    assert.deepEqual(grouped, { mean: 3, low: 1, high: 5 });
    const single = bootstrapInterval(values, { seed: 5 });
    assert.ok(single.high - single.low < 4);
  });

  it('refuses values that have no mean', () => {
    for (const values of [[], [1, Infinity], [Number.NaN]]) {
      assert.throws(() => bootstrapInterval(values, { seed: 1 }), RestorationError);
    }
    assert.throws(() => bootstrapInterval([1, 2], { seed: 1, groups: ['a'] }), /2 values.*1 came/);
  });
});
