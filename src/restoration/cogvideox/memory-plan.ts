import { RestorationError, type ConcreteDevice } from '../../protocol';
import type { CogVideoXSettings } from '../models/cogvideox-manifest';
import { SPATIAL, latentFrames, needsTiles } from './autoencoder';
import type { Size } from './canvas';

/** The networks of a model, in the order in which a run needs them. */
export const PARTS = ['text_encoder', 'vae_encoder', 'vae_still', 'transformer', 'vae_decoder'] as const;
export type Part = (typeof PARTS)[number];

/** Memory that one network takes, in bytes. */
export interface PartMemory {
  part: Part;
  weights: number;
  /** What it computes with, at its largest. */
  activations: number;
}

/** How a run is to use memory. */
export interface MemoryPlan {
  /** The autoencoder works in tiles. */
  tiled: boolean;
  /** One network at a time is in memory. */
  sequential: boolean;
  /** Bytes at the most. */
  peak: number;
  parts: PartMemory[];
}

/** What is free, in bytes; `gpu` is undefined where nobody tells. */
export interface FreeMemory {
  host: number;
  gpu: number | undefined;
}

/** Of the free memory; the rest is for whatever else happens. */
const SHARE = 0.9;
/*
 * What follows was fitted on measurements on the CPU (models/recipes/cogvideox/memory.py; the unit test holds the plan to
 * them). Those of a GPU are estimates: none was at hand.
 */
/** On a CPU the file's buffer and the runtime's copy are there at once; half precision is copied, then widened. */
const CPU_WEIGHTS = { fp16: 4.2, fp32: 2.2 };
/** Largest tensors of the autoencoder, each with all channels at full size, that are there at once. */
const TENSORS = { cpu: 12, gpu: 6 };
/** Scores of attention (a CPU takes their softmax in place), and a few of the tokens' own. */
const ATTENTION_COPIES = { cpu: 1, gpu: 2 };
const TOKEN_COPIES = 12;

function tokens(settings: CogVideoXSettings, canvas: Size): number {
  const { patch, patchT } = settings.transformer;
  const side = SPATIAL * patch;
  const latent = Math.ceil(latentFrames(settings.frames) / patchT);
  return settings.text.length + latent * (canvas.width / side) * (canvas.height / side);
}

/** Bytes of the transformer's largest tensors: attention of every token to every token, for all heads, unless it is fused. */
function transformerActivations(settings: CogVideoXSettings, canvas: Size, device: ConcreteDevice): number {
  const { heads, headDim } = settings.transformer;
  // A CPU computes in single precision whatever the weights are stored in.
  const bytes = settings.precision === 'fp16' && device !== 'cpu' ? 2 : 4;
  const copies = ATTENTION_COPIES[device === 'cpu' ? 'cpu' : 'gpu'];
  const count = tokens(settings, canvas);
  return bytes * (copies * heads * count ** 2 + TOKEN_COPIES * count * heads * headDim);
}

function autoencoderActivations(
  { vae }: CogVideoXSettings,
  frames: number,
  { width, height }: Size,
  device: ConcreteDevice,
): number {
  const copies = TENSORS[device === 'cpu' ? 'cpu' : 'gpu'];
  return 4 * copies * vae.fullChannels * frames * width * height;
}

/** What the networks of a run take, in bytes. @param weights bytes of the files of each part */
export function partMemories(
  settings: CogVideoXSettings,
  weights: ReadonlyMap<Part, number>,
  canvas: Size,
  device: ConcreteDevice,
  tiled: boolean,
): PartMemory[] {
  const { tile } = settings.vae;
  const size = tiled
    ? { width: Math.min(tile.width, canvas.width), height: Math.min(tile.height, canvas.height) }
    : canvas;
  const activations: Record<Part, number> = {
    text_encoder: 4 * 64 * settings.text.length * settings.text.width,
    vae_encoder: autoencoderActivations(settings, 1, size, device),
    vae_still: autoencoderActivations(settings, 1, size, device),
    transformer: transformerActivations(settings, canvas, device),
    vae_decoder: autoencoderActivations(settings, settings.frames, size, device),
  };
  return PARTS.filter((part) => weights.has(part)).map((part) => {
    const half = part === 'transformer' || part === 'text_encoder' ? settings.precision : 'fp32';
    return {
      part,
      weights: (weights.get(part) as number) * (device === 'cpu' ? CPU_WEIGHTS[half] : 1),
      activations: activations[part],
    };
  });
}

function peakOf(parts: readonly PartMemory[], sequential: boolean): number {
  const whole = parts.map(({ weights, activations }) => weights + activations);
  if (sequential) return Math.max(...whole);
  return (
    parts.reduce((sum, { weights }) => sum + weights, 0) + Math.max(...parts.map(({ activations }) => activations))
  );
}

/** Gigabytes for people: at least two digits. */
export function gigabytes(bytes: number): string {
  const value = bytes / 1e9;
  return `${value >= 10 ? Math.round(value) : value.toPrecision(2)} GB`;
}

/**
 * Decides before anything is loaded how a run gets along with the memory that is free: everything at once, the autoencoder
 * in tiles, or networks one at a time, whichever comes first in this order.
 *
 * @throws RestorationError `device-unavailable` when nothing fits, with what is missing and what to do
 */
export function planMemory(
  model: { id: string; settings: CogVideoXSettings; weights: ReadonlyMap<Part, number> },
  canvas: Size,
  device: ConcreteDevice,
  free: FreeMemory,
): MemoryPlan {
  const { settings, weights, id } = model;
  const largest = Math.max(...weights.values());
  // A GPU's weights pass through the memory of the machine, one network at a time.
  if (device !== 'cpu' && largest > free.host * SHARE) {
    throw refusal(id, `loading its largest network takes ${gigabytes(largest)} of the machine's memory`, free.host);
  }
  const budget = device === 'cpu' ? free.host : free.gpu;
  const cuts = needsTiles(settings.vae, canvas.height, canvas.width) ? [false, true] : [false];
  let least = Number.POSITIVE_INFINITY;
  for (const sequential of [false, true]) {
    for (const tiled of cuts) {
      const parts = partMemories(settings, weights, canvas, device, tiled);
      const peak = peakOf(parts, sequential);
      least = Math.min(least, peak);
      // Where nobody tells what a GPU has free, the frugal way is the safe one.
      const fits = budget === undefined ? tiled === cuts.at(-1) : peak <= budget * SHARE;
      if (fits) return { tiled, sequential, peak, parts };
    }
  }
  throw refusal(
    id,
    `it takes about ${gigabytes(least)} of memory on the ${device} even in tiles and one network at a time`,
    budget as number,
  );
}

function refusal(id: string, need: string, free: number): RestorationError {
  return new RestorationError(
    'device-unavailable',
    `Model ${id} does not fit: ${need}; ${gigabytes(free)} are free.`,
    'Close other programs, choose a machine or a GPU with more memory, or restore with the model compact.',
  );
}
