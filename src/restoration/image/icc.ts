import { maximumSample, type AnyPixels } from './pixels';

/**
 * Colour conversion with matrix and grey ICC profiles (ICC.1:2022), in floating point.
 *
 * Nearly all RGB profiles of photographs are of this kind (sRGB, Display P3, Adobe RGB, ProPhoto, scanners, screens). The
 * decoder's colour engine is not used for them because it interpolates 16-bit conversions in a coarse table: Display P3
 * and back moved single samples by up to 14 of 255 levels. Profiles with lookup tables stay with that engine.
 */
export interface ColourProfile {
  kind: 'rgb' | 'grey';
  /** Samples of the profile's space as sRGB, in place. Returns the number of pixels that sRGB cannot hold (clipped). */
  toSrgb(pixels: AnyPixels): number;
  /** The way back, in place; colours outside the profile's gamut are clipped. */
  fromSrgb(pixels: AnyPixels): void;
}

/** What a profile is, as far as its header and tags tell. */
export type ProfileKind =
  | { kind: 'converted'; profile: ColourProfile }
  /** The same colours as sRGB within half an 8-bit level: nothing to convert. */
  | { kind: 'srgb'; space: 'rgb' | 'grey' }
  /** Needs a colour engine. */
  | { kind: 'tables'; space: string }
  | { kind: 'broken' };

type Curve = (encoded: number) => number;
type Matrix = readonly [number, number, number, number, number, number, number, number, number];

/** Linear sRGB to XYZ relative to D50, as sRGB profiles carry it (columns are the primaries). */
const SRGB_TO_XYZ: Matrix = [0.43607, 0.38515, 0.14307, 0.22249, 0.71687, 0.06061, 0.01392, 0.09708, 0.7141] as const;
const HEADER_BYTES = 128;
const MAXIMUM_TAGS = 100;

function srgbDecode(v: number): number {
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}

/** Reads a profile; anything that does not fit together makes it `broken`. */
export function readProfile(bytes: Uint8Array): ProfileKind {
  try {
    return read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    if (error instanceof RangeError) return { kind: 'broken' };
    throw error;
  }
}

function read(bytes: Buffer): ProfileKind {
  if (bytes.length < HEADER_BYTES + 4 || bytes.toString('latin1', 36, 40) !== 'acsp') return { kind: 'broken' };
  const space = bytes.toString('latin1', 16, 20).trim();
  const tags = new Map<string, Buffer>();
  const count = bytes.readUInt32BE(HEADER_BYTES);
  if (count > MAXIMUM_TAGS) return { kind: 'broken' };
  for (let i = 0; i < count; i++) {
    const entry = HEADER_BYTES + 4 + 12 * i;
    const offset = bytes.readUInt32BE(entry + 4);
    const length = bytes.readUInt32BE(entry + 8);
    if (offset + length > bytes.length) return { kind: 'broken' };
    tags.set(bytes.toString('latin1', entry, entry + 4), bytes.subarray(offset, offset + length));
  }
  if (tags.has('A2B0')) return { kind: 'tables', space };
  const curve = (name: string): Curve => readCurve(tags.get(name));
  if (space === 'GRAY') {
    const grey = new GreyProfile(curve('kTRC'));
    return grey.isSrgb() ? { kind: 'srgb', space: 'grey' } : { kind: 'converted', profile: grey };
  }
  if (space !== 'RGB' || bytes.toString('latin1', 20, 24) !== 'XYZ ') return { kind: 'tables', space };
  const [r, g, b] = ['rXYZ', 'gXYZ', 'bXYZ'].map((name) => readXyz(tags.get(name))) as [number[], number[], number[]];
  const matrix = [r[0], g[0], b[0], r[1], g[1], b[1], r[2], g[2], b[2]] as unknown as Matrix;
  const rgb = new RgbProfile(matrix, [curve('rTRC'), curve('gTRC'), curve('bTRC')]);
  return rgb.isSrgb() ? { kind: 'srgb', space: 'rgb' } : { kind: 'converted', profile: rgb };
}

function fixed(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) / 65536;
}

function readXyz(tag: Buffer | undefined): number[] {
  if (!tag || tag.toString('latin1', 0, 4) !== 'XYZ ') throw new RangeError('no primary');
  return [fixed(tag, 8), fixed(tag, 12), fixed(tag, 16)];
}

