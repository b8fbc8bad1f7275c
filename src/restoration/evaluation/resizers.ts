import { CHANNELS } from '../../measure';
import { resizeBicubic } from '../image/bicubic';
import type { Pixels } from '../image/pixels';

/**
 * The ways in which low-resolution pictures of data sets are made. Each is a guess that a picture is tested against; they
 * differ in kernel, in whether the kernel is widened for shrinking (antialiasing), in the order of the axes and in rounding.
 */
export interface Resizer {
  id: ResizerId;
  /** For reports: "it was made by ...". */
  name: string;
  shrink: (source: Pixels, width: number, height: number) => Pixels;
}

export const RESIZER_IDS = [
  'matlab-bicubic',
  'float-bicubic',
  'pillow-bicubic',
  'keys-bicubic-plain',
  'opencv-bicubic',
  'bilinear-antialiased',
  'bilinear-plain',
  'area',
  'lanczos3-antialiased',
  'lanczos4-plain',
  'nearest-corner',
  'nearest-centre',
  'gaussian-subsampled',
] as const;
export type ResizerId = (typeof RESIZER_IDS)[number];

/** Resizers whose filter is MATLAB's; only rounding differs, by one level here and there. */
export const SAME_FILTER: readonly string[] = ['matlab-bicubic', 'float-bicubic', 'pillow-bicubic'];

interface Method {
  kernel: (x: number) => number;
  /** Half of the kernel's width, in source pixels before widening. */
  support: number;
  /** Widens the kernel to the size of an output pixel. */
  antialias: boolean;
  /** Which axis comes first; rounding to 8 bits after each pass, or only at the end. */
  order: 'rows' | 'columns';
  rounding: 'each' | 'end';
  /** Where output sample 0 looks: at the middle of its source pixels, or at a fixed pixel of them. */
  phase?: (scale: number) => number;
}

/** Keys' cubic convolution kernel: a = -0.5 in MATLAB and Pillow, -0.75 in OpenCV and PyTorch. */
function cubic(a: number): (x: number) => number {
  return (x) => {
    const t = Math.abs(x);
    if (t <= 1) return (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1;
    return t < 2 ? a * (t ** 3 - 5 * t ** 2 + 8 * t - 4) : 0;
  };
}

function lanczos(lobes: number): (x: number) => number {
  const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  return (x) => (Math.abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0);
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));
/** Half open, so that of two pixels at equal distance one counts. */
const box = (x: number): number => (x >= -0.5 && x < 0.5 ? 1 : 0);
/** Standard deviation of the blur in the "BD" setting of video super-resolution (Gaussian, then every r-th pixel). */
const GAUSSIAN_SIGMA = 1.6;
const gaussian = (x: number): number => Math.exp(-(x * x) / (2 * GAUSSIAN_SIGMA * GAUSSIAN_SIGMA));
/** Radius of that blur's kernel: 13 taps. */
const GAUSSIAN_RADIUS = 6.5;

const METHODS: Record<Exclude<ResizerId, 'matlab-bicubic'>, Method & { name: string }> = {
  'float-bicubic': {
    name: "MATLAB's antialiased bicubic without rounding between its passes (as PyTorch with antialias)",
    ...{ kernel: cubic(-0.5), support: 2, antialias: true, order: 'rows', rounding: 'end' },
  },
  'pillow-bicubic': {
    name: "Pillow's antialiased bicubic",
    ...{ kernel: cubic(-0.5), support: 2, antialias: true, order: 'columns', rounding: 'each' },
  },
  'keys-bicubic-plain': {
    name: 'bicubic without antialiasing (a = -0.5)',
    ...{ kernel: cubic(-0.5), support: 2, antialias: false, order: 'columns', rounding: 'end' },
  },
  'opencv-bicubic': {
    name: 'bicubic without antialiasing (a = -0.75, as OpenCV INTER_CUBIC and PyTorch)',
    ...{ kernel: cubic(-0.75), support: 2, antialias: false, order: 'columns', rounding: 'end' },
  },
  'bilinear-antialiased': {
    name: 'antialiased bilinear (as Pillow)',
    ...{ kernel: triangle, support: 1, antialias: true, order: 'columns', rounding: 'each' },
  },
  'bilinear-plain': {
    name: 'bilinear without antialiasing (as OpenCV INTER_LINEAR and PyTorch)',
    ...{ kernel: triangle, support: 1, antialias: false, order: 'columns', rounding: 'end' },
  },
  area: {
    name: 'area averaging (as OpenCV INTER_AREA and Pillow BOX)',
    ...{ kernel: box, support: 0.5, antialias: true, order: 'columns', rounding: 'end' },
  },
  'lanczos3-antialiased': {
    name: 'antialiased Lanczos (as Pillow LANCZOS)',
    ...{ kernel: lanczos(3), support: 3, antialias: true, order: 'columns', rounding: 'each' },
  },
  'lanczos4-plain': {
    name: 'Lanczos without antialiasing (as OpenCV INTER_LANCZOS4)',
    ...{ kernel: lanczos(4), support: 4, antialias: false, order: 'columns', rounding: 'end' },
  },
  'nearest-corner': {
    name: 'nearest neighbour (as OpenCV INTER_NEAREST)',
    ...{ kernel: box, support: 0.5, antialias: false, order: 'rows', rounding: 'end', phase: () => 0 },
  },
  'nearest-centre': {
    name: 'nearest neighbour (as Pillow NEAREST)',
    ...{ kernel: box, support: 0.5, antialias: false, order: 'rows', rounding: 'end', phase: (r) => Math.floor(r / 2) },
  },
  'gaussian-subsampled': {
    name: 'a Gaussian blur of sigma 1.6, then every r-th pixel ("BD")',
    ...{ kernel: gaussian, support: GAUSSIAN_RADIUS, antialias: false, order: 'rows', rounding: 'end', phase: () => 0 },
  },
};

