import { assertSameSize, CHANNELS, samplesOf, type Pixels } from './pixels';
import type { ScalarMap } from './maps';

/**
 * LDR-FLIP of Andersson, Nilsson, Akenine-Möller, Oskarsson, Åström and Fairchild, "FLIP: A Difference Evaluator for
 * Alternating Images" (2020): how strongly a viewer who flips between two pictures sees them change at each pixel, from
 * 0 to 1. The viewer sits 0.7 m from a screen of 3840 pixels on 0.7 m.
 *
 * Colour: both pictures, in YCxCz, are filtered as the eye's contrast sensitivity does, and compared in Hunt-adjusted
 * CIELAB by the HyAB distance. Features: edges and points of the luminance raise the difference. All filters are
 * separable; a picture passes through them row by row, so that only a ring of rows exists at any time.
 */
const PIXELS_PER_DEGREE = 3840 * (Math.PI / 180);
/** Exponent of the colour difference, and where its range is bent: below PC of the maximum it fills PT of the output. */
const QC = 0.7;
const PC = 0.4;
const PT = 0.95;
/** Width of the feature detectors, in degrees. Their difference enters by its square root (the method's q_f = 0.5). */
const FEATURE_WIDTH = 0.082;

/** Linear RGB (sRGB primaries) to XYZ. */
const XYZ_OF_RGB = [
  [10135552 / 24577794, 8788810 / 24577794, 4435075 / 24577794],
  [2613072 / 12288897, 8788810 / 12288897, 887015 / 12288897],
  [1425312 / 73733382, 8788810 / 73733382, 70074185 / 73733382],
] as const;
/** The white (D65) that XYZ is divided by. */
const WHITE = XYZ_OF_RGB.map(([r, g, b]) => r + g + b) as [number, number, number];

/** From linear RGB to XYZ of white 1, and back. */
const FORTH = XYZ_OF_RGB.map((row, i) => row.map((value) => value / WHITE[i]!)) as Matrix;
const BACK = inverse(FORTH);

type Matrix = [[number, number, number], [number, number, number], [number, number, number]];

function inverse([[a, b, c], [d, e, f], [g, h, i]]: Matrix): Matrix {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const by = 1 / determinant;
  return [
    [(e * i - f * h) * by, (c * h - b * i) * by, (b * f - c * e) * by],
    [(f * g - d * i) * by, (a * i - c * g) * by, (c * d - a * f) * by],
    [(d * h - e * g) * by, (b * g - a * h) * by, (a * e - b * d) * by],
  ];
}

/** Linear value of an 8-bit sRGB sample. */
const LINEAR = Float64Array.from({ length: 256 }, (_, i) =>
  i / 255 <= 0.04045 ? i / 255 / 12.92 : ((i / 255 + 0.055) / 1.055) ** 2.4,
);

/** Radius of the filters, by how many taps their loops are written out for. */
const NARROW = 6;
const WIDE = 10;
/** Rows and columns that a pixel's value depends on, to each side. */
const RADIUS = WIDE;
const ROWS = 2 * RADIUS + 1;

/** One half of a kernel, from the middle tap outwards. */
type Kernel = readonly number[];

const gaussian = (x: number, sigma: number): number => Math.exp(-(x * x) / (2 * sigma * sigma));

/** Standard deviation, in pixels, of the contrast sensitivity that Fourier-transforms to exp(-pi^2 x^2 / b), x in degrees. */
const sensitivitySigma = (b: number): number => Math.sqrt(b / (2 * Math.PI * Math.PI)) * PIXELS_PER_DEGREE;

/** Taps at 0, 1, ... `radius`, of which the whole kernel sums to 1. */
function symmetric(radius: number, tap: (x: number) => number): Kernel {
  const taps = Array.from({ length: radius + 1 }, (_, x) => tap(x));
  const sum = taps.reduce((total, value, x) => total + (x === 0 ? value : 2 * value), 0);
  return taps.map((value) => value / sum);
}

