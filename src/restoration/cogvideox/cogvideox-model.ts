import {
  RestorationError,
  metricValue,
  type ConcreteDevice,
  type DiffusionRecord,
  type DiffusionWish,
  type Task,
} from '../../protocol';
import { psnr, rgbPlane } from '../../measure';
import type { VideoAdapter } from '../adapters/video-adapter';
import { throwIfCancelled, type PromptTask, type TrajectoryProgress } from '../compact/compact-model';
import { toEightBits, toSixteenBits, type AnyPixels, type Depth } from '../image/pixels';
import { freeGpuMemory } from '../models/gpu-memory';
import type { CogVideoXManifest, InstalledModel } from '../models/manifest';
import type { TensorData } from '../models/sessions';
import { availableMemory } from '../models/tiling';
import { Autoencoder, SPATIAL, latentFrames, planesOf, type Moments, type Runner } from './autoencoder';
import { chooseCanvas, offCanvas, ontoCanvas, placePicture, type Placement, type Size } from './canvas';
import { frameToPicture, pictureToPlanes } from './clip-pixels';
import { denoise } from './denoise';
import { isGuided, type Guidance } from './guidance';
import { gigabytes, planMemory, type FreeMemory, type MemoryPlan, type Part } from './memory-plan';
import { NetworkShelf } from './network-shelf';
import { noiseFile, seededNoise, type NoiseSource } from './noise';
import { roughFrame } from './latent-preview';
import type { Planes } from './planes';
import { PromptEmbeddings, type PromptEmbedding } from './prompt-embeddings';
import { rotaryEmbedding, type RotaryEmbedding } from './rope';
import { createScheduler } from './scheduler';

/** What a run asks of a CogVideoX model. */
export interface CogVideoXRequest {
  /** The degraded picture, 8 or 16 bits. It is not changed. */
  picture: AnyPixels;
  task: Task;
  prompt: string;
  /** Severities of frames that the clip has: k / (frames - 1). */
  severities: readonly number[];
  /** Bits a sample of the frames; 8 unless said otherwise. */
  depth?: Depth;
  diffusion?: DiffusionWish;
  signal: AbortSignal;
  onProgress: (progress: TrajectoryProgress) => void;
}

/** A frame, or an estimate of one on the way. */
export interface CogVideoXFrame {
  /** Position in the request's `severities`. */
  index: number;
  pixels: AnyPixels;
  /**
   * 1-based number of the step after which the estimate was made, and its training step; absent for a finished frame.
   * `approximate`: its colours come straight from the latents, because memory does not hold the decoder beside the transformer.
   */
  preview?: { step: number; timestep: number; approximate?: true };
}

/** How a run went, for its record. */
export interface CogVideoXWork {
  diffusion: DiffusionRecord;
  /** Sentences for the record. */
  notes: string[];
  /** What the steps ended with, [T, C, h, w]; filled up in front to whole tokens. */
  latents: Float32Array;
}

/** Estimates that are shown on the way unless the caller says otherwise. */
const PREVIEWS = 4;
/** A severity is that of a frame when it differs by less than this. */
const SAME_SEVERITY = 1e-6;

/** A turn of the event loop, so that a cancel is read between two network runs. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Everything that one run has decided before its first step. */
interface Setting {
  plan: MemoryPlan;
  placement: Placement;
  guidance: Guidance;
  steps: number;
  noise: NoiseSource;
  prompt: PromptEmbedding;
  nothing: PromptEmbedding | undefined;
}

/**
 * CogVideoX as a restorer (arXiv 2512.02273): the degraded picture is the first frame of a clip that ends restored. An
 * autoencoder turns the picture into latents, a transformer takes noise to the latents of a clip in many steps, led by the
 * picture's latents and a prompt, and the autoencoder turns them into frames. Checked against diffusers, part by part.
 */
export class CogVideoXModel {
  /** Frames of a clip, as the decoder was exported. */
  readonly frameCount: number;
  private readonly autoencoder: Autoencoder;
  private readonly embeddings: PromptEmbeddings;

  private constructor(
    readonly installed: InstalledModel<CogVideoXManifest>,
    readonly device: ConcreteDevice,
    private readonly shelf: NetworkShelf,
    private readonly weights: ReadonlyMap<Part, number>,
    private readonly adapters: readonly VideoAdapter[],
    private readonly free: () => Promise<FreeMemory>,
  ) {
    const { manifest } = installed;
    this.frameCount = manifest.frames;
    this.autoencoder = new Autoencoder(manifest.vae, manifest.id);
    this.embeddings = new PromptEmbeddings(installed);
  }

