/**
 * SSIM by its formula: every window with all its 121 weights, two-pass variances. Slow and plain on purpose; the tests
 * hold the fast implementation against it.
 */
export function directSsim(
  a: (x: number, y: number, channel: number) => number,
  b: (x: number, y: number, channel: number) => number,
  width: number,
  height: number,
  channels: number,
): number {
  const weights: number[][] = [];
  let sum = 0;
  for (let v = -5; v <= 5; v++) {
    const row: number[] = [];
    for (let u = -5; u <= 5; u++) {
      const weight = Math.exp(-(u * u + v * v) / 4.5);
      row.push(weight);
      sum += weight;
    }
    weights.push(row);
  }
  let total = 0;
  let windows = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 5; y < height - 5; y++) {
      for (let x = 5; x < width - 5; x++) {
        const each = (visit: (weight: number, p: number, q: number) => void): void => {
          for (let v = -5; v <= 5; v++) {
            for (let u = -5; u <= 5; u++) {
              visit(weights[v + 5]![u + 5]! / sum, a(x + u, y + v, channel), b(x + u, y + v, channel));
            }
          }
        };
        let meanA = 0;
        let meanB = 0;
        each((weight, p, q) => {
          meanA += weight * p;
          meanB += weight * q;
        });
        let varianceA = 0;
        let varianceB = 0;
        let covariance = 0;
        each((weight, p, q) => {
          varianceA += weight * (p - meanA) ** 2;
          varianceB += weight * (q - meanB) ** 2;
          covariance += weight * (p - meanA) * (q - meanB);
        });
        const c1 = 6.5025;
        const c2 = 58.5225;
        total +=
          ((2 * meanA * meanB + c1) * (2 * covariance + c2)) /
          ((meanA ** 2 + meanB ** 2 + c1) * (varianceA + varianceB + c2));
        windows++;
      }
    }
  }
  return total / windows;
}
