/**
 * Forward Fourier transform of a square of complex numbers, in place: `side` is a power of two, `re` and `im` hold
 * `side * side` values row by row. Radix 2 (Cooley and Tukey 1965), not normalised.
 */
export class SquareTransform {
  private readonly cosines: Float64Array;
  private readonly sines: Float64Array;
  private readonly reversed: Uint32Array;

  constructor(readonly side: number) {
    const bits = Math.log2(side);
    if (!Number.isInteger(bits)) throw new RangeError(`${side} is not a power of two`);
    this.cosines = Float64Array.from({ length: side / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / side));
    this.sines = Float64Array.from({ length: side / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / side));
    this.reversed = Uint32Array.from({ length: side }, (_, i) => {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) if (i & (1 << bit)) reversed |= 1 << (bits - 1 - bit);
      return reversed;
    });
  }

  transform(re: Float64Array, im: Float64Array): void {
    for (let y = 0; y < this.side; y++) this.line(re, im, y * this.side, 1);
    for (let x = 0; x < this.side; x++) this.line(re, im, x, this.side);
  }

  /** One row or column: `side` numbers from `start`, `step` apart. */
  private line(re: Float64Array, im: Float64Array, start: number, step: number): void {
    const { side, cosines, sines, reversed } = this;
    for (let i = 0; i < side; i++) {
      const j = reversed[i]!;
      if (j <= i) continue;
      const p = start + i * step;
      const q = start + j * step;
      [re[p], re[q]] = [re[q]!, re[p]!];
      [im[p], im[q]] = [im[q]!, im[p]!];
    }
    for (let half = 1; half < side; half *= 2) {
      const stride = side / (2 * half);
      for (let group = 0; group < side; group += 2 * half) {
        for (let k = 0; k < half; k++) {
          const c = cosines[k * stride]!;
          const s = sines[k * stride]!;
          const p = start + (group + k) * step;
          const q = p + half * step;
          const real = re[q]! * c - im[q]! * s;
          const imaginary = re[q]! * s + im[q]! * c;
          re[q] = re[p]! - real;
          im[q] = im[p]! - imaginary;
          re[p] = re[p]! + real;
          im[p] = im[p]! + imaginary;
        }
      }
    }
  }
}
