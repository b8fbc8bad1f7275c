import { RestorationError, type ConcreteDevice, type Task } from '../../protocol';
import {
  throwIfCancelled,
  type PromptTask,
  type TrajectoryFrame,
  type TrajectoryProgress,
} from '../compact/compact-model';
import { resizeBicubic } from '../image/bicubic';
import { createPixels, createPixels16, type AnyPixels, type Depth } from '../image/pixels';
import type { InstalledModel, NetworkManifest } from '../models/manifest';
import { channelCount, type NetworkSettings, type PictureTensor } from '../models/network-manifest';
import type { GraphValue } from '../models/onnx-graph';
import { Network, type TensorData } from '../models/sessions';
import { tileSpans, tileWeights, type TileSpan } from '../models/tiling';
import { LineBlender } from './line-blender';
import { paddedPositions, pictureToTensor, tensorDims, tensorToPatch, writeLine } from './picture-tensor';

/** What a run asks of a network: the same as of a trajectory model, where the prompt plays no part. */
export interface NetworkRequest {
  /** The degraded picture at the size of the frames; for super-resolution enlarged by bicubic interpolation. */
  picture: AnyPixels;
  /** The picture as it came. A network that enlarges takes this one. */
  source: AnyPixels;
  task: Task;
  /** [1, 0]: the input and the result. */
  severities: readonly number[];
  /** Bits a sample of the result; 8 unless said otherwise. */
  depth?: Depth;
  signal: AbortSignal;
  onProgress: (progress: TrajectoryProgress) => void;
}

/** The axis of a picture as tiles: what they hold, and where the tensor around each begins and how long it is. */
interface AxisPlan {
  spans: TileSpan[];
  overlap: number;
  /** Length of the tensor for a span. */
  padded: (span: TileSpan) => number;
}

/** Cuts one axis into what the network takes at once. */
export function planAxis(length: number, settings: NetworkSettings, fixed: number | undefined): AxisPlan {
  const { multiple, minimumSide, border } = settings.input;
  const inner = fixed === undefined ? undefined : fixed - 2 * border;
  const size = inner ?? Math.max(multiple, Math.floor(settings.tile.size / multiple) * multiple);
  const overlap = Math.min(settings.tile.overlap, Math.floor(size / 3));
  return {
    // A fixed size is always filled: neighbours then share more than they have to.
    spans: tileSpans(length, size, overlap, inner ?? multiple),
    overlap,
    padded: (span) => fixed ?? Math.ceil(Math.max(minimumSide, span.length + 2 * border) / multiple) * multiple,
  };
}

/**
 * Any image-to-image network that a manifest describes. It has no frames between degraded and restored, so its
 * trajectory has two: the input and the result. Large pictures go through in overlapping tiles that are blended; around
 * a tile the network sees the picture itself, and padding only beyond the picture.
 */
export class NetworkModel {
  private constructor(
    readonly installed: InstalledModel<NetworkManifest>,
    readonly device: ConcreteDevice,
    private readonly network: Network,
    private readonly inputName: string,
    private readonly outputName: string,
  ) {}

  /** @throws RestorationError `bad-model` when a file is altered, or the network is not what the manifest says */
  static async load(installed: InstalledModel<NetworkManifest>, device: ConcreteDevice): Promise<NetworkModel> {
    const { manifest } = installed;
    const network = await Network.load(installed, 'network', device);
    try {
      const { inputs, outputs } = network.graph;
      const constants = new Map(manifest.constants.map((constant) => [constant.name, constant]));
      const fail = (problem: string): RestorationError => mismatch(manifest.id, problem);
      for (const name of constants.keys()) {
        if (!inputs.some((input) => input.name === name)) {
          throw fail(`it has no input ${quoted(name)}, which "constants" names`);
        }
      }
      const pictures = inputs.filter(({ name }) => !constants.has(name));
      const input = pick(pictures, manifest.input.name, 'input', fail);
      const other = pictures.find(({ name }) => name !== input.name);
      if (other) throw fail(`it needs a value for its input ${quoted(other.name)}; list it under "constants"`);
      const output = pick(outputs, manifest.output.name, 'output', fail);
      checkValue(input, manifest.input, 'input', fail);
      checkValue(output, manifest.output, 'output', fail);
      checkFixedSize(input, manifest, fail);
      return new NetworkModel(installed, device, network, input.name, output.name);
    } catch (error) {
      await network.release();
      throw error;
    }
  }

  async release(): Promise<void> {
    await this.network.release();
  }

  /** It has nothing between the picture and the result, however many frames are asked for. */
  frameCountFor(): number {
    return 2;
  }

