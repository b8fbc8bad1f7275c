import { readFileSync } from 'node:fs';
import path from 'node:path';
import ssimJs from 'ssim.js';
import {
  createReference,
  lumaPlane,
  measurePair,
  psnr,
  rgbPlane,
  seededRandom,
  ssim,
  type Pixels,
} from '../../src/measure';
import { ROOT, decode } from '../unit/measure/pictures';

/** PSNR and SSIM of this package against `ssim.js`, in its exact mode ("original") and its default ("weber"). */
export const title = 'PSNR and SSIM';

const GREY_PAIR = 'spoon grey noisy';
/** `othersRepeat`: the other package needs half a minute for 12 megapixels. */
const SIZES = [
  { name: '1 MP', width: 1200, height: 840, repeat: 5, othersRepeat: 2 },
  { name: '12 MP', width: 4000, height: 3000, repeat: 2, othersRepeat: 1 },
];

export type Row = Record<string, string>;

/** Rows of the table: first how exact, then how fast. */
export async function* run(): AsyncGenerator<Row> {
  yield* exactness();
  for (const { name, width, height, repeat, othersRepeat } of SIZES) {
    const sharp = noise(width, height, 1);
    const degraded = disturb(sharp, 2);
    const luma = [lumaPlane(degraded, 0), lumaPlane(sharp, 0)] as const;
    const rgb = [rgbPlane(degraded), rgbPlane(sharp)] as const;
    const reference = createReference(sharp, { protocol: 'rgb', scale: 1 });
    const rgba = [withAlpha(degraded), withAlpha(sharp)] as const;
    yield timed(name, repeat, 'PSNR, RGB', () => psnr(...rgb));
    yield timed(name, repeat, 'SSIM, luma', () => ssim(...luma));
    yield timed(name, othersRepeat, 'SSIM, luma, ssim.js original', () => original(...rgba));
    yield timed(name, othersRepeat, 'SSIM, luma, ssim.js default (down-sampled)', () => ssimJs(...rgba).mssim);
    yield timed(name, repeat, 'SSIM, RGB', () => ssim(...rgb));
    yield timed(name, repeat, 'PSNR + SSIM, RGB, against a reference', () => reference.measure(degraded).ssim);
  }
}

/** On a grey pair, where all agree what luma is, against the figure of scikit-image. */
async function* exactness(): AsyncGenerator<Row> {
  const golden = JSON.parse(readFileSync(path.join(ROOT, 'test/fixtures/metrics-golden.json'), 'utf8')) as {
    pairs: Array<{ name: string; a: string; b: string; ssim_rgb: number }>;
  };
  const pair = golden.pairs.find(({ name }) => name === GREY_PAIR);
  if (!pair) throw new Error(`The golden figures lack "${GREY_PAIR}".`);
  const a = await decode(pair.a);
  const b = await decode(pair.b);
  const row = (what: string, value: number): Row => ({
    size: `${a.width}x${a.height}`,
    what,
    milliseconds: '',
    value: value.toFixed(8),
    'off scikit-image by': Math.abs(value - pair.ssim_rgb).toExponential(1),
  });
  yield row('SSIM', measurePair(a, b, { protocol: 'rgb', scale: 1 }).ssim);
  yield row('SSIM, ssim.js original', original(withAlpha(a), withAlpha(b)));
  yield row('SSIM, ssim.js default', ssimJs(withAlpha(a), withAlpha(b)).mssim);
}

interface RgbaPicture {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

function original(a: RgbaPicture, b: RgbaPicture): number {
  return ssimJs(a, b, { ssim: 'original', downsample: false }).mssim;
}

/** The shortest of some repetitions, in milliseconds of processor time: other work on the machine disturbs it least. */
function timed(size: string, repeats: number, what: string, action: () => number): Row {
  let best = Infinity;
  let value = Number.NaN;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const before = process.cpuUsage();
    value = action();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return { size, what, milliseconds: best.toFixed(0), value: value.toFixed(6) };
}

function noise(width: number, height: number, seed: number): Pixels {
  const random = seededRandom(seed);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    data[i] = 128 + 100 * Math.sin(i / 97) + 20 * (random() - 0.5);
  }
  return { data, width, height };
}

function disturb({ data, width, height }: Pixels, seed: number): Pixels {
  const random = seededRandom(seed);
  return { data: Uint8Array.from(data, (value) => value + 24 * (random() - 0.5)), width, height };
}

function withAlpha({ data, width, height }: Pixels): RgbaPicture {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0, j = 0; i < data.length; i += 3, j += 4) {
    rgba[j] = data[i]!;
    rgba[j + 1] = data[i + 1]!;
    rgba[j + 2] = data[i + 2]!;
  }
  return { data: rgba, width, height };
}