  /**
   * Reads what the networks will take; none is loaded before a run needs it.
   *
   * @param adapters merged into the transformer when it is loaded
   * @param free what is free when a run is planned; as the system and the GPU's driver tell unless said otherwise
   * @throws RestorationError `bad-model` when a file is missing, altered or no network
   */
  static async load(
    installed: InstalledModel<CogVideoXManifest>,
    device: ConcreteDevice,
    adapters: readonly VideoAdapter[] = [],
    free: () => Promise<FreeMemory> = async () => ({ host: availableMemory(), gpu: await freeGpuMemory(device) }),
  ): Promise<CogVideoXModel> {
    const shelf = new NetworkShelf(installed, device, adapters);
    return new CogVideoXModel(installed, device, shelf, await shelf.weights(), adapters, free);
  }

  /** A model that does one thing does it whatever the prompt says. */
  async taskOf(): Promise<PromptTask> {
    const { id, tasks } = this.installed.manifest;
    if (tasks.length === 1) return { task: tasks[0] as Task, confidence: 1 };
    throw new RestorationError(
      'bad-argument',
      `Model ${id} cannot tell from a prompt what to do.`,
      `Give the task: one of ${tasks.join(', ')}.`,
    );
  }

  /** Networks in memory. */
  get loadedParts(): Part[] {
    return this.shelf.parts;
  }

  async release(): Promise<void> {
    await this.shelf.release();
  }

  async releaseIdle(milliseconds: number): Promise<void> {
    await this.shelf.releaseIdle(milliseconds);
  }

  /** The plan for a picture, without loading anything. @throws RestorationError `device-unavailable` when nothing fits */
  async plan(picture: Size, encodesText: boolean): Promise<MemoryPlan> {
    const { manifest } = this.installed;
    const canvas = chooseCanvas(picture, manifest.canvas, SPATIAL * manifest.transformer.patch);
    const weights = new Map([...this.weights].filter(([part]) => encodesText || part !== 'text_encoder'));
    const model = { id: manifest.id, settings: manifest, weights };
    return planMemory(model, canvas, this.device, await this.free());
  }

