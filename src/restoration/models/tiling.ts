import os from 'node:os';
import type { ConcreteDevice } from '../../protocol';

/** A part of one axis that goes through the network at once. */
export interface TileSpan {
  start: number;
  length: number;
}

/**
 * Cuts an axis into as few overlapping spans of equal length as possible, evenly spread.
 *
 * @param total length of the axis
 * @param size longest span, a multiple of `multiple`
 * @param overlap least overlap of neighbours, at most a third of `size`: then no sample lies in three ramps
 * @param multiple what the network's sides have to be divisible by
 */
export function tileSpans(total: number, size: number, overlap: number, multiple: number): TileSpan[] {
  if (total <= size) return [{ start: 0, length: total }];
  const count = Math.ceil((total - overlap) / (size - overlap));
  const even = (total + (count - 1) * overlap) / count;
  const length = Math.min(size, Math.ceil(even / multiple) * multiple);
  return Array.from({ length: count }, (_, i) => ({
    start: Math.round((i * (total - length)) / (count - 1)),
    length,
  }));
}

/**
 * Blending weights of a span: 1 inside, a linear ramp `overlap` samples wide in the middle of what it shares with each
 * neighbour and 0 beyond, so that the weights of all spans sum to 1 at every sample. The outermost samples of a span,
 * where padding shows most, get no weight at all when neighbours share more than `overlap`.
 */
export function tileWeights(spans: readonly TileSpan[], index: number, overlap: number): Float32Array {
  const span = spans[index] as TileSpan;
  const weights = new Float32Array(span.length).fill(1);
  /** Share of the later of two neighbours at a sample of the axis. */
  const later = (earlier: TileSpan, next: TileSpan, at: number): number => {
    const middle = (next.start + earlier.start + earlier.length) / 2;
    if (overlap === 0) return at + 0.5 < middle ? 0 : 1;
    return Math.min(1, Math.max(0, (at + 0.5 - (middle - overlap / 2)) / overlap));
  };
  const before = spans[index - 1];
  const after = spans[index + 1];
  for (let i = 0; i < span.length; i++) {
    const at = span.start + i;
    let weight = 1;
    if (before) weight *= later(before, span, at);
    if (after) weight *= 1 - later(span, after, at);
    weights[i] = weight;
  }
  return weights;
}

/** What a network's activations take for one pixel of a tile, measured with the model that ships (about 400). */
const BYTES_PER_PIXEL = 512;
/** A tile may take this share of the memory that is free. */
const MEMORY_SHARE = 0.25;
/** Smaller tiles would be mostly overlap. */
const LEAST_TILE = 128;
/** A GPU is kept busy by larger tiles than a CPU's caches hold. */
const GPU_FACTOR = 2;

/** Bytes that this process may still take without pushing others out, as far as the system tells. */
export function availableMemory(): number {
  // Knows about containers; newer than the oldest Node.js that is supported.
  const { availableMemory: measure } = process as { availableMemory?: () => number };
  return measure?.() ?? os.freemem();
}

/**
 * Side of the tiles for a picture: the model's own size (twice that on a GPU), or less where memory is short.
 *
 * @param tile the model's settings; `size` is the best on a CPU
 * @param multiple what the network's sides have to be divisible by
 * @param freeBytes memory that is free
 * @returns a multiple of `multiple`, at least three overlaps
 */
export function affordableTileSize(
  { size, overlap }: { size: number; overlap: number },
  multiple: number,
  device: ConcreteDevice,
  freeBytes: number,
): number {
  const wanted = device === 'cpu' ? size : size * GPU_FACTOR;
  const affordable = Math.floor(Math.sqrt((freeBytes * MEMORY_SHARE) / BYTES_PER_PIXEL));
  const least = Math.min(size, Math.max(LEAST_TILE, Math.ceil((overlap * 3) / multiple) * multiple));
  return Math.max(least, Math.floor(Math.min(wanted, affordable) / multiple) * multiple);
}
