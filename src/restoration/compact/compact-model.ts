import { RestorationError, type ConcreteDevice } from '../../protocol';
import { createPixels, type Pixels } from '../image/pixels';
import { areaThumbnail } from '../image/thumbnail';
import type { InstalledModel, TrajectoryManifest } from '../models/manifest';
import { Network, type TensorData } from '../models/sessions';
import { tileSpans, tileWeights, type TileSpan } from '../models/tiling';
import { promptFeatures } from '../prompts/features';

export interface TrajectoryProgress {
  /** Network runs finished. */
  done: number;
  /** Network runs in all: a trunk and one head a frame, for every tile. */
  total: number;
}

export interface TrajectoryRequest {
  /** The degraded picture at full size. */
  picture: Pixels;
  prompt: string;
  /** Severities of the frames asked for, each in [0, 1]; 1 is the picture itself. */
  severities: readonly number[];
  signal: AbortSignal;
  onProgress: (progress: TrajectoryProgress) => void;
}

export interface TrajectoryFrame {
  /** Position in the request's `severities`. */
  index: number;
  pixels: Pixels;
}

/** A turn of the event loop, so that messages (a cancel, a new request) are read between two network runs. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * The embedded trajectory model f(y, c, s): a trunk runs once on the picture y and the prompt c, a light head once a
 * frame at severity s (models/compact/README.md). Large pictures go through in overlapping tiles, row by row, so that
 * memory beyond the result grows with the width of the picture only.
 */
export class CompactModel {
  private constructor(
    readonly installed: InstalledModel<TrajectoryManifest>,
    readonly device: ConcreteDevice,
    private readonly trunk: Network,
    private readonly head: Network,
    private readonly text: Network,
  ) {}

  /** @throws RestorationError `bad-model` when a file is missing, altered or not a network */
  static async load(installed: InstalledModel<TrajectoryManifest>, device: ConcreteDevice): Promise<CompactModel> {
    const trunk = await Network.load(installed, 'trunk', device);
    const head = await Network.load(installed, 'head', device);
    // A bag of words is nothing for a GPU.
    const text = await Network.load(installed, 'text', 'cpu');
    return new CompactModel(installed, device, trunk, head, text);
  }

  async release(): Promise<void> {
    await Promise.all([this.trunk.release(), this.head.release(), this.text.release()]);
  }

  /** The conditioning vector of a prompt, [1, prompt.width]. */
  async encodePrompt(prompt: string): Promise<TensorData> {
    const ids = promptFeatures(prompt, this.installed.manifest.prompt);
    const outputs = await this.text.run({
      ids: { type: 'int64', data: BigInt64Array.from(ids, BigInt), dims: [1, ids.length] },
    });
    const vector = this.output(outputs, 'prompt', [1, this.installed.manifest.prompt.width]);
    return { type: 'float32', data: vector, dims: [1, vector.length] };
  }

  /**
   * Frames of the trajectory as they are finished, one for each severity and in that order, 8-bit.
   *
   * @throws RestorationError `cancelled` between two network runs, `bad-output` when the network gives no finite numbers
   */
  async *trajectory(request: TrajectoryRequest): AsyncGenerator<TrajectoryFrame, void, void> {
    const { picture, severities, signal, onProgress } = request;
    const { tile, input, thumbnail } = this.installed.manifest;
    const columns = tileSpans(picture.width, tile.size, tile.overlap, input.multiple);
    const rows = tileSpans(picture.height, tile.size, tile.overlap, input.multiple);
    // Severity 1 is the picture itself by definition of the model: no network has to say so.
    const computed = [...severities.keys()].filter((index) => severities[index] !== 1);
    const total = columns.length * rows.length * (1 + computed.length);
    let done = 0;
    const step = async (): Promise<void> => {
      onProgress({ done: ++done, total });
      await breathe();
      throwIfCancelled(signal);
    };
    throwIfCancelled(signal);
    onProgress({ done, total });
    for (const [index, severity] of severities.entries()) {
      if (severity === 1) yield { index, pixels: { ...picture, data: picture.data.slice() } };
    }
    if (computed.length === 0) return;

    const prompt = await this.encodePrompt(request.prompt);
    const look: TensorData = {
      type: 'float32',
      data: areaThumbnail(picture, thumbnail),
      dims: [1, 3, thumbnail, thumbnail],
    };
    const frames = computed.map((index) => ({
      index,
      severity: severities[index] as number,
      pixels: createPixels(picture.width, picture.height),
      band: new Band(picture.width, rows),
    }));
    for (const [row, y] of rows.entries()) {
      const vertical = tileWeights(rows, row, tile.overlap);
      for (const [column, x] of columns.entries()) {
        const image = paddedTile(picture, x, y, input.multiple, input.minimumSide);
        const { features } = await this.trunk.run({ image, thumbnail: look, prompt });
        if (!features) throw this.missing('features');
        await step();
        const horizontal = tileWeights(columns, column, tile.overlap);
        const lastOfRow = column === columns.length - 1;
        for (const { index, severity, pixels, band } of frames) {
          const outputs = await this.head.run({
            image,
            features: { type: 'float32', data: features.data, dims: features.dims },
            prompt,
            severity: { type: 'float32', data: Float32Array.of(severity), dims: [1, 1] },
          });
          band.add(this.output(outputs, 'frame', image.dims), image.dims, row, x, vertical, horizontal);
          if (lastOfRow) band.flush(row, pixels);
          await step();
          if (lastOfRow && row === rows.length - 1) yield { index, pixels };
        }
      }
    }
  }

