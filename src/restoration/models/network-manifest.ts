import { CHANNEL_KINDS, type ChannelKind } from '../../protocol';
import type { Fields } from './manifest-fields';

/** Order of a tensor's axes: N = 1 picture, C = channels, H = rows, W = columns. */
export const LAYOUTS = ['NCHW', 'NHWC', 'CHW', 'HWC'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** How samples beyond the picture are made up. */
export const PADDINGS = ['reflect', 'replicate', 'zero'] as const;
export type Padding = (typeof PADDINGS)[number];

/** A tensor that holds a picture. */
export interface PictureTensor {
  /** Name in the graph; the only picture of that direction when it is left out. */
  name?: string;
  layout: Layout;
  channels: ChannelKind;
  /** Values of black and white before `mean` and `std`. */
  range: [number, number];
  /** Subtracted from, and then divided out of, each channel in the tensor's own order. */
  mean?: number[];
  std?: number[];
}

export interface NetworkInput extends PictureTensor {
  /** Sides have to be divisible by this. */
  multiple: number;
  minimumSide: number;
  /** The only size that the network takes; left out when sides are free. */
  size?: { width: number; height: number };
  padding: Padding;
  /** Pixels that are added around every tile and cut from the result: for networks without padding of their own. */
  border: number;
}

export interface NetworkOutput extends PictureTensor {
  /** Pixels of the result that the network itself cuts from each side. */
  cropped: number;
}

/** A further input with a fixed value, such as a noise level. */
export interface ConstantInput {
  name: string;
  type: 'float32' | 'int64';
  dims: number[];
  /** As many as `dims` say, or one for all. */
  values: number[];
}

/** What stands in the manifest of an image-to-image network beside the fields of every manifest. */
export interface NetworkSettings {
  /** Pixels of the result for one of the input, in each direction. */
  scale: number;
  input: NetworkInput;
  output: NetworkOutput;
  constants: ConstantInput[];
  tile: { size: number; overlap: number };
}

/** Largest magnitude of a value that a manifest may name. */
const LARGEST = 1e6;
const LARGEST_SIDE = 8192;
/** Samples of all constants together. */
const MOST_CONSTANT_SAMPLES = 65_536;

export function channelCount(channels: ChannelKind): 1 | 3 {
  return channels === 'RGB' || channels === 'BGR' ? 3 : 1;
}

/** `defaults` are the input's for the output: what is left out there is as it is here. */
function parsePictureTensor(fields: Fields | undefined, defaults: PictureTensor): PictureTensor {
  const layout = fields?.has('layout') ? fields.oneOf('layout', LAYOUTS) : defaults.layout;
  const channels = fields?.has('channels') ? fields.oneOf('channels', CHANNEL_KINDS) : defaults.channels;
  const range = fields?.has('range') ? fields.numbers('range', [2], -LARGEST, LARGEST) : defaults.range;
  const [black, white] = range as [number, number];
  if (fields && !(Math.abs(white - black) >= 1e-6)) {
    throw fields.fail('range', 'has to hold the values of black and white, which differ');
  }
  const count = channelCount(channels);
  // Means of three channels make no sense for one.
  const inherited = channelCount(defaults.channels) === count && !fields?.has('range') ? defaults : undefined;
  const mean = fields?.has('mean') ? fields.numbers('mean', [count], -LARGEST, LARGEST) : inherited?.mean;
  const std = fields?.has('std') ? fields.numbers('std', [count], 1e-6, LARGEST) : inherited?.std;
  return {
    ...(fields?.has('name') ? { name: fields.text('name') } : {}),
    layout,
    channels,
    range: [black, white],
    ...(mean ? { mean } : {}),
    ...(std ? { std } : {}),
  };
}

function parseConstants(fields: Fields): ConstantInput[] {
  let samples = 0;
  return fields.objects('constants', 16).map((entry) => {
    const type = entry.has('type') ? entry.oneOf('type', ['float32', 'int64'] as const) : 'float32';
    const dims = entry.numbers('dims', [0, 1, 2, 3, 4, 5], 1, MOST_CONSTANT_SAMPLES);
    if (!dims.every(Number.isInteger)) throw entry.fail('dims', 'has to be a list of whole numbers');
    const count = dims.reduce((product, dim) => product * dim, 1);
    samples += count;
    if (samples > MOST_CONSTANT_SAMPLES) {
      throw entry.fail('dims', `may not give more than ${MOST_CONSTANT_SAMPLES} samples in all constants`);
    }
    const values = entry.numbers('values', [1, count], -LARGEST, LARGEST);
    if (type === 'int64' && !values.every(Number.isInteger)) {
      throw entry.fail('values', 'has to be a list of whole numbers');
    }
    return { name: entry.text('name'), type, dims, values };
  });
}

/** Checks the fields that only an image-to-image network has. */
export function parseNetworkSettings(fields: Fields, tasks: readonly string[]): NetworkSettings {
  const scale = fields.has('scale') ? fields.integer('scale', 1, 8) : 1;
  if (scale > 1 && tasks.some((task) => task !== 'super-resolution')) {
    throw fields.fail('tasks', 'has to be ["super-resolution"] alone when "scale" is above 1');
  }
  const given = fields.object('input');
  const base = parsePictureTensor(given, { layout: 'NCHW', channels: 'RGB', range: [0, 1] });
  const size = given.has('size') ? given.object('size') : undefined;
  const input: NetworkInput = {
    ...base,
    multiple: given.has('multiple') ? given.integer('multiple', 1, 1024) : 1,
    minimumSide: given.has('minimumSide') ? given.integer('minimumSide', 1, 4096) : 1,
    ...(size
      ? { size: { width: size.integer('width', 8, LARGEST_SIDE), height: size.integer('height', 8, LARGEST_SIDE) } }
      : {}),
    padding: given.has('padding') ? given.oneOf('padding', PADDINGS) : 'reflect',
    border: given.has('border') ? given.integer('border', 0, 256) : 0,
  };
  const result = fields.has('output') ? fields.object('output') : undefined;
  const output: NetworkOutput = {
    ...parsePictureTensor(result, { ...base, name: undefined }),
    cropped: result?.has('cropped') ? result.integer('cropped', 0, 2048) : 0,
  };
  if (output.cropped > input.border * scale) {
    throw (result ?? fields).fail('cropped', `may be at most "input.border" times "scale" (${input.border * scale})`);
  }
  const shortest = Math.min(input.size?.width ?? LARGEST_SIDE, input.size?.height ?? LARGEST_SIDE);
  if (shortest - 2 * input.border < 4) throw given.fail('border', 'has to leave at least 4 pixels of "input.size"');
  const tile = fields.has('tile') ? fields.object('tile') : undefined;
  const tileSize = tile?.has('size') ? tile.integer('size', 16, LARGEST_SIDE) : 512;
  const overlap = tile?.has('overlap')
    ? tile.integer('overlap', 0, Math.floor(tileSize / 3))
    : Math.min(32, Math.floor(tileSize / 8));
  return {
    scale,
    input,
    output,
    constants: fields.has('constants') ? parseConstants(fields) : [],
    tile: { size: tileSize, overlap },
  };
}
