import { isCount, isFiniteNumber, isObject, isOneOf } from './checks';
import type { Task } from './tasks';

/**
 * Everything that decides what a degraded picture looks like, as plain JSON: whoever has the picture and this makes the same
 * pixels (models/recipes/degradation/degradation.py does so in Python). Lengths are pixels, light and noise are fractions of
 * white, seeds are whole numbers from 0 to 2^32 - 1.
 */
export type Degradation = ResolutionLoss | Blur | Darkness;

/** Sampled `scale` times more coarsely at severity 1. */
export interface ResolutionLoss {
  task: 'super-resolution';
  scale: number;
}

/** A blur with what a camera does to its picture afterwards. */
export interface Blur {
  task: 'deblurring';
  blur: Motion | Shake | Defocus;
  /** Gaussian noise of this standard deviation in sRGB. */
  noise?: { sigma: number; seed: number };
  /** Quality of JPEG compression, 1 to 100 in IJG's counting. */
  jpeg?: number;
}

/** Camera and things move while the shutter is open: the mean of sub-frames (averaged-video blur). */
export interface Motion {
  kind: 'motion';
  /** Averaged in linear light (gamma 2.2) instead of plain sRGB. */
  linear: boolean;
  /** Light of a clipped sample (255) against white, in linear averaging: bright lamps leave bright streaks. */
  highlights: number;
  /** Optical axis in pixels of the picture, and focal length in pixels. */
  centre: [number, number];
  focal: number;
  /** Logarithm of how near things are: nearer ones move more. */
  depth: Grid;
  /** For each sub-frame (an odd number; the middle one is the sharp picture) shift x, shift y, roll, zoom, yaw, pitch. */
  course: number[][];
  /** Soft-edged things that move by themselves, [x, y] for each sub-frame. */
  layers: Layer[];
}

export interface Layer {
  /** The thing is where the field is above `threshold`, its edge is `softness` wide. */
  shape: Grid;
  threshold: number;
  softness: number;
  course: number[][];
}

/** Smooth field over a picture, from `cells * cells` values, row by row, by cubic interpolation. */
export interface Grid {
  cells: number;
  values: number[];
}

/** One path for all pixels. */
export interface Shake {
  kind: 'shake';
  linear: boolean;
  /** [x, y] for each sub-frame. */
  course: number[][];
}

/** A round aperture out of focus. */
export interface Defocus {
  kind: 'defocus';
  radius: number;
}

/** Too little light: simulated, or between a real pair. */
export interface Darkness {
  task: 'low-light';
  light: Darkening | RealPair;
}

export interface Darkening {
  kind: 'gain';
  /** Exposure of red, green and blue in linear light, against the clean picture. */
  gain: [number, number, number];
  /** Variance of the noise is shot * light + read^2, in linear light. */
  shot: number;
  read: number;
  /** `gaussian` noise of that variance, or photons counted (`poisson`) and Gaussian read noise. */
  sensor: 'gaussian' | 'poisson';
  seed: number;
  /** What noise reduction in a camera leaves: a Gaussian of `sigma` pixels over the noise, which is then made `weaker` times weaker. */
  smoothing?: { sigma: number; weaker: number };
}

/** The degraded picture is a photograph: geometric in linear light, with `floor` so that black pixels take part. */
export interface RealPair {
  kind: 'pair';
  floor: number;
}

/** What a caller may fix before the rest is drawn; absent = drawn. */
export interface DegradationWishes {
  /** super-resolution, 1 to 8 */
  scale?: number;
  /** deblurring */
  blur?: 'motion' | 'shake' | 'defocus';
  /** Longest streak (motion, shake) or diameter of the disc (defocus) in pixels, 0.1 to 200. */
  length?: number;
  /** Average in linear light. */
  linear?: boolean;
  /** Things that move by themselves, 0 to 3. */
  layers?: number;
  /** deblurring: standard deviation of the noise in sRGB, 0 to 0.2; 0 = none */
  noise?: number;
  /** deblurring: quality 1 to 100; 0 = no compression */
  jpeg?: number;
  /** low-light: exposure, 0.0001 to 1 */
  gain?: number;
  /** low-light: `gaussian` unless said otherwise */
  sensor?: 'gaussian' | 'poisson';
}

/** Seeds that callers give: whole numbers up to 2^53 - 1. */
export const MAXIMUM_SEED = Number.MAX_SAFE_INTEGER;
/** Seeds inside a degradation. */
const MAXIMUM_INNER_SEED = 2 ** 32 - 1;
const MAXIMUM_SUB_FRAMES = 129;
const MAXIMUM_CELLS = 32;
/** Pixels that a thing may travel, far beyond what is drawn. */
const MAXIMUM_TRAVEL = 10_000;

function isBetween(value: unknown, minimum: number, maximum: number): value is number {
  return isFiniteNumber(value) && value >= minimum && value <= maximum;
}

function isInnerSeed(value: unknown): value is number {
  return isCount(value) && value <= MAXIMUM_INNER_SEED;
}

function isGrid(value: unknown): value is Grid {
  return (
    isObject(value) &&
    isCount(value.cells) &&
    isBetween(value.cells, 1, MAXIMUM_CELLS) &&
    Array.isArray(value.values) &&
    value.values.length === value.cells ** 2 &&
    value.values.every((v) => isBetween(v, -100, 100))
  );
}

