/** A stack of planes of one size, such as [1, C, T, H, W] with C * T planes: what tiles are cut from and put together to. */
export interface Planes {
  count: number;
  height: number;
  width: number;
  /** count * height * width values, plane after plane, row after row. */
  data: Float32Array;
}

/** The part of all planes that begins at (y, x); less than height x width at the lower and right border. */
export function cutPlanes(from: Planes, y: number, x: number, height: number, width: number): Planes {
  const h = Math.min(height, from.height - y);
  const w = Math.min(width, from.width - x);
  const data = new Float32Array(from.count * h * w);
  for (let plane = 0; plane < from.count; plane++) {
    for (let row = 0; row < h; row++) {
      const start = (plane * from.height + y + row) * from.width + x;
      data.set(from.data.subarray(start, start + w), (plane * h + row) * w);
    }
  }
  return { count: from.count, height: h, width: w, data };
}

/** Writes the upper left part of `tile`, at most height x width, into `into` at (y, x). */
export function pastePlanes(into: Planes, tile: Planes, y: number, x: number, height: number, width: number): void {
  const h = Math.min(height, tile.height, into.height - y);
  const w = Math.min(width, tile.width, into.width - x);
  for (let plane = 0; plane < into.count; plane++) {
    for (let row = 0; row < h; row++) {
      const start = (plane * tile.height + row) * tile.width;
      into.data.set(tile.data.subarray(start, start + w), (plane * into.height + y + row) * into.width + x);
    }
  }
}

/** Fades from the last rows of the tile above into the first rows of this one, in place. */
export function blendRows(above: Planes, tile: Planes, extent: number): void {
  const rows = Math.min(above.height, tile.height, extent);
  for (let plane = 0; plane < tile.count; plane++) {
    for (let row = 0; row < rows; row++) {
      const share = row / rows;
      const from = (plane * above.height + above.height - rows + row) * above.width;
      const to = (plane * tile.height + row) * tile.width;
      for (let i = 0; i < tile.width; i++) {
        tile.data[to + i] = (above.data[from + i] as number) * (1 - share) + (tile.data[to + i] as number) * share;
      }
    }
  }
}

/** Fades from the last columns of the tile to the left into the first columns of this one, in place. */
export function blendColumns(left: Planes, tile: Planes, extent: number): void {
  const columns = Math.min(left.width, tile.width, extent);
  for (let line = 0; line < tile.count * tile.height; line++) {
    const from = line * left.width + left.width - columns;
    const to = line * tile.width;
    for (let i = 0; i < columns; i++) {
      const share = i / columns;
      tile.data[to + i] = (left.data[from + i] as number) * (1 - share) + (tile.data[to + i] as number) * share;
    }
  }
}
