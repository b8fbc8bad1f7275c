import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { evaluate, evaluateResults, shutdown } from '../../src/api';
import { flip, measurePair } from '../../src/measure';
import { decodePicture } from '../../src/restoration/image/decode';
import { Lpips } from '../../src/restoration/metrics/lpips';
import { noisy, savePicture, scene } from '../unit/evaluation/data-sets';

/** Seconds a picture of `evaluate` against the sum of what it has to do, in one run. */
export const title = 'evaluate a picture against the sum of its parts';

const COUNT = 12;
const SIDE = 256;

export type Row = Record<string, string>;

export async function* run(): AsyncGenerator<Row> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'pir-bench-evaluate-'));
  const set = path.join(folder, 'set');
  try {
    for (let i = 0; i < COUNT; i++) {
      const picture = scene(SIDE, SIDE, i + 1);
      await savePicture(picture, set, 'reference', `p${i}.png`);
      await savePicture(noisy(picture, 8, i), set, 'input', `p${i}.png`);
    }
    const row = (what: string, seconds: number, parts: number): Row => ({
      pictures: `${COUNT} of ${SIDE}x${SIDE}`,
      what,
      'seconds a picture': seconds.toFixed(4),
      'against its parts': (seconds / parts).toFixed(3),
    });
    yield* results(folder, set, row);
    yield* restoring(folder, set, row);
  } finally {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  }
}

type MakeRow = (what: string, seconds: number, parts: number) => Row;

/** Decoding both pictures and every metric, one after the other in this process; then the same through `evaluateResults`. */
async function* results(folder: string, set: string, row: MakeRow): AsyncGenerator<Row> {
  const reference = path.join(set, 'reference');
  const input = path.join(set, 'input');
  const lpips = await Lpips.load('cpu');
  let parts = Infinity;
  for (let repeat = 0; repeat < 3; repeat++) {
    const start = performance.now();
    for (let i = 0; i < COUNT; i++) {
      const a = (await decodePicture(path.join(input, `p${i}.png`))).pixels;
      const b = (await decodePicture(path.join(reference, `p${i}.png`))).pixels;
      measurePair(a, b, { protocol: 'rgb', scale: 1 });
      await (
        await lpips.prepare(b)
      )(a);
      flip(a, b);
    }
    parts = Math.min(parts, (performance.now() - start) / 1000 / COUNT);
  }
  await lpips.release();
  yield row('decode, PSNR, SSIM, LPIPS, FLIP', parts, parts);
  let plain = Infinity;
  let kept = Infinity;
  for (let repeat = 0; repeat < 3; repeat++) {
    plain = Math.min(plain, await timed(() => evaluateResults([input], { reference, protocol: 'rgb' })));
    const out = path.join(folder, `rows-${repeat}`);
    kept = Math.min(kept, await timed(() => evaluateResults([input], { reference, protocol: 'rgb', out })));
  }
  yield row('evaluate --results', plain, parts);
  yield row('evaluate --results --out (rows on the disk)', kept, parts);
}

/** The parts as the runs themselves report them, against the wall clock of the whole evaluation. */
async function* restoring(folder: string, set: string, row: MakeRow): AsyncGenerator<Row> {
  const options = { task: 'deblurring', device: 'cpu', frames: 9 } as const;
  // The first picture loads the networks.
  await evaluate(set, { ...options, limit: 1 });
  let wall = Infinity;
  let parts = Infinity;
  for (let repeat = 0; repeat < 2; repeat++) {
    const start = performance.now();
    const report = await evaluate(set, { ...options, out: path.join(folder, `restored-${repeat}`) });
    const seconds = (performance.now() - start) / 1000 / COUNT;
    if (seconds >= wall) continue;
    wall = seconds;
    parts = report.secondsPerPicture ?? Number.NaN;
  }
  yield row('decode, nine frames, metrics, as runs report them', parts, parts);
  yield row('evaluate DIR --out', wall, parts);
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000 / COUNT;
}