  /**
   * The picture itself, then estimates of the clip on the way, then its frames.
   *
   * @returns how the run went
   * @throws RestorationError `bad-argument` for severities that the clip has not, or a prompt that cannot be encoded;
   *   `device-unavailable` when memory does not suffice; `cancelled` between two network runs; `bad-output`
   */
  async *trajectory(request: CogVideoXRequest): AsyncGenerator<CogVideoXFrame, CogVideoXWork | void, void> {
    const { picture, severities, depth = 8, signal } = request;
    const frames = severities.map((severity) => this.frameOf(severity));
    throwIfCancelled(signal);
    const deep = depth === 16 ? toSixteenBits(picture) : toEightBits(picture);
    for (const [index, frame] of frames.entries()) if (frame === 0) yield { index, pixels: deep };
    if (frames.every((frame) => frame === 0)) return;

    const { manifest } = this.installed;
    const { placement, wish, notes } = this.prepare(request);
    const guidance: Guidance = {
      kind: wish.guidanceKind ?? manifest.guidance.kind,
      scale: wish.guidance ?? manifest.guidance.scale,
    };
    const steps = wish.steps ?? manifest.scheduler.steps;
    const encodesText = request.prompt !== manifest.uniformPrompts[request.task];
    const plan = await this.plan(picture, encodesText);
    notes.push(...this.planNotes(plan));
    const previews = this.previewSteps(wish.previews, steps, plan, notes);
    const progress = this.counter(request, {
      encode: 1,
      still: this.shelf.has('vae_still') ? 1 : 0,
      steps: steps * (isGuided(guidance) ? 2 : 1),
      decode: (plan.sequential ? 0 : previews.size) + 1,
    });
    const file = wish.noise === undefined ? undefined : await noiseFile(wish.noise);
    const noise = file ?? seededNoise(wish.seed ?? 0);
    const text = (): Promise<Runner> => this.shelf.runner('text_encoder', plan.sequential);
    const prompt = await this.embeddings.ofPrompt(request.prompt, request.task, text);
    const nothing = isGuided(guidance) ? await this.embeddings.ofNothing(text) : undefined;
    if (prompt.note !== undefined) notes.push(prompt.note);
    const setting: Setting = { plan, placement, guidance, steps, noise, prompt, nothing };

    const shown = ontoCanvas(picture, placement);
    const moments = await this.encode(shown, setting);
    await progress.next();
    const roundTripPsnr = await this.roundTrip(shown, moments, setting);
    if (roundTripPsnr !== undefined) await progress.next();

    const frame = (clip: Planes, number: number): AnyPixels =>
      offCanvas(frameToPicture(clip, number, depth), deep, placement);
    const made = { seconds: 0 };
    let latents: Float32Array | undefined;
    for await (const denoised of this.clip(moments, setting, wish, progress.next, made)) {
      ({ latents } = denoised);
      const { index: at, timestep } = denoised.step;
      if (!previews.has(at)) continue;
      const preview = { step: at + 1, timestep };
      const estimate = this.clipLatents(denoised.estimate, moments);
      const { preview: colours } = manifest.vae;
      if (plan.sequential && colours) {
        for (const [index, number] of frames.entries()) {
          const rough = offCanvas(roughFrame(estimate, colours, number, depth), deep, placement);
          if (number > 0) yield { index, pixels: rough, preview: { ...preview, approximate: true } };
        }
        continue;
      }
      const clip = await this.decode(estimate, setting);
      await progress.next();
      for (const [index, number] of frames.entries()) {
        if (number > 0) yield { index, pixels: frame(clip, number), preview };
      }
    }
    if (!latents) throw new RangeError('a scheduler has at least one step');
    const clip = await this.decode(this.clipLatents(latents, moments), setting);
    await progress.next();
    for (const [index, number] of frames.entries()) {
      if (number > 0) yield { index, pixels: frame(clip, number) };
    }
    return {
      notes,
      latents,
      diffusion: {
        scheduler: wish.scheduler ?? manifest.scheduler.kind,
        steps,
        frames: this.frameCount,
        guidance,
        ...(file ? { noise: file.sha256 } : { seed: wish.seed ?? 0 }),
        embedding: prompt.source,
        canvas: { ...placement.canvas, fit: placement.fit },
        ...(roundTripPsnr === undefined ? {} : { roundTripPsnr: metricValue(roundTripPsnr) }),
        secondsPerStep: made.seconds / steps,
        tiled: plan.tiled,
        sequential: plan.sequential,
      },
    };
  }

  /**
   * Frames of an even choice out of the clip: the first, the last, and so many between them at equal distances.
   *
   * @throws RestorationError `bad-argument` when the clip has no such choice, with those that it has
   */
  frameCountFor(wanted: number): number {
    const last = this.frameCount - 1;
    if (last % (wanted - 1) === 0) return wanted;
    const choices = Array.from({ length: last }, (_, i) => i + 2).filter((count) => last % (count - 1) === 0);
    const longer = wanted > this.frameCount && wanted % 8 === 1;
    throw new RestorationError(
      'bad-argument',
      wanted > this.frameCount
        ? `Model ${this.installed.manifest.id} makes clips of ${this.frameCount} frames; ${wanted} were asked for.`
        : `Model ${this.installed.manifest.id} makes clips of ${this.frameCount} frames, of which ${wanted} cannot be evenly spaced.`,
      `Ask for ${choices.slice(0, -1).join(', ')} or ${this.frameCount}${
        longer ? `, or train and export the model for clips of ${wanted}` : '; clips have 8N + 1 frames'
      }.`,
    );
  }

  /** Number of the clip's frame for a severity, 0-based. */
  private frameOf(severity: number): number {
    const last = this.frameCount - 1;
    const frame = Math.round((1 - severity) * last);
    if (Math.abs(1 - frame / last - severity) < SAME_SEVERITY) return frame;
    throw new RestorationError(
      'bad-argument',
      `Model ${this.installed.manifest.id} makes clips of ${this.frameCount} frames; severity ${severity} lies between two of them.`,
      `Ask for a multiple of 1/${last}, or take a trajectory model such as compact.`,
    );
  }