/** Achromatic and red-green sensitivity: Gaussians whose taps beyond six pixels are below 1e-7. */
const ACHROMATIC = symmetric(NARROW, (x) => gaussian(x, sensitivitySigma(0.0047)));
const RED_GREEN = symmetric(NARROW, (x) => gaussian(x, sensitivitySigma(0.0053)));
/** Blue-yellow sensitivity: a sum of two Gaussians, each separable; their 2-D sums share 1 between them. */
const [BLUE_YELLOW_1, BLUE_YELLOW_2] = blueYellow();

function blueYellow(): [Kernel, Kernel] {
  const parts = [
    { a: 34.1, b: 0.04 },
    { a: 13.5, b: 0.025 },
  ].map(({ a, b }) => {
    const kernel = symmetric(WIDE, (x) => gaussian(x, sensitivitySigma(b)));
    // The 2-D Gaussian has the height a sqrt(pi / b): its sum over the taps is that times (1 / middle tap)^2.
    return { kernel, sum: (a * Math.sqrt(Math.PI / b)) / (kernel[0]! * kernel[0]!) };
  });
  const total = parts[0]!.sum + parts[1]!.sum;
  const scaled = parts.map(({ kernel, sum }) => kernel.map((tap) => tap * Math.sqrt(sum / total)));
  return [scaled[0]!, scaled[1]!];
}

/** Features: a Gaussian, and its first and second derivative whose positive and negative taps sum to 1 and -1. */
const FEATURE_SIGMA = 0.5 * FEATURE_WIDTH * PIXELS_PER_DEGREE;
const FEATURE_RADIUS = Math.ceil(3 * FEATURE_SIGMA);
const SMOOTH: Kernel = [...symmetric(FEATURE_RADIUS, (x) => gaussian(x, FEATURE_SIGMA)), 0];
const SLOPE = derivative((x) => -x * gaussian(x, FEATURE_SIGMA), 1);
const CURVATURE = derivative((x) => ((x / FEATURE_SIGMA) ** 2 - 1) * gaussian(x, FEATURE_SIGMA), 2);

function derivative(tap: (x: number) => number, order: 1 | 2): Kernel {
  let positive = 0;
  let negative = 0;
  for (let x = -FEATURE_RADIUS; x <= FEATURE_RADIUS; x++) {
    const value = tap(x);
    if (value > 0) positive += value;
    else negative -= value;
  }
  const taps = Array.from({ length: FEATURE_RADIUS + 1 }, (_, x) => tap(x));
  // A first derivative is odd: its positive side is the mirror of its negative one.
  return order === 1 ? taps.map((value) => value / negative) : taps.map((v) => v / (v > 0 ? positive : negative));
}

/** out[i] = the symmetric kernel of radius 6 around source[at + i], with taps `n` samples apart. */
function filterNarrow(
  k: Kernel,
  source: Float64Array,
  at: number,
  n: number,
  count: number,
  out: Float64Array,
  to: number,
): void {
  const [k0, k1, k2, k3, k4, k5, k6] = k as [number, number, number, number, number, number, number];
  const n2 = 2 * n;
  const n3 = 3 * n;
  const n4 = 4 * n;
  const n5 = 5 * n;
  const n6 = 6 * n;
  for (let i = 0, j = at; i < count; i++, j++) {
    out[to + i] =
      k0 * source[j]! +
      k1 * (source[j - n]! + source[j + n]!) +
      k2 * (source[j - n2]! + source[j + n2]!) +
      k3 * (source[j - n3]! + source[j + n3]!) +
      k4 * (source[j - n4]! + source[j + n4]!) +
      k5 * (source[j - n5]! + source[j + n5]!) +
      k6 * (source[j - n6]! + source[j + n6]!);
  }
}

type Eleven = [number, number, number, number, number, number, number, number, number, number, number];

