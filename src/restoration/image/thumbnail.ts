import { maximumSample, type AnyPixels } from './pixels';

interface Span {
  first: number;
  weights: number[];
}

/** For each of `out` cells the source samples it covers, with fractional coverage at both ends; weights sum to 1. */
function spans(length: number, out: number): Span[] {
  return Array.from({ length: out }, (_, cell) => {
    const start = (cell * length) / out;
    const end = ((cell + 1) * length) / out;
    const first = Math.floor(start);
    const last = Math.min(length, Math.ceil(end));
    const weights: number[] = [];
    for (let i = first; i < last; i++) weights.push((Math.min(end, i + 1) - Math.max(start, i)) / (end - start));
    return { first, weights };
  });
}

/**
 * Exact area average of a whole picture on a square of `side` cells, as planar RGB in [0, 1] (`3 * side * side`). It is
 * computed once a picture and given to every tile, so that all tiles agree on the global look.
 */
export function areaThumbnail(source: AnyPixels, side: number): Float32Array {
  const { width, height, data } = source;
  const maximum = maximumSample(source);
  const columns = spans(width, side);
  const rows = spans(height, side);
  const result = new Float32Array(3 * side * side);
  const length = width * 3;
  const sums = new Float64Array(length);
  for (let cellY = 0; cellY < side; cellY++) {
    const row = rows[cellY] as Span;
    // First down, over whole lines, which is where the work is; then across what is left.
    sums.fill(0);
    for (let dy = 0; dy < row.weights.length; dy++) {
      addLine(data, (row.first + dy) * length, row.weights[dy] as number, sums);
    }
    for (let cellX = 0; cellX < side; cellX++) {
      const column = columns[cellX] as Span;
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let dx = 0; dx < column.weights.length; dx++) {
          sum += (column.weights[dx] as number) * (sums[(column.first + dx) * 3 + c] as number);
        }
        result[c * side * side + cellY * side + cellX] = sum / maximum;
      }
    }
  }
  return result;
}

function addLine(data: AnyPixels['data'], from: number, weight: number, sums: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + weight * (data[from + i] as number);
}
