import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromDifferences, mixOf, sharesOf, stacked, toDifferences, unstacked, type Pixels } from '../../../src/measure';
import { RestorationError } from '../../../src/protocol';
import { paint } from './pictures';

/** Some pictures of one size with any samples. */
const crops = fc
  .record({
    width: fc.integer({ min: 1, max: 12 }),
    height: fc.integer({ min: 1, max: 12 }),
    count: fc.integer({ min: 1, max: 9 }),
  })
  .chain(({ width, height, count }) =>
    fc
      .array(fc.uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 }), {
        minLength: count,
        maxLength: count,
      })
      .map((list) => list.map((data): Pixels => ({ data, width, height }))),
  );

const samples = (pictures: readonly Pixels[]): number[][] => pictures.map(({ data }) => [...data]);

describe('crops as differences', () => {
  it('come back sample for sample, whatever they are', () => {
    fc.assert(
      fc.property(crops, (list) => {
        const before = samples(list);
        const [first] = list;
        const pieces = unstacked(stacked(toDifferences(list)), first?.height ?? 0);
        assert.deepEqual(samples(fromDifferences(pieces)), before);
        assert.deepEqual(samples(list), before, 'what came in is left alone');
      }),
      { seed: 5 },
    );
  });

  it('are the same for clamped samples', () => {
    const [dark, bright] = [paint(3, 2, () => 0), paint(3, 2, () => 255)];
    const clamped = (picture: Pixels): Pixels => ({ ...picture, data: new Uint8ClampedArray(picture.data) });
    const made = toDifferences([clamped(bright), clamped(dark)]);
    assert.deepEqual([...made[1]!.data], Array(18).fill(1), '0 - 255 is 1 modulo 256');
    assert.deepEqual(samples(fromDifferences(made)), samples([bright, dark]));
  });

  it('are refused when their sizes differ', () => {
    assert.throws(() => toDifferences([paint(3, 2, () => 0), paint(2, 3, () => 0)]), RestorationError);
    assert.throws(() => fromDifferences([paint(3, 2, () => 0), paint(2, 3, () => 0)]), RestorationError);
  });
});

describe('mix of two pictures', () => {
  const first = paint(16, 12, (x, y) => (x * 13 + y * 7) % 200);
  const last = paint(16, 12, (x, y) => (x * 5 + y * 31 + 40) % 250);

  it('finds the shares that a picture was made with', () => {
    for (const shares of [
      [256, 0],
      [64, 192],
      [200, 90],
    ] as const) {
      const found = sharesOf(mixOf(first, last, shares), first, last, 4096);
      assert.ok(
        found.every((share, i) => Math.abs(share - shares[i]!) <= 2),
        `${found.join()} for ${shares.join()}`,
      );
    }
  });

  it('shares ends that are alike, and keeps within its limit', () => {
    const [a, b] = sharesOf(first, first, first, 4096);
    assert.ok(Math.abs(a + b - 256) <= 2 && Math.abs(a - b) <= 1, `${a} ${b}`);
    const dark = paint(16, 12, () => 1);
    assert.deepEqual(
      sharesOf(last, dark, dark, 100).map((share) => Math.abs(share)),
      [100, 100],
    );
  });

  it('stays within eight bits', () => {
    const grey = paint(4, 4, () => 100);
    assert.ok([...mixOf(grey, grey, [4096, 4096]).data].every((sample) => sample === 255));
    assert.ok([...mixOf(grey, grey, [-4096, 0]).data].every((sample) => sample === 0));
  });
});
