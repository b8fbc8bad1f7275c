import { RestorationError, type ConcreteDevice, type ConcretePrecision, type Task } from '../../protocol';
import type { ExpertAdapter } from '../adapters/lora';
import { mergeAdapters } from '../adapters/merge';
import { createPixels, toEightBits, toSixteenBits, type AnyPixels, type Depth } from '../image/pixels';
import { areaThumbnail } from '../image/thumbnail';
import { FrameQuantiser } from '../models/frame-quantiser';
import { expertOf, type Expert, type InstalledModel, type TrajectoryManifest } from '../models/manifest';
import { Network, type TensorData } from '../models/sessions';
import { affordableTileSize, availableMemory, tileSpans } from '../models/tiling';
import { promptFeatures } from '../prompts/features';
import { FeatureCache } from './feature-cache';
import { FrameAssembler, axisWeights, type AxisWeights } from './frame-assembler';
import { spoolFrames, type FrameSpool } from './frame-spool';
import { tileTensor } from './tile-input';

export interface TrajectoryProgress {
  /** Network runs finished. */
  done: number;
  /** Network runs in all: a trunk and one head a frame, for every tile. */
  total: number;
}

export interface TrajectoryRequest {
  /** The degraded picture at full size, 8 or 16 bits. It is not changed. */
  picture: AnyPixels;
  /** Names the picture's content and size. With it the trunk's features are kept, so that other severities come cheap. */
  pictureKey?: string;
  /** Which expert acts. */
  task: Task;
  prompt: string;
  /** Severities of the frames asked for, each in [0, 1]; 1 is the picture itself. */
  severities: readonly number[];
  /** int8 takes the expert's int8 networks (`choosePrecision` says when it has any that may act); fp32 unless said otherwise. */
  precision?: ConcretePrecision;
  /** Bits a sample of the frames; 8 unless said otherwise. */
  depth?: Depth;
  signal: AbortSignal;
  onProgress: (progress: TrajectoryProgress) => void;
}

export interface TrajectoryFrame {
  /** Position in the request's `severities`. */
  index: number;
  /** Not to be changed: severity 1 is the request's picture itself. */
  pixels: AnyPixels;
}

/** What a trajectory took. */
export interface TrajectoryWork {
  tiles: number;
  trunkRuns: number;
  headRuns: number;
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
 * serve all tasks. Large pictures go through in overlapping tiles, row by row; finished parts of large frames go to
 * temporary files, so that memory beyond the picture and one frame grows with the width of the picture only.
 */
export class CompactModel {
  /** By file keys: experts may share networks. */
  private readonly experts = new Map<string, LoadedExpert>();
  private readonly quantiser = new FrameQuantiser();

  private constructor(
    readonly installed: InstalledModel<TrajectoryManifest>,
    readonly device: ConcreteDevice,
    private readonly text: Network,
    private readonly features: FeatureCache,
    private readonly adapters: readonly ExpertAdapter[],
  ) {}

  /**
   * Loads the text encoder; an expert's networks follow when it first acts.
   *
   * @param features where the most recent picture's features are kept; shared by the models of a process
   * @param adapters merged into the networks of their tasks' experts when these are loaded
   * @throws RestorationError `bad-model` when a file is missing, altered or not a network
   */
  static async load(
    installed: InstalledModel<TrajectoryManifest>,
    device: ConcreteDevice,
    features: FeatureCache = new FeatureCache(),
    adapters: readonly ExpertAdapter[] = [],
  ): Promise<CompactModel> {
    // A bag of words is nothing for a GPU.
    return new CompactModel(installed, device, await Network.load(installed, 'text', 'cpu'), features, adapters);
  }