/** As `filterNarrow`, with radius 10. */
function filterWide(
  k: Kernel,
  source: Float64Array,
  at: number,
  n: number,
  count: number,
  out: Float64Array,
  to: number,
): void {
  const [k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10] = k as unknown as Eleven;
  const n2 = 2 * n;
  const n3 = 3 * n;
  const n4 = 4 * n;
  const n5 = 5 * n;
  const n6 = 6 * n;
  const n7 = 7 * n;
  const n8 = 8 * n;
  const n9 = 9 * n;
  const n10 = 10 * n;
  for (let i = 0, j = at; i < count; i++, j++) {
    out[to + i] =
      k0 * source[j]! +
      k1 * (source[j - n]! + source[j + n]!) +
      k2 * (source[j - n2]! + source[j + n2]!) +
      k3 * (source[j - n3]! + source[j + n3]!) +
      k4 * (source[j - n4]! + source[j + n4]!) +
      k5 * (source[j - n5]! + source[j + n5]!) +
      k6 * (source[j - n6]! + source[j + n6]!) +
      k7 * (source[j - n7]! + source[j + n7]!) +
      k8 * (source[j - n8]! + source[j + n8]!) +
      k9 * (source[j - n9]! + source[j + n9]!) +
      k10 * (source[j - n10]! + source[j + n10]!);
  }
}

/** Both derivatives of the feature Gaussian, radius 9, around source[at + i]. */
function filterDerivatives(
  source: Float64Array,
  at: number,
  n: number,
  count: number,
  slope: Float64Array,
  curvature: Float64Array,
  to: number,
): void {
  const [, e1, e2, e3, e4, e5, e6, e7, e8, e9] = SLOPE as unknown as Eleven;
  const [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9] = CURVATURE as unknown as Eleven;
  const n2 = 2 * n;
  const n3 = 3 * n;
  const n4 = 4 * n;
  const n5 = 5 * n;
  const n6 = 6 * n;
  const n7 = 7 * n;
  const n8 = 8 * n;
  const n9 = 9 * n;
  for (let i = 0, j = at; i < count; i++, j++) {
    let p = source[j + n]!;
    let q = source[j - n]!;
    let e = e1 * (p - q);
    let c = c0 * source[j]! + c1 * (p + q);
    p = source[j + n2]!;
    q = source[j - n2]!;
    e += e2 * (p - q);
    c += c2 * (p + q);
    p = source[j + n3]!;
    q = source[j - n3]!;
    e += e3 * (p - q);
    c += c3 * (p + q);
    p = source[j + n4]!;
    q = source[j - n4]!;
    e += e4 * (p - q);
    c += c4 * (p + q);
    p = source[j + n5]!;
    q = source[j - n5]!;
    e += e5 * (p - q);
    c += c5 * (p + q);
    p = source[j + n6]!;
    q = source[j - n6]!;
    e += e6 * (p - q);
    c += c6 * (p + q);
    p = source[j + n7]!;
    q = source[j - n7]!;
    e += e7 * (p - q);
    c += c7 * (p + q);
    p = source[j + n8]!;
    q = source[j - n8]!;
    e += e8 * (p - q);
    c += c8 * (p + q);
    p = source[j + n9]!;
    q = source[j - n9]!;
    e += e9 * (p - q);
    c += c9 * (p + q);
    slope[to + i] = e;
    curvature[to + i] = c;
  }
}

/** Y in [0,1] (for white 1) for the features, and YCxCz of a row, each with `RADIUS` copies of its ends around. */
interface ColourRows {
  y: Float64Array;
  cx: Float64Array;
  cz: Float64Array;
}

function colourRow(samples: Uint8Array, start: number, width: number, out: ColourRows): void {
  const { y, cx, cz } = out;
  const [[xr, xg, xb], [yr, yg, yb], [zr, zg, zb]] = FORTH;
  const linear = LINEAR;
  const step = CHANNELS;
  for (let i = RADIUS, j = start; i < RADIUS + width; i++, j += step) {
    const r = linear[samples[j]!]!;
    const g = linear[samples[j + 1]!]!;
    const b = linear[samples[j + 2]!]!;
    const luminance = yr * r + yg * g + yb * b;
    y[i] = luminance;
    cx[i] = 500 * (xr * r + xg * g + xb * b - luminance);
    cz[i] = 200 * (luminance - (zr * r + zg * g + zb * b));
  }
  for (const row of [y, cx, cz]) {
    row.fill(row[RADIUS]!, 0, RADIUS);
    row.fill(row[RADIUS + width - 1]!, RADIUS + width);
  }
}

/** CIELAB's compressed response of a value relative to white. */
function response(t: number): number {
  return t > 216 / 24389 ? Math.cbrt(t) : (t * 841) / 108 + 4 / 29;
}

