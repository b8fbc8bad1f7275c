import { randomUUID } from 'node:crypto';
import path from 'node:path';
import {
  ADAPTER_NAME,
  DEFAULT_FRAMES,
  RestorationError,
  type AdapterWish,
  type Device,
  type DiffusionWish,
  type Metric,
  type MetricProtocol,
  type Precision,
  type Region,
  type RestoreRequest,
  type Task,
} from '../protocol';
import type { Progress } from '../inference/client';
import type { DescriptionEndpoint } from '../restoration/prompts/endpoint';
import { LiveView } from './live-view';
import { describe } from './look';
import { Run } from './run';
import { displayHost, framesFolder, inferenceClient } from './session';

export interface RestoreOptions {
  /** What is wrong with the picture; left out, the prompt decides, and without a prompt a look at the picture. */
  task?: Task;
  /**
   * A description of the scene, or the wish in your own words; omit it for the task's uniform sentence. `'auto'` has the
   * built-in describer look at the picture (brightness, colours, texture; no network).
   */
  prompt?: string;
  /**
   * Have a multimodal model behind an OpenAI-compatible endpoint describe the scene. **This sends the picture** (a JPEG of at
   * most 512 pixels) there; `true` takes the endpoint that the environment names.
   */
  describe?: DescriptionEndpoint | true;
  /** Path of the sharp (or bright) picture: metrics appear under every frame. */
  reference?: string;
  /**
   * Frames from degraded to restored, both included; 9 unless said otherwise. Diffusion models make clips of 8N + 1 frames, as
   * they were exported, and give all of them or an even choice (9 out of 17 or 25).
   */
  frames?: number;
  /**
   * One frame at this severity instead of a clip: 0 is fully restored, 1 the picture as it came. Asking the same picture
   * for another severity is quick, for the larger part of the work is remembered.
   */
  severity?: number;
  /** Frames at these severities, in this order, instead of an even clip. */
  severities?: readonly number[];
  /** Enlargement for super-resolution, 1 to 8; what the model enlarges, or else 4, unless said otherwise. */
  scale?: number;
  /**
   * Id of an installed model, or the path of a folder with a `manifest.json`. Unless said otherwise "compact", and in a
   * notebook of the editor the model of its setting; so is the device.
   */
  model?: string;
  /**
   * LoRA adapters merged into the model while it is loaded: the path of a `.safetensors` file, or the name of one that ships
   * with the model (compact has `reds` and `perceptual`). Those made for another task do nothing; when none is for the task,
   * the call is refused. Without a task and a prompt, the adapter decides the task.
   */
  adapter?: AdapterOption | readonly AdapterOption[];
  /** "auto" (the fastest that works) unless said otherwise; one that is missing falls back to the CPU, and the record says so. */
  device?: Device;
  /**
   * "auto" unless said otherwise: int8 convolutions on the CPU where the model has them for the task and no adapter acts
   * (about twice as fast, within 0.1 dB), else fp32. "int8" is refused where it is not possible. 16-bit results are fp32.
   */
  precision?: Precision;
  /**
   * For diffusion models (CogVideoX): `steps`, `seed`, `scheduler` ('ddim' or 'dpm'), `guidance` (1 = none, half the time),
   * `guidanceKind` ('fixed', 'oscillating' as the reference's dynamic one, 'cosine'), `previews` (estimates shown on the way)
   * and `noise` (a safetensors file in place of the seed). What is left out is the model's own.
   */
  diffusion?: DiffusionWish;
  /** Metric protocol: `sr` for super-resolution and `rgb` for the other tasks unless said otherwise. */
  protocol?: MetricProtocol;
  /** What is measured against the reference: psnr, ssim and lpips unless said otherwise; flip costs as much again. */
  metrics?: Metric[];
  /** Part of the picture that the strip shows at 1:1; where frames differ most unless said otherwise. */
  region?: Region;
  /** In a notebook: shows nothing while it works. For loops over many pictures. */
  quiet?: boolean;
  /** Cancels the run between two network calls. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** A file or a name, or one with a scale: 1 as it was trained, 0 not at all, up to 10 and down to -10. */
export type AdapterOption = string | { file: string; scale?: number };

/** The model that ships inside. */
export const DEFAULT_MODEL = 'compact';

/** @internal Options as a request; paths become absolute. */
export function restoreRequest(input: string, options: RestoreOptions, folder: string | undefined): RestoreRequest {
  if (typeof input !== 'string' || input === '') {
    throw new RestorationError(
      'bad-argument',
      'restore needs the path of a picture.',
      "Call restore('photo.jpg', { task: 'deblurring' }).",
    );
  }
  return {
    input: path.resolve(input),
    ...(options.task === undefined ? {} : { task: options.task }),
    ...(options.prompt === undefined
      ? {}
      : options.prompt === 'auto'
        ? { promptSource: 'described' as const }
        : { prompt: options.prompt }),
    ...(options.reference === undefined ? {} : { reference: path.resolve(options.reference) }),
    ...framesOf(options),
    ...(options.scale === undefined ? {} : { scale: options.scale }),
    model: options.model ?? displayHost()?.defaults?.model ?? DEFAULT_MODEL,
    ...(options.adapter === undefined ? {} : { adapters: adapterWishes(options.adapter) }),
    device: options.device ?? displayHost()?.defaults?.device ?? 'auto',
    ...(options.precision === undefined ? {} : { precision: options.precision }),
    ...(options.diffusion === undefined ? {} : { diffusion: diffusionWish(options.diffusion) }),
    ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(folder === undefined ? {} : { framesFolder: folder }),
    priority: 'interactive',
  };
}

/** Paths become absolute; a mere name stays. What is wrong is said when the request is checked. */
function adapterWishes(option: AdapterOption | readonly AdapterOption[]): AdapterWish[] {
  const options = (Array.isArray(option) ? option : [option]) as readonly AdapterOption[];
  return options.map((each) => {
    const { file, scale = 1 } = typeof each === 'string' ? { file: each } : each;
    const named = typeof file !== 'string' || file === '' || ADAPTER_NAME.test(file);
    return { file: named ? file : path.resolve(file), scale };
  });
}

function diffusionWish(wish: DiffusionWish): DiffusionWish {
  return wish.noise === undefined ? wish : { ...wish, noise: path.resolve(wish.noise) };
}

function framesOf({ frames, severity, severities }: RestoreOptions): Pick<RestoreRequest, 'frames' | 'severities'> {
  const given = [frames, severity, severities].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw new RestorationError(
      'bad-argument',
      'Only one of frames, severity and severities can be given.',
      'Leave the others out.',
    );
  }
  if (severity === undefined && severities === undefined) return { frames: frames ?? DEFAULT_FRAMES };
  // Checked with the rest of the request, whatever an untyped caller gave.
  const wanted =
    severities === undefined
      ? [severity as number]
      : Array.isArray(severities)
        ? [...(severities as readonly number[])]
        : severities;
  return { frames: wanted.length, severities: wanted as number[] };
}