  private prepare({ picture, diffusion = {} }: CogVideoXRequest): {
    placement: Placement;
    wish: DiffusionWish;
    notes: string[];
  } {
    const { canvas: settings, resize, transformer } = this.installed.manifest;
    const canvas = chooseCanvas(picture, settings, SPATIAL * transformer.patch);
    const placement = placePicture(picture, canvas, resize);
    const notes = this.adapters.flatMap(({ note }) => (note === undefined ? [] : [note]));
    const { inner } = placement;
    if (inner.width !== picture.width || inner.height !== picture.height) {
      const [from, to] = [picture, inner].map(({ width, height }) => `${width}x${height}`);
      notes.push(
        `The picture of ${from} was resized to ${to} for the model, and its frames back, by bicubic interpolation; its aspect ratio was kept.`,
      );
    }
    if (inner.width > canvas.width || inner.height > canvas.height) {
      notes.push(
        `The model saw the middle of the picture (${canvas.width}x${canvas.height}); the rest stayed as it came.`,
      );
    } else if (inner.width < canvas.width || inner.height < canvas.height) {
      notes.push(`The model's frames of ${canvas.width}x${canvas.height} were filled up by mirroring the picture.`);
    }
    return { placement, wish: diffusion, notes };
  }

  private planNotes({ tiled, sequential, peak }: MemoryPlan): string[] {
    if (!tiled && !sequential) return [];
    const measures = [
      ...(tiled ? ['the autoencoder worked in tiles'] : []),
      ...(sequential ? ['one network at a time was in memory'] : []),
    ];
    return [`To get along with the memory that was free (about ${gigabytes(peak)} needed), ${measures.join(' and ')}.`];
  }