  async release(): Promise<void> {
    await Promise.all([this.text.release(), this.quantiser.release(), this.releaseIdle(0)]);
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

  private async expert({ trunk, head }: Expert, task: Task): Promise<{ trunk: Network; head: Network }> {
    const adapters = this.adaptersOf(task);
    // Tasks may share networks, but not their adapters.
    const key = `${trunk}, ${head}${adapters.length > 0 ? ` adapted for ${task}` : ''}`;
    let loaded = this.experts.get(key);
    if (!loaded) {
      loaded = { networks: this.loadExpert(trunk, head, adapters), lastUsed: performance.now() };
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

  /** Adapters that act when a task's expert does. */
  private adaptersOf(task: Task): ExpertAdapter[] {
    return this.adapters.filter((adapter) => adapter.task === task);
  }

  private async loadExpert(
    trunk: string,
    head: string,
    adapters: readonly ExpertAdapter[],
  ): Promise<{ trunk: Network; head: Network }> {
    const load = (part: 'trunk' | 'head', key: string): Promise<Network> =>
      Network.load(this.installed, key, this.device, (bytes, label) =>
        mergeAdapters(
          bytes,
          adapters.map((adapter) => ({ ...adapter, layers: adapter[part] })),
          label,
        ),
      );
    return { trunk: await load('trunk', trunk), head: await load('head', head) };
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
    const vector = this.finite(this.shaped(outputs, 'prompt', [1, settings.width]));
    return {
      vector: { type: 'float32', data: vector, dims: [1, vector.length] },
      ...(outputs.task ? { taskLogits: this.finite(this.shaped(outputs, 'task', [1, tasks.length])) } : {}),
    };
  }

  /**
   * Frames of the trajectory as they are finished, one for each severity and in that order but for severity 1, which comes
   * first. Many large frames wait in temporary files, so a frame is best let go before the next one is asked for.
   *
   * @returns how often the networks ran
   * @throws RestorationError `cancelled` between two network runs, `bad-output` when the network gives no finite numbers,
   *   `unwritable` when there is no room for temporary files
   */
  async *trajectory(request: TrajectoryRequest): AsyncGenerator<TrajectoryFrame, TrajectoryWork, void> {
    const { picture, severities, signal, onProgress, depth = 8 } = request;
    const { manifest } = this.installed;
    const full = expertOf(manifest, request.task);
    const expert = request.precision === 'int8' ? { ...full, ...full.int8 } : full;
    const { tile, multiple } = expert;
    // Severity 1 is the picture itself by definition of the model: no network has to say so.
    const computed = [...severities.keys()].filter((index) => severities[index] !== 1);
    throwIfCancelled(signal);
    for (const [index, severity] of severities.entries()) {
      if (severity === 1) yield { index, pixels: depth === 16 ? toSixteenBits(picture) : toEightBits(picture) };
    }
    if (computed.length === 0) return { tiles: 0, trunkRuns: 0, headRuns: 0 };

    const affordable = affordableTileSize(tile, multiple, this.device, availableMemory());
    const kept =
      request.pictureKey === undefined
        ? undefined
        : this.features.open(this.featureKey(request.pictureKey, request, expert), affordable);
    const size = kept?.tileSize ?? affordable;
    const columns = tileSpans(picture.width, size, tile.overlap, multiple);
    const rows = tileSpans(picture.height, size, tile.overlap, multiple);
    const tiles = columns.length * rows.length;
    const known = Array.from({ length: tiles }, (_, i) => kept?.has(i) === true).filter(Boolean).length;
    const total = tiles * computed.length + (tiles - known);
    const work: TrajectoryWork = { tiles, trunkRuns: 0, headRuns: 0 };
    const step = async (): Promise<void> => {
      onProgress({ done: work.trunkRuns + work.headRuns, total });
      await breathe();
      throwIfCancelled(signal);
    };
    onProgress({ done: 0, total });

    const { trunk, head } = await this.expert(expert, request.task);
    const { vector: prompt } = await this.encodePrompt(request.prompt);
    const look: TensorData = {
      type: 'float32',
      data: areaThumbnail(picture, manifest.thumbnail),
      dims: [1, 3, manifest.thumbnail, manifest.thumbnail],
    };
    // One tile of 8 bits needs no blending: it is turned into pixels as a whole.
    const whole = tiles === 1 && depth === 8;
    const spools = whole ? [] : spoolFrames(computed.length, picture, depth);
    try {
      const maximum = depth === 16 ? 65535 : 255;
      const assemblers = spools.map((spool) => new FrameAssembler(spool, picture.width, maximum, columns, rows));
      const across = columns.map((_, column) => axisWeights(columns, column, tile.overlap));
      const padding = { multiple, minimumSide: manifest.input.minimumSide };
      let buffer: Float32Array | undefined;
      for (const [row, y] of rows.entries()) {
        const down = axisWeights(rows, row, tile.overlap);
        for (const [column, x] of columns.entries()) {
          const number = row * columns.length + column;
          const image = tileTensor(picture, x, y, padding, buffer);
          buffer = image.data;
          let features = kept?.read(number);
          if (!features) {
            const outputs = await trunk.run({ image, thumbnail: look, prompt });
            if (!outputs.features) throw this.missing('features');
            features = { type: 'float32', ...outputs.features };
            kept?.store(number, features);
            work.trunkRuns++;
            await step();
          }
          const [, , height, width] = image.dims as [number, number, number, number];
          for (const [i, index] of computed.entries()) {
            const severity = {
              type: 'float32' as const,
              data: Float32Array.of(severities[index] as number),
              dims: [1, 1],
            };
            const outputs = await head.run({ image, features, prompt, severity });
            const frame = this.shaped(outputs, 'frame', image.dims);
            const pixels = whole ? await this.quantised(frame, width, height, picture) : undefined;
            assemblers[i]?.add(
              this.finite(frame),
              width,
              width * height,
              row,
              column,
              across[column] as AxisWeights,
              down,
            );
            work.headRuns++;
            await step();
            if (number === tiles - 1) yield { index, pixels: pixels ?? (spools[i] as FrameSpool).take() };
          }
        }
      }
    } finally {
      for (const spool of spools) spool.close();
    }
    return work;
  }

  /** A frame that came in one piece, without its padding. */
  private async quantised(
    frame: Float32Array,
    width: number,
    height: number,
    size: { width: number; height: number },
  ): Promise<AnyPixels> {
    const data = await this.quantiser.quantise(frame, width, height);
    if (!data) throw this.notFinite();
    if (width === size.width && height === size.height) return { data, width, height };
    const pixels = createPixels(size.width, size.height);
    const length = size.width * 3;
    for (let line = 0; line < size.height; line++) {
      pixels.data.set(data.subarray(line * width * 3, line * width * 3 + length), line * length);
    }
    return pixels;
  }

  /**
   * Everything that features depend on but the size of the tiles, which is free memory's to decide; the model's settings are
   * in it, because they say which tile is where.
   */
  private featureKey(picture: string, { prompt, task }: TrajectoryRequest, { trunk, tile, multiple }: Expert): string {
    const { files, input, thumbnail } = this.installed.manifest;
    const networks = [files[trunk]?.sha256, files.text?.sha256, this.device];
    const adapters = this.adaptersOf(task).map(({ record }) => record);
    return JSON.stringify([picture, prompt, networks, adapters, tile, multiple, input.minimumSide, thumbnail]);
  }

  private shaped(
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
    return tensor.data;
  }

  private finite(values: Float32Array): Float32Array {
    if (allFinite(values)) return values;
    throw this.notFinite();
  }

  private notFinite(): RestorationError {
    return new RestorationError(
      'bad-output',
      `Model ${this.installed.manifest.id} gave values that are not finite numbers on ${this.device}.`,
      this.device === 'cpu' ? 'The model is damaged; install it again.' : 'Choose the cpu device.',
    );
  }

  private missing(name: string): RestorationError {
    return new RestorationError(
      'bad-model',
      `Model ${this.installed.manifest.id} has no output ${name}.`,
      'Install the model again.',
    );
  }
}

/** A sum is finite only if every term is: no branch a sample, and four sums that do not wait for each other. */
function allFinite(values: Float32Array): boolean {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i] as number;
    b += values[i + 1] as number;
    c += values[i + 2] as number;
    d += values[i + 3] as number;
  }
  for (let i = whole; i < values.length; i++) a += values[i] as number;
  return Number.isFinite(a + b + c + d);
}

export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new RestorationError('cancelled', 'The run was cancelled.', '');
  }
}