/**
 * Restores a picture progressively: a clip of frames from degraded to clean, each with its metrics when a reference is
 * given. The method is that of arXiv 2512.02273 with the model named in the options.
 *
 * @param input path of a PNG, JPEG, WebP, AVIF or TIFF (the content decides); for super-resolution the small picture
 * @returns the run; as the last expression of a notebook cell it shows its strip
 * @throws RestorationError in one sentence with a remedy: unreadable picture, unknown task or model, a reference of
 *   another size, a damaged model, a cancelled run
 * @example
 * const run = await restore('football.jpg', { task: 'deblurring', reference: 'football-sharp.jpg' });
 * run.metrics.psnr; // nine values in dB
 */
export async function restore(input: string, options: RestoreOptions = {}): Promise<Run> {
  const folder = framesFolder();
  const request = await describedRequest(restoreRequest(input, options, folder), options);
  const host = displayHost();
  const displayId = randomUUID();
  const live = host && !options.quiet ? new LiveView(host, displayId, request, path.basename(input)) : undefined;
  const signal = anySignal([options.signal, host?.signal]);
  try {
    const view = await inferenceClient().restore(request, {
      ...(signal ? { signal } : {}),
      onStart: (start) => live?.onStart(start),
      onProgress: (progress) => {
        live?.onProgress(progress);
        options.onProgress?.(progress);
      },
      onFrame: (frame) => live?.onFrame(frame),
    });
    await live?.finish(view);
    return new Run(view, folder, request.reference, displayId, {
      input: request.input,
      model: request.model,
      ...(request.adapters ? { adapters: request.adapters } : {}),
      device: request.device,
    });
  } catch (error) {
    const failure = RestorationError.from(error);
    live?.fail({ interrupted: failure.code === 'cancelled', message: failure.message });
    throw failure;
  }
}

/** @internal The request with a prompt by the endpoint, if one is to describe the scene. */
export async function describedRequest(request: RestoreRequest, options: RestoreOptions): Promise<RestoreRequest> {
  if (options.describe === undefined) return request;
  if (options.prompt !== undefined) {
    throw new RestorationError(
      'bad-argument',
      'A prompt was given, and an endpoint was to write one.',
      'Leave out either prompt or describe.',
    );
  }
  const { text, source } = await describe(request.input, {
    endpoint: options.describe,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  return { ...request, prompt: text, promptSource: source };
}

/** @internal One signal that follows several. */
export function anySignal(signals: (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal): signal is AbortSignal => signal !== undefined);
  return given.length < 2 ? given[0] : AbortSignal.any(given);
}
