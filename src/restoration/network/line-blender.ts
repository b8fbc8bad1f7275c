import type { TileSpan } from '../models/tiling';
import type { Patch } from './picture-tensor';

/**
 * Blends rows of overlapping patches and hands over every line as soon as no later patch touches it, so that memory
 * grows with the width of the picture only.
 */
export class LineBlender {
  private sums: Float32Array[];
  /** First line that `sums` holds. */
  private top = 0;

  /** @param rows the spans of all rows of patches, in pixels of the result */
  constructor(
    planes: number,
    private readonly width: number,
    private readonly rows: readonly TileSpan[],
  ) {
    const length = width * (rows[0]?.length ?? 0);
    this.sums = Array.from({ length: planes }, () => new Float32Array(length));
  }

  /** Adds a patch of row `row` at column `x`, weighted by the ramps towards its neighbours. */
  add(patch: Patch, row: number, x: number, vertical: Float32Array, horizontal: Float32Array): void {
    const first = (this.rows[row] as TileSpan).start - this.top;
    for (const [p, plane] of patch.planes.entries()) {
      const sums = this.sums[p] as Float32Array;
      for (let line = 0; line < patch.height; line++) {
        const weight = vertical[line] as number;
        if (weight === 0) continue;
        const from = line * patch.width;
        const to = (first + line) * this.width + x;
        for (let column = 0; column < patch.width; column++) {
          sums[to + column] =
            (sums[to + column] as number) + weight * (horizontal[column] as number) * (plane[from + column] as number);
        }
      }
    }
  }

  /** Hands over the lines that are finished with row `row`, and keeps the rest for the next. */
  flush(row: number, write: (line: readonly Float32Array[], at: number) => void): void {
    const span = this.rows[row] as TileSpan;
    const next = this.rows[row + 1];
    const end = span.start + span.length;
    const finished = next ? next.start : end;
    for (let at = this.top; at < finished; at++) {
      const from = (at - this.top) * this.width;
      write(
        this.sums.map((plane) => plane.subarray(from, from + this.width)),
        at,
      );
    }
    if (!next) return;
    const offset = (finished - this.top) * this.width;
    this.sums = this.sums.map((plane) => {
      const rest = new Float32Array(next.length * this.width);
      rest.set(plane.subarray(offset, (end - this.top) * this.width));
      return rest;
    });
    this.top = finished;
  }
}
