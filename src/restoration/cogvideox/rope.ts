import type { RopeGrid } from '../models/cogvideox-manifest';

/**
 * Rotary position embeddings of the video tokens (Su et al., arXiv 2104.09864), as CogVideoX splits a head: a quarter of its
 * dimensions turn with time, three eighths with the row, three eighths with the column.
 */

export interface TokenGrid {
  frames: number;
  rows: number;
  columns: number;
}

export interface RotaryEmbedding {
  /** [tokens, headDim], each frequency twice in a row; columns change fastest. */
  cos: Float32Array;
  sin: Float32Array;
}

const THETA = 10_000;

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Rows and columns of the part of the base grid that a grid of another shape is resized onto: [first, beyond the last]. */
export function resizeCropRegion(
  { rows, columns }: Pick<TokenGrid, 'rows' | 'columns'>,
  base: { height: number; width: number },
): { rows: [number, number]; columns: [number, number] } {
  const tall = rows / columns > base.height / base.width;
  const height = tall ? base.height : roundHalfEven((base.width / columns) * rows);
  const width = tall ? roundHalfEven((base.height / rows) * columns) : base.width;
  const top = roundHalfEven((base.height - height) / 2);
  const left = roundHalfEven((base.width - width) / 2);
  return { rows: [top, top + height], columns: [left, left + width] };
}

/**
 * Positions of `count` tokens on the part [start, stop) of the base. The reference ends at stop * (n - 1) / n even where the
 * part does not begin at 0, so that tokens are not evenly the part's: it is followed, because weights were trained with it.
 */
function spread([start, stop]: [number, number], count: number): number[] {
  const last = (stop * (count - 1)) / count;
  return Array.from({ length: count }, (_, i) => (count === 1 ? start : start + ((last - start) * i) / (count - 1)));
}

function counted(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/**
 * @param headDim dimensions of an attention head, a multiple of 16
 * @param base rows and columns that the model was trained with (30 x 45 for 480x720)
 */
export function rotaryEmbedding(
  grid: TokenGrid,
  headDim: number,
  kind: RopeGrid,
  base: { height: number; width: number },
): RotaryEmbedding {
  const { frames, rows, columns } = grid;
  const region = resizeCropRegion(grid, base);
  const positions =
    kind === 'resize-crop'
      ? [counted(frames), spread(region.rows, rows), spread(region.columns, columns)]
      : [counted(frames), counted(rows), counted(columns)];
  const sizes = [headDim / 4, (headDim / 8) * 3, (headDim / 8) * 3];
  const cos = new Float32Array(frames * rows * columns * headDim);
  const sin = new Float32Array(cos.length);
  let at = 0;
  for (let t = 0; t < frames; t++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (const [axis, index] of [t, row, column].entries()) {
          const position = (positions[axis] as number[])[index] as number;
          const size = sizes[axis] as number;
          for (let i = 0; i < size; i += 2) {
            const angle = position / THETA ** (i / size);
            cos[at] = cos[at + 1] = Math.cos(angle);
            sin[at] = sin[at + 1] = Math.sin(angle);
            at += 2;
          }
        }
      }
    }
  }
  return { cos, sin };
}
