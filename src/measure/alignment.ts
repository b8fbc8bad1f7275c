import { luma } from './colour';
import { SquareTransform } from './fourier';
import { assertSameSize, CHANNELS, samplesOf, type Pixels } from './pixels';

/** How one picture lies on another. */
export interface Shift {
  /** Pixels by which the content of the first picture lies to the right of the second's. */
  readonly dx: number;
  /** Pixels by which it lies below. */
  readonly dy: number;
  /** Standard error of `dx` and `dy` together, in pixels, from how much parts of the picture disagree. */
  readonly error: number;
  /** Share, in [0, 1], of the common detail whose phases agree with the shift: 1 for pictures that differ by it alone. */
  readonly confidence: number;
  /**
   * Share of what the correlation of the pictures lacks to 1 that undoing the shift would bring back: the smaller one of
   * their values' and their gradients'. Negative when it would make them less alike: motion blur moves edges against
   * surfaces without a better place for the whole.
   */
  readonly gain: number;
}

/** Sides of the squares that are compared: the largest that leaves two across. Smaller pictures are not judged. */
const LARGEST_TILE = 128;
const SMALLEST_TILE = 16;
/** Most squares across and down; they are spread evenly over larger pictures. */
const TILES = 4;
/** Shifts are looked for up to this share of a square's side. */
const REACH = 0.25;
/** Frequencies, in cycles a pixel and axis, above which aliasing makes phases unreliable. */
const HIGHEST = 0.4;
/** Weight (squared coherence) below which a frequency tells nothing. */
const LEAST_WEIGHT = 1e-4;
const HIGHEST_WEIGHT = 100;

/**
 * The translation between two pictures of one scene, to a fraction of a pixel, also when one of them is blurred, noisy,
 * dark or without its high frequencies.
 *
 * Generalised phase correlation (Knapp and Carter, "The generalized correlation method for estimation of time delay",
 * 1976) in squares spread over the picture: the phases of the smoothed cross-spectrum say how far each frequency moved,
 * its coherence how much that can be trusted. The peak is found on the grid of pixels and refined by Newton's method on
 * the phases. The squares' disagreement at the end gives the standard error (a sandwich estimate).
 *
 * @returns undefined where nothing can be said: sides below 32 pixels, or no detail in common
 * @throws RestorationError `size-mismatch` when the sides differ
 */
export function estimateShift(a: Pixels, b: Pixels): Shift | undefined {
  assertSameSize(a, b);
  const shorter = Math.min(a.width, a.height);
  let side = LARGEST_TILE;
  while (side > SMALLEST_TILE && 2 * side > shorter) side /= 2;
  if (2 * side > shorter) return undefined;
  const transform = new SquareTransform(side);
  let found = compare(a, b, transform, 0, 0);
  for (let again = 0; found && again < 2; again++) {
    // A second look with the squares laid over each other, so that they hold the same content.
    const x = Math.round(found.dx);
    const y = Math.round(found.dy);
    if (x === 0 && y === 0) break;
    const closer = compare(a, b, transform, x, y);
    if (!closer) break;
    const settled = Math.round(closer.dx) === 0 && Math.round(closer.dy) === 0;
    found = { ...closer, dx: closer.dx + x, dy: closer.dy + y };
    if (settled) break;
  }
  return found;
}

/** Cross-spectra of all squares, half of the plane (the rest is its mirror). */
interface Spectra {
  /** Frequencies in cycles a pixel. */
  fx: Float64Array;
  fy: Float64Array;
  /** Places of these frequencies in a square. */
  places: Uint32Array;
  tiles: Array<{ re: Float64Array; im: Float64Array }>;
}

/** What all squares hold together. */
type Sums = Pick<Spectra, 'fx' | 'fy' | 'places'> & Record<'sumRe' | 'sumIm' | 'powerA' | 'powerB', Float64Array>;

