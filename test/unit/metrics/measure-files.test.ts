import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import {
  RestorationError,
  metrics,
  noReference,
  readMap,
  shutdown,
  type ErrorCode,
  type Metric,
} from '../../../src/api';
import { MAGMA, cropToRegion, flip, measurePair } from '../../../src/measure';
import { decodeNpy, encodeNpy } from '../../../src/restoration/metrics/npy';
import { runCli } from '../cli/run-cli';
import { ROOT, decode } from '../measure/pictures';

const pictures = path.join(ROOT, 'test/fixtures/pictures');
const file = (name: string): string => path.join(pictures, name);
const golden = JSON.parse(readFileSync(path.join(ROOT, 'test/fixtures/metrics-golden.json'), 'utf8')) as {
  pairs: Array<{ name: string; a: string; b: string; flip: number; lpips: number; ssim_rgb: number }>;
  maps: Array<{ name: string } & Record<'flip' | 'ssim' | 'lpips', Array<[number, number, number]>>>;
};

async function refusal(promise: Promise<unknown>): Promise<[ErrorCode, string]> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof RestorationError, String(error));
    return [error.code, error.message];
  }
  throw new Error('nothing was refused');
}

describe('metrics of picture files', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-metrics-'));
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  it('gives FLIP as flip-evaluator does', async () => {
    for (const pair of golden.pairs.filter(({ name }) => /^(card|eye|patch)/.test(name))) {
      const measured = await metrics(path.join(ROOT, pair.a), path.join(ROOT, pair.b), { protocol: 'rgb' });
      assert.ok(Math.abs(measured.flip - pair.flip) < 1e-5, pair.name);
    }
  });

  for (const { name, ...places } of golden.maps) {
    it(`writes the maps of ${name}, as the reference programs have them`, async () => {
      const pair = golden.pairs.find((one) => one.name === name)!;
      const out = path.join(folder, name);
      const measured = await metrics(path.join(ROOT, pair.a), path.join(ROOT, pair.b), { protocol: 'rgb', maps: out });
      const base = path.parse(pair.a).name;
      const kinds = ['error', 'flip', 'lpips', 'ssim'];
      assert.deepEqual(Object.keys(measured.maps ?? {}).sort(), kinds);
      assert.deepEqual(
        (await readdir(out)).sort(),
        kinds.flatMap((k) => [`${base}.${k}.npy`, `${base}.${k}.png`]),
      );
      for (const [kind, tolerance] of [
        ['ssim', 1e-6],
        ['flip', 1e-4],
        ['lpips', 5e-3],
      ] as const) {
        const described = measured.maps![kind]!;
        const map = await readMap(path.join(out, described.npy));
        assert.deepEqual([map.width, map.height], [described.width, described.height]);
        for (const [x, y, expected] of places[kind]) {
          const value = map.data[y * map.width + x]!;
          assert.ok(Math.abs(value - expected) < tolerance, `${kind} (${x}, ${y}): ${value} is not ${expected}`);
        }
        const mean = map.data.reduce((sum, value) => sum + value, 0) / map.data.length;
        assert.ok(
          Math.abs(mean - described.mean) < 1e-6 && map.data.reduce((a, b) => Math.max(a, b)) === described.maximum,
        );
        const { data, info } = await sharp(path.join(out, described.png)).raw().toBuffer({ resolveWithObject: true });
        assert.deepEqual([info.width, info.height], [map.width, map.height]);
        const { low, high } = described.range;
        const colour = Math.round(Math.min(1, Math.max(0, (map.data[7]! - low) / (high - low))) * 255);
        assert.deepEqual([...data.subarray(21, 24)], [...MAGMA.subarray(3 * colour, 3 * colour + 3)]);
      }
      assert.ok(Math.abs(measured.maps!.ssim!.mean - measured.ssim) < 1e-6);
      assert.ok(Math.abs(measured.maps!.flip!.mean - measured.flip) < 1e-6);
    });
  }

  it('measures a region as the crops of both', async () => {
    const region = { x: 20, y: 10, width: 64, height: 48 };
    const [a, b] = [file('patch-noisy.png'), file('patch.png')];
    const crops = [path.join(folder, 'crop-a.png'), path.join(folder, 'crop-b.png')] as const;
    for (const [from, to] of [
      [a, crops[0]],
      [b, crops[1]],
    ] as const) {
      await sharp(from).extract({ left: 20, top: 10, width: 64, height: 48 }).png().toFile(to);
    }
    const part = await metrics(a, b, { protocol: 'rgb', region });
    const cropped = await metrics(...crops, { protocol: 'rgb' });
    for (const metric of ['psnr', 'ssim', 'lpips', 'flip', 'width', 'height'] as const) {
      assert.equal(part[metric], cropped[metric], metric);
    }
    assert.deepEqual(part.region, region);
    const pixels = [cropToRegion(await decode(a), region), cropToRegion(await decode(b), region)] as const;
    const direct = measurePair(...pixels, { protocol: 'rgb', scale: 1 });
    assert.deepEqual([part.psnr, part.ssim, part.flip], [direct.psnr, direct.ssim, flip(...pixels)]);
  });

  it('measures only what was asked for', async () => {
    const measured = await metrics(file('card-blurred.png'), file('card.png'), { protocol: 'rgb', metrics: ['flip'] });
    assert.ok(measured.flip !== undefined);
    assert.deepEqual([measured.psnr, measured.ssim, measured.lpips], [undefined, undefined, undefined]);
    // Eight pixels are too few for SSIM, and enough for the others.
    const region = { x: 3, y: 3, width: 8, height: 8 };
    const options = { protocol: 'rgb', region, metrics: ['psnr', 'flip', 'lpips'] } as const;
    const small = await metrics(file('card-blurred.png'), file('card.png'), {
      ...options,
      metrics: [...options.metrics],
    });
    assert.ok(typeof small.psnr === 'number' && small.flip !== undefined && small.lpips === undefined);
  });

  it('tells a shift and corrects nothing', async () => {
    const source = path.join(ROOT, 'notebooks/pictures/astronaut.png');
    const [a, b] = [path.join(folder, 'moved.png'), path.join(folder, 'place.png')];
    await sharp(source).extract({ left: 8, top: 11, width: 300, height: 260 }).png().toFile(a);
    await sharp(source).extract({ left: 10, top: 10, width: 300, height: 260 }).png().toFile(b);
    const moved = await metrics(a, b, { protocol: 'rgb', metrics: ['psnr'] });
    assert.ok(Math.abs(moved.alignment!.dx - 2) < 0.05 && Math.abs(moved.alignment!.dy + 1) < 0.05);
    assert.match(moved.alignment!.warning ?? '', /right of and .* above its reference/);
    assert.equal(moved.psnr, measurePair(await decode(a), await decode(b), { protocol: 'rgb', scale: 1 }).psnr);
    const run = await runCli(['metrics', a, b, '--protocol', 'rgb', '--metrics', 'psnr']);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /shift\s+2\.\d\d right, -1\.\d\d down|shift\s+1\.9\d right/);
    assert.match(run.stderr, /Warning: The picture seems to lie/);
  });

  const wrong: Array<[string, () => Promise<unknown>, ErrorCode, RegExp]> = [
    [
      'sizes that differ',
      () => metrics(file('card.png'), file('patch.png'), { protocol: 'rgb' }),
      'size-mismatch',
      /64x48.*128x112/,
    ],
    [
      'a region outside',
      () =>
        metrics(file('card.png'), file('card.png'), { protocol: 'rgb', region: { x: 60, y: 0, width: 8, height: 8 } }),
      'bad-argument',
      /does not lie inside/,
    ],
    [
      'a region too small for SSIM',
      () =>
        metrics(file('card.png'), file('card.png'), { protocol: 'rgb', region: { x: 0, y: 0, width: 10, height: 30 } }),
      'bad-argument',
      /11x11.*10x30/,
    ],
    [
      'a region without width',
      () =>
        metrics(file('card.png'), file('card.png'), { protocol: 'rgb', region: { x: 0, y: 0, width: 0, height: 30 } }),
      'bad-argument',
      /region/,
    ],
    [
      'an unknown metric',
      () => metrics(file('card.png'), file('card.png'), { protocol: 'rgb', metrics: ['vif' as Metric] }),
      'bad-argument',
      /no metric "vif".*psnr, ssim, lpips, flip/,
    ],
    [
      'no metric',
      () => metrics(file('card.png'), file('card.png'), { protocol: 'rgb', metrics: [] }),
      'bad-argument',
      /list of names/,
    ],
    [
      'a missing picture',
      () => metrics(file('none.png'), file('card.png'), { protocol: 'rgb' }),
      'missing-file',
      /none\.png/,
    ],
    ['a missing map', () => readMap(file('none.npy')), 'missing-file', /none\.npy/],
    ['a map that is none', () => readMap(file('card.png')), 'unreadable-picture', /NumPy/],
    ['one picture that is none', () => noReference(__filename), 'unreadable-picture', /./],
    [
      'a folder of maps that is a file',
      () => metrics(file('card.png'), file('card.png'), { protocol: 'rgb', metrics: ['psnr'], maps: __filename }),
      'unwritable',
      /could not be written/,
    ],
  ];
  for (const [name, action, code, message] of wrong) {
    it(`refuses ${name}`, async () => {
      const [was, said] = await refusal(action());
      assert.equal(was, code, said);
      assert.match(said, message);
    });
  }

  it('never replaces a picture by a map', async () => {
    const own = path.join(folder, 'own');
    await rm(own, { recursive: true, force: true });
    const a = path.join(folder, 'x.png');
    const b = path.join(folder, 'x.flip.png');
    await copyFile(file('card-blurred.png'), a);
    await copyFile(file('card.png'), b);
    const before = await readFile(b);
    const [code, said] = await refusal(metrics(a, b, { protocol: 'rgb', maps: folder }));
    assert.deepEqual([code, /would replace/.test(said)], ['bad-argument', true]);
    assert.ok(before.equals(await readFile(b)));
    assert.ok(!(await readdir(folder)).includes('x.error.png'));
  });

  it('on the command line: region, maps, one picture alone, and calls that are wrong', async () => {
    const pair = [file('card-blurred.png'), file('card.png')];
    const out = path.join(folder, 'cli');
    const words = ['metrics', ...pair, '--protocol', 'sr', '--region', '4,4,40,36', '--maps', out, '--json'];
    const run = await runCli(words);
    assert.equal(run.code, 0, run.stderr);
    const measured = JSON.parse(run.stdout) as Awaited<ReturnType<typeof metrics>>;
    assert.deepEqual([measured.width, measured.height, measured.maps?.ssim?.left], [40, 36, 9]);
    assert.ok((await readdir(out)).includes('card-blurred.ssim.png'));
    const alone = await runCli(['metrics', file('card.png'), '--json']);
    assert.deepEqual(JSON.parse(alone.stdout), await noReference(file('card.png')));
    assert.match((await runCli(['metrics', file('card.png')])).stdout, /Tenengrad/);
    for (const rest of [
      ['--metrics', 'vif'],
      ['--region', '1,2,3'],
      ['--region', '0,0,900,10'],
    ]) {
      const failed = await runCli(['metrics', ...pair, '--protocol', 'rgb', ...rest]);
      assert.equal(failed.code, 2, rest.join(' '));
    }
    assert.equal((await runCli(['metrics', file('card.png'), '--region', '0,0,9,9'])).code, 2);
    assert.equal((await runCli(['metrics'])).code, 2);
  });
});

describe('maps as NumPy arrays', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.nat(), (width, height, seed) => {
        const data = Float32Array.from({ length: width * height }, (_, i) => Math.fround(Math.sin(seed + i)));
        const bytes = encodeNpy({ data, width, height, left: 0, top: 0 });
        assert.equal((bytes.length - 4 * data.length) % 64, 0);
        assert.deepEqual(decodeNpy(bytes), { data, width, height });
      }),
      { seed: 1 },
    );
  });

  it('of other content are refused, and nothing else happens', () => {
    const good = encodeNpy({ data: new Float32Array(12), width: 4, height: 3, left: 0, top: 0 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.nat(good.length - 1).map((n) => good.subarray(0, n)),
        ),
        (bytes) => {
          assert.throws(() => decodeNpy(bytes), RestorationError);
        },
      ),
      { seed: 2 },
    );
    const other = Buffer.from(good.toString('latin1').replace('<f4', '<f8'), 'latin1');
    assert.throws(() => decodeNpy(other), RestorationError);
  });
});
