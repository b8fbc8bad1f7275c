import type { Region } from '../../protocol';
import { assertSameSize, differenceAt, type Pixels } from '../../measure';

/** Sides of the cells in which differences are summed: the search needs no finer places. */
const CELL = 8;
/** Width and height of a region to each other, as crops of papers have it. */
const ASPECT = 4 / 3;
/** Share of the picture's longer side that a region takes, and its bounds in pixels. */
const SHARE = 1 / 6;
const LEAST_WIDTH = 32;
const MOST_WIDTH = 160;

/** Size of a region that shows detail and still is recognised in the whole picture. */
export function figureRegionSize(picture: { width: number; height: number }): { width: number; height: number } {
  const wanted = Math.max(picture.width, picture.height) * SHARE;
  const bounded = Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, wanted));
  // A multiple of 8 by a multiple of 6: whole numbers of pixels at 4 to 3.
  const width = Math.max(8, Math.round(bounded / 8) * 8);
  const height = Math.round(width / ASPECT);
  return { width: Math.min(width, picture.width), height: Math.min(height, picture.height) };
}

/**
 * The region in which pictures of one scene differ most, counting detail more than brightness: of all pairs of neighbours in
 * the list. Places next to a border come last, as padding and cropping disturb them. Equal pictures give the middle.
 *
 * @param pictures two or more of one size
 * @throws RestorationError `size-mismatch`
 */
export function chooseFigureRegion(pictures: readonly Pixels[]): Region {
  const [first] = pictures;
  if (!first) throw new RangeError('a region needs pictures');
  for (const picture of pictures) assertSameSize(first, picture);
  const { width, height } = first;
  const size = figureRegionSize(first);
  const columns = Math.ceil(width / CELL);
  const rows = Math.ceil(height / CELL);
  // Summed-area table with an empty first row and column.
  const table = new Float64Array((columns + 1) * (rows + 1));
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let y = row * CELL; y < Math.min(height, (row + 1) * CELL); y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let i = 1; i < pictures.length; i++) sum += differenceAt(pictures[i - 1]!, pictures[i]!, x, y);
        const column = (x / CELL) | 0;
        sums[column] = sums[column]! + sum;
      }
    }
    let total = 0;
    for (let column = 0; column < columns; column++) {
      total += sums[column]!;
      table[(row + 1) * (columns + 1) + column + 1] = table[row * (columns + 1) + column + 1]! + total;
    }
  }
  const sumIn = (left: number, top: number, right: number, bottom: number): number =>
    table[bottom * (columns + 1) + right]! -
    table[top * (columns + 1) + right]! -
    table[bottom * (columns + 1) + left]! +
    table[top * (columns + 1) + left]!;

  const wide = Math.max(1, Math.floor(size.width / CELL));
  const high = Math.max(1, Math.floor(size.height / CELL));
  const marginX = columns > wide + 2 ? 1 : 0;
  const marginY = rows > high + 2 ? 1 : 0;
  let most = 0;
  const region = {
    x: Math.floor((width - size.width) / 2),
    y: Math.floor((height - size.height) / 2),
    ...size,
  };
  for (let row = marginY; row + high <= rows - marginY; row++) {
    for (let column = marginX; column + wide <= columns - marginX; column++) {
      const sum = sumIn(column, row, column + wide, row + high);
      if (sum <= most) continue;
      most = sum;
      region.x = Math.min(column * CELL, width - size.width);
      region.y = Math.min(row * CELL, height - size.height);
    }
  }
  return region;
}