export const RESIZERS: readonly Resizer[] = RESIZER_IDS.map((id) =>
  id === 'matlab-bicubic'
    ? { id, name: "MATLAB's antialiased bicubic", shrink: resizeBicubic }
    : { id, name: METHODS[id].name, shrink: (source, width, height) => resize(source, width, height, METHODS[id]) },
);

interface Taps {
  first: number;
  weights: number[];
}

/** Source samples and weights of every output sample along one axis; beyond the border the last sample is repeated. */
function tapsOf(inLength: number, outLength: number, { kernel, support, antialias, phase }: Method): Taps[] {
  const scale = inLength / outLength;
  const stretch = antialias ? Math.max(1, scale) : 1;
  const reach = support * stretch;
  return Array.from({ length: outLength }, (_, out) => {
    // In coordinates where the centre of source sample i is i.
    const centre = phase ? Math.floor(out * scale) + phase(scale) : (out + 0.5) * scale - 0.5;
    const first = Math.ceil(centre - reach - 1e-9);
    const last = Math.floor(centre + reach + 1e-9);
    const weights: number[] = [];
    for (let i = first; i <= last; i++) weights.push(kernel((i - centre) / stretch));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function toByte(value: number): number {
  return Math.min(255, Math.max(0, Math.floor(value + 0.5)));
}

interface FloatPicture {
  data: Float64Array;
  width: number;
  height: number;
}

function alongRows(source: FloatPicture, width: number, method: Method): FloatPicture {
  if (width === source.width) return source;
  const taps = tapsOf(source.width, width, method);
  const step = CHANNELS;
  const data = new Float64Array(width * source.height * step);
  for (let y = 0; y < source.height; y++) {
    const row = y * source.width;
    taps.forEach(({ first, weights }, x) => {
      const to = (y * width + x) * step;
      for (let tap = 0; tap < weights.length; tap++) {
        const from = (row + Math.min(source.width - 1, Math.max(0, first + tap))) * step;
        for (let c = 0; c < step; c++) data[to + c] = data[to + c]! + weights[tap]! * source.data[from + c]!;
      }
    });
  }
  return { data, width, height: source.height };
}

function alongColumns(source: FloatPicture, height: number, method: Method): FloatPicture {
  if (height === source.height) return source;
  const taps = tapsOf(source.height, height, method);
  const length = source.width * CHANNELS;
  const data = new Float64Array(length * height);
  taps.forEach(({ first, weights }, y) => {
    for (let tap = 0; tap < weights.length; tap++) {
      const from = Math.min(source.height - 1, Math.max(0, first + tap)) * length;
      const weight = weights[tap]!;
      for (let i = 0; i < length; i++) data[y * length + i] = data[y * length + i]! + weight * source.data[from + i]!;
    }
  });
  return { data, width: source.width, height };
}

function resize(source: Pixels, width: number, height: number, method: Method): Pixels {
  const rounded = (picture: FloatPicture): FloatPicture =>
    method.rounding === 'each' ? { ...picture, data: picture.data.map(toByte) } : picture;
  const start = { data: Float64Array.from(source.data), width: source.width, height: source.height };
  // "rows" first means that the number of rows shrinks first, as in MATLAB.
  const result =
    method.order === 'rows'
      ? alongRows(rounded(alongColumns(start, height, method)), width, method)
      : alongColumns(rounded(alongRows(start, width, method)), height, method);
  return { data: Uint8Array.from(result.data, toByte), width, height };
}
