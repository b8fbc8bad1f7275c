/** Keys' cubic convolution with a = -3/4, the one of OpenCV's INTER_CUBIC, which the training recipe warps with. */
const A = -0.75;

/** Weights of the four samples around a position, `part` of the way from the second to the third. */
export function cubicWeights(part: number, out: Float64Array): Float64Array {
  const a = part + 1;
  const d = 2 - part;
  const c = 1 - part;
  out[0] = ((A * a - 5 * A) * a + 8 * A) * a - 4 * A;
  out[1] = ((A + 2) * part - (A + 3)) * part * part + 1;
  out[2] = ((A + 2) * c - (A + 3)) * c * c + 1;
  out[3] = ((A * d - 5 * A) * d + 8 * A) * d - 4 * A;
  return out;
}

/** Index mirrored at the borders, the border sample not repeated: 2 1 | 0 1 2 ... (OpenCV's BORDER_REFLECT_101). */
export function mirrored(index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const within = ((index % period) + period) % period;
  return within < length ? within : period - within;
}

export function clamped(index: number, length: number): number {
  return index < 0 ? 0 : index >= length ? length - 1 : index;
}