/** `curv` and `para` of ICC.1:2022, 10.6 and 10.18. */
function readCurve(tag: Buffer | undefined): Curve {
  if (!tag) throw new RangeError('no curve');
  const type = tag.toString('latin1', 0, 4);
  if (type === 'curv') {
    const count = tag.readUInt32BE(8);
    if (count === 0) return (x) => x;
    if (count === 1) {
      const gamma = tag.readUInt16BE(12) / 256;
      return monotone((x) => x ** gamma);
    }
    if (count > 65536 || 12 + 2 * count > tag.length) throw new RangeError('a curve longer than its tag');
    const table = Float64Array.from({ length: count }, (_, i) => tag.readUInt16BE(12 + 2 * i) / 65535);
    return monotone((x) => {
      const at = x * (count - 1);
      const below = Math.min(count - 2, Math.floor(at));
      const low = table[below] as number;
      return low + (at - below) * ((table[below + 1] as number) - low);
    });
  }
  if (type !== 'para') throw new RangeError('an unknown type of curve');
  const form = tag.readUInt16BE(8);
  const lengths = [1, 3, 4, 5, 7];
  const length = lengths[form];
  if (length === undefined) throw new RangeError('an unknown parametric curve');
  const [g, a, b, c, d, e, f] = Array.from({ length: 7 }, (_, i) => (i < length ? fixed(tag, 12 + 4 * i) : 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const power = (x: number): number => Math.max(0, a * x + b) ** g;
  switch (form) {
    case 0:
      return monotone((x) => x ** g);
    case 1:
      return monotone((x) => (x >= -b / a ? power(x) : 0));
    case 2:
      return monotone((x) => (x >= -b / a ? power(x) + c : c));
    case 3:
      return monotone((x) => (x >= d ? power(x) : c * x));
    default:
      return monotone((x) => (x >= d ? power(x) + e : c * x + f));
  }
}

/** A curve that falls has no inverse, one that leaves [0, 1] is none of a profile. */
function monotone(curve: Curve): Curve {
  let before = -Infinity;
  for (let i = 0; i <= 1024; i++) {
    const value = curve(i / 1024);
    if (!Number.isFinite(value) || value < before - 1e-6 || value > 1.01) throw new RangeError('not a tone curve');
    before = value;
  }
  if (before < 0.5) throw new RangeError('not a tone curve');
  return curve;
}

/** A curve sampled at every level, and the level nearest to a linear value. */
class SampledCurve {
  readonly linear: Float64Array;
  /** First level whose value is at least (i / guides)^2: a start for the search, dense where curves are flat. */
  private readonly guide: Int32Array;
  /** As many cells as leave a level or two to search in each. */
  private readonly guides: number;

  constructor(
    curve: Curve,
    private readonly maximum: number,
  ) {
    this.linear = Float64Array.from({ length: maximum + 1 }, (_, i) => curve(i / maximum));
    this.guides = Math.min(65536, 4 * (maximum + 1));
    this.guide = new Int32Array(this.guides + 2);
    let level = 0;
    for (let i = 0; i <= this.guides + 1; i++) {
      while (level < maximum && (this.linear[level] as number) < (i / this.guides) ** 2) level++;
      this.guide[i] = level;
    }
  }

  /** @param value linear; clipped to the curve's range */
  level(value: number): number {
    if (!(value > 0)) return 0;
    if (value >= 1) return this.maximum;
    const cell = Math.floor(Math.sqrt(value) * this.guides);
    let low = Math.max(0, (this.guide[cell] as number) - 1);
    let high = this.guide[cell + 1] as number;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.linear[middle] as number) < value) low = middle;
      else high = middle;
    }
    return value - (this.linear[low] as number) < (this.linear[high] as number) - value ? low : high;
  }
}

/** Colours that leave sRGB by less than this (in linear light) are rounding, not loss. */
const GAMUT_TOLERANCE = 1e-3;
/** Half an 8-bit level. */
const SAME = 0.5 / 255;
const GRID = [0, 0.05, 0.2, 0.4, 0.6, 0.8, 1] as const;

const srgbCurves = new Map<number, SampledCurve>();
function srgbCurve(maximum: number): SampledCurve {
  let curve = srgbCurves.get(maximum);
  if (!curve) srgbCurves.set(maximum, (curve = new SampledCurve(srgbDecode, maximum)));
  return curve;
}

function srgbEncode(v: number): number {
  return v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055;
}

class RgbProfile implements ColourProfile {
  readonly kind = 'rgb';
  private readonly forward: Matrix;
  private readonly backward: Matrix;

  constructor(
    toXyz: Matrix,
    private readonly curves: readonly [Curve, Curve, Curve],
  ) {
    this.forward = multiply(invert(whiteIsD50(SRGB_TO_XYZ)), whiteIsD50(toXyz));
    this.backward = invert(this.forward);
  }

  isSrgb(): boolean {
    for (const r of GRID) {
      for (const g of GRID) {
        for (const b of GRID) {
          const [x, y, z] = [this.curves[0](r), this.curves[1](g), this.curves[2](b)];
          const linear = apply(this.forward, x, y, z);
          const same = [r, g, b].every((v, i) => Math.abs(srgbEncode(clip(linear[i] as number)) - v) < SAME);
          if (!same) return false;
        }
      }
    }
    return true;
  }

