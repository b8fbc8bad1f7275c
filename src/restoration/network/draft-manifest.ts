import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  RestorationError,
  TASKS,
  type ChannelKind,
  type ConcreteDevice,
  type ManifestDraft,
  type NetworkHints,
} from '../../protocol';
import { resizeBicubic } from '../image/bicubic';
import { createPixels, type Pixels } from '../image/pixels';
import { parseManifest, weightsHash, type InstalledModel, type NetworkManifest } from '../models/manifest';
import { modelIdOf } from '../models/model-store';
import { castToFloat32 } from '../models/onnx-cast';
import { checkOnnxGraph, type GraphValue } from '../models/onnx-graph';
import { Network, type TensorData } from '../models/sessions';
import type { Layout, PictureTensor } from '../models/network-manifest';
import { paddedPositions, pictureToTensor, tensorToPatch } from './picture-tensor';

/** Sides that are tried until the network takes one: first what any network takes. */
const MULTIPLES = [1, 2, 4, 8, 16, 32, 64];
/** Two sides tell the scale from what a network cuts at its borders. */
const SIDES = [67, 91] as const;
/** Ranges of networks in the wild, the most usual first. */
const RANGES: readonly [number, number][] = [
  [0, 1],
  [0, 255],
  [-1, 1],
];
/** A restoring network gives back about what it got: above this it understood the range. */
const PLAUSIBLE_DECIBEL = 18;
const INDISTINGUISHABLE_DECIBEL = 40;
const MOST_BYTES = 2 ** 31 - 1;

interface Trial {
  multiple: number;
  scale: number;
  cropped: number;
}

/**
 * Writes the manifest of a network that came as a file: names, layout and sizes are read from its graph; multiple, scale
 * and borders are found by running it on a small picture of our own, the range by what comes back.
 *
 * @throws RestorationError `bad-model` with one sentence when the network is none of image-to-image, or fails
 */
export async function draftManifest(
  file: string,
  device: ConcreteDevice,
  options: NetworkHints = {},
): Promise<ManifestDraft> {
  const name = path.basename(file);
  const files = { network: await describe(file, name) };
  const { graph } = castToFloat32(await readFile(file), name);
  const beside: Record<string, unknown> = {};
  const folder = path.dirname(file);
  for (const [i, location] of graph.externalData.entries()) {
    beside[`data${i}`] = await describeBeside(folder, location, name);
  }
  checkOnnxGraph(graph, name, graph.externalData);
  const picture = pickPicture(graph.inputs, 'input', name);
  const result = pickPicture(graph.outputs, 'output', name);
  const notes: string[] = [];
  const base = {
    schema: 1,
    id: options.id ?? modelIdOf(path.parse(name).name),
    name: path.parse(name).name,
    version: '1.0.0',
    license: options.license ?? 'unknown',
    kind: 'network',
  };
  const channels = options.channels ?? (picture.channels === 1 ? 'Y' : 'RGB');
  const outputChannels: ChannelKind =
    result.channels === picture.channels ? channels : result.channels === 1 ? 'Y' : 'RGB';
  if (options.channels === undefined) {
    notes.push(
      picture.channels === 1
        ? 'One channel was taken as luma (Y).'
        : 'Three channels were taken as RGB; if the colours of the result are wrong, it is BGR.',
    );
  }
  const constants = graph.inputs
    .filter((input) => input.name !== picture.value.name)
    .map((input) => constantFor(input, name, notes));
  const draft = (trial: Trial, range: [number, number], outputRange: [number, number]): Record<string, unknown> => ({
    ...base,
    tasks: options.tasks ?? (trial.scale > 1 ? ['super-resolution'] : [...TASKS]),
    files: { ...files, ...beside },
    ...(trial.scale > 1 ? { scale: trial.scale } : {}),
    input: {
      name: picture.value.name,
      layout: picture.layout,
      channels,
      range,
      ...(trial.multiple > 1 ? { multiple: trial.multiple } : {}),
      ...(picture.size ? { size: picture.size } : {}),
      ...(trial.cropped > 0 ? { border: Math.ceil(trial.cropped / trial.scale) } : {}),
    },
    output: {
      name: result.value.name,
      layout: result.layout,
      channels: outputChannels,
      range: outputRange,
      ...(trial.cropped > 0 ? { cropped: trial.cropped } : {}),
    },
    ...(constants.length > 0 ? { constants } : {}),
  });
  const installed = (json: Record<string, unknown>): InstalledModel<NetworkManifest> => {
    const manifest = parseManifest(json, folder);
    if (manifest.kind !== 'network') throw notImageToImage(name, 'it is something else');
    return { folder, manifest, sha256: weightsHash(manifest) };
  };
  const plain = { multiple: 1, scale: 1, cropped: 0 };
  const first = installed({ ...draft(plain, [0, 1], [0, 1]), tasks: ['super-resolution'] });
  const network = await Network.load(first, 'network', device);
  try {
    const probe = new Probe(network, first.manifest, picture.value.name, result.value.name);
    const trial = await findScale(probe, picture.size, name);
    const range =
      options.range === undefined
        ? await findRange(probe, trial, picture.size, outputChannels, notes)
        : { input: options.range, output: options.range };
    const json = draft(trial, range.input, range.output);
    installed(json);
    return { manifest: json, notes };
  } finally {
    await network.release();
  }
}

