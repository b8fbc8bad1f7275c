import path from 'node:path';
import { RestorationError, type Metric, type MetricProtocol, type Region, type Task } from '../protocol';
import { anySignal } from './restore';
import { Run } from './run';
import { displayHost, framesFolder, inferenceClient } from './session';

export interface StripOptions {
  /** Path of the picture that the frames are measured against. */
  reference?: string;
  /** What the frames were made for; names the strip and chooses the protocol. Deblurring unless said otherwise. */
  task?: Task;
  protocol?: MetricProtocol;
  /** What is measured against the reference: psnr, ssim and lpips unless said otherwise. */
  metrics?: Metric[];
  /** Border that the `sr` protocol crops; 4 unless said otherwise. */
  scale?: number;
  prompt?: string;
  /** Name of the method, for the header. */
  model?: string;
  region?: Region;
  signal?: AbortSignal;
}

/**
 * The strip of frames that already exist, from whatever method, measured like our own.
 *
 * @param frames paths in order, the degraded picture first; at least two, all of one size
 * @throws RestorationError `bad-argument`, `missing-file`, `unreadable-picture` or `size-mismatch`
 * @example await strip(['step0.png', 'step1.png', 'step2.png'], { reference: 'sharp.png' })
 */
export async function strip(frames: readonly string[], options: StripOptions = {}): Promise<Run> {
  if (!Array.isArray(frames) || frames.length < 2) {
    throw new RestorationError('bad-argument', 'strip needs at least two frames.', 'Name their files in order.');
  }
  const folder = framesFolder();
  const reference = options.reference === undefined ? undefined : path.resolve(options.reference);
  const signal = anySignal([options.signal, displayHost()?.signal]);
  const view = await inferenceClient().strip(
    {
      frames: frames.map((frame: string) => path.resolve(frame)),
      task: options.task ?? 'deblurring',
      ...(reference === undefined ? {} : { reference }),
      ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
      ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
      scale: options.scale ?? 4,
      ...(options.prompt === undefined ? {} : { prompt: options.prompt }),
      ...(options.model === undefined ? {} : { model: options.model }),
      ...(options.region === undefined ? {} : { region: options.region }),
      framesFolder: folder,
      priority: 'interactive',
    },
    signal ? { signal } : {},
  );
  return new Run(view, folder, reference, undefined, {
    input: path.resolve(frames[0] as string),
    device: 'cpu',
  });
}