function isCourse(value: unknown, width: number, frames?: number): value is number[][] {
  return (
    Array.isArray(value) &&
    value.length % 2 === 1 &&
    value.length <= MAXIMUM_SUB_FRAMES &&
    (frames === undefined || value.length === frames) &&
    value.every(
      (row) =>
        Array.isArray(row) && row.length === width && row.every((v) => isBetween(v, -MAXIMUM_TRAVEL, MAXIMUM_TRAVEL)),
    )
  );
}

function isLayer(value: unknown, frames: number): value is Layer {
  return (
    isObject(value) &&
    isGrid(value.shape) &&
    isBetween(value.threshold, -100, 100) &&
    isBetween(value.softness, 1e-3, 100) &&
    isCourse(value.course, 2, frames)
  );
}

function isBlurKind(value: unknown): value is Blur['blur'] {
  if (!isObject(value)) return false;
  switch (value.kind) {
    case 'motion': {
      const { course, layers, centre } = value;
      return (
        typeof value.linear === 'boolean' &&
        isBetween(value.highlights, 1, 1000) &&
        Array.isArray(centre) &&
        centre.length === 2 &&
        centre.every((v) => isBetween(v, -1e6, 1e6)) &&
        isBetween(value.focal, 1, 1e7) &&
        isGrid(value.depth) &&
        value.depth.values.every((v) => Math.abs(v) <= 5) &&
        isCourse(course, 6) &&
        Array.isArray(layers) &&
        layers.length <= 8 &&
        layers.every((layer) => isLayer(layer, course.length))
      );
    }
    case 'shake':
      return (
        typeof value.linear === 'boolean' &&
        isCourse(value.course, 2) &&
        value.course.every((row) => row.every((v) => Math.abs(v) <= 500))
      );
    case 'defocus':
      return isBetween(value.radius, 0, 100);
    default:
      return false;
  }
}

function isLight(value: unknown): value is Darkness['light'] {
  if (!isObject(value)) return false;
  const { gain, smoothing } = value;
  switch (value.kind) {
    case 'gain':
      return (
        Array.isArray(gain) &&
        gain.length === 3 &&
        gain.every((v) => isBetween(v, 1e-6, 10)) &&
        isBetween(value.shot, 0, 1) &&
        isBetween(value.read, 0, 1) &&
        isOneOf(['gaussian', 'poisson'] as const, value.sensor) &&
        isInnerSeed(value.seed) &&
        (smoothing === undefined ||
          (isObject(smoothing) && isBetween(smoothing.sigma, 0.1, 10) && isBetween(smoothing.weaker, 0.1, 100)))
      );
    case 'pair':
      return isBetween(value.floor, 1e-9, 1);
    default:
      return false;
  }
}

/** Guard: a degradation that can be computed, whoever wrote it. */
export function isDegradation(value: unknown): value is Degradation {
  if (!isObject(value)) return false;
  switch (value.task as Task) {
    case 'super-resolution':
      return isBetween(value.scale, 1, 8);
    case 'deblurring':
      return (
        isBlurKind(value.blur) &&
        (value.noise === undefined ||
          (isObject(value.noise) && isBetween(value.noise.sigma, 0, 1) && isInnerSeed(value.noise.seed))) &&
        (value.jpeg === undefined || (isCount(value.jpeg) && isBetween(value.jpeg, 1, 100)))
      );
    case 'low-light':
      return isLight(value.light);
    default:
      return false;
  }
}

/** What is accepted for each wish, and how that is said. Only a task's own wishes make sense for it. */
export const WISHES: {
  [K in keyof Required<DegradationWishes>]: { task: Task; says: string; accepts: (value: unknown) => boolean };
} = {
  scale: { task: 'super-resolution', says: 'a number from 1 to 8', accepts: (v) => isBetween(v, 1, 8) },
  blur: {
    task: 'deblurring',
    says: 'one of motion, shake, defocus',
    accepts: (v) => isOneOf(['motion', 'shake', 'defocus'] as const, v),
  },
  length: { task: 'deblurring', says: 'a number of pixels from 0.1 to 200', accepts: (v) => isBetween(v, 0.1, 200) },
  linear: { task: 'deblurring', says: 'true or false', accepts: (v) => typeof v === 'boolean' },
  layers: {
    task: 'deblurring',
    says: 'a whole number from 0 to 3',
    accepts: (v) => isCount(v) && v <= 3,
  },
  noise: { task: 'deblurring', says: 'a number from 0 to 0.2', accepts: (v) => isBetween(v, 0, 0.2) },
  jpeg: {
    task: 'deblurring',
    says: 'a whole number from 0 (no compression) to 100',
    accepts: (v) => isCount(v) && v <= 100,
  },
  gain: { task: 'low-light', says: 'a number from 0.0001 to 1', accepts: (v) => isBetween(v, 0.0001, 1) },
  sensor: {
    task: 'low-light',
    says: 'gaussian or poisson',
    accepts: (v) => isOneOf(['gaussian', 'poisson'] as const, v),
  },
};