/** What the eye makes of one picture, row after row: everything that the difference of two pictures needs. */
class Percept {
  /** Hunt-adjusted CIELAB of the row that was made last. */
  readonly lightness: Float32Array;
  readonly a: Float32Array;
  readonly b: Float32Array;
  /** Strength of edge and point there. */
  readonly edge: Float32Array;
  readonly point: Float32Array;

  private readonly width: number;
  private readonly height: number;
  private readonly samples: Uint8Array;
  private readonly colours: ColourRows;
  /**
   * Rows filtered along themselves: achromatic, red-green, blue-yellow twice, and the features' Gaussian and its
   * derivatives. A ring holds every row twice, `ROWS` rows apart, so that each window is one stretch of memory.
   */
  private readonly rings: Float64Array[];
  private readonly down: Float64Array[];
  /** Rows put into the rings so far, counting the copies above and below the picture. */
  private put = 0;
  private made = 0;

  constructor(pixels: Pixels) {
    this.samples = samplesOf(pixels);
    const { width, height } = pixels;
    this.width = width;
    this.height = height;
    const padded = (): Float64Array => new Float64Array(width + 2 * RADIUS);
    this.colours = { y: padded(), cx: padded(), cz: padded() };
    this.rings = Array.from({ length: 7 }, () => new Float64Array(2 * ROWS * width));
    this.down = Array.from({ length: 8 }, () => new Float64Array(width));
    const row = (): Float32Array => new Float32Array(width);
    [this.lightness, this.a, this.b, this.edge, this.point] = [row(), row(), row(), row(), row()];
  }

  /** Filters rows along themselves until `count` are put: what `next` needs for its first row is much, and can be made before. */
  fill(count: number): void {
    for (; this.put < count; this.put++) this.putRow(this.put);
  }

  /** Makes the next row; call it once a row. */
  next(): void {
    this.fill(this.made + ROWS);
    const { width: n, rings, down } = this;
    const at = ((this.made % ROWS) + RADIUS) * n;
    this.made++;
    const [achromatic, redGreen, first, second, smooth, slope, curvature] = rings as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    filterNarrow(ACHROMATIC, achromatic, at, n, n, down[0]!, 0);
    filterNarrow(RED_GREEN, redGreen, at, n, n, down[1]!, 0);
    filterWide(BLUE_YELLOW_1, first, at, n, n, down[2]!, 0);
    filterWide(BLUE_YELLOW_2, second, at, n, n, down[3]!, 0);
    filterWide(SMOOTH, slope, at, n, n, down[4]!, 0);
    filterWide(SMOOTH, curvature, at, n, n, down[5]!, 0);
    filterDerivatives(smooth, at, n, n, down[6]!, down[7]!, 0);
    this.perceive();
  }

  /** Filters row `index - RADIUS` along itself; rows outside of the picture are copies of its first and last. */
  private putRow(index: number): void {
    const { width, height, rings, colours } = this;
    const slot = (index % ROWS) * width;
    const row = Math.min(Math.max(index - RADIUS, 0), height - 1);
    if (index > 0 && row === Math.min(Math.max(index - 1 - RADIUS, 0), height - 1)) {
      const before = ((index - 1) % ROWS) * width;
      for (const ring of rings) ring.copyWithin(slot, before, before + width);
    } else {
      colourRow(this.samples, row * width * CHANNELS, width, colours);
      filterNarrow(ACHROMATIC, colours.y, RADIUS, 1, width, rings[0]!, slot);
      filterNarrow(RED_GREEN, colours.cx, RADIUS, 1, width, rings[1]!, slot);
      filterWide(BLUE_YELLOW_1, colours.cz, RADIUS, 1, width, rings[2]!, slot);
      filterWide(BLUE_YELLOW_2, colours.cz, RADIUS, 1, width, rings[3]!, slot);
      filterWide(SMOOTH, colours.y, RADIUS, 1, width, rings[4]!, slot);
      filterDerivatives(colours.y, RADIUS, 1, width, rings[5]!, rings[6]!, slot);
    }
    for (const ring of rings) ring.copyWithin(slot + ROWS * width, slot, slot + width);
  }