  /** A network that does one thing does it whatever the prompt says. */
  async taskOf(): Promise<PromptTask> {
    const { id, tasks } = this.installed.manifest;
    if (tasks.length === 1) return { task: tasks[0] as Task, confidence: 1 };
    throw new RestorationError(
      'bad-argument',
      `Model ${id} cannot tell from a prompt what to do.`,
      `Give the task: one of ${tasks.join(', ')}.`,
    );
  }

  /** Nothing is loaded beside the network itself. */
  async releaseIdle(): Promise<void> {}

  /**
   * The input, then the result.
   *
   * @throws RestorationError `bad-argument` for frames in between, `cancelled` between two tiles, `bad-output` when the
   *   network gives no finite numbers, `bad-model` when its result has another size than the manifest says
   */
  async *trajectory(request: NetworkRequest): AsyncGenerator<TrajectoryFrame & { note?: string }, void, void> {
    const { manifest } = this.installed;
    const between = request.severities.find((severity) => severity !== 0 && severity !== 1);
    if (between !== undefined) {
      throw new RestorationError(
        'bad-argument',
        `Model ${manifest.id} has no frames between its input and its result; severity ${between} was asked for.`,
        'Take two frames, or a trajectory model such as compact.',
      );
    }
    for (const [index, severity] of request.severities.entries()) {
      if (severity === 1) yield { index, pixels: request.picture };
    }
    for (const [index, severity] of request.severities.entries()) {
      if (severity !== 0) continue;
      const enlarges = manifest.scale > 1;
      const result = await this.restore(enlarges ? request.source : request.picture, request);
      const { width, height } = request.picture;
      if (result.width === width && result.height === height) {
        yield { index, pixels: result };
        continue;
      }
      yield {
        index,
        pixels: resizeBicubic(result, width, height),
        note: `Model ${manifest.id} enlarges ${manifest.scale} times; its result of ${result.width}x${result.height} was resized to ${width}x${height} by bicubic interpolation.`,
      };
    }
  }

  /** One picture through the network, `scale` times as large. */
  private async restore(
    picture: AnyPixels,
    { depth, signal, onProgress }: Pick<NetworkRequest, 'depth' | 'signal' | 'onProgress'>,
  ): Promise<AnyPixels> {
    const { manifest } = this.installed;
    const { scale, input, output } = manifest;
    const columns = planAxis(picture.width, manifest, input.size?.width);
    const rows = planAxis(picture.height, manifest, input.size?.height);
    const scaled = (spans: readonly TileSpan[]): TileSpan[] =>
      spans.map(({ start, length }) => ({ start: start * scale, length: length * scale }));
    const targetColumns = scaled(columns.spans);
    const targetRows = scaled(rows.spans);
    const result = (depth === 16 ? createPixels16 : createPixels)(picture.width * scale, picture.height * scale);
    const keepsColours = output.channels === 'Y' || output.channels === 'Y-studio';
    const under = !keepsColours
      ? undefined
      : scale === 1
        ? picture
        : resizeBicubic(picture, result.width, result.height);
    const blender = new LineBlender(channelCount(output.channels), result.width, targetRows);
    const constants = this.constants();
    const total = columns.spans.length * rows.spans.length;
    let done = 0;
    throwIfCancelled(signal);
    onProgress({ done, total });
    // Where the tile itself begins in the result.
    const offset = input.border * scale - output.cropped;
    for (const [row, y] of rows.spans.entries()) {
      const lines = paddedPositions(y.start - input.border, rows.padded(y), picture.height, input.padding);
      const vertical = tileWeights(targetRows, row, rows.overlap * scale);
      for (const [column, x] of columns.spans.entries()) {
        const places = paddedPositions(x.start - input.border, columns.padded(x), picture.width, input.padding);
        const tensor = pictureToTensor(picture, places, lines, input);
        const size = {
          width: places.length * scale - 2 * output.cropped,
          height: lines.length * scale - 2 * output.cropped,
        };
        const outputs = await this.network.run({ ...constants, [this.inputName]: tensor });
        const data = this.checked(outputs[this.outputName], tensorDims(output, size.width, size.height), tensor.dims);
        const patch = tensorToPatch(data, output, size, {
          x: { start: offset, length: x.length * scale },
          y: { start: offset, length: y.length * scale },
        });
        const horizontal = tileWeights(targetColumns, column, columns.overlap * scale);
        blender.add(patch, row, x.start * scale, vertical, horizontal);
        onProgress({ done: ++done, total });
        // A turn of the event loop, so that a cancel is read between two tiles.
        await new Promise((resolve) => setImmediate(resolve));
        throwIfCancelled(signal);
      }
      blender.flush(row, (line, at) => writeLine(line, output.channels, under, result, at));
    }
    return result;
  }

