/** An 8-bit sRGB picture: interleaved RGB, row by row, `width * height * 3` bytes. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

export function createPixels(width: number, height: number): Pixels {
  return { data: new Uint8Array(width * height * 3), width, height };
}

/** A copy of the rectangle; it has to lie inside the picture. */
export function cropPixels(source: Pixels, x: number, y: number, width: number, height: number): Pixels {
  if (x < 0 || y < 0 || x + width > source.width || y + height > source.height || width < 1 || height < 1) {
    throw new RangeError(`crop ${width}x${height}+${x}+${y} does not lie inside ${source.width}x${source.height}`);
  }
  const result = createPixels(width, height);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * source.width + x) * 3;
    result.data.set(source.data.subarray(from, from + width * 3), row * width * 3);
  }
  return result;
}