  private perceive(): void {
    const { width, lightness, a, b, edge, point, down } = this;
    const [ys, cxs, cz1s, cz2s, slopeX, curvatureX, slopeY, curvatureY] = down as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const [[rx, ry, rz], [gx, gy, gz], [bx, by, bz]] = BACK;
    const [[xr, xg, xb], [yr, yg, yb], [zr, zg, zb]] = FORTH;
    for (let i = 0; i < width; i++) {
      const y = ys[i]!;
      const x = y + cxs[i]! / 500;
      const z = y - (cz1s[i]! + cz2s[i]!) / 200;
      // Filtering can leave the range of a screen.
      const red = Math.min(Math.max(rx * x + ry * y + rz * z, 0), 1);
      const green = Math.min(Math.max(gx * x + gy * y + gz * z, 0), 1);
      const blue = Math.min(Math.max(bx * x + by * y + bz * z, 0), 1);
      const fx = response(xr * red + xg * green + xb * blue);
      const fy = response(yr * red + yg * green + yb * blue);
      const fz = response(zr * red + zg * green + zb * blue);
      const l = 116 * fy - 16;
      // Hunt: colours look paler the darker they are.
      lightness[i] = l;
      a[i] = 0.01 * l * 500 * (fx - fy);
      b[i] = 0.01 * l * 200 * (fy - fz);
      edge[i] = Math.sqrt(slopeX[i]! * slopeX[i]! + slopeY[i]! * slopeY[i]!);
      point[i] = Math.sqrt(curvatureX[i]! * curvatureX[i]! + curvatureY[i]! * curvatureY[i]!);
    }
  }
}

/** Largest colour difference, that of pure green and pure blue, to the power QC. */
const LARGEST = largestDifference() ** QC;
/** Where the range is bent, and the factors of the two parts. */
const BEND = PC * LARGEST;
const BELOW = PT / BEND;
const ABOVE = (1 - PT) / (LARGEST - BEND);

function largestDifference(): number {
  const adjusted = (rgb: [number, number, number]): [number, number, number] => {
    const [fx, fy, fz] = FORTH.map((row) => response(row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2])) as Matrix[0];
    const l = 116 * fy - 16;
    return [l, 0.01 * l * 500 * (fx - fy), 0.01 * l * 200 * (fy - fz)];
  };
  const [l1, a1, b1] = adjusted([0, 1, 0]);
  const [l2, a2, b2] = adjusted([0, 0, 1]);
  return Math.abs(l1 - l2) + Math.hypot(a1 - a2, b1 - b2);
}

/** Five rows of a percept, of which row `at / width` is meant. */
type PerceptRows = Pick<Percept, 'lightness' | 'a' | 'b' | 'edge' | 'point'>;

/** Writes FLIP of one row to `map` (when there is one) and returns its sum. */
function differenceRow(
  p: PerceptRows,
  q: PerceptRows,
  at: number,
  width: number,
  map: Float32Array | undefined,
  to: number,
): number {
  const { lightness: l1, a: a1, b: b1, edge: e1, point: p1 } = p;
  const { lightness: l2, a: a2, b: b2, edge: e2, point: p2 } = q;
  let sum = 0;
  for (let i = 0, j = at; i < width; i++, j++) {
    const da = a1[i]! - a2[j]!;
    const db = b1[i]! - b2[j]!;
    const distance = Math.abs(l1[i]! - l2[j]!) + Math.sqrt(da * da + db * db);
    let value = 0;
    if (distance > 0) {
      const feature = Math.sqrt(Math.max(Math.abs(e1[i]! - e2[j]!), Math.abs(p1[i]! - p2[j]!)) * Math.SQRT1_2);
      const logarithm = QC * Math.log(distance);
      // colour^(1 - feature); below the bend colour is BELOW * distance^QC, whose logarithm is at hand.
      const colour = logarithm < LOG_BEND ? LOG_BELOW + logarithm : Math.log(PT + (Math.exp(logarithm) - BEND) * ABOVE);
      value = Math.exp(colour * (1 - feature));
    }
    if (map) map[to + i] = value;
    sum += value;
  }
  return sum;
}

const LOG_BEND = Math.log(BEND);
const LOG_BELOW = Math.log(BELOW);

