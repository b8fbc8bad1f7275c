import { RestorationError, type ConcreteDevice, type Task } from '../../protocol';
import { createPixels, type Pixels } from '../image/pixels';
import { areaThumbnail } from '../image/thumbnail';
import { expertOf, type Expert, type InstalledModel, type TrajectoryManifest } from '../models/manifest';
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
  /** Which expert acts. */
  task: Task;
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

/** What the text encoder makes of a prompt. */
interface EncodedPrompt {
  /** The conditioning vector, [1, prompt.width]. */
  vector: TensorData;
  /** One number a task, in the order of the manifest's `tasks`; absent when the encoder does not tell tasks apart. */
  taskLogits?: Float32Array;
}

/** The task that a prompt asks for. */
export interface PromptTask {
  task: Task;
  /** Softmax of the encoder's logits, in (0, 1]. */
  confidence: number;
}

/** The two networks of one expert, loaded when it first acts. */
interface LoadedExpert {
  networks: Promise<{ trunk: Network; head: Network }>;
  lastUsed: number;
}

/**
 * The embedded trajectory model f(y, c, s): a text encoder reads the prompt c, a trunk runs once on the picture y and c, a
 * light head once a frame at severity s (models/compact/README.md). Trunk and head are those of the task's expert, or
 * serve all tasks. Large pictures go through in overlapping tiles, row by row, so that memory beyond the result grows
 * with the width of the picture only.
 */
export class CompactModel {
  /** By file keys: experts may share networks. */
  private readonly experts = new Map<string, LoadedExpert>();

  private constructor(
    readonly installed: InstalledModel<TrajectoryManifest>,
    readonly device: ConcreteDevice,
    private readonly text: Network,
  ) {}

  /**
   * Loads the text encoder; an expert's networks follow when it first acts.
   *
   * @throws RestorationError `bad-model` when a file is missing, altered or not a network
   */
  static async load(installed: InstalledModel<TrajectoryManifest>, device: ConcreteDevice): Promise<CompactModel> {
    // A bag of words is nothing for a GPU.
    return new CompactModel(installed, device, await Network.load(installed, 'text', 'cpu'));
  }

  async release(): Promise<void> {
    await Promise.all([this.text.release(), this.releaseIdle(0)]);
  }

  /** Unloads the experts that have not acted for so long. No trajectory may be running. */
  async releaseIdle(milliseconds: number): Promise<void> {
    const now = performance.now();
    for (const [key, { networks, lastUsed }] of [...this.experts]) {
      if (now - lastUsed < milliseconds) continue;
      this.experts.delete(key);
      const { trunk, head } = await networks;
      await Promise.all([trunk.release(), head.release()]);
    }
  }

  /** Networks in memory, as `trunk, head` of their experts. */
  get loadedExperts(): string[] {
    return [...this.experts.keys()];
  }

  private async expert({ trunk, head }: Expert): Promise<{ trunk: Network; head: Network }> {
    const key = `${trunk}, ${head}`;
    let loaded = this.experts.get(key);
    if (!loaded) {
      loaded = { networks: this.loadExpert(trunk, head), lastUsed: performance.now() };
      this.experts.set(key, loaded);
    }
    try {
      return await loaded.networks;
    } catch (error) {
      // A failed load is not remembered: the next call tries again.
      this.experts.delete(key);
      throw error;
    } finally {
      loaded.lastUsed = performance.now();
    }
  }

  private async loadExpert(trunk: string, head: string): Promise<{ trunk: Network; head: Network }> {
    return {
      trunk: await Network.load(this.installed, trunk, this.device),
      head: await Network.load(this.installed, head, this.device),
    };
  }

  /**
   * The task that a prompt asks for in words: the largest of the text encoder's logits.
   *
   * @throws RestorationError `bad-argument` when the model's encoder does not tell tasks apart
   */
  async taskOf(prompt: string): Promise<PromptTask> {
    const { tasks, id } = this.installed.manifest;
    const { taskLogits } = await this.encodePrompt(prompt);
    if (!taskLogits) {
      throw new RestorationError(
        'bad-argument',
        `Model ${id} cannot tell from a prompt what to do.`,
        `Give the task: one of ${tasks.join(', ')}.`,
      );
    }
    const best = taskLogits.indexOf(Math.max(...taskLogits));
    const sum = taskLogits.reduce((total, logit) => total + Math.exp(logit - (taskLogits[best] as number)), 0);
    return { task: tasks[best] as Task, confidence: 1 / sum };
  }

  private async encodePrompt(prompt: string): Promise<EncodedPrompt> {
    const { tasks, prompt: settings } = this.installed.manifest;
    const ids = promptFeatures(prompt, settings);
    const outputs = await this.text.run({
      ids: { type: 'int64', data: BigInt64Array.from(ids, BigInt), dims: [1, ids.length] },
    });
    const vector = this.output(outputs, 'prompt', [1, settings.width]);
    return {
      vector: { type: 'float32', data: vector, dims: [1, vector.length] },
      ...(outputs.task ? { taskLogits: this.output(outputs, 'task', [1, tasks.length]) } : {}),
    };
  }

  /**
   * Frames of the trajectory as they are finished, one for each severity and in that order, 8-bit.
   *
   * @throws RestorationError `cancelled` between two network runs, `bad-output` when the network gives no finite numbers
   */
  async *trajectory(request: TrajectoryRequest): AsyncGenerator<TrajectoryFrame, void, void> {
    const { picture, severities, signal, onProgress } = request;
    const { input, thumbnail } = this.installed.manifest;
    const expert = expertOf(this.installed.manifest, request.task);
    const { tile, multiple } = expert;
    const columns = tileSpans(picture.width, tile.size, tile.overlap, multiple);
    const rows = tileSpans(picture.height, tile.size, tile.overlap, multiple);
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

    const { trunk, head } = await this.expert(expert);
    const { vector: prompt } = await this.encodePrompt(request.prompt);
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
        const image = paddedTile(picture, x, y, multiple, input.minimumSide);
        const { features } = await trunk.run({ image, thumbnail: look, prompt });
        if (!features) throw this.missing('features');
        await step();
        const horizontal = tileWeights(columns, column, tile.overlap);
        const lastOfRow = column === columns.length - 1;
        for (const { index, severity, pixels, band } of frames) {
          const outputs = await head.run({
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
  const width = Math.ceil(Math.max(minimumSide, x.length) / multiple) * multiple;
  const height = Math.ceil(Math.max(minimumSide, y.length) / multiple) * multiple;
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