  private output(
    outputs: Record<string, { data: Float32Array; dims: readonly number[] }>,
    name: string,
    dims: readonly number[],
  ): Float32Array {
    const tensor = outputs[name];
    if (!tensor) throw this.missing(name);
    if (tensor.dims.length !== dims.length || tensor.dims.some((dim, i) => dim !== dims[i])) {
      throw new RestorationError(
        'bad-model',
        `Output ${name} of model ${this.installed.manifest.id} is [${tensor.dims.join(', ')}]; [${dims.join(', ')}] was expected.`,
        'Install the model again.',
      );
    }
    // A sum is finite only if every term is; one pass without a branch a sample.
    let sum = 0;
    for (const value of tensor.data) sum += value;
    if (!Number.isFinite(sum)) {
      throw new RestorationError(
        'bad-output',
        `Model ${this.installed.manifest.id} gave values that are not finite numbers on ${this.device}.`,
        this.device === 'cpu' ? 'The model is damaged; install it again.' : 'Choose the cpu device.',
      );
    }
    return tensor.data;
  }

  private missing(name: string): RestorationError {
    return new RestorationError(
      'bad-model',
      `Model ${this.installed.manifest.id} has no output ${name}.`,
      'Install the model again.',
    );
  }
}

export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new RestorationError('cancelled', 'The run was cancelled.', '');
  }
}

/** Index mirrored at the borders without repeating them (numpy's `reflect`), for any distance. */
function reflect(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const wrapped = ((index % period) + period) % period;
  return wrapped < length ? wrapped : period - wrapped;
}

/** A tile as a planar tensor in [0, 1], reflected to the right and below up to the sides that the network takes. */
function paddedTile(
  picture: Pixels,
  x: TileSpan,
  y: TileSpan,
  multiple: number,
  minimumSide: number,
): TensorData & { type: 'float32' } {
  const width = Math.max(minimumSide, Math.ceil(x.length / multiple) * multiple);
  const height = Math.max(minimumSide, Math.ceil(y.length / multiple) * multiple);
  const plane = width * height;
  const data = new Float32Array(3 * plane);
  const columns = Int32Array.from({ length: width }, (_, i) => (x.start + reflect(i, x.length)) * 3);
  for (let row = 0; row < height; row++) {
    const base = (y.start + reflect(row, y.length)) * picture.width * 3;
    for (let column = 0; column < width; column++) {
      const from = base + (columns[column] as number);
      const to = row * width + column;
      data[to] = (picture.data[from] as number) / 255;
      data[plane + to] = (picture.data[from + 1] as number) / 255;
      data[2 * plane + to] = (picture.data[from + 2] as number) / 255;
    }
  }
  return { type: 'float32', data, dims: [1, 3, height, width] };
}

/** Accumulates one row of tiles and hands over the lines that no later row touches. */
class Band {
  private sums: Float32Array;
  /** First line of the picture that `sums` holds. */
  private top = 0;

  constructor(
    private readonly width: number,
    private readonly rows: readonly TileSpan[],
  ) {
    this.sums = new Float32Array(width * 3 * (rows[0]?.length ?? 0));
  }

  add(
    frame: Float32Array,
    dims: readonly number[],
    row: number,
    x: TileSpan,
    vertical: Float32Array,
    horizontal: Float32Array,
  ): void {
    const [, , height, width] = dims as [number, number, number, number];
    const plane = width * height;
    const lines = (this.rows[row] as TileSpan).length;
    for (let line = 0; line < lines; line++) {
      const lineWeight = vertical[line] as number;
      if (lineWeight === 0) continue;
      for (let column = 0; column < x.length; column++) {
        const weight = lineWeight * (horizontal[column] as number);
        const to = (line * this.width + x.start + column) * 3;
        const from = line * width + column;
        this.sums[to] = (this.sums[to] as number) + weight * (frame[from] as number);
        this.sums[to + 1] = (this.sums[to + 1] as number) + weight * (frame[plane + from] as number);
        this.sums[to + 2] = (this.sums[to + 2] as number) + weight * (frame[2 * plane + from] as number);
      }
    }
  }

  /** Quantises the lines that are finished after `row` and keeps the rest for the next row. */
  flush(row: number, target: Pixels): void {
    const span = this.rows[row] as TileSpan;
    const next = this.rows[row + 1];
    const stride = this.width * 3;
    const finished = (next ? next.start : span.start + span.length) - this.top;
    const offset = this.top * stride;
    for (let i = 0; i < finished * stride; i++) {
      const value = Math.round((this.sums[i] as number) * 255);
      target.data[offset + i] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
    if (!next) return;
    const kept = this.sums.subarray(finished * stride, (span.start + span.length - this.top) * stride);
    const sums = new Float32Array(stride * next.length);
    sums.set(kept);
    this.sums = sums;
    this.top = next.start;
  }
}