function notImageToImage(name: string, problem: string): RestorationError {
  return new RestorationError(
    'bad-model',
    `${name} is not a network from picture to picture that can be understood by itself: ${problem}.`,
    'Write a manifest.json beside it (models/README.md says how) and add the folder.',
  );
}

async function describe(file: string, name: string): Promise<{ path: string; sha256: string; bytes: number }> {
  const info = await stat(file).catch(() => undefined);
  if (!info?.isFile()) {
    throw new RestorationError('missing-file', `${file} does not exist or is not a file.`, 'Name an .onnx file.');
  }
  if (info.size > MOST_BYTES) throw notImageToImage(name, 'it is larger than 2 GiB');
  const bytes = await readFile(file);
  return { path: name, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}

/** Weights beside the network, never outside of its folder. */
async function describeBeside(
  folder: string,
  location: string,
  name: string,
): Promise<{ path: string; sha256: string; bytes: number }> {
  const file = path.resolve(folder, location);
  const real = await realpath(file).catch(() => undefined);
  if (real === undefined) throw notImageToImage(name, `its weights ${JSON.stringify(location)} are not beside it`);
  if (!real.startsWith((await realpath(folder)) + path.sep)) {
    throw notImageToImage(name, `its weights ${JSON.stringify(location)} lie outside of its folder`);
  }
  return describe(file, location);
}

interface FoundPicture {
  value: GraphValue;
  layout: Layout;
  channels: 1 | 3;
  size?: { width: number; height: number };
}

/** The graph's only value that can be a picture. */
function pickPicture(values: readonly GraphValue[], kind: 'input' | 'output', name: string): FoundPicture {
  const found = values.flatMap((value) => asPicture(value) ?? []);
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  const names = values.map((value) => `${value.name} (${value.type} [${value.dims?.join(', ') ?? '?'}])`).join(', ');
  throw notImageToImage(
    name,
    `${found.length === 0 ? 'none' : 'more than one'} of its ${kind}s could be a picture: ${names.slice(0, 300) || 'there are none'}`,
  );
}

function asPicture(value: GraphValue): FoundPicture | undefined {
  const { dims, type } = value;
  if (type !== 'float32' || !dims || (dims.length !== 4 && dims.length !== 3)) return undefined;
  const batch = dims.length === 4 ? dims[0] : 1;
  if (typeof batch === 'number' && batch !== 1) return undefined;
  const rest = dims.length === 4 ? dims.slice(1) : dims;
  const isChannels = (dim: number | string | undefined): dim is 1 | 3 => dim === 1 || dim === 3;
  const last = !isChannels(rest[0]) && isChannels(rest[2]);
  const channels = last ? rest[2] : rest[0];
  // Only free dimensions: three channels first is what exporters of PyTorch write.
  if (typeof channels === 'number' && !isChannels(channels)) return undefined;
  const [height, width] = last ? [rest[0], rest[1]] : [rest[1], rest[2]];
  const layout = (dims.length === 4 ? 'N' : '') + (last ? 'HWC' : 'CHW');
  return {
    value,
    layout: layout as Layout,
    channels: isChannels(channels) ? channels : 3,
    ...(typeof height === 'number' && typeof width === 'number' ? { size: { width, height } } : {}),
  };
}

/** Inputs beside the picture get a zero, which a person has to look at. */
function constantFor(input: GraphValue, name: string, notes: string[]): Record<string, unknown> {
  const dims = (input.dims ?? []).map((dim) => (typeof dim === 'number' ? dim : 1));
  const type = input.type === 'float32' || input.type === 'int64' ? input.type : undefined;
  if (!type || dims.reduce((product, dim) => product * dim, 1) > 4096) {
    throw notImageToImage(name, `its input ${input.name} (${input.type}) cannot be a constant`);
  }
  notes.push(`The further input ${input.name} was set to 0: put the value that you want under "constants".`);
  return { name: input.name, type, dims, values: [0] };
}

/** A picture with soft and hard edges, colours and every brightness. */
function samplePicture(width: number, height: number): Pixels {
  const pixels = createPixels(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      const disc = (x - width * 0.6) ** 2 + (y - height * 0.4) ** 2 < (width / 4) ** 2;
      pixels.data[at] = disc ? 220 : Math.round((200 * x) / width) + 20;
      pixels.data[at + 1] = Math.round((200 * y) / height) + 20;
      pixels.data[at + 2] = disc ? 40 : 128 + Math.round(80 * Math.sin((x + y) / 9));
    }
  }
  return pixels;
}

