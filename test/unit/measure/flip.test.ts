import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import {
  createFlipReference,
  cropToRegion,
  flip,
  flipMap,
  flipMapInSteps,
  seededRandom,
  type Pixels,
} from '../../../src/measure';
import { assertRefused, noisy, related } from './pairs';
import { decode, paint, ROOT } from './pictures';

interface Golden {
  pairs: Array<{ name: string; a: string; b: string; flip: number }>;
  maps: Array<{ name: string; flip: Array<[number, number, number]> }>;
}

const golden = JSON.parse(readFileSync(path.join(ROOT, 'test/fixtures/metrics-golden.json'), 'utf8')) as Golden;

describe('FLIP', () => {
  it('has figures to hold against', () => {
    assert.ok(golden.pairs.length >= 12 && golden.maps.length >= 5);
  });

  for (const { name, a, b, flip: expected } of golden.pairs) {
    it(`${name}: the mean that flip-evaluator gives, within 1e-5`, async () => {
      const test = await decode(a);
      const reference = await decode(b);
      const kept = createFlipReference(reference);
      const unkept = createFlipReference(reference, { perceptBytes: 0 });
      for (const value of [flip(test, reference), kept.measure(test), kept.measure(test), unkept.measure(test)]) {
        assert.ok(Math.abs(value - expected) < 1e-5, `${value} is not ${expected}`);
      }
    });
  }

  for (const rows of [1, 4, 1000]) {
    it(`gives the same map in steps of ${rows} rows, and rising shares on the way`, async () => {
      const [pair] = golden.pairs;
      const [test, reference] = [await decode(pair!.a), await decode(pair!.b)];
      const steps = flipMapInSteps(test, reference, rows);
      const shares: number[] = [];
      let next = steps.next();
      for (; next.done !== true; next = steps.next()) shares.push(next.value);
      assert.deepEqual(next.value, flipMap(test, reference));
      assert.ok(shares.length >= Math.ceil(test.height / rows) - 1);
      assert.ok(shares.every((share, at) => share > (shares[at - 1] ?? 0) && share < 1));
    });
  }

  for (const { name, flip: places } of golden.maps) {
    it(`${name}: its map at ${places.length} places, within 1e-4`, async () => {
      const pair = golden.pairs.find((one) => one.name === name)!;
      const map = flipMap(await decode(pair.a), await decode(pair.b));
      for (const [x, y, expected] of places) {
        const value = map.data[y * map.width + x]!;
        assert.ok(Math.abs(value - expected) < 1e-4, `(${x}, ${y}): ${value} is not ${expected}`);
      }
    });
  }

  it('is symmetric, 0 for identical pictures, within 0 to 1, and the mean of its map', () => {
    fc.assert(
      fc.property(related({ least: 1, most: 30 }), ([a, b]) => {
        const forth = flip(a, b);
        assert.ok(forth >= 0 && forth <= 1 + 1e-9);
        assert.ok(Math.abs(forth - flip(b, a)) < 1e-12);
        assert.equal(flip(b, b), 0);
        const { data, width, height } = flipMap(a, b);
        assert.deepEqual([width, height, data.length], [a.width, a.height, a.width * a.height]);
        const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
        assert.ok(Math.abs(mean - forth) < 1e-6);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('grows with the noise', () => {
    const picture = paint(48, 40, (x, y, channel) => 128 + 60 * Math.sin((x + 2 * y) / 9 + channel));
    const values = [0, 4, 8, 16, 32, 64].map((strength) => flip(noisy(picture, strength, 5), picture));
    for (let i = 1; i < values.length; i++) assert.ok(values[i]! > values[i - 1]!, values.join(' '));
  });

  it('sees a pixel no farther than its filters reach: what lies 10 pixels inside a crop is that of the whole', () => {
    const random = seededRandom(3);
    const a = paint(70, 60, () => 255 * random());
    const b = paint(70, 60, () => 255 * random());
    const region = { x: 7, y: 5, width: 50, height: 44 };
    const whole = flipMap(a, b);
    const part = flipMap(cropToRegion(a, region), cropToRegion(b, region));
    for (let y = 10; y < region.height - 10; y++) {
      for (let x = 10; x < region.width - 10; x++) {
        const expected = whole.data[(y + region.y) * whole.width + x + region.x]!;
        assert.ok(Math.abs(part.data[y * part.width + x]! - expected) < 1e-6);
      }
    }
  });

  it('black and white are as different as its range allows, green and blue wholly', () => {
    const plain = (r: number, g: number, b: number): Pixels => paint(5, 4, (_x, _y, channel) => [r, g, b][channel]!);
    assert.ok(Math.abs(flip(plain(0, 255, 0), plain(0, 0, 255)) - 1) < 1e-6);
    assert.ok(flip(plain(0, 0, 0), plain(255, 255, 255)) > 0.95);
  });

  it('refuses pictures of different sizes, and samples that are not RGB', () => {
    const one = paint(4, 5, () => 0);
    const other = paint(5, 4, () => 0);
    assertRefused(() => flip(one, other), 'size-mismatch', /4x5.*5x4/);
    assertRefused(() => flipMap(one, other), 'size-mismatch', /4x5.*5x4/);
    assertRefused(() => createFlipReference(one).measure(other), 'size-mismatch', /5x4.*4x5/);
    const rgba = { data: new Uint8Array(4 * 5 * 4), width: 4, height: 5 };
    assertRefused(() => flip(one, rgba), 'bad-argument', /60 samples, but 80/);
    assertRefused(() => createFlipReference(rgba), 'bad-argument', /60 samples, but 80/);
  });
});
