import type { Grid } from '../../protocol';
import { clamped, cubicWeights } from './cubic';

/** The grid enlarged to a picture: cubic interpolation between the centres of its cells, border values repeated. `width * height` values. */
export function smoothField({ cells, values }: Grid, width: number, height: number): Float64Array {
  const field = new Float64Array(width * height);
  const rows = axis(cells, height);
  const columns = axis(cells, width);
  const line = new Float64Array(cells);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < cells; i++) {
      let sum = 0;
      for (let tap = 0; tap < 4; tap++)
        sum += rows.weight[y * 4 + tap]! * values[rows.index[y * 4 + tap]! * cells + i]!;
      line[i] = sum;
    }
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let tap = 0; tap < 4; tap++) sum += columns.weight[x * 4 + tap]! * line[columns.index[x * 4 + tap]!]!;
      field[y * width + x] = sum;
    }
  }
  return field;
}

function axis(cells: number, length: number): { index: Int32Array; weight: Float64Array } {
  const index = new Int32Array(length * 4);
  const weight = new Float64Array(length * 4);
  const four = new Float64Array(4);
  for (let i = 0; i < length; i++) {
    const position = ((i + 0.5) * cells) / length - 0.5;
    const base = Math.floor(position);
    cubicWeights(position - base, four);
    for (let tap = 0; tap < 4; tap++) {
      index[i * 4 + tap] = clamped(base - 1 + tap, cells);
      weight[i * 4 + tap] = four[tap]!;
    }
  }
  return { index, weight };
}