  toSrgb(pixels: AnyPixels): number {
    const maximum = maximumSample(pixels);
    const from = this.curves.map((curve) => new SampledCurve(curve, maximum));
    const to = srgbCurve(maximum);
    return convert(pixels, this.forward, from, [to, to, to]);
  }

  fromSrgb(pixels: AnyPixels): void {
    const maximum = maximumSample(pixels);
    const from = srgbCurve(maximum);
    const to = this.curves.map((curve) => new SampledCurve(curve, maximum));
    convert(pixels, this.backward, [from, from, from], to);
  }
}

class GreyProfile implements ColourProfile {
  readonly kind = 'grey';

  constructor(private readonly curve: Curve) {}

  isSrgb(): boolean {
    return GRID.every((v) => Math.abs(srgbEncode(clip(this.curve(v))) - v) < SAME);
  }

  toSrgb(pixels: AnyPixels): number {
    const maximum = maximumSample(pixels);
    relabel(pixels, new SampledCurve(this.curve, maximum), srgbCurve(maximum));
    return 0;
  }

  fromSrgb(pixels: AnyPixels): void {
    const maximum = maximumSample(pixels);
    relabel(pixels, srgbCurve(maximum), new SampledCurve(this.curve, maximum));
  }
}

/** One curve for another, sample by sample: a table of all levels. */
function relabel({ data }: AnyPixels, from: SampledCurve, to: SampledCurve): void {
  const table = Int32Array.from(from.linear, (value) => to.level(value));
  for (let i = 0; i < data.length; i++) data[i] = table[data[i] as number] as number;
}

function convert({ data }: AnyPixels, m: Matrix, from: SampledCurve[], to: SampledCurve[]): number {
  const [fromR, fromG, fromB] = from.map(({ linear }) => linear) as [Float64Array, Float64Array, Float64Array];
  const [toR, toG, toB] = to as [SampledCurve, SampledCurve, SampledCurve];
  let clipped = 0;
  for (let i = 0; i < data.length; i += 3) {
    const x = fromR[data[i] as number] as number;
    const y = fromG[data[i + 1] as number] as number;
    const z = fromB[data[i + 2] as number] as number;
    const r = m[0] * x + m[1] * y + m[2] * z;
    const g = m[3] * x + m[4] * y + m[5] * z;
    const b = m[6] * x + m[7] * y + m[8] * z;
    if (Math.min(r, g, b) < -GAMUT_TOLERANCE || Math.max(r, g, b) > 1 + GAMUT_TOLERANCE) clipped++;
    data[i] = toR.level(r);
    data[i + 1] = toG.level(g);
    data[i + 2] = toB.level(b);
  }
  return clipped;
}

/** XYZ of the white of all profiles (ICC.1:2022, 7.2.16). */
const D50 = [0.9642, 1, 0.8249] as const;
const ROUNDING = 0.005;

/**
 * Primaries are stored rounded, so that white misses D50 by some 1e-4: enough to move saturated dark samples by a level
 * on the way there and back. Profiles that miss it by more mean it.
 */
function whiteIsD50(m: Matrix): Matrix {
  const factors = [0, 1, 2].map((row) => {
    const sum = (m[3 * row] as number) + (m[3 * row + 1] as number) + (m[3 * row + 2] as number);
    return (D50[row] as number) / sum;
  });
  if (factors.some((factor) => !(Math.abs(factor - 1) < ROUNDING))) return m;
  return m.map((value, i) => value * (factors[Math.floor(i / 3)] as number)) as unknown as Matrix;
}

function clip(v: number): number {
  return Math.min(1, Math.max(0, v));
}

function apply(m: Matrix, x: number, y: number, z: number): [number, number, number] {
  return [m[0] * x + m[1] * y + m[2] * z, m[3] * x + m[4] * y + m[5] * z, m[6] * x + m[7] * y + m[8] * z];
}

function multiply(a: Matrix, b: Matrix): Matrix {
  const columns = [0, 1, 2].map((c) => apply(a, b[c] as number, b[3 + c] as number, b[6 + c] as number));
  const [p, q, r] = columns as [[number, number, number], [number, number, number], [number, number, number]];
  return [p[0], q[0], r[0], p[1], q[1], r[1], p[2], q[2], r[2]];
}

function invert(m: Matrix): Matrix {
  const [a, b, c, d, e, f, g, h, i] = m;
  const A = e * i - f * h;
  const B = f * g - d * i;
  const C = d * h - e * g;
  const determinant = a * A + b * B + c * C;
  if (!(Math.abs(determinant) > 1e-6)) throw new RangeError('primaries on one line');
  return [A, c * h - b * i, b * f - c * e, B, a * i - c * g, c * d - a * f, C, b * g - a * h, a * e - b * d].map(
    (v) => v / determinant,
  ) as unknown as Matrix;
}
