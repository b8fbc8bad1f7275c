import { isSixteenBit, type AnyPixels } from '../image/pixels';
import type { TensorData } from '../models/sessions';
import type { TileSpan } from '../models/tiling';

/** Division is exact to the last bit of a float; a table makes it cheap. */
const EIGHT_BITS = Float32Array.from({ length: 256 }, (_, sample) => sample / 255);

/** Index mirrored at the borders without repeating them (numpy's `reflect`), for any distance. */
function reflect(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const wrapped = ((index % period) + period) % period;
  return wrapped < length ? wrapped : period - wrapped;
}

/** Side of the tensor for a span: what the network takes at least, rounded up to what it divides by. */
export function paddedSide(length: number, multiple: number, minimumSide: number): number {
  return Math.ceil(Math.max(minimumSide, length) / multiple) * multiple;
}

/**
 * A tile of a picture as a planar tensor [1, 3, height, width] in [0, 1], reflected to the right and below up to the sides
 * that the network takes.
 *
 * @param buffer taken for the samples when it has the right length, so that equal tiles share their memory
 */
export function tileTensor(
  picture: AnyPixels,
  x: TileSpan,
  y: TileSpan,
  { multiple, minimumSide }: { multiple: number; minimumSide: number },
  buffer?: Float32Array,
): TensorData & { type: 'float32' } {
  const width = paddedSide(x.length, multiple, minimumSide);
  const height = paddedSide(y.length, multiple, minimumSide);
  const plane = width * height;
  const data = buffer?.length === 3 * plane ? buffer : new Float32Array(3 * plane);
  for (let row = 0; row < height; row++) {
    const from = ((y.start + reflect(row, y.length)) * picture.width + x.start) * 3;
    readLine(picture, from, x.length, data, row * width, plane);
    for (let c = 0; c < 3; c++) {
      const base = c * plane + row * width;
      for (let column = x.length; column < width; column++) {
        data[base + column] = data[base + reflect(column, x.length)] as number;
      }
    }
  }
  return { type: 'float32', data, dims: [1, 3, height, width] };
}

/** `count` interleaved pixels from sample `from` on, to three planes at `to`. */
function readLine(
  picture: AnyPixels,
  from: number,
  count: number,
  data: Float32Array,
  to: number,
  plane: number,
): void {
  if (isSixteenBit(picture)) {
    const samples = picture.data;
    for (let i = 0, at = from; i < count; i++, at += 3) {
      data[to + i] = (samples[at] as number) / 65535;
      data[plane + to + i] = (samples[at + 1] as number) / 65535;
      data[2 * plane + to + i] = (samples[at + 2] as number) / 65535;
    }
    return;
  }
  const samples = picture.data;
  const table = EIGHT_BITS;
  for (let i = 0, at = from; i < count; i++, at += 3) {
    data[to + i] = table[samples[at] as number] as number;
    data[plane + to + i] = table[samples[at + 1] as number] as number;
    data[2 * plane + to + i] = table[samples[at + 2] as number] as number;
  }
}
