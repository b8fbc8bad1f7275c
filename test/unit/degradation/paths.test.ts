import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import { isDegradation, type Degradation, type DegradationWishes, type Task } from '../../../src/protocol';
import { drawDegradation } from '../../../src/restoration/degradation/draw';
import { throughJpeg } from '../../../src/restoration/degradation/jpeg';
import { windowShares } from '../../../src/restoration/degradation/motion';
import { alongPath } from '../../../src/restoration/degradation/paths';
import { Draws, uniformField } from '../../../src/restoration/degradation/random';
import { createPixels, type Pixels } from '../../../src/restoration/image/pixels';

/** Waves, an edge and a little noise: no two pictures alike. */
function rendered(seed: number, width: number, height: number): Pixels {
  const picture = createPixels(width, height);
  const noise = uniformField(seed, 7, width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const i = (y * width + x) * 3 + c;
        const wave = Math.sin(x / (2 + (seed % 7)) + c) + Math.cos(y / (3 + (seed % 5)) - c);
        const edge = x + y > (width + height) / 2 ? 60 : 0;
        picture.data[i] = Math.max(0, Math.min(255, Math.round(70 + 40 * wave + edge + 20 * noise[i]!)));
      }
    }
  }
  return picture;
}

async function frames(x: Pixels, degradation: Degradation, severities: number[]): Promise<Pixels[]> {
  const result: Pixels[] = [];
  for await (const frame of alongPath(x, degradation, severities)) result.push(frame);
  return result;
}

function distance(a: Pixels, b: Pixels): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i]! - b.data[i]!) ** 2;
  return sum / a.data.length;
}

const tasks: fc.Arbitrary<[Task, DegradationWishes]> = fc.oneof(
  fc
    .record({ scale: fc.double({ min: 1, max: 8, noNaN: true }) })
    .map((w): [Task, DegradationWishes] => ['super-resolution', w]),
  fc
    .record(
      {
        blur: fc.constantFrom('motion' as const, 'shake' as const, 'defocus' as const),
        length: fc.double({ min: 0.1, max: 30, noNaN: true }),
        layers: fc.nat(2),
        linear: fc.boolean(),
        noise: fc.double({ min: 0, max: 0.1, noNaN: true }),
        jpeg: fc.constantFrom(0, 35, 90),
      },
      { requiredKeys: [] },
    )
    .map((w): [Task, DegradationWishes] => ['deblurring', w]),
  fc
    .record(
      { gain: fc.double({ min: 0.0001, max: 1, noNaN: true }), sensor: fc.constantFrom('gaussian', 'poisson') },
      { requiredKeys: [] },
    )
    .map((w): [Task, DegradationWishes] => ['low-light', w as DegradationWishes]),
);
const cases = fc.record({
  chosen: tasks,
  seed: fc.nat(2 ** 31),
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 40 }),
});

