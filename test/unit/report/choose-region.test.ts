import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chooseRegion, differenceAt } from '../../../src/measure';
import { paint } from '../measure/pictures';

describe('choice of the region', () => {
  it('finds the place that differs most', () => {
    const first = paint(400, 300, () => 90);
    const last = paint(400, 300, (x, y) => (x >= 220 && x < 300 && y >= 100 && y < 180 ? 200 : 90));
    const region = chooseRegion(first, last);
    assert.deepEqual([region.width, region.height], [80, 80]);
    assert.ok(region.x <= 220 && region.x + 80 >= 300, `${region.x}`);
    assert.ok(region.y <= 100 && region.y + 80 >= 180, `${region.y}`);
  });

  it('is the best of all places (counted one by one)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 34, max: 70 }),
        fc.integer({ min: 34, max: 70 }),
        fc.array(fc.tuple(fc.nat(69), fc.nat(69), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 12 }),
        (width, height, spots) => {
          const first = paint(width, height, () => 0);
          const last = paint(width, height, () => 0);
          for (const [x, y, value] of spots) {
            if (x < width && y < height) last.data[(y * width + x) * 3 + 1] = value;
          }
          const region = chooseRegion(first, last);
          const map = Array.from({ length: width * height }, (_, i) =>
            differenceAt(first, last, i % width, Math.floor(i / width)),
          );
          const difference = (left: number, top: number): number => {
            let sum = 0;
            for (let y = top; y < top + region.height; y++) {
              for (let x = left; x < left + region.width; x++) sum += map[y * width + x]!;
            }
            return sum;
          };
          const marginX = Math.min(16, Math.floor((width - region.width) / 4));
          const marginY = Math.min(16, Math.floor((height - region.height) / 4));
          let most = 0;
          for (let y = marginY; y <= height - region.height - marginY; y++) {
            for (let x = marginX; x <= width - region.width - marginX; x++) most = Math.max(most, difference(x, y));
          }
          assert.equal(difference(region.x, region.y), most);
        },
      ),
      { seed: 1, numRuns: 20 },
    );
  });

  it('prefers detail to brightness', () => {
    const dark = paint(400, 200, () => 10);
    const bright = paint(400, 200, (x, y) => (x < 200 ? 150 : 90 + 40 * ((x + y) % 2)));
    assert.ok(chooseRegion(dark, bright).x >= 200);
  });

  it('keeps away from the borders', () => {
    const first = paint(300, 300, () => 0);
    const last = paint(300, 300, (x, y) => (x < 5 && y < 5 ? 255 : x > 290 ? 60 * (x % 2) : 0));
    const { x, y } = chooseRegion(first, last);
    assert.ok(x >= 16 && x + 80 <= 284 && y >= 16 && y + 80 <= 284, `${x} ${y}`);
  });

  it('takes the middle of identical pictures', () => {
    const picture = paint(320, 160, (x, y) => x ^ y);
    assert.deepEqual(chooseRegion(picture, picture), { x: 120, y: 40, width: 80, height: 80 });
  });

  it('lies inside pictures of any size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 260 }),
        fc.integer({ min: 1, max: 260 }),
        fc.nat(),
        (width, height, seed) => {
          const first = paint(width, height, () => 0);
          const last = paint(width, height, (x, y) => (x * seed + y * 31) % 7);
          const region = chooseRegion(first, last);
          assert.ok(region.x >= 0 && region.x + region.width <= width);
          assert.ok(region.y >= 0 && region.y + region.height <= height);
          assert.ok(region.width >= Math.min(32, width, height) && region.width <= 80);
          assert.equal(region.width, region.height);
        },
      ),
      { seed: 2, numRuns: 30 },
    );
  });

  it('refuses pictures of different sizes', () => {
    assert.throws(
      () =>
        chooseRegion(
          paint(20, 30, () => 0),
          paint(30, 20, () => 0),
        ),
      /20x30.*30x20/,
    );
  });
});