/** The shift of `a` against `b` moved by whole pixels (`offsetX`, `offsetY`), beyond that offset. */
function compare(
  a: Pixels,
  b: Pixels,
  transform: SquareTransform,
  offsetX: number,
  offsetY: number,
): Shift | undefined {
  const { side } = transform;
  const { fx, fy, places, tiles, powerA, powerB } = spectraOf(a, b, transform, offsetX, offsetY);
  if (tiles.length === 0) return undefined;
  const count = places.length;
  const sumRe = new Float64Array(side * side);
  const sumIm = new Float64Array(side * side);
  for (const { re, im } of tiles) {
    for (let i = 0; i < sumRe.length; i++) {
      sumRe[i] = sumRe[i]! + re[i]!;
      sumIm[i] = sumIm[i]! + im[i]!;
    }
  }
  // Smoothed over neighbouring frequencies, coherence means something even for few squares.
  const smoothRe = smoothed(sumRe, side);
  const smoothIm = smoothed(sumIm, side);
  const smoothA = smoothed(powerA, side);
  const smoothB = smoothed(powerB, side);
  /** Factor from a square's cross-spectrum to its weighted phase: coherence over power. */
  const factor = new Float64Array(count);
  let total = 0;
  for (let k = 0; k < count; k++) {
    const i = places[k]!;
    const power = smoothA[i]! * smoothB[i]!;
    if (power <= 0) continue;
    const coherence = (smoothRe[i]! * smoothRe[i]! + smoothIm[i]! * smoothIm[i]!) / power;
    const magnitude = Math.hypot(sumRe[i]!, sumIm[i]!);
    if (coherence < LEAST_WEIGHT || magnitude === 0) continue;
    const weight = Math.min(coherence / (1 - Math.min(coherence, 1)), HIGHEST_WEIGHT);
    factor[k] = weight / magnitude;
    total += weight;
  }
  if (total === 0) return undefined;

  const sums = { fx, fy, places, sumRe, sumIm, powerA, powerB };
  let { x, y } = peak(sums, factor, transform);
  /** As \`factor\`, without the frequencies that disagree by more than a quarter turn. */
  const kept = new Float64Array(count);
  let agreement = 0;
  for (let step = 0; step < 20; step++) {
    let gx = 0;
    let gy = 0;
    let hxx = 0;
    let hxy = 0;
    let hyy = 0;
    agreement = 0;
    for (let k = 0; k < count; k++) {
      if (factor[k] === 0) continue;
      const i = places[k]!;
      const u = 2 * Math.PI * fx[k]!;
      const v = 2 * Math.PI * fy[k]!;
      const angle = u * x + v * y;
      const c = Math.cos(angle);
      const s = Math.sin(angle);
      const re = (sumRe[i]! * c - sumIm[i]! * s) * factor[k]!;
      const im = (sumRe[i]! * s + sumIm[i]! * c) * factor[k]!;
      agreement += re;
      // Blur turns some frequencies half round. They would pull the estimate away; the others suffice.
      kept[k] = re > 0 ? factor[k]! : 0;
      if (re <= 0) continue;
      const weight = factor[k]! * Math.hypot(sumRe[i]!, sumIm[i]!);
      gx -= u * im;
      gy -= v * im;
      hxx += u * u * weight;
      hxy += u * v * weight;
      hyy += v * v * weight;
    }
    const determinant = hxx * hyy - hxy * hxy;
    if (determinant <= 1e-9 * hxx * hyy || !Number.isFinite(determinant)) return undefined;
    const dx = (hyy * gx - hxy * gy) / determinant;
    const dy = (hxx * gy - hxy * gx) / determinant;
    x += Math.max(-0.5, Math.min(0.5, dx));
    y += Math.max(-0.5, Math.min(0.5, dy));
    if (Math.abs(dx) + Math.abs(dy) < 1e-4) break;
  }
  const before = correlations(sums, -offsetX, -offsetY);
  const after = correlations(sums, x, y);
  return {
    dx: x,
    dy: y,
    error: disagreement({ fx, fy, places, tiles }, kept, x, y),
    confidence: Math.max(0, agreement / total),
    gain: Math.min(gained(before.values, after.values), gained(before.gradients, after.gradients)),
  };
}

/** The whole-pixel shift at which the pictures are most alike, frequencies counting by their coherence. */
function peak(
  { fx, fy, places, sumRe, sumIm }: Sums,
  factor: Float64Array,
  transform: SquareTransform,
): { x: number; y: number } {
  const { side } = transform;
  const re = new Float64Array(side * side);
  const im = new Float64Array(side * side);
  for (let k = 0; k < places.length; k++) {
    const i = places[k]!;
    const phaseWeight = factor[k]! * Math.hypot(sumRe[i]!, sumIm[i]!);
    // Back from coherence over its lack to coherence. Power counts here and high frequencies little, since blur turns
    // those round first.
    const weight = Math.hypot(fx[k]!, fy[k]!) * (phaseWeight / (1 + phaseWeight));
    re[i] = sumRe[i]! * weight;
    im[i] = sumIm[i]! * weight;
  }
  // A forward transform of the half plane: its real part is the correlation at minus the shift, half as high.
  transform.transform(re, im);
  const reach = Math.floor(side * REACH);
  let best = { x: 0, y: 0 };
  let highest = -Infinity;
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const value = re[((side - y) % side) * side + ((side - x) % side)]!;
      if (value > highest) {
        highest = value;
        best = { x, y };
      }
    }
  }
  return best;
}

