import type { Pixels } from '../image/pixels';
import { powerSpectrum, SPECTRUM_BANDS, type PowerSpectrum } from './power-spectrum';

/** What a look at a picture finds, without a reference and without a network. Luma is Rec. 601 on sRGB values, in [0, 1]. */
export interface PictureMeasures {
  width: number;
  height: number;
  luma: {
    mean: number;
    /** 5, 50, 95 and 99 % of the pixels are at or below these. */
    p5: number;
    median: number;
    p95: number;
    p99: number;
    /** Share of pixels below 1/16. */
    dark: number;
    standardDeviation: number;
  };
  spectrum: PowerSpectrum;
  /**
   * Steepest step within 9 pixels in a row as a share of their whole range, averaged over the strongest edges along rows and
   * along columns: near 1 where edges are as sharp as pixels allow, 1/8 on even ramps.
   */
  edges: { horizontal: number; vertical: number };
  /** Steps across the borders of 8x8 blocks over steps elsewhere, minus 1; above 0.1 the blocks of a JPEG can be seen. */
  blockiness: number;
  /** Standard deviation of noise (Immerkaer 1996), in luma. */
  noise: number;
  /** Mean over pixels of (max - min) / max of the channels, pixels darker than 1/32 left out. */
  saturation: number;
  /** Shares of the saturated pixels by hue, 12 sectors of 30 degrees, sector 0 centred on red. */
  hues: number[];
}

const EDGE_REACH = 9;
/** Pixels looked at by the passes that need not see all. */
const ENOUGH = 300_000;

function lumaPlane({ data, width, height }: Pixels): Float32Array {
  const plane = new Float32Array(width * height);
  for (let i = 0, k = 0; i < plane.length; i++, k += 3) {
    plane[i] = (0.299 * (data[k] as number) + 0.587 * (data[k + 1] as number) + 0.114 * (data[k + 2] as number)) / 255;
  }
  return plane;
}

/** Measures a picture; time grows with its size only in one pass over the pixels. */
export function measurePicture(pixels: Pixels): PictureMeasures {
  const { width, height } = pixels;
  const plane = lumaPlane(pixels);
  return {
    width,
    height,
    luma: lumaStatistics(plane),
    spectrum: powerSpectrum(plane, width, height),
    edges: {
      horizontal: edgeSharpness(plane, width, height, 1, width),
      vertical: edgeSharpness(plane, height, width, width, 1),
    },
    blockiness: blockiness(plane, width, height),
    noise: noise(plane, width, height),
    ...colour(pixels),
  };
}

function lumaStatistics(plane: Float32Array): PictureMeasures['luma'] {
  const histogram = new Float64Array(1024);
  let sum = 0;
  let squares = 0;
  for (const value of plane) {
    sum += value;
    squares += value * value;
    const bin = Math.min(1023, Math.floor(value * 1024));
    histogram[bin] = (histogram[bin] as number) + 1;
  }
  const quantile = (share: number): number => {
    let count = 0;
    for (const [bin, n] of histogram.entries()) {
      count += n;
      if (count >= share * plane.length) return (bin + 0.5) / 1024;
    }
    return 1;
  };
  const mean = sum / plane.length;
  return {
    mean,
    p5: quantile(0.05),
    median: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    dark: histogram.subarray(0, 64).reduce((a, b) => a + b, 0) / plane.length,
    standardDeviation: Math.sqrt(Math.max(0, squares / plane.length - mean * mean)),
  };
}

