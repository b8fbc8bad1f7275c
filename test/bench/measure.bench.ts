import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import blazediff from '@blazediff/ssim';
import ssimJs from 'ssim.js';
import {
  createFlipReference,
  createReference,
  estimateShift,
  flip,
  lumaPlane,
  measurePair,
  psnr,
  rgbPlane,
  seededRandom,
  ssim,
  type Pixels,
} from '../../src/measure';
import { ROOT, decode } from '../unit/measure/pictures';

/** It comes with TypeScript sources of its own that our compiler settings refuse, so it is loaded without its types. */
const imageSsim = createRequire(__filename)('image-ssim') as {
  compare: (a: RgbaPicture & { channels: number }, b: RgbaPicture & { channels: number }) => { ssim: number };
};

/**
 * Metrics of this package beside `ssim.js` (its exact mode "original" and its default "weber"), `image-ssim` and
 * `@blazediff/ssim`: first how far from the definition, then how fast.
 */
export const title = 'PSNR, SSIM and FLIP';

/** Pairs on which all agree what luma is, and one of half a megapixel and more, where some packages shrink first. */
const GREY_PAIRS = ['spoon grey noisy'];
/** `othersRepeat`: another package needs half a minute for 12 megapixels. */
const SIZES = [
  { name: '0.25 MP', width: 600, height: 420, repeat: 7, othersRepeat: 4 },
  { name: '1 MP', width: 1200, height: 840, repeat: 5, othersRepeat: 2 },
  { name: '12 MP', width: 4000, height: 3000, repeat: 2, othersRepeat: 1 },
];

export type Row = Record<string, string>;

type Others = Record<string, (a: RgbaPicture, b: RgbaPicture) => number>;

const OTHERS: Others = {
  'ssim.js original': (a, b) => ssimJs(a, b, { ssim: 'original', downsample: false }).mssim,
  'ssim.js default (down-sampled to 256)': (a, b) => ssimJs(a, b).mssim,
  'image-ssim (8x8 blocks)': (a, b) => imageSsim.compare({ ...a, channels: 4 }, { ...b, channels: 4 }).ssim,
  '@blazediff/ssim (down-samples from 512)': (a, b) => blazediff(a.data, b.data, undefined, a.width, a.height),
};

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
    const exact = ssim(...luma);
    yield timed(name, repeat, 'SSIM, luma', () => ssim(...luma), exact);
    for (const [other, measure] of Object.entries(OTHERS)) {
      yield timed(name, othersRepeat, `SSIM, ${other}`, () => measure(...rgba), exact);
    }
    yield timed(name, repeat, 'SSIM, RGB', () => ssim(...rgb));
    yield timed(name, repeat, 'PSNR, RGB', () => psnr(...rgb));
    yield timed(name, repeat, 'PSNR + SSIM, RGB, against a reference', () => reference.measure(degraded).ssim);
    yield timed(name, repeat, 'FLIP', () => flip(degraded, sharp));
    const flipReference = createFlipReference(sharp);
    flipReference.measure(degraded);
    yield timed(name, repeat, 'FLIP against a reference', () => flipReference.measure(degraded));
    yield timed(name, repeat, 'shift', () => estimateShift(degraded, sharp)?.dx ?? Number.NaN);
  }
}

/** On grey pictures, where all agree what luma is, against the figure of scikit-image. */
async function* exactness(): AsyncGenerator<Row> {
  const golden = JSON.parse(readFileSync(path.join(ROOT, 'test/fixtures/metrics-golden.json'), 'utf8')) as {
    pairs: Array<{ name: string; a: string; b: string; ssim_rgb: number }>;
  };
  for (const name of GREY_PAIRS) {
    const pair = golden.pairs.find((one) => one.name === name);
    if (!pair) throw new Error(`The golden figures lack "${name}".`);
    const a = await decode(pair.a);
    const b = await decode(pair.b);
    const row = (what: string, value: number): Row => ({
      size: `${a.width}x${a.height}`,
      what,
      milliseconds: '',
      value: value.toFixed(8),
      'off the definition by': Math.abs(value - pair.ssim_rgb).toExponential(1),
    });
    yield row('SSIM (against scikit-image)', measurePair(a, b, { protocol: 'rgb', scale: 1 }).ssim);
    for (const [other, measure] of Object.entries(OTHERS)) {
      yield row(`SSIM, ${other}`, measure(withAlpha(a), withAlpha(b)));
    }
  }
}

interface RgbaPicture {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

/** The shortest of some repetitions, in milliseconds of processor time: other work on the machine disturbs it least. */
function timed(size: string, repeats: number, what: string, action: () => number, exact?: number): Row {
  let best = Infinity;
  let value = Number.NaN;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const before = process.cpuUsage();
    value = action();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return {
    size,
    what,
    milliseconds: best.toFixed(best < 10 ? 1 : 0),
    value: value.toFixed(6),
    'off the definition by': exact === undefined ? '' : Math.abs(value - exact).toExponential(1),
  };
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