/** Runs the network on the sample picture in whatever size. */
class Probe {
  constructor(
    private readonly network: Network,
    private readonly manifest: NetworkManifest,
    private readonly input: string,
    private readonly output: string,
  ) {}

  get tensor(): PictureTensor {
    return this.manifest.input;
  }

  get outputTensor(): PictureTensor {
    return this.manifest.output;
  }

  async run(
    picture: Pixels,
    range: [number, number],
  ): Promise<{ data: Float32Array; width: number; height: number } | undefined> {
    const all = (length: number): Int32Array => paddedPositions(0, length, length, 'reflect');
    const tensor = pictureToTensor(picture, all(picture.width), all(picture.height), { ...this.manifest.input, range });
    const feeds: Record<string, TensorData> = { [this.input]: tensor };
    for (const { name, type, dims } of this.manifest.constants) {
      const count = dims.reduce((product, dim) => product * dim, 1);
      feeds[name] =
        type === 'float32'
          ? { type, data: new Float32Array(count), dims }
          : { type, data: new BigInt64Array(count), dims };
    }
    const result = (await this.network.run(feeds))[this.output];
    const { layout } = this.manifest.output;
    if (!result || result.dims.length !== layout.length) return undefined;
    return {
      data: result.data,
      width: result.dims[layout.indexOf('W')] as number,
      height: result.dims[layout.indexOf('H')] as number,
    };
  }
}

async function findScale(
  probe: Probe,
  fixed: { width: number; height: number } | undefined,
  name: string,
): Promise<Trial> {
  if (fixed) {
    const result = await probe.run(samplePicture(fixed.width, fixed.height), [0, 1]);
    const trial = result && trialOf(1, Math.max(1, Math.round(result.width / fixed.width)), fixed.width, result.width);
    if (trial && trial.scale * fixed.height - 2 * trial.cropped === result.height) return trial;
    throw notImageToImage(name, `it makes ${result?.width}x${result?.height} out of ${fixed.width}x${fixed.height}`);
  }
  let failure: unknown;
  for (const multiple of MULTIPLES) {
    const a = oddMultiple(SIDES[0], multiple);
    const b = Math.max(oddMultiple(SIDES[1], multiple), a + 2 * multiple);
    // An even multiple as well: what is cut at borders is the same at every side, what is rounded off is not.
    const c = a + multiple;
    try {
      const small = await probe.run(samplePicture(a, b), [0, 1]);
      const large = await probe.run(samplePicture(b, a), [0, 1]);
      const other = await probe.run(samplePicture(c, c), [0, 1]);
      if (!small || !large || !other) break;
      const scale = (large.width - small.width) / (b - a);
      const trial = trialOf(multiple, scale, a, small.width);
      const fits =
        trial &&
        scale * b - 2 * trial.cropped === small.height &&
        scale * c - 2 * trial.cropped === other.width &&
        large.height === small.width;
      // A result that rounds to a coarser grid than asked for: the next multiple fits it.
      if (fits) return trial;
    } catch (error) {
      failure = error;
    }
  }
  const reason = failure === undefined ? 'its result has another size than one to eight times the input' : undefined;
  throw notImageToImage(
    name,
    reason ?? `it failed on a small picture (${RestorationError.from(failure).problem.slice(0, 200)})`,
  );
}