/** Correlation of all squares, and that of their gradients, once `b` is moved by (x, y). */
function correlations(
  { fx, fy, places, sumRe, sumIm, powerA, powerB }: Sums,
  x: number,
  y: number,
): { values: number; gradients: number } {
  let values = 0;
  let gradients = 0;
  let [valuesA, valuesB, gradientsA, gradientsB] = [0, 0, 0, 0];
  for (let k = 0; k < places.length; k++) {
    const i = places[k]!;
    const u = fx[k]!;
    const v = fy[k]!;
    const steepness = u * u + v * v;
    const angle = 2 * Math.PI * (u * x + v * y);
    const common = sumRe[i]! * Math.cos(angle) - sumIm[i]! * Math.sin(angle);
    values += common;
    valuesA += powerA[i]!;
    valuesB += powerB[i]!;
    gradients += steepness * common;
    gradientsA += steepness * powerA[i]!;
    gradientsB += steepness * powerB[i]!;
  }
  return { values: values / Math.sqrt(valuesA * valuesB), gradients: gradients / Math.sqrt(gradientsA * gradientsB) };
}

/** Share of what a correlation lacked to 1 that is there now. */
function gained(before: number, after: number): number {
  return before < 1 ? (after - before) / (1 - before) : 0;
}

/** Standard error of the shift: the spread of what single squares would change. */
function disagreement({ fx, fy, places, tiles }: Spectra, factor: Float64Array, x: number, y: number): number {
  let hxx = 0;
  let hxy = 0;
  let hyy = 0;
  let sxx = 0;
  let sxy = 0;
  let syy = 0;
  for (const { re, im } of tiles) {
    let gx = 0;
    let gy = 0;
    for (let k = 0; k < places.length; k++) {
      if (factor[k] === 0) continue;
      const i = places[k]!;
      const u = 2 * Math.PI * fx[k]!;
      const v = 2 * Math.PI * fy[k]!;
      const angle = u * x + v * y;
      const c = Math.cos(angle);
      const s = Math.sin(angle);
      const agreeing = (re[i]! * c - im[i]! * s) * factor[k]!;
      const off = (re[i]! * s + im[i]! * c) * factor[k]!;
      gx += u * off;
      gy += v * off;
      hxx += u * u * agreeing;
      hxy += u * v * agreeing;
      hyy += v * v * agreeing;
    }
    sxx += gx * gx;
    sxy += gx * gy;
    syy += gy * gy;
  }
  const determinant = hxx * hyy - hxy * hxy;
  if (!(determinant > 0)) return Infinity;
  // H^-1 S H^-1, its trace.
  const [axx, axy, ayy] = [hyy / determinant, -hxy / determinant, hxx / determinant];
  const variance =
    axx * axx * sxx + 2 * axx * axy * sxy + axy * axy * syy + (axy * axy * sxx + 2 * axy * ayy * sxy + ayy * ayy * syy);
  const correction = tiles.length / Math.max(1, tiles.length - 1);
  return Math.sqrt(variance * correction);
}

/** Mean of the 3x3 frequencies around each; frequencies wrap. */
function smoothed(values: Float64Array, side: number): Float64Array {
  const along = new Float64Array(values.length);
  const out = new Float64Array(values.length);
  for (let y = 0; y < side; y++) {
    const row = y * side;
    for (let x = 0; x < side; x++) {
      along[row + x] = values[row + ((x + side - 1) % side)]! + values[row + x]! + values[row + ((x + 1) % side)]!;
    }
  }
  for (let y = 0; y < side; y++) {
    const above = ((y + side - 1) % side) * side;
    const below = ((y + 1) % side) * side;
    for (let x = 0; x < side; x++) {
      out[y * side + x] = (along[above + x]! + along[y * side + x]! + along[below + x]!) / 9;
    }
  }
  return out;
}

/** Places of `count` squares along `length` pixels, evenly spread, of which both pictures hold all. */
function startsOf(length: number, side: number, offset: number): number[] {
  const from = Math.max(0, offset);
  const room = length - Math.abs(offset) - side;
  if (room < 0) return [];
  const count = Math.min(
    TILES,
    Math.max(1, Math.floor((length - Math.abs(offset)) / side)) + (room % side === 0 ? 0 : 1),
  );
  if (count === 1) return [from + Math.floor(room / 2)];
  return Array.from({ length: count }, (_, i) => from + Math.round((room * i) / (count - 1)));
}

