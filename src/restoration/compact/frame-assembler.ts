import { tileWeights, type TileSpan } from '../models/tiling';
import type { FrameSpool } from './frame-spool';

/** How a tile counts along one axis: nothing, a ramp, fully, a ramp, nothing. */
export interface AxisWeights {
  weights: Float32Array;
  /** First position with weight. */
  first: number;
  /** First position with full weight. */
  full: number;
  /** End (exclusive) of full weight. */
  fullEnd: number;
  /** End (exclusive) of the positions with weight. */
  end: number;
}

/** Weights of a tile along one axis, with the places where its ramps begin and end. */
export function axisWeights(spans: readonly TileSpan[], index: number, overlap: number): AxisWeights {
  const weights = tileWeights(spans, index, overlap);
  const { length } = weights;
  let first = 0;
  while (first < length && weights[first] === 0) first++;
  let full = first;
  while (full < length && (weights[full] as number) < 1) full++;
  let fullEnd = full;
  while (fullEnd < length && weights[fullEnd] === 1) fullEnd++;
  let end = fullEnd;
  while (end < length && (weights[end] as number) > 0) end++;
  return { weights, first, full, fullEnd, end };
}

/** Sums of weighted samples where neighbours overlap: interleaved RGB, `lines` lines of `width` pixels. */
class Seam {
  readonly sums: Float32Array;

  constructor(
    readonly start: number,
    readonly width: number,
    lines: number,
  ) {
    this.sums = new Float32Array(width * lines * 3);
  }
}

/**
 * Puts one frame together from overlapping tiles, left to right and top to bottom. Only the ramps between neighbours are
 * kept as sums; everything else goes to the frame as soon as its tile is there. Samples are rounded to the frame's depth
 * once, after blending.
 */
export class FrameAssembler {
  /** Between this row of tiles and the one above, and the one below: whole lines of the picture. */
  private above: Seam | undefined;
  private below: Seam | undefined;
  /** Between this tile and the one to the left. */
  private left: Seam | undefined;

  /** @param maximum the sample that stands for 1: 255 or 65535 */
  constructor(
    private readonly spool: FrameSpool,
    private readonly width: number,
    private readonly maximum: number,
    private readonly columns: readonly TileSpan[],
    private readonly rows: readonly TileSpan[],
  ) {}

  /**
   * Takes in the next tile.
   *
   * @param frame planar RGB of the tile's tensor, whose lines have `stride` samples and whose planes `plane`
   */
  add(
    frame: Float32Array,
    stride: number,
    plane: number,
    row: number,
    column: number,
    x: AxisWeights,
    y: AxisWeights,
  ): void {
    const left = (this.columns[column] as TileSpan).start;
    const top = (this.rows[row] as TileSpan).start;
    if (column === 0) {
      this.above = this.below;
      this.below = y.fullEnd < y.end ? new Seam(top + y.fullEnd, this.width, y.end - y.fullEnd) : undefined;
    }
    const before = this.left;
    const after = x.fullEnd < x.end ? new Seam(left + x.fullEnd, x.end - x.fullEnd, y.fullEnd - y.full) : undefined;
    this.left = after;

    if (this.above) {
      for (let line = y.first; line < y.full; line++) {
        this.blend(this.above, line - y.first, frame, line * stride, plane, left, x, y.weights[line] as number);
      }
    }
    if (this.below) {
      for (let line = y.fullEnd; line < y.end; line++) {
        this.blend(this.below, line - y.fullEnd, frame, line * stride, plane, left, x, y.weights[line] as number);
      }
    }
    for (let line = y.full; line < y.fullEnd; line++) {
      const from = line * stride;
      const count = x.fullEnd - x.first;
      const { samples, at } = this.spool.room(((top + line) * this.width + left + x.first) * 3, count * 3);
      let to = at;
      if (before) {
        const { sums } = before;
        let sum = (line - y.full) * before.width * 3;
        for (let i = x.first; i < x.full; i++, sum += 3, to += 3) {
          const weight = x.weights[i] as number;
          samples[to] = this.quantise((sums[sum] as number) + weight * (frame[from + i] as number));
          samples[to + 1] = this.quantise((sums[sum + 1] as number) + weight * (frame[plane + from + i] as number));
          samples[to + 2] = this.quantise((sums[sum + 2] as number) + weight * (frame[2 * plane + from + i] as number));
        }
      }
      quantiseLine(frame, from + x.full, plane, x.fullEnd - x.full, samples, to, this.maximum);
      this.spool.commit();
      if (after) {
        const { sums } = after;
        let sum = (line - y.full) * after.width * 3;
        for (let i = x.fullEnd; i < x.end; i++, sum += 3) {
          const weight = x.weights[i] as number;
          sums[sum] = weight * (frame[from + i] as number);
          sums[sum + 1] = weight * (frame[plane + from + i] as number);
          sums[sum + 2] = weight * (frame[2 * plane + from + i] as number);
        }
      }
    }
    if (column === this.columns.length - 1 && this.above) this.finish(this.above);
  }

  /** Adds one line of a tile to the seam between two rows of tiles. */
  private blend(
    seam: Seam,
    line: number,
    frame: Float32Array,
    from: number,
    plane: number,
    left: number,
    x: AxisWeights,
    lineWeight: number,
  ): void {
    const { sums } = seam;
    let sum = (line * this.width + left + x.first) * 3;
    for (let i = x.first; i < x.end; i++, sum += 3) {
      const weight = lineWeight * (x.weights[i] as number);
      sums[sum] = (sums[sum] as number) + weight * (frame[from + i] as number);
      sums[sum + 1] = (sums[sum + 1] as number) + weight * (frame[plane + from + i] as number);
      sums[sum + 2] = (sums[sum + 2] as number) + weight * (frame[2 * plane + from + i] as number);
    }
  }

  /** Both rows of tiles have given their share. */
  private finish({ sums, start }: Seam): void {
    const length = this.width * 3;
    for (let line = 0; line * length < sums.length; line++) {
      const { samples, at } = this.spool.room((start + line) * length, length);
      for (let i = 0; i < length; i++) samples[at + i] = this.quantise(sums[line * length + i] as number);
      this.spool.commit();
    }
    this.above = undefined;
  }

  private quantise(value: number): number {
    return clamped(value, this.maximum);
  }
}

function clamped(value: number, maximum: number): number {
  const scaled = value * maximum + 0.5;
  return scaled < 0 ? 0 : scaled > maximum ? maximum : scaled;
}

/** `count` pixels of three planes, interleaved and rounded to nearest; storing an integer cuts the fraction off. */
function quantiseLine(
  frame: Float32Array,
  from: number,
  plane: number,
  count: number,
  samples: Uint8Array | Uint16Array,
  to: number,
  maximum: number,
): void {
  const second = from + plane;
  const third = second + plane;
  for (let i = 0, at = to; i < count; i++, at += 3) {
    const r = ((frame[from + i] as number) * maximum + 0.5) | 0;
    const g = ((frame[second + i] as number) * maximum + 0.5) | 0;
    const b = ((frame[third + i] as number) * maximum + 0.5) | 0;
    samples[at] = r < 0 ? 0 : r > maximum ? maximum : r;
    samples[at + 1] = g < 0 ? 0 : g > maximum ? maximum : g;
    samples[at + 2] = b < 0 ? 0 : b > maximum ? maximum : b;
  }
}