/** FLIP of every pixel: its map (when asked for) and its sum. */
function compare(test: Pixels, reference: Pixels, map: Float32Array | undefined): number {
  const first = new Percept(test);
  const second = new Percept(reference);
  let sum = 0;
  for (let y = 0; y < test.height; y++) {
    first.next();
    second.next();
    sum += differenceRow(first, second, 0, test.width, map, y * test.width);
  }
  return sum;
}

/**
 * Mean LDR-FLIP of two 8-bit sRGB pictures, in [0, 1]: 0 for identical ones. Symmetric. Pictures of any size; nothing
 * is cropped. Agrees with the `flip-evaluator` package (67.0206 pixels per degree) within 1e-5.
 *
 * @throws RestorationError `size-mismatch` when the sides differ.
 */
export function flip(test: Pixels, reference: Pixels): number {
  assertSameSize(test, reference);
  return compare(test, reference, undefined) / (test.width * test.height);
}

/**
 * LDR-FLIP at every pixel, in [0, 1]; its mean is `flip`.
 *
 * @throws RestorationError `size-mismatch` when the sides differ.
 */
export function flipMap(test: Pixels, reference: Pixels): ScalarMap {
  assertSameSize(test, reference);
  const data = new Float32Array(test.width * test.height);
  compare(test, reference, data);
  return { data, width: test.width, height: test.height, left: 0, top: 0 };
}

/**
 * As `flipMap`, some rows a step, for callers that must stay responsive: run it until it returns the map, and pause when
 * a step has taken long enough. It yields the share that is done, in (0, 1).
 *
 * @throws RestorationError `size-mismatch` when the sides differ.
 */
export function* flipMapInSteps(test: Pixels, reference: Pixels, rows = 4): Generator<number, ScalarMap> {
  assertSameSize(test, reference);
  const { width, height } = test;
  const data = new Float32Array(width * height);
  const first = new Percept(test);
  const second = new Percept(reference);
  const total = ROWS + height;
  for (let put = rows; put < ROWS; put += rows) {
    first.fill(put);
    second.fill(put);
    yield put / total;
  }
  for (let y = 0; y < height; y++) {
    first.next();
    second.next();
    differenceRow(first, second, 0, width, data, y * width);
    if (y % rows === rows - 1 && y + 1 < height) yield (ROWS + y + 1) / total;
  }
  return { data, width, height, left: 0, top: 0 };
}

/** A picture that several others are compared with. */
export interface FlipReference {
  /**
   * As `flip(frame, reference)`.
   *
   * @throws RestorationError `size-mismatch` when the frame's sides differ.
   */
  measure(frame: Pixels): number;
}

/** Memory that a reference may keep unless the caller says otherwise: enough for 12 megapixels. */
const PERCEPT_BYTES = 256 * 1024 * 1024;

/**
 * A reference that is filtered once, at the first measurement: the others take half the time. One that would need more
 * than `perceptBytes` (20 bytes a pixel) is filtered each time instead: same numbers, no memory.
 */
export function createFlipReference(reference: Pixels, options: { perceptBytes?: number } = {}): FlipReference {
  samplesOf(reference);
  const { width, height } = reference;
  const bytes = 5 * Float32Array.BYTES_PER_ELEMENT * width * height;
  const keeps = bytes <= (options.perceptBytes ?? PERCEPT_BYTES);
  let kept: PerceptRows | undefined;
  return {
    measure(frame) {
      assertSameSize(frame, reference);
      if (!keeps) return flip(frame, reference);
      kept ??= perceptOf(reference);
      const percept = new Percept(frame);
      let sum = 0;
      for (let y = 0; y < height; y++) {
        percept.next();
        sum += differenceRow(percept, kept, y * width, width, undefined, 0);
      }
      return sum / (width * height);
    },
  };
}

function perceptOf(pixels: Pixels): PerceptRows {
  const { width, height } = pixels;
  const plane = (): Float32Array => new Float32Array(width * height);
  const rows = { lightness: plane(), a: plane(), b: plane(), edge: plane(), point: plane() };
  const percept = new Percept(pixels);
  for (let y = 0; y < height; y++) {
    percept.next();
    for (const key of ['lightness', 'a', 'b', 'edge', 'point'] as const) rows[key].set(percept[key], y * width);
  }
  return rows;
}
