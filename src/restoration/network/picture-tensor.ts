import { luma } from '../../measure';
import { maximumSample, type AnyPixels } from '../image/pixels';
import type { ChannelKind } from '../../protocol';
import { channelCount, type Padding, type PictureTensor } from '../models/network-manifest';
import type { TensorData } from '../models/sessions';
import type { TileSpan } from '../models/tiling';

/** BT.601 luma of RGB in [0, 1], full range (as JPEG has it). */
const LUMA_RED = 0.299;
const LUMA_GREEN = 0.587;
const LUMA_BLUE = 0.114;
/** Studio luma spans 219 of 255 steps. */
const STUDIO_STEPS = 219;

/** The one channel that a network of this kind sees of a pixel, RGB in [0, 1]. */
function lumaOfKind(kind: ChannelKind, red: number, green: number, blue: number): number {
  return kind === 'Y-studio'
    ? luma(red * 255, green * 255, blue * 255) / 255
    : LUMA_RED * red + LUMA_GREEN * green + LUMA_BLUE * blue;
}

/** Positions of a picture's axis for the samples of a tensor; -1 stands for a zero. */
export function paddedPositions(from: number, count: number, length: number, padding: Padding): Int32Array {
  const period = Math.max(1, 2 * (length - 1));
  return Int32Array.from({ length: count }, (_, i) => {
    const at = from + i;
    if (at >= 0 && at < length) return at;
    if (padding === 'zero') return -1;
    if (padding === 'replicate') return at < 0 ? 0 : length - 1;
    // Mirrored without repeating the border (numpy's `reflect`), for any distance.
    const wrapped = ((at % period) + period) % period;
    return wrapped < length ? wrapped : period - wrapped;
  });
}

/** Dimensions of a picture tensor. */
export function tensorDims({ layout, channels }: PictureTensor, width: number, height: number): number[] {
  const count = channelCount(channels);
  switch (layout) {
    case 'NCHW':
      return [1, count, height, width];
    case 'NHWC':
      return [1, height, width, count];
    case 'CHW':
      return [count, height, width];
    case 'HWC':
      return [height, width, count];
  }
}

/** Distance in memory of neighbours in the channel and of neighbours in the row. */
function strides(tensor: PictureTensor, plane: number): { channel: number; pixel: number } {
  const count = channelCount(tensor.channels);
  return tensor.layout.endsWith('HWC') ? { channel: 1, pixel: count } : { channel: plane, pixel: 1 };
}

/** value = scale * v + offset for v in [0, 1], one pair a channel. */
function affine({ range: [black, white], mean, std, channels }: PictureTensor): { scale: number; offset: number }[] {
  return Array.from({ length: channelCount(channels) }, (_, c) => {
    const divisor = std?.[c] ?? 1;
    return { scale: (white - black) / divisor, offset: (black - (mean?.[c] ?? 0)) / divisor };
  });
}

/**
 * Part of a picture as the network takes it.
 *
 * @param columns position in the picture of every column of the tensor, as `paddedPositions` gives them
 */
export function pictureToTensor(
  picture: AnyPixels,
  columns: Int32Array,
  rows: Int32Array,
  tensor: PictureTensor,
): TensorData & { type: 'float32' } {
  const width = columns.length;
  const height = rows.length;
  const plane = width * height;
  const count = channelCount(tensor.channels);
  const data = new Float32Array(count * plane);
  const { channel, pixel } = strides(tensor, plane);
  const values = affine(tensor);
  const unit = 1 / maximumSample(picture);
  const first = tensor.channels === 'BGR' ? 2 : 0;
  const { data: samples } = picture;
  for (let row = 0; row < height; row++) {
    const line = rows[row] as number;
    for (let column = 0; column < width; column++) {
      const at = columns[column] as number;
      const to = (row * width + column) * pixel;
      const outside = line < 0 || at < 0;
      const from = (line * picture.width + at) * 3;
      const red = outside ? 0 : (samples[from] as number) * unit;
      const green = outside ? 0 : (samples[from + 1] as number) * unit;
      const blue = outside ? 0 : (samples[from + 2] as number) * unit;
      if (count === 1) {
        const { scale, offset } = values[0] as { scale: number; offset: number };
        data[to] = lumaOfKind(tensor.channels, red, green, blue) * scale + offset;
        continue;
      }
      const [a, b, c] = values as [(typeof values)[0], (typeof values)[0], (typeof values)[0]];
      data[to] = (first === 0 ? red : blue) * a.scale + a.offset;
      data[to + channel] = green * b.scale + b.offset;
      data[to + 2 * channel] = (first === 0 ? blue : red) * c.scale + c.offset;
    }
  }
  return { type: 'float32', data, dims: tensorDims(tensor, width, height) };
}

/** A rectangle of a network's result: `planes` of red, green and blue or of one luma, in [0, 1] where it is exact. */
export interface Patch {
  planes: Float32Array[];
  width: number;
  height: number;
}

/** Cuts the rectangle out of what the network gave and undoes the tensor's range and order. */
export function tensorToPatch(
  data: Float32Array,
  tensor: PictureTensor,
  size: { width: number; height: number },
  cut: { x: TileSpan; y: TileSpan },
): Patch {
  const { x, y } = cut;
  const { channel, pixel } = strides(tensor, size.width * size.height);
  const values = affine(tensor);
  const count = channelCount(tensor.channels);
  const planes = Array.from({ length: count }, (_, c) => {
    const source = tensor.channels === 'BGR' ? 2 - c : c;
    const { scale, offset } = values[source] as { scale: number; offset: number };
    const plane = new Float32Array(x.length * y.length);
    for (let row = 0; row < y.length; row++) {
      let from = ((y.start + row) * size.width + x.start) * pixel + source * channel;
      const to = row * x.length;
      for (let column = 0; column < x.length; column++, from += pixel) {
        plane[to + column] = ((data[from] as number) - offset) / scale;
      }
    }
    return plane;
  });
  return { planes, width: x.length, height: y.length };
}

/**
 * Writes one line of a result into a picture: RGB as it is, grey to all channels, and luma as a shift of the colours of
 * `under` (the same picture before the network), which keeps its Cb and Cr.
 */
export function writeLine(
  line: readonly Float32Array[],
  kind: ChannelKind,
  under: AnyPixels | undefined,
  target: AnyPixels,
  row: number,
): void {
  const start = row * target.width * 3;
  const [first, second, third] = line as [Float32Array, Float32Array | undefined, Float32Array | undefined];
  const unit = under ? 1 / maximumSample(under) : 1;
  const white = maximumSample(target);
  for (let column = 0; column < target.width; column++) {
    const to = start + column * 3;
    let red = first[column] as number;
    let green = red;
    let blue = red;
    if (second && third) {
      green = second[column] as number;
      blue = third[column] as number;
    } else if (under && kind !== 'grey') {
      const r = (under.data[to] as number) * unit;
      const g = (under.data[to + 1] as number) * unit;
      const b = (under.data[to + 2] as number) * unit;
      const change = (red - lumaOfKind(kind, r, g, b)) * (kind === 'Y-studio' ? 255 / STUDIO_STEPS : 1);
      red = r + change;
      green = g + change;
      blue = b + change;
    }
    target.data[to] = quantised(red, white);
    target.data[to + 1] = quantised(green, white);
    target.data[to + 2] = quantised(blue, white);
  }
}

function quantised(value: number, white: number): number {
  const level = Math.round(value * white);
  return level < 0 ? 0 : level > white ? white : level;
}