/** The nearest odd multiple: a network that needs twice the multiple does not take it by chance. */
function oddMultiple(side: number, multiple: number): number {
  return multiple * (2 * Math.max(0, Math.round((side / multiple - 1) / 2)) + 1);
}

function trialOf(multiple: number, scale: number, side: number, result: number): Trial | undefined {
  const lost = scale * side - result;
  if (!Number.isInteger(scale) || scale < 1 || scale > 8 || lost < 0 || lost % 2 !== 0) return undefined;
  return { multiple, scale, cropped: lost / 2 };
}

async function findRange(
  probe: Probe,
  { multiple, scale, cropped }: Trial,
  fixed: { width: number; height: number } | undefined,
  channels: ChannelKind,
  notes: string[],
): Promise<{ input: [number, number]; output: [number, number] }> {
  const side = Math.ceil(SIDES[1] / multiple) * multiple;
  const picture = samplePicture(fixed?.width ?? side, fixed?.height ?? side);
  const expected = scale === 1 ? picture : resizeBicubic(picture, picture.width * scale, picture.height * scale);
  let best = { input: RANGES[0] as [number, number], output: RANGES[0] as [number, number], decibel: -Infinity };
  for (const input of RANGES) {
    const result = await probe.run(picture, input);
    if (!result) continue;
    for (const output of [input, ...RANGES.filter((range) => range !== input)]) {
      const likely = likeness(result, { ...probe.outputTensor, channels, range: output }, expected, cropped);
      // Above this, only rounding inside the network differs.
      const decibel = Math.min(likely, INDISTINGUISHABLE_DECIBEL);
      // A later pair has to be clearly better: networks without biases take any range.
      if (decibel > best.decibel + (best.decibel >= PLAUSIBLE_DECIBEL ? 6 : 0.5)) best = { input, output, decibel };
    }
  }
  notes.push(
    best.decibel >= PLAUSIBLE_DECIBEL
      ? `Values were taken as ${best.input.join(' to ')}${best.output === best.input ? '' : `, results as ${best.output.join(' to ')}`}, by a run on a sample picture.`
      : 'The range of values could not be told from a run on a sample picture; 0 to 1 was assumed.',
  );
  return best.decibel >= PLAUSIBLE_DECIBEL
    ? { input: best.input, output: best.output }
    : { input: [0, 1], output: [0, 1] };
}

/** PSNR of a result against what a network that changes nothing would give, in dB; -Infinity when it has no numbers. */
function likeness(
  result: { data: Float32Array; width: number; height: number },
  tensor: PictureTensor,
  expected: Pixels,
  cropped: number,
): number {
  const cut = { x: { start: 0, length: result.width }, y: { start: 0, length: result.height } };
  const { planes } = tensorToPatch(result.data, tensor, result, cut);
  let sum = 0;
  let count = 0;
  for (let y = 0; y < result.height; y++) {
    for (let x = 0; x < result.width; x++) {
      const at = ((y + cropped) * expected.width + x + cropped) * 3;
      const rgb = expected.data.subarray(at, at + 3);
      const [r = 0, g = 0, b = 0] = rgb;
      const wanted = planes.length === 3 ? [r, g, b] : [0.299 * r + 0.587 * g + 0.114 * b];
      for (const [c, value] of wanted.entries()) {
        sum += (((planes[c] as Float32Array)[y * result.width + x] as number) - value / 255) ** 2;
        count++;
      }
    }
  }
  return Number.isFinite(sum) ? -10 * Math.log10(Math.max(sum / count, 1e-12)) : Number.NEGATIVE_INFINITY;
}