/** `step` walks along a line of `length` samples, `stride` to the next of `lines`. */
function edgeSharpness(plane: Float32Array, length: number, lines: number, step: number, stride: number): number {
  if (length < EDGE_REACH) return 0;
  const places = Math.floor((length - EDGE_REACH) / 3) + 1;
  const every = Math.max(1, Math.ceil((places * lines) / ENOUGH));
  const ranges: number[] = [];
  const shares: number[] = [];
  for (let line = 0; line < lines; line += every) {
    for (let place = 0; place < places; place++) {
      let at = line * stride + place * 3 * step;
      let before = plane[at] as number;
      let low = before;
      let high = before;
      let steepest = 0;
      for (let k = 1; k < EDGE_REACH; k++) {
        at += step;
        const value = plane[at] as number;
        const change = Math.abs(value - before);
        if (change > steepest) steepest = change;
        if (value < low) low = value;
        else if (value > high) high = value;
        before = value;
      }
      const range = high - low;
      if (range < 4 / 255) continue;
      ranges.push(range);
      shares.push(steepest / range);
    }
  }
  if (ranges.length === 0) return 0;
  const threshold = Float64Array.from(ranges).sort()[Math.floor(ranges.length * 0.9)] as number;
  let sum = 0;
  let count = 0;
  for (const [i, range] of ranges.entries()) {
    if (range < threshold) continue;
    sum += shares[i] as number;
    count++;
  }
  return sum / count;
}

function blockiness(plane: Float32Array, width: number, height: number): number {
  if (width < 17 || height < 17) return 0;
  const every = Math.max(1, Math.ceil((width * height) / ENOUGH));
  const sums = [0, 0];
  const counts = [0, 0];
  for (let y = 0; y < height; y += every) {
    for (let x = 1; x < width; x++) {
      const change = Math.abs((plane[y * width + x] as number) - (plane[y * width + x - 1] as number));
      const border = x % 8 === 0 ? 1 : 0;
      sums[border] = (sums[border] as number) + change;
      counts[border] = (counts[border] as number) + 1;
    }
  }
  const [inside, border] = sums.map((sum, i) => sum / Math.max(1, counts[i] as number)) as [number, number];
  return inside > 0 ? Math.min(4, border / inside - 1) : 0;
}

function noise(plane: Float32Array, width: number, height: number): number {
  if (width < 3 || height < 3) return 0;
  const every = Math.max(1, Math.ceil((width * height) / ENOUGH));
  let sum = 0;
  let count = 0;
  for (let y = 1; y < height - 1; y += every) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const at = (offset: number): number => plane[i + offset] as number;
      const cross = at(-1) + at(1) + at(-width) + at(width);
      const corners = at(-width - 1) + at(-width + 1) + at(width - 1) + at(width + 1);
      sum += Math.abs(corners - 2 * cross + 4 * at(0));
      count++;
    }
  }
  return (Math.sqrt(Math.PI / 2) * sum) / (6 * count);
}

function colour({ data, width, height }: Pixels): Pick<PictureMeasures, 'saturation' | 'hues'> {
  const every = Math.max(1, Math.ceil((width * height) / ENOUGH));
  const hues = new Array<number>(12).fill(0);
  let saturation = 0;
  let seen = 0;
  let coloured = 0;
  for (let i = 0; i < width * height; i += every) {
    const [r, g, b] = [data[3 * i] as number, data[3 * i + 1] as number, data[3 * i + 2] as number];
    const high = Math.max(r, g, b);
    const spread = high - Math.min(r, g, b);
    if (high < 8) continue;
    seen++;
    saturation += spread / high;
    if (spread / high < 0.2) continue;
    const sixth = high === r ? (g - b) / spread : high === g ? 2 + (b - r) / spread : 4 + (r - g) / spread;
    const sector = Math.round((((sixth + 6) % 6) / 6) * 12) % 12;
    hues[sector] = (hues[sector] as number) + 1;
    coloured++;
  }
  return { saturation: seen > 0 ? saturation / seen : 0, hues: hues.map((n) => (coloured > 0 ? n / coloured : 0)) };
}

/**
 * Where detail ends, as a share of the Nyquist frequency: the highest band whose power, raised by the square of its frequency
 * (pictures fall off about so), is above 1/30 of the mean of the low bands. An enlarged picture ends near 1 / scale.
 */
export function detailLimit({ bands }: PowerSpectrum): number {
  const weighted = bands.map((power, i) => power * (i + 0.5) ** 2);
  const low = weighted.subarray(0, 3).reduce((a, b) => a + b, 0) / 3;
  for (let i = SPECTRUM_BANDS - 1; i > 0; i--) {
    if ((weighted[i] as number) > low / 30) return (i + 1) / SPECTRUM_BANDS;
  }
  return 1 / SPECTRUM_BANDS;
}
