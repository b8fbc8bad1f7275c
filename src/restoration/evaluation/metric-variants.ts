import {
  CHANNELS,
  assertSameSize,
  lumaPlane,
  psnr,
  psnrOfError,
  rgbPlane,
  meanSquaredError,
  ssim,
  WINDOW,
  type Pixels,
  type Plane,
} from '../../measure';
import { cropPixels } from '../image/pixels';

/**
 * PSNR and SSIM as other programs compute them: a published number often follows another protocol than one thinks. Every
 * variant has an id, `METRIC CHANNELS BORDER`, and words for reports.
 */
const CHANNEL_WORDS = {
  y: "MATLAB's Y channel",
  'y-rounded': "MATLAB's Y channel rounded to 8 bits",
  grey: 'full-range grey (0.299 R + 0.587 G + 0.114 B, rounded)',
  rgb: 'RGB',
  'rgb-mean': 'RGB, the mean of the three channels’ PSNR',
  'rgb-gt-mean': 'RGB after scaling the brightness to that of the reference ("GT mean")',
} as const;
type Channels = keyof typeof CHANNEL_WORDS;

const METRIC_WORDS = {
  psnr: 'PSNR',
  ssim: 'SSIM (Gaussian window)',
  'ssim-uniform': 'SSIM (7x7 uniform window, sample covariance: scikit-image’s default)',
} as const;
type MetricId = keyof typeof METRIC_WORDS;

/** Side of the uniform window. */
const UNIFORM_WINDOW = 7;

/** Words for a variant's id. */
export function describeVariant(id: string): string {
  const [metric, channels, border] = id.split(' ');
  const words = [METRIC_WORDS[metric as MetricId] ?? metric, `on ${CHANNEL_WORDS[channels as Channels] ?? channels}`];
  words.push(border === '0' ? 'nothing cropped' : `border of ${border} pixels cropped`);
  return words.join(', ').replace(', on', ' on');
}

/** Borders that are usual: none, the scale, twice the scale, and the scale plus 6 (EDSR). */
export function usualBorders(scale: number): number[] {
  const whole = Math.round(scale);
  return whole > 1 ? [0, whole, 2 * whole, whole + 6] : [0];
}

/** All variants that can be computed for a picture of this size, by id. */
export function measureVariants(picture: Pixels, reference: Pixels, scale: number): Map<string, number> {
  assertSameSize(picture, reference);
  const values = new Map<string, number>();
  for (const border of usualBorders(scale)) {
    const width = picture.width - 2 * border;
    const height = picture.height - 2 * border;
    if (Math.min(width, height) < WINDOW) continue;
    const a = crop(picture, border);
    const b = crop(reference, border);
    const planes: Record<'y' | 'y-rounded' | 'grey' | 'rgb', [Plane, Plane]> = {
      y: [lumaPlane(a, 0), lumaPlane(b, 0)],
      'y-rounded': [rounded(lumaPlane(a, 0)), rounded(lumaPlane(b, 0))],
      grey: [greyPlane(a), greyPlane(b)],
      rgb: [rgbPlane(a), rgbPlane(b)],
    };
    for (const [channels, [one, two]] of Object.entries(planes)) {
      values.set(`psnr ${channels} ${border}`, psnr(one, two));
      values.set(`ssim ${channels} ${border}`, ssim(one, two));
      if (channels !== 'y-rounded') values.set(`ssim-uniform ${channels} ${border}`, uniformSsim(one, two));
    }
    values.set(`psnr rgb-mean ${border}`, meanOfChannels(a, b));
    const brightened = withMeanOf(a, b);
    if (brightened) {
      values.set(`psnr rgb-gt-mean ${border}`, psnr(rgbPlane(brightened), planes.rgb[1]));
      values.set(`ssim rgb-gt-mean ${border}`, ssim(rgbPlane(brightened), planes.rgb[1]));
    }
  }
  return values;
}

function crop(pixels: Pixels, border: number): Pixels {
  if (border === 0) return pixels;
  const source = { ...pixels, data: new Uint8Array(pixels.data.buffer, pixels.data.byteOffset, pixels.data.length) };
  return cropPixels(source, border, border, pixels.width - 2 * border, pixels.height - 2 * border);
}

function rounded(plane: Plane): Plane {
  return {
    channels: plane.channels,
    width: plane.width,
    height: plane.height,
    readRow: (y, out, offset) => {
      plane.readRow(y, out, offset);
      for (let i = offset; i < offset + plane.width * plane.channels; i++) out[i] = Math.round(out[i]!);
    },
  };
}

