/**
 * The project's random numbers: Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). It has
 * no state but a counter, so the noise of pixel i is the same whoever computes it and in whatever order, and Python reproduces
 * it in a few lines (models/recipes/degradation/philox.py). Key = the 64-bit seed, low word first; counter = block (64 bits),
 * stream, 0.
 */
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const TWO_32 = 2 ** 32;

/** High word of a 32x32-bit product. */
function high(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const first = ah * bl + ((al * bl) >>> 16);
  const second = al * bh + (first & 0xffff);
  return (ah * bh + (first >>> 16) + (second >>> 16)) >>> 0;
}

/** Four 32-bit words of a block. `out` is filled and returned. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array = new Uint32Array(4),
): Uint32Array {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const h0 = high(M0, c0);
    const l0 = Math.imul(M0, c0);
    const h1 = high(M1, c2);
    const l1 = Math.imul(M1, c2);
    c0 = (h1 ^ c1 ^ k0) >>> 0;
    c1 = l1 >>> 0;
    c2 = (h0 ^ c3 ^ k1) >>> 0;
    c3 = l0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}

function keyOf(seed: number): [number, number] {
  return [seed >>> 0, Math.floor(seed / TWO_32) >>> 0];
}

/** Independent uses of one seed over the pixels of a picture. */
export const PIXEL_STREAM = { grain: 0, photons: 1, manyPhotons: 2 } as const;

/** Uniform numbers in (0, 1), one for each of `count` samples: (word + 1/2) / 2^32. */
export function uniformField(seed: number, stream: number, count: number): Float64Array {
  const key = keyOf(seed);
  const words = new Uint32Array(4);
  const field = new Float64Array(count);
  for (let block = 0, i = 0; i < count; block++) {
    philox([block, 0, stream, 0], key, words);
    for (let j = 0; j < 4 && i < count; j++, i++) field[i] = (words[j]! + 0.5) / TWO_32;
  }
  return field;
}

/** Standard normal numbers, one for each of `count` samples: Box and Muller's two from each pair of words. */
export function normalField(seed: number, stream: number, count: number): Float64Array {
  const key = keyOf(seed);
  const words = new Uint32Array(4);
  const field = new Float64Array(count);
  for (let block = 0, i = 0; i < count; block++) {
    philox([block, 0, stream, 0], key, words);
    for (let pair = 0; pair < 4 && i < count; pair += 2) {
      const radius = Math.sqrt(-2 * Math.log((words[pair]! + 0.5) / TWO_32));
      const angle = (2 * Math.PI * (words[pair + 1]! + 0.5)) / TWO_32;
      field[i++] = radius * Math.cos(angle);
      if (i < count) field[i++] = radius * Math.sin(angle);
    }
  }
  return field;
}

/** From this mean on a count of photons is a rounded normal number. */
export const MANY_PHOTONS = 64;

/**
 * A Poisson number of the given mean: by inversion of `uniform` (the smallest k whose cumulative probability exceeds it), or for
 * a mean of at least `MANY_PHOTONS` the rounded normal approximation with `normal`.
 */
export function poisson(mean: number, uniform: number, normal: number): number {
  if (mean <= 0) return 0;
  if (mean >= MANY_PHOTONS) return Math.max(0, Math.floor(mean + Math.sqrt(mean) * normal + 0.5));
  let probability = Math.exp(-mean);
  let sum = probability;
  let k = 0;
  // The probabilities beyond this many are below the resolution of a 32-bit uniform number.
  while (uniform > sum && k < 4 * MANY_PHOTONS) {
    k++;
    probability *= mean / k;
    sum += probability;
  }
  return k;
}

/** Numbers drawn one after the other, for the parameters of a degradation. */
export class Draws {
  private readonly key: [number, number];
  private readonly words = new Uint32Array(4);
  private block = 0;
  private left = 0;

  /**
   * @param seed whole number from 0 to 2^53 - 1
   * @param stream whole number from 0 to 2^32 - 1; each stream of a seed is another sequence
   */
  constructor(
    seed: number,
    private readonly stream: number,
  ) {
    this.key = keyOf(seed);
  }

  /** A whole number from 0 to 2^32 - 1. */
  word(): number {
    if (this.left === 0) {
      // The last word of the counter tells these sequences from the noise fields of the same seed.
      philox([this.block++, 0, this.stream, 1], this.key, this.words);
      this.left = 4;
    }
    return this.words[4 - this.left--]!;
  }

  /** In (low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * ((this.word() + 0.5) / TWO_32);
  }

  /** Log-uniform in (low, high). */
  logUniform(low: number, high: number): number {
    return Math.exp(this.uniform(Math.log(low), Math.log(high)));
  }

  /** A whole number from low to high, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(((this.word() + 0.5) / TWO_32) * (high - low + 1));
  }

  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }
}