describe('degradation paths', () => {
  it('begin at the picture and end at the degraded one, whatever else is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ chosen: [task, wishes], seed, width, height }) => {
        const x = rendered(seed, width, height);
        const degradation = drawDegradation(task, new Draws(seed, 1), x, wishes, 'mixed');
        assert.ok(isDegradation(degradation), JSON.stringify(degradation));
        assert.deepEqual(JSON.parse(JSON.stringify(degradation)), degradation, 'JSON keeps every number');
        const [y, half, clean] = (await frames(x, degradation, [1, 0.4, 0])) as [Pixels, Pixels, Pixels];
        assert.deepEqual(clean.data, x.data, 'D(x, 0) is x');
        const [halfAlone, alone] = (await frames(x, degradation, [0.4, 1])) as [Pixels, Pixels];
        assert.deepEqual(alone.data, y.data, 'D(x, 1) does not depend on the other severities');
        assert.deepEqual(halfAlone.data, half.data);
        for (const frame of [y, half]) assert.deepEqual([frame.width, frame.height], [width, height]);
      }),
      { numRuns: 60 },
    );
  });

  it('move away from the picture with severity: resolution and exposure', async () => {
    const severities = [0, 0.25, 0.5, 0.75, 1];
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2 ** 31),
        fc.oneof(
          fc.constant<[Task, DegradationWishes]>(['super-resolution', { scale: 4 }]),
          fc
            .double({ min: 0.001, max: 0.3, noNaN: true })
            .map((gain): [Task, DegradationWishes] => ['low-light', { gain }]),
        ),
        async (seed, [task, wishes]) => {
          const x = rendered(seed, 48, 40);
          const made = await frames(x, drawDegradation(task, new Draws(seed, 0), x, wishes), severities);
          const distances = made.map((frame) => distance(frame, x));
          for (let i = 1; i < distances.length; i++) {
            assert.ok(distances[i]! >= distances[i - 1]!, `${task}: ${distances.join(' ')}`);
          }
          assert.ok(distances[4]! > 1);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('give another picture for another seed, and the same for the same', async () => {
    const x = rendered(1, 32, 32);
    for (const task of ['deblurring', 'low-light'] as const) {
      const once = await frames(x, drawDegradation(task, new Draws(1, 0), x), [1]);
      const again = await frames(x, drawDegradation(task, new Draws(1, 0), x), [1]);
      const other = await frames(x, drawDegradation(task, new Draws(2, 0), x), [1]);
      assert.deepEqual(once[0]!.data, again[0]!.data);
      assert.notDeepEqual(once[0]!.data, other[0]!.data);
    }
  });

  it('change only what a wish names', () => {
    const frame = { width: 256, height: 256 };
    for (let seed = 0; seed < 20; seed++) {
      const free = drawDegradation('low-light', new Draws(seed, 0), frame);
      const fixed = drawDegradation('low-light', new Draws(seed, 0), frame, { sensor: 'poisson' });
      assert.ok(free.task === 'low-light' && fixed.task === 'low-light');
      assert.deepEqual({ ...free.light, sensor: 'poisson' }, fixed.light);
    }
  });

  it('draw what they promise', () => {
    const frame = { width: 512, height: 512 };
    const lengths: number[] = [];
    const kinds = new Map<string, number>();
    for (let seed = 0; seed < 400; seed++) {
      const degradation = drawDegradation('deblurring', new Draws(seed, 0), frame);
      assert.ok(degradation.task === 'deblurring');
      const { blur } = degradation;
      kinds.set(blur.kind, (kinds.get(blur.kind) ?? 0) + 1);
      if (blur.kind !== 'defocus') assert.ok(blur.course.length >= 17 && blur.course.length <= 33);
      if (blur.kind === 'shake') {
        let travel = 0;
        for (let k = 1; k < blur.course.length; k++) {
          const [a, b] = [blur.course[k - 1]!, blur.course[k]!];
          travel += Math.hypot(b[0]! - a[0]!, b[1]! - a[1]!);
        }
        assert.ok(travel > 1.9 && travel < 61, `${travel}`);
        lengths.push(travel);
      }
    }
    assert.ok(Math.min(...lengths) < 4 && Math.max(...lengths) > 40, 'from short to long');
    assert.ok(kinds.get('motion')! > 240 && kinds.get('shake')! > 70 && kinds.get('defocus')! > 5);
  });

  it('leave a uniform picture as it is when nothing but its detail is lost', async () => {
    const flat = createPixels(33, 20);
    flat.data.fill(143);
    for (const [task, wishes] of [
      ['super-resolution', {}],
      ['deblurring', { blur: 'motion', layers: 2, noise: 0, linear: true }],
      ['deblurring', { blur: 'shake', noise: 0 }],
      ['deblurring', { blur: 'defocus', noise: 0, jpeg: 95 }],
    ] as [Task, DegradationWishes][]) {
      for (const frame of await frames(flat, drawDegradation(task, new Draws(5, 0), flat, wishes), [1, 0.6])) {
        assert.ok(
          frame.data.every((value) => value === 143),
          task,
        );
      }
    }
  });

  it('share an exposure symmetrically', () => {
    for (const count of [7, 17, 33]) {
      for (const severity of [0, 0.01, 0.3, 0.77, 1]) {
        const shares = windowShares(count, severity);
        assert.ok(Math.abs(shares.reduce((a, b) => a + b, 0) - 1) < 1e-12);
        for (let k = 0; k < count; k++) assert.ok(Math.abs(shares[k]! - shares[count - 1 - k]!) < 1e-12);
      }
      assert.equal(windowShares(count, 0)[count >> 1], 1);
    }
  });

  for (const quality of [30, 75, 95]) {
    it(`compress as a real JPEG of quality ${quality} does`, async () => {
      const x = rendered(4, 97, 61);
      const ours = throughJpeg(x, quality);
      const coded = await sharp(x.data, { raw: { width: 97, height: 61, channels: 3 } })
        .jpeg({ quality, chromaSubsampling: '4:2:0', quantisationTable: 0, optimiseCoding: false })
        .toBuffer();
      const theirs = { ...x, data: new Uint8Array(await sharp(coded).raw().toBuffer()) };
      const loss = distance(theirs, x);
      assert.ok(loss > 3, 'the comparison means something');
      assert.ok(distance(ours, theirs) < loss / 10 + 0.5, `${distance(ours, theirs)} against ${loss}`);
    });
  }

  it('refuse a pair of different sizes, a pair without its photograph, and what does not fit into memory', async () => {
    const pair: Degradation = { task: 'low-light', light: { kind: 'pair', floor: 5e-4 } };
    const x = rendered(1, 16, 16);
    const run = async (partner?: Pixels): Promise<void> => {
      for await (const frame of alongPath(x, pair, [0.5], partner ? { partner } : {})) assert.ok(frame);
    };
    await assert.rejects(run(), /needs the degraded photograph/);
    await assert.rejects(run(rendered(1, 16, 15)), { code: 'size-mismatch' });
    const large = { data: new Uint8Array(0), width: 12_000, height: 8_000 };
    const blur: Degradation = { task: 'deblurring', blur: { kind: 'defocus', radius: 3 } };
    await assert.rejects(frames(large, blur, [1]), { code: 'picture-too-large' });
  });
});
