import { mirrored } from './cubic';
import { createLight, type Light } from './light';

/** A square kernel of `2 * reach + 1` cells a side, row by row. */
export interface Kernel {
  reach: number;
  weights: Float64Array;
}

export type Pause = () => Promise<void>;

/** Correlation with a kernel, borders mirrored without repeating the border sample. Cells of weight 0 cost nothing. */
export async function correlate(source: Light, { reach, weights }: Kernel, pause: Pause): Promise<Light> {
  const { width, height } = source;
  const result = createLight(width, height);
  const side = 2 * reach + 1;
  const taps: { dx: number; dy: number; weight: number }[] = [];
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] !== 0) taps.push({ dx: (i % side) - reach, dy: Math.floor(i / side) - reach, weight: weights[i]! });
  }
  const columns = new Int32Array(width + 2 * reach);
  for (let i = 0; i < columns.length; i++) columns[i] = 3 * mirrored(i - reach, width);
  const line = new Float64Array(width * 3);
  for (let y = 0; y < height; y++) {
    if (y % 64 === 0) await pause();
    line.fill(0);
    for (const { dx, dy, weight } of taps) {
      const row = mirrored(y + dy, height) * width * 3;
      for (let x = 0, to = 0; x < width; x++) {
        const from = row + columns[x + dx + reach]!;
        line[to] = line[to]! + weight * source.data[from]!;
        line[to + 1] = line[to + 1]! + weight * source.data[from + 1]!;
        line[to + 2] = line[to + 2]! + weight * source.data[from + 2]!;
        to += 3;
      }
    }
    result.data.set(line, y * width * 3);
  }
  return result;
}

/** A Gaussian over interleaved RGB in place of the samples; kernel of `round(8 sigma + 1) | 1` taps as OpenCV's, borders mirrored. */
export async function gaussianBlur(source: Light, sigma: number, pause: Pause): Promise<Light> {
  const reach = (Math.round(sigma * 8 + 1) | 1) >> 1;
  const taps = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
  const sum = taps.reduce((a, b) => a + b, 0);
  const side = 2 * reach + 1;
  const across = new Float64Array(side * side);
  const down = new Float64Array(side * side);
  for (let i = 0; i < side; i++) {
    across[reach * side + i] = taps[i]! / sum;
    down[i * side + reach] = taps[i]! / sum;
  }
  return correlate(await correlate(source, { reach, weights: across }, pause), { reach, weights: down }, pause);
}

/** A round aperture of the given radius in pixels, its rim softened over one pixel; undefined below 0.3, where nothing is blurred. */
export function discKernel(radius: number): Kernel | undefined {
  if (radius < 0.3) return undefined;
  const reach = Math.ceil(radius) + 1;
  const side = 2 * reach + 1;
  const weights = new Float64Array(side * side);
  let sum = 0;
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const weight = Math.min(1, Math.max(0, radius + 0.5 - Math.sqrt(x * x + y * y)));
      weights[(y + reach) * side + x + reach] = weight;
      sum += weight;
    }
  }
  for (let i = 0; i < weights.length; i++) weights[i] = weights[i]! / sum;
  return { reach, weights };
}

/** The taps of a path, each point laid down bilinearly with its share of the exposure. */
export function pathKernel(course: readonly (readonly number[])[], shares: ArrayLike<number>): Kernel {
  const farthest = Math.max(0, ...course.flat().map(Math.abs));
  const reach = Math.ceil(farthest) + 1;
  const side = 2 * reach + 1;
  const weights = new Float64Array(side * side);
  course.forEach((point, k) => {
    const [x, y] = point as [number, number];
    const left = Math.floor(x);
    const top = Math.floor(y);
    for (const dx of [0, 1]) {
      for (const dy of [0, 1]) {
        const weight = (dx ? x - left : 1 - (x - left)) * (dy ? y - top : 1 - (y - top));
        const at = (top + dy + reach) * side + left + dx + reach;
        weights[at] = weights[at]! + shares[k]! * weight;
      }
    }
  });
  return { reach, weights };
}
