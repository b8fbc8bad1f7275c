import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import {
  MAGMA,
  cropToRegion,
  errorMap,
  flip,
  lumaOf,
  measurePair,
  paintMap,
  psnrOfPair,
  ssimMap,
  type ScalarMap,
} from '../../../src/measure';
import type { MetricProtocol } from '../../../src/protocol';
import { assertRefused, noisy, related } from './pairs';
import { decode, paint, ROOT } from './pictures';

const golden = JSON.parse(readFileSync(path.join(ROOT, 'test/fixtures/metrics-golden.json'), 'utf8')) as {
  pairs: Array<{ name: string; a: string; b: string }>;
  maps: Array<{ name: string; ssim: Array<[number, number, number]> }>;
};

const mean = ({ data }: ScalarMap): number => data.reduce((sum, value) => sum + value, 0) / data.length;
const protocols = fc.constantFrom<MetricProtocol>('rgb', 'sr');

describe('maps', () => {
  for (const { name, ssim } of golden.maps) {
    it(`SSIM of ${name}: what scikit-image has at ${ssim.length} places`, async () => {
      const pair = golden.pairs.find((one) => one.name === name)!;
      const map = ssimMap(await decode(pair.a), await decode(pair.b), { protocol: 'rgb', scale: 1 });
      assert.deepEqual([map.left, map.top], [5, 5]);
      for (const [x, y, expected] of ssim) {
        const value = map.data[y * map.width + x]!;
        assert.ok(Math.abs(value - expected) < 1e-6, `(${x}, ${y}): ${value} is not ${expected}`);
      }
    });
  }

  it('the mean of the SSIM map is SSIM', () => {
    fc.assert(
      fc.property(related({ least: 13, most: 30 }), protocols, ([a, b], protocol) => {
        const options = { protocol, scale: 1 };
        const map = ssimMap(a, b, options);
        const border = protocol === 'sr' ? 1 : 0;
        assert.deepEqual([map.left, map.top], [5 + border, 5 + border]);
        assert.deepEqual([map.width, map.height], [a.width - 10 - 2 * border, a.height - 10 - 2 * border]);
        assert.equal(map.data.length, map.width * map.height);
        assert.ok(Math.abs(mean(map) - measurePair(a, b, options).ssim) < 1e-6);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it('the error map holds absolute differences, of the channels or of Y', () => {
    fc.assert(
      fc.property(related({ least: 4, most: 20 }), fc.nat(), ([a, b], place) => {
        const x = place % a.width;
        const y = Math.floor(place / a.width) % a.height;
        const i = y * a.width + x;
        const rgb = errorMap(a, b, { protocol: 'rgb', scale: 1 });
        const channels = [0, 1, 2].map((c) => Math.abs(a.data[3 * i + c]! - b.data[3 * i + c]!));
        assert.ok(Math.abs(rgb.data[i]! - (channels[0]! + channels[1]! + channels[2]!) / 3) < 1e-5);
        const sr = errorMap(a, b, { protocol: 'sr', scale: 1 });
        assert.deepEqual([sr.left, sr.top, sr.width, sr.height], [1, 1, a.width - 2, a.height - 2]);
        if (x > 0 && y > 0 && x < a.width - 1 && y < a.height - 1) {
          const expected = Math.abs(lumaOf(a)[i]! - lumaOf(b)[i]!);
          assert.ok(Math.abs(sr.data[(y - 1) * sr.width + x - 1]! - expected) < 1e-4);
        }
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  it('are painted in magma, brightest at `high`, whichever end that is', () => {
    const map = { data: Float32Array.of(-1, 0, 0.5, 1, 2), width: 5, height: 1, left: 0, top: 0 };
    const colours = ({ data }: { data: Uint8Array }): string[] =>
      [0, 1, 2, 3, 4].map((i) => [...data.subarray(3 * i, 3 * i + 3)].join(','));
    const black = '0,0,4';
    const bright = '252,253,191';
    const middle = [...MAGMA.subarray(3 * 128, 3 * 128 + 3)].join(',');
    assert.deepEqual(colours(paintMap(map, { low: 0, high: 1 })), [black, black, middle, bright, bright]);
    const turned = colours(paintMap(map, { low: 1, high: 0 }));
    assert.deepEqual([turned[0], turned[1], turned[3], turned[4]], [bright, bright, black, black]);
    for (const range of [
      { low: 1, high: 1 },
      { low: Number.NaN, high: 1 },
      { low: 0, high: Infinity },
    ]) {
      assertRefused(() => paintMap(map, range), 'bad-argument', /two different ends/);
    }
  });

  it('magma gets lighter from one colour to the next', () => {
    assert.equal(MAGMA.length, 768);
    const lightness = (i: number): number =>
      0.2126 * (MAGMA[3 * i]! / 255) ** 2.2 +
      0.7152 * (MAGMA[3 * i + 1]! / 255) ** 2.2 +
      0.0722 * (MAGMA[3 * i + 2]! / 255) ** 2.2;
    // Two colours apart, since 8 bits can stand still for one.
    for (let i = 2; i < 256; i++) assert.ok(lightness(i) > lightness(i - 2), `colour ${i}`);
  });
});

describe('regions', () => {
  const regions = related({ least: 14, most: 34 }).chain(([a, b]) =>
    fc
      .record({ x: fc.integer({ min: 0, max: a.width - 11 }), y: fc.integer({ min: 0, max: a.height - 11 }) })
      .chain(({ x, y }) =>
        fc.record({
          x: fc.constant(x),
          y: fc.constant(y),
          width: fc.integer({ min: 11, max: a.width - x }),
          height: fc.integer({ min: 11, max: a.height - y }),
        }),
      )
      .map((region) => ({ a, b, region })),
  );

  it('are measured as the crops of both pictures', () => {
    fc.assert(
      fc.property(regions, ({ a, b, region }) => {
        const cropA = cropToRegion(a, region);
        const cropB = cropToRegion(b, region);
        assert.deepEqual([cropA.width, cropA.height], [region.width, region.height]);
        const rgb = { protocol: 'rgb', scale: 4 } as const;
        assert.deepEqual(measurePair(a, b, { ...rgb, region }), measurePair(cropA, cropB, rgb));
        const whole = { x: 0, y: 0, width: region.width, height: region.height };
        const sr = { protocol: 'sr', scale: 4 } as const;
        assert.deepEqual(measurePair(a, b, { ...sr, region }), measurePair(cropA, cropB, { ...sr, region: whole }));
        const map = ssimMap(a, b, { ...sr, region });
        assert.deepEqual([map.left, map.top], [region.x + 5, region.y + 5]);
        assert.ok(flip(cropA, cropB) >= 0);
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  it('crops no border from a region in sr', () => {
    const a = paint(30, 30, () => 100);
    const b = paint(30, 30, () => 100);
    a.data[(10 * 30 + 10) * 3 + 1] = 0; // in the region's very corner
    const region = { x: 10, y: 10, width: 12, height: 12 };
    assert.ok(Number.isFinite(psnrOfPair(a, b, { protocol: 'sr', scale: 4, region })));
  });

  const outside: Array<[string, { x: number; y: number; width: number; height: number }]> = [
    ['beyond the right side', { x: 10, y: 0, width: 11, height: 5 }],
    ['beyond the bottom', { x: 0, y: 8, width: 5, height: 9 }],
    ['left of the picture', { x: -1, y: 0, width: 5, height: 5 }],
    ['above the picture', { x: 0, y: -1, width: 5, height: 5 }],
    ['without width', { x: 0, y: 0, width: 0, height: 5 }],
    ['of half pixels', { x: 0.5, y: 0, width: 5, height: 5 }],
    ['of no numbers', { x: Number.NaN, y: 0, width: 5, height: 5 }],
    ['without end', { x: 0, y: 0, width: Infinity, height: 5 }],
  ];
  for (const [name, region] of outside) {
    it(`refuses one ${name}`, () => {
      const a = paint(20, 16, () => 1);
      assertRefused(() => cropToRegion(a, region), 'bad-argument', /does not lie inside.*20x16/);
      assertRefused(
        () => measurePair(a, a, { protocol: 'rgb', scale: 1, region }),
        'bad-argument',
        /does not lie inside/,
      );
    });
  }

  it('too small for SSIM are refused, and PSNR takes them', () => {
    const a = paint(20, 16, (x) => x);
    const region = { x: 2, y: 3, width: 10, height: 9 };
    const options = { protocol: 'rgb', scale: 1, region } as const;
    assertRefused(() => measurePair(a, a, options), 'bad-argument', /11x11.*10x9/);
    assertRefused(() => ssimMap(a, a, options), 'bad-argument', /11x11.*10x9/);
    assert.ok(Number.isFinite(psnrOfPair(noisy(a, 9, 1), a, options)));
    assert.equal(errorMap(a, a, options).data.length, 90);
  });
});

describe('metrics under noise', () => {
  it('PSNR and SSIM fall as it grows', () => {
    const picture = paint(60, 50, (x, y, channel) => 128 + 60 * Math.sin((x + 2 * y) / 7 + channel));
    for (const protocol of ['rgb', 'sr'] as const) {
      const values = [2, 4, 8, 16, 32, 64].map((strength) =>
        measurePair(noisy(picture, strength, 9), picture, { protocol, scale: 2 }),
      );
      for (let i = 1; i < values.length; i++) {
        assert.ok(values[i]!.psnr < values[i - 1]!.psnr && values[i]!.ssim < values[i - 1]!.ssim, `${protocol} ${i}`);
      }
    }
  });
});