function spectraOf(
  a: Pixels,
  b: Pixels,
  transform: SquareTransform,
  offsetX: number,
  offsetY: number,
): Spectra & { powerA: Float64Array; powerB: Float64Array } {
  const { side } = transform;
  const area = side * side;
  const powerA = new Float64Array(area);
  const powerB = new Float64Array(area);
  const tiles: Spectra['tiles'] = [];
  const window = Float64Array.from({ length: side }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / side));
  const samplesA = samplesOf(a);
  const samplesB = samplesOf(b);
  const re = new Float64Array(area);
  const im = new Float64Array(area);
  for (const top of startsOf(a.height, side, offsetY)) {
    for (const left of startsOf(a.width, side, offsetX)) {
      readTile(samplesA, a.width, left, top, window, re);
      readTile(samplesB, b.width, left - offsetX, top - offsetY, window, im);
      // Two real squares in one transform: A is the conjugate-symmetric part of the result, iB the other.
      transform.transform(re, im);
      const crossRe = new Float64Array(area);
      const crossIm = new Float64Array(area);
      let energyA = 0;
      let energyB = 0;
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const i = y * side + x;
          const j = ((side - y) % side) * side + ((side - x) % side);
          const ar = (re[i]! + re[j]!) / 2;
          const ai = (im[i]! - im[j]!) / 2;
          const br = (im[i]! + im[j]!) / 2;
          const bi = (re[j]! - re[i]!) / 2;
          crossRe[i] = ar * br + ai * bi;
          crossIm[i] = ai * br - ar * bi;
          energyA += ar * ar + ai * ai;
          energyB += br * br + bi * bi;
        }
      }
      // Less than a hundredth of a level in every pixel is rounding, not detail.
      if (Math.min(energyA, energyB) < 1e-4 * area * area) continue;
      // Squares count alike, whatever their contrast.
      const scale = 1 / Math.sqrt(energyA * energyB);
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const i = y * side + x;
          const j = ((side - y) % side) * side + ((side - x) % side);
          const ar = (re[i]! + re[j]!) / 2;
          const ai = (im[i]! - im[j]!) / 2;
          const br = (im[i]! + im[j]!) / 2;
          const bi = (re[j]! - re[i]!) / 2;
          crossRe[i] = crossRe[i]! * scale;
          crossIm[i] = crossIm[i]! * scale;
          powerA[i] = powerA[i]! + (ar * ar + ai * ai) / energyA;
          powerB[i] = powerB[i]! + (br * br + bi * bi) / energyB;
        }
      }
      tiles.push({ re: crossRe, im: crossIm });
    }
  }
  return { ...frequencies(side), tiles, powerA, powerB };
}

/** Luma of a square, without its mean, under a Hann window. */
function readTile(
  samples: Uint8Array,
  width: number,
  left: number,
  top: number,
  window: Float64Array,
  out: Float64Array,
): void {
  const side = window.length;
  let sum = 0;
  for (let y = 0, i = 0; y < side; y++) {
    let j = ((top + y) * width + left) * CHANNELS;
    for (let x = 0; x < side; x++, i++, j += CHANNELS) {
      const value = luma(samples[j]!, samples[j + 1]!, samples[j + 2]!);
      out[i] = value;
      sum += value;
    }
  }
  const mean = sum / (side * side);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) out[i] = (out[i]! - mean) * window[y]! * window[x]!;
  }
}

/** Half of the plane of frequencies, without the lowest (they are the window's) and the highest. */
function frequencies(side: number): Pick<Spectra, 'fx' | 'fy' | 'places'> {
  const fx: number[] = [];
  const fy: number[] = [];
  const places: number[] = [];
  for (let row = 0; row <= side / 2; row++) {
    for (let column = 0; column < side; column++) {
      const x = column <= side / 2 ? column : column - side;
      if ((row === 0 && x <= 0) || Math.hypot(x, row) < 2) continue;
      if (Math.abs(x) > HIGHEST * side || row > HIGHEST * side) continue;
      fx.push(x / side);
      fy.push(row / side);
      places.push(row * side + column);
    }
  }
  return { fx: Float64Array.from(fx), fy: Float64Array.from(fy), places: Uint32Array.from(places) };
}