  private constants(): Record<string, TensorData> {
    const feeds: Record<string, TensorData> = {};
    for (const { name, type, dims, values } of this.installed.manifest.constants) {
      const count = dims.reduce((product, dim) => product * dim, 1);
      const value = (i: number): number => values[values.length === 1 ? 0 : i] as number;
      feeds[name] =
        type === 'float32'
          ? { type, data: Float32Array.from({ length: count }, (_, i) => value(i)), dims }
          : { type, data: BigInt64Array.from({ length: count }, (_, i) => BigInt(value(i))), dims };
    }
    return feeds;
  }

  private checked(
    tensor: { data: Float32Array; dims: readonly number[] } | undefined,
    dims: readonly number[],
    inputDims: readonly number[],
  ): Float32Array {
    const { id } = this.installed.manifest;
    if (!tensor || tensor.dims.length !== dims.length || tensor.dims.some((dim, i) => dim !== dims[i])) {
      throw new RestorationError(
        'bad-model',
        `Model ${id} gave [${tensor?.dims.join(', ') ?? ''}] for an input of [${inputDims.join(', ')}]; its manifest promises [${dims.join(', ')}].`,
        'Correct "scale", "layout", "channels" or "multiple" in its manifest.',
      );
    }
    // A sum is finite only if every term is; one pass without a branch a sample.
    let sum = 0;
    for (const value of tensor.data) sum += value;
    if (!Number.isFinite(sum)) {
      throw new RestorationError(
        'bad-output',
        `Model ${id} gave values that are not finite numbers on ${this.device}.`,
        this.device === 'cpu'
          ? 'Check "range", "mean" and "std" in its manifest; otherwise the network is damaged.'
          : 'Choose the cpu device.',
      );
    }
    return tensor.data;
  }
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}

function mismatch(id: string, problem: string): RestorationError {
  return new RestorationError(
    'bad-model',
    `The network of model ${id} is not what its manifest says: ${problem}.`,
    'Correct the manifest.',
  );
}

/** The graph's picture input or output: the one that is named, or the only one. */
function pick(
  values: readonly GraphValue[],
  name: string | undefined,
  kind: 'input' | 'output',
  fail: (problem: string) => RestorationError,
): GraphValue {
  const names = values.map((value) => quoted(value.name)).join(', ') || 'none';
  if (name !== undefined) {
    const found = values.find((value) => value.name === name);
    if (found) return found;
    throw fail(`it has no ${kind} ${quoted(name)}, only ${names}`);
  }
  const [only, ...others] = values;
  if (only && others.length === 0) return only;
  throw fail(
    `it has the ${kind}s ${names}; name one as "${kind}.name"${kind === 'input' ? ' and give the others as "constants"' : ''}`,
  );
}

/** What can be known before anything ran: element type, number of axes, channels. */
function checkValue(
  { name, type, dims }: GraphValue,
  tensor: PictureTensor,
  kind: 'input' | 'output',
  fail: (problem: string) => RestorationError,
): void {
  if (type !== 'float32') {
    throw fail(`its ${kind} ${quoted(name)} is ${type}; float32, float16, float64 or uint8 is needed`);
  }
  if (!dims) return;
  if (dims.length !== tensor.layout.length) {
    throw fail(
      `its ${kind} ${quoted(name)} has ${dims.length} axes, but the layout ${tensor.layout} has ${tensor.layout.length}`,
    );
  }
  const channels = dims[tensor.layout.indexOf('C')];
  const expected = channelCount(tensor.channels);
  if (typeof channels === 'number' && channels !== expected) {
    throw fail(`its ${kind} ${quoted(name)} has ${channels} channels, but ${tensor.channels} has ${expected}`);
  }
}

function checkFixedSize(
  { name, dims }: GraphValue,
  { input }: NetworkSettings,
  fail: (problem: string) => RestorationError,
): void {
  for (const [axis, side] of [
    ['W', 'width'],
    ['H', 'height'],
  ] as const) {
    const fixed = dims?.[input.layout.indexOf(axis)];
    const given = input.size?.[side];
    if (typeof fixed !== 'number' || fixed === given) continue;
    throw fail(
      given === undefined
        ? `its input ${quoted(name)} has a fixed ${side} of ${fixed}; give it as "input.size"`
        : `its input ${quoted(name)} has a ${side} of ${fixed}, not ${given}`,
    );
  }
}
