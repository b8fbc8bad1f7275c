import assert from 'node:assert/strict';
import fc from 'fast-check';
import { tileSpans, tileWeights } from '../../../src/restoration/models/tiling';

describe('tiling of an axis', () => {
  it('covers the axis with spans of one length whose weights sum to 1 everywhere', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 4, max: 40 }),
        fc.integer({ min: 0, max: 100 }),
        (total, sixteenths, overlapShare) => {
          const size = sixteenths * 16;
          const overlap = Math.floor((overlapShare / 100) * (size / 3));
          const spans = tileSpans(total, size, overlap, 16);
          const sums = new Float64Array(total);
          for (const [i, span] of spans.entries()) {
            assert.ok(span.start >= 0 && span.start + span.length <= total && span.length <= size);
            if (spans.length > 1) assert.equal(span.length % 16, 0);
            const next = spans[i + 1];
            if (next) assert.ok(span.start + span.length - next.start >= overlap, 'neighbours share the overlap');
            const weights = tileWeights(spans, i, overlap);
            weights.forEach((weight, k) => {
              sums[span.start + k] = (sums[span.start + k] as number) + weight;
            });
          }
          for (const sum of sums) assert.ok(Math.abs(sum - 1) < 1e-5, `weights sum to ${sum}`);
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  it('leaves an axis that fits in one piece', () => {
    assert.deepEqual(tileSpans(512, 512, 48, 16), [{ start: 0, length: 512 }]);
    assert.equal(tileSpans(513, 512, 48, 16).length, 2);
  });
});
