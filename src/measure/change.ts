import { assertSameSize, samplesOf, type Pixels } from './pixels';

/**
 * Mean absolute difference of two pictures over all pixels and channels, in 8-bit levels: 0 for identical pictures, 255
 * at most. It says how much a frame changed, not whether it became better.
 *
 * @throws RestorationError `size-mismatch` when the sides differ.
 */
export function meanAbsoluteDifference(a: Pixels, b: Pixels): number {
  assertSameSize(a, b);
  const first = samplesOf(a);
  const second = samplesOf(b);
  let sum = 0;
  for (let i = 0; i < first.length; i++) sum += Math.abs(first[i]! - second[i]!);
  return sum / first.length;
}
