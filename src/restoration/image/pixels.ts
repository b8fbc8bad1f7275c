/** An 8-bit sRGB picture: interleaved RGB, row by row, `width * height * 3` bytes. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

/** The same with 16 bits a sample: `width * height * 3` samples from 0 to 65535. */
export interface Pixels16 {
  data: Uint16Array;
  width: number;
  height: number;
}

/**
 * A picture of either depth; the type of `data` tells which. Only reading, the input of a network and saving keep 16 bits.
 * Whatever is measured, shown or stored as a frame goes through `toEightBits` first. Widening is exact (8 to 16 and back
 * gives the same picture); narrowing rounds to nearest and happens in that one function.
 */
export type AnyPixels = Pixels | Pixels16;

export type Depth = 8 | 16;

export function createPixels(width: number, height: number): Pixels {
  return { data: new Uint8Array(width * height * 3), width, height };
}

export function createPixels16(width: number, height: number): Pixels16 {
  return { data: new Uint16Array(width * height * 3), width, height };
}

export function isSixteenBit(pixels: AnyPixels): pixels is Pixels16 {
  return pixels.data instanceof Uint16Array;
}

export function depthOf(pixels: AnyPixels): Depth {
  return isSixteenBit(pixels) ? 16 : 8;
}

/** The sample that stands for 1: divide by it for the [0, 1] of a network. */
export function maximumSample(pixels: AnyPixels): 255 | 65535 {
  return isSixteenBit(pixels) ? 65535 : 255;
}

/** The picture itself when it has 8 bits already, otherwise a rounded copy (65535 = 257 * 255). */
export function toEightBits(pixels: AnyPixels): Pixels {
  if (!isSixteenBit(pixels)) return pixels;
  const { data, width, height } = pixels;
  const result = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) result[i] = ((data[i] as number) + 128) / 257;
  return { data: result, width, height };
}

/** The picture itself when it has 16 bits already, otherwise an exact copy (every sample times 257). */
export function toSixteenBits(pixels: AnyPixels): Pixels16 {
  if (isSixteenBit(pixels)) return pixels;
  const { data, width, height } = pixels;
  const result = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) result[i] = (data[i] as number) * 257;
  return { data: result, width, height };
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
