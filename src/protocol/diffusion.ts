import { isCount, isFiniteNumber, isObject, isOneOf, isText } from './checks';

/** How a diffusion model goes from noise to a clip; `dpm` is DPM-Solver++ (2M) with noise (SDE). */
export const SCHEDULERS = ['ddim', 'dpm'] as const;
export type SchedulerKind = (typeof SCHEDULERS)[number];

/**
 * How strongly the prompt leads from step to step. `fixed`: the same at every step. `oscillating`: what the reference
 * implementation calls dynamic; it takes the raw training step for the step's number, so that it swings. `cosine`: a rise
 * from 1 to 1 + scale over the steps.
 */
export const GUIDANCE_KINDS = ['fixed', 'oscillating', 'cosine'] as const;
export type GuidanceKind = (typeof GUIDANCE_KINDS)[number];

/** What a caller may choose of a diffusion model's run; what is absent is the model's own. */
export interface DiffusionWish {
  /** 1 to 1000. */
  steps?: number;
  /** Whole number from 0 to 2^53 - 1; 0 unless said otherwise. The same seed gives the same noise on every machine. */
  seed?: number;
  scheduler?: SchedulerKind;
  /** Strength of the prompt, 0 to 50; 1 or less runs without guidance, in half the time. */
  guidance?: number;
  guidanceKind?: GuidanceKind;
  /** Absolute path of a safetensors file with noise in place of the seed's. */
  noise?: string;
  /** Estimates of the result that are decoded and shown on the way, spread over the steps; 0 for none. */
  previews?: number;
}

export const MAXIMUM_STEPS = 1000;
export const MAXIMUM_GUIDANCE = 50;

/** How a picture was brought to the model's size: whole, with the rest mirrored, or cut to its middle. */
export const FITS = ['pad', 'crop'] as const;
export type Fit = (typeof FITS)[number];

/** An estimate of the result at a step of the run. */
export interface PreviewRecord {
  /** 1-based number of the step after which it was made. */
  step: number;
  /** Training step, 0 to 999. */
  timestep: number;
  /** File in the frames folder, like a frame's. */
  file: string;
  /** Its colours come straight from the latents: memory did not hold the decoder beside the transformer. */
  approximate?: true;
}

/** How a diffusion model came to its frames, as the record keeps it. */
export interface DiffusionRecord {
  scheduler: SchedulerKind;
  steps: number;
  /** Frames of the clip, out of which those of the run were taken; absent in older records. */
  frames?: number;
  guidance: { kind: GuidanceKind; scale: number };
  /** Absent when a file gave the noise. */
  seed?: number;
  /** SHA-256 of the noise file. */
  noise?: string;
  /** Where the prompt's embedding came from: kept with the model, or the text encoder. */
  embedding: 'cached' | 'encoded';
  /** Size of the network's frames, and how the picture came to it. */
  canvas: { width: number; height: number; fit: Fit };
  /** PSNR in dB of the picture through the model's autoencoder and back, at the network's size: the ceiling of the method. */
  roundTripPsnr?: number | 'Infinity';
  /** Mean wall clock of a step. */
  secondsPerStep: number;
  /** Whether the autoencoder worked in tiles, and whether networks took turns in memory. */
  tiled: boolean;
  sequential: boolean;
  previews?: PreviewRecord[];
}

const MOST_PREVIEWS = 64;

export function isGuidanceScale(value: unknown): value is number {
  return isFiniteNumber(value) && value >= 0 && value <= MAXIMUM_GUIDANCE;
}

export function isStepCount(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= MAXIMUM_STEPS;
}

export function isPreviewCount(value: unknown): value is number {
  return isCount(value) && value <= MOST_PREVIEWS;
}

function isPreviewRecord(value: unknown): value is PreviewRecord {
  return (
    isObject(value) &&
    isStepCount(value.step) &&
    isCount(value.timestep) &&
    isText(value.file, 1024) &&
    (value.approximate === undefined || value.approximate === true)
  );
}

function isSide(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= 1_000_000;
}

/** Guard: this part of a record, whoever wrote it. */
export function isDiffusionRecord(value: unknown): value is DiffusionRecord {
  if (!isObject(value)) return false;
  const { guidance, canvas, previews } = value;
  return (
    isOneOf(SCHEDULERS, value.scheduler) &&
    isStepCount(value.steps) &&
    (value.frames === undefined || (isCount(value.frames) && value.frames >= 2)) &&
    isObject(guidance) &&
    isOneOf(GUIDANCE_KINDS, guidance.kind) &&
    isFiniteNumber(guidance.scale) &&
    (value.seed === undefined || isCount(value.seed)) &&
    (value.noise === undefined || isText(value.noise, 64)) &&
    isOneOf(['cached', 'encoded'] as const, value.embedding) &&
    isObject(canvas) &&
    isSide(canvas.width) &&
    isSide(canvas.height) &&
    isOneOf(FITS, canvas.fit) &&
    (value.roundTripPsnr === undefined || value.roundTripPsnr === 'Infinity' || isFiniteNumber(value.roundTripPsnr)) &&
    isFiniteNumber(value.secondsPerStep) &&
    typeof value.tiled === 'boolean' &&
    typeof value.sequential === 'boolean' &&
    (previews === undefined ||
      (Array.isArray(previews) && previews.length <= MOST_PREVIEWS && previews.every(isPreviewRecord)))
  );
}
