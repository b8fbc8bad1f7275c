import { resizeBicubic, scaledSize } from '../image/bicubic';
import type { Pixels } from '../image/pixels';

/** Largest distance from a whole side that counts as whole: 512 / 4^1 may be computed as 128.00000000000003. */
const SLACK = 1e-9;

/** `x` sampled `ratio` times more coarsely with MATLAB's antialiased bicubic, 8-bit rounding after each pass. */
export function shrink(x: Pixels, ratio: number): Pixels {
  const { width, height } = scaledSize(x, 1 / ratio);
  return resizeBicubic(x, width, height);
}

/** `x` sampled `ratio` times more coarsely and enlarged to its size again. */
export function atResolution(x: Pixels, ratio: number): Pixels {
  if (ratio <= 1 + SLACK) return x;
  return resizeBicubic(shrink(x, ratio), x.width, x.height);
}

/** The resolution path: at severity s the picture is sampled `scale^s` times more coarsely. */
export function resolutionAt(x: Pixels, scale: number, severity: number): Pixels {
  return severity === 0 ? x : atResolution(x, severity === 1 ? scale : scale ** severity);
}