function greyPlane({ data, width, height }: Pixels): Plane {
  const samples = new Uint8Array(width * height);
  for (let i = 0, j = 0; i < samples.length; i++, j += CHANNELS) {
    samples[i] = Math.round(0.299 * data[j]! + 0.587 * data[j + 1]! + 0.114 * data[j + 2]!);
  }
  return {
    channels: 1,
    width,
    height,
    samples,
    readRow: (y, out, offset) => {
      for (let x = 0; x < width; x++) out[offset + x] = samples[y * width + x]!;
    },
  };
}

function channelPlane({ data, width, height }: Pixels, channel: number): Plane {
  return {
    channels: 1,
    width,
    height,
    readRow: (y, out, offset) => {
      for (let x = 0, j = y * width * CHANNELS + channel; x < width; x++, j += CHANNELS) out[offset + x] = data[j]!;
    },
  };
}

function meanOfChannels(a: Pixels, b: Pixels): number {
  let sum = 0;
  for (let c = 0; c < CHANNELS; c++) sum += psnrOfError(meanSquaredError(channelPlane(a, c), channelPlane(b, c)));
  return sum / CHANNELS;
}

/** The picture times one factor, so that its mean grey is the reference's: a trick of low-light papers. */
function withMeanOf(picture: Pixels, reference: Pixels): Pixels | undefined {
  const own = meanGrey(picture);
  if (own === 0) return undefined;
  const factor = meanGrey(reference) / own;
  return { ...picture, data: Uint8ClampedArray.from(picture.data, (value) => value * factor) };
}

function meanGrey({ data }: Pixels): number {
  let sum = 0;
  for (let j = 0; j < data.length; j += CHANNELS) sum += 0.299 * data[j]! + 0.587 * data[j + 1]! + 0.114 * data[j + 2]!;
  return (sum * CHANNELS) / data.length;
}

/** SSIM as `skimage.metrics.structural_similarity(a, b, data_range=255)` has it, mean over channels. */
function uniformSsim(a: Plane, b: Plane): number {
  const length = a.width * a.channels;
  const end = (a.width - UNIFORM_WINDOW + 1) * a.channels;
  const samples = UNIFORM_WINDOW * UNIFORM_WINDOW;
  const c1 = (0.01 * 255) ** 2;
  const c2 = (0.03 * 255) ** 2;
  // Sums down the rows of the window, for a, b, a^2, b^2 and ab.
  const sums = Array.from({ length: 5 }, () => new Float64Array(length));
  const rows = (plane: Plane): Float64Array[] =>
    Array.from({ length: UNIFORM_WINDOW }, () => new Float64Array(plane.width * plane.channels));
  const ringA = rows(a);
  const ringB = rows(b);
  let total = 0;
  for (let y = 0; y < a.height; y++) {
    const rowA = ringA[y % UNIFORM_WINDOW]!;
    const rowB = ringB[y % UNIFORM_WINDOW]!;
    if (y >= UNIFORM_WINDOW) accumulate(sums, rowA, rowB, -1);
    a.readRow(y, rowA, 0);
    b.readRow(y, rowB, 0);
    accumulate(sums, rowA, rowB, 1);
    if (y < UNIFORM_WINDOW - 1) continue;
    for (let i = 0; i < end; i++) {
      const [sa, sb, saa, sbb, sab] = sums.map((row) => along(row, i, a.channels)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const ma = sa / samples;
      const mb = sb / samples;
      const unbias = samples / (samples - 1);
      const va = unbias * (saa / samples - ma * ma);
      const vb = unbias * (sbb / samples - mb * mb);
      const vab = unbias * (sab / samples - ma * mb);
      total += ((2 * ma * mb + c1) * (2 * vab + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
    }
  }
  return total / (end * (a.height - UNIFORM_WINDOW + 1));
}

function accumulate(sums: Float64Array[], rowA: Float64Array, rowB: Float64Array, sign: 1 | -1): void {
  const [a, b, aa, bb, ab] = sums as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  for (let i = 0; i < rowA.length; i++) {
    const p = rowA[i]!;
    const q = rowB[i]!;
    a[i] = a[i]! + sign * p;
    b[i] = b[i]! + sign * q;
    aa[i] = aa[i]! + sign * p * p;
    bb[i] = bb[i]! + sign * q * q;
    ab[i] = ab[i]! + sign * p * q;
  }
}

function along(row: Float64Array, i: number, step: number): number {
  let sum = 0;
  for (let tap = 0; tap < UNIFORM_WINDOW; tap++) sum += row[i + tap * step]!;
  return sum;
}