  /** 0-based steps after which an estimate is decoded; the last one is the result itself. */
  private previewSteps(wanted: number | undefined, steps: number, plan: MemoryPlan, notes: string[]): Set<number> {
    const count = Math.min(wanted ?? PREVIEWS, steps - 1);
    if (plan.sequential && count > 0) {
      const { id, vae } = this.installed.manifest;
      if (!vae.preview) {
        notes.push(
          `No estimates were shown on the way: memory holds one network at a time, and ${id} was exported without colours for its latents.`,
        );
        return new Set();
      }
      notes.push(
        'Estimates on the way are rough: memory holds one network at a time, so their colours come straight from the latents.',
      );
    }
    return new Set(Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * steps) / (count + 1)) - 1));
  }

  /** Counts network runs, and stops between two of them when the run was cancelled. */
  private counter(
    { signal, onProgress }: CogVideoXRequest,
    runs: Record<string, number>,
  ): { next: () => Promise<void> } {
    const total = Object.values(runs).reduce((sum, count) => sum + count, 0);
    let done = 0;
    onProgress({ done, total });
    return {
      next: async () => {
        onProgress({ done: ++done, total });
        await breathe();
        throwIfCancelled(signal);
      },
    };
  }

  private async encode(picture: AnyPixels, { plan }: Setting): Promise<Moments> {
    const run = await this.shelf.runner('vae_encoder', plan.sequential);
    return this.autoencoder.encode(run, pictureToPlanes(picture), plan.tiled);
  }

  /** PSNR in dB of the picture through the autoencoder and back: no clip of this model shows it better. */
  private async roundTrip(
    picture: AnyPixels,
    { mean, height, width }: Moments,
    { plan }: Setting,
  ): Promise<number | undefined> {
    if (!this.shelf.has('vae_still')) return undefined;
    const { channels } = this.installed.manifest.vae;
    const run = await this.shelf.runner('vae_still', plan.sequential);
    const back = await this.autoencoder.decode(run, { count: channels, height, width, data: mean }, 1, plan.tiled);
    const decoded = toEightBits(frameToPicture(back, 0, 8));
    return psnr(rgbPlane(toEightBits(picture)), rgbPlane(decoded));
  }

  /** Latent frames of the transformer: those of the clip, filled up in front to whole tokens. */
  private get paddedFrames(): number {
    const { frames, transformer } = this.installed.manifest;
    return Math.ceil(latentFrames(frames) / transformer.patchT) * transformer.patchT;
  }

  /** The loop of steps over the latents [T, C, h, w] of a clip whose first frame is the picture. */
  private async *clip(
    moments: Moments,
    { plan, guidance, steps, noise, prompt, nothing }: Setting,
    wish: DiffusionWish,
    step: () => Promise<void>,
    made: { seconds: number },
  ): ReturnType<typeof denoise> {
    const { transformer, vae, scheduler, text, id } = this.installed.manifest;
    const { height, width } = moments;
    const frames = this.paddedFrames;
    const plane = height * width;
    const image = this.imageLatents(moments, noise, frames);
    const run = await this.shelf.runner('transformer', plan.sequential);
    const fixed = this.fixedInputs(frames, height, width);
    const states = new Float32Array(frames * transformer.inChannels * plane);
    const share = vae.channels * plane;
    const dims = [1, frames, transformer.inChannels, height, width];
    const predict = async (latents: Float32Array, timestep: number, prompted: boolean): Promise<Float32Array> => {
      const started = performance.now();
      for (let t = 0; t < frames; t++) {
        states.set(latents.subarray(t * share, (t + 1) * share), t * 2 * share);
        states.set(image.subarray(t * share, (t + 1) * share), (t * 2 + 1) * share);
      }
      const { data } = prompted || !nothing ? prompt : nothing;
      const outputs = await run({
        ...fixed,
        hidden_states: { type: 'float32', data: states, dims },
        encoder_hidden_states: { type: 'float32', data, dims: [1, text.length, text.width] },
        timestep: { type: 'int64', data: BigInt64Array.of(BigInt(timestep)), dims: [1] },
      });
      const expected = [1, frames, transformer.outChannels, height, width];
      const velocity = planesOf(outputs.velocity, expected, `${id}/transformer`).data;
      made.seconds += (performance.now() - started) / 1000;
      await step();
      return velocity;
    };
    const kind = wish.scheduler ?? scheduler.kind;
    yield* denoise(
      noise.latents(frames * share),
      { scheduler: createScheduler(kind, steps, scheduler.snrShift), guidance, noise },
      predict,
    );
  }

  /**
   * The picture's latents as the first frame, zeros behind them. The mean is taken, or a sample where the noise has one for it.
   */
  private imageLatents({ mean, logVariance }: Moments, noise: NoiseSource, frames: number): Float32Array {
    const { scale, invertImageScale } = this.installed.manifest.vae;
    const factor = invertImageScale ? 1 / scale : scale;
    const sample = noise.image(mean.length);
    const latents = new Float32Array(frames * mean.length);
    for (let i = 0; i < mean.length; i++) {
      const spread = sample ? Math.exp((logVariance[i] as number) / 2) * (sample[i] as number) : 0;
      latents[i] = ((mean[i] as number) + spread) * factor;
    }
    return latents;
  }

  /** What the transformer is told at every step alike: rotary embeddings, and the constant of 1.5. */
  private fixedInputs(frames: number, height: number, width: number): Record<string, TensorData> {
    const { headDim, patch, patchT, positions, ropeGrid, ropeBase, ofs } = this.installed.manifest.transformer;
    const inputs: Record<string, TensorData> = {};
    if (positions !== 'sincos') {
      const grid = { frames: frames / patchT, rows: height / patch, columns: width / patch };
      const { cos, sin }: RotaryEmbedding = rotaryEmbedding(grid, headDim, ropeGrid, ropeBase);
      const dims = [cos.length / headDim, headDim];
      inputs.rope_cos = { type: 'float32', data: cos, dims };
      inputs.rope_sin = { type: 'float32', data: sin, dims };
    }
    if (ofs !== false) inputs.ofs = { type: 'float32', data: Float32Array.of(ofs), dims: [1] };
    return inputs;
  }

  /** Latents [T, C, h, w] of the loop as the autoencoder has them, [C, T, h, w]; what was filled up in front is dropped. */
  private clipLatents(latents: Float32Array, { height, width }: Moments): Planes {
    const { channels, scale } = this.installed.manifest.vae;
    const frames = latentFrames(this.frameCount);
    const skipped = this.paddedFrames - frames;
    const plane = height * width;
    const data = new Float32Array(channels * frames * plane);
    // The autoencoder has channels before time.
    for (let t = 0; t < frames; t++) {
      for (let channel = 0; channel < channels; channel++) {
        const from = ((t + skipped) * channels + channel) * plane;
        const to = (channel * frames + t) * plane;
        for (let i = 0; i < plane; i++) data[to + i] = (latents[from + i] as number) / scale;
      }
    }
    return { count: channels * frames, height, width, data };
  }

  private async decode(latents: Planes, { plan }: Setting): Promise<Planes> {
    const run = await this.shelf.runner('vae_decoder', plan.sequential);
    return this.autoencoder.decode(run, latents, this.frameCount, plan.tiled);
  }
}
