import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  CHECK_NAMES,
  PICTURE_FORMATS,
  RestorationError,
  type CheckRequest,
  type InstallationCheck,
  type InstallationReport,
} from '../../protocol';
import { flip, psnrOfPair, ssimOfPair } from '../../measure';
import { decodePicture } from '../image/decode';
import { encodeResult } from '../image/encode-result';
import { createPixels, type Pixels } from '../image/pixels';
import { samplePictureFile } from '../models/locations';
import type { RunEvents } from './events';
import type { ModelPool } from './model-pool';
import { restorePicture } from './restore-picture';
import { versions } from './versions';

const MEASURE = { protocol: 'rgb', scale: 1 } as const;
/** What a lossy format at quality 90 keeps of the sample, in dB; a decoder that mixes channels up stays far below. */
const LOSSY_DECIBEL = 30;
/** Frames of the trial run: both ends and one between. */
const FRAMES = 3;
/** The metrics' known pair: a plain grey against one that is brighter by so much. */
const GREY = 100;
const STEP = 16;
/** LPIPS v0.1 (AlexNet) of the sample picture against its negative, as the verified network gives it. */
const NEGATIVE_LPIPS = { value: 0.5166, tolerance: 0.002 };

/**
 * Tries, in this process, everything that a run needs: each picture format written and read back, the model on a sample
 * picture, every metric on pictures whose figures are known. What fails says why and what to do; nothing needs a network
 * connection.
 */
export async function checkInstallation(
  { model, device }: CheckRequest,
  pool: ModelPool,
  events: RunEvents,
  signal: AbortSignal,
): Promise<InstallationReport> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'progressive-restoration-check-'));
  const work: Record<(typeof CHECK_NAMES)[number], () => Promise<string>> = {
    pictures: () => tryPictures(folder),
    network: () => tryNetwork(folder, model, device, pool, signal),
    metrics: () => tryMetrics(pool),
  };
  try {
    const checks: InstallationCheck[] = [];
    for (const [i, name] of CHECK_NAMES.entries()) {
      events.onProgress('network', i, CHECK_NAMES.length);
      if (signal.aborted) throw new RestorationError('cancelled', 'The check was cancelled.', '');
      const started = performance.now();
      const seconds = (): number => Math.round(performance.now() - started) / 1000;
      try {
        checks.push({ name, ok: true, detail: await work[name](), seconds: seconds() });
      } catch (error) {
        const { problem, remedy, code } = RestorationError.from(error);
        if (code === 'cancelled') throw error;
        checks.push({ name, ok: false, detail: problem, ...(remedy ? { remedy } : {}), seconds: seconds() });
      }
    }
    return { checks, devices: await pool.devices.report(), versions: versions() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function wrong(problem: string): RestorationError {
  return new RestorationError('internal', problem, 'Install the extension or the package again.');
}

async function samplePicture(): Promise<Pixels> {
  return (await decodePicture(samplePictureFile())).pixels;
}

async function tryPictures(folder: string): Promise<string> {
  const sample = await samplePicture();
  for (const format of PICTURE_FORMATS) {
    const copy = { ...sample, data: Uint8Array.from(sample.data) };
    const traits = { format, depth: 8, grey: false } as const;
    const { bytes } = await encodeResult(copy, undefined, traits, { format, depth: 8, quality: 90 });
    const file = path.join(folder, `sample.${format}`);
    await writeFile(file, bytes);
    const { pixels } = await decodePicture(file);
    if (pixels.width !== sample.width || pixels.height !== sample.height) {
      throw wrong(`A ${format} picture came back with ${pixels.width}x${pixels.height} pixels.`);
    }
    const decibel = psnrOfPair(sample, pixels, MEASURE);
    const least = format === 'png' || format === 'tiff' ? Number.POSITIVE_INFINITY : LOSSY_DECIBEL;
    if (!(decibel >= least)) throw wrong(`A ${format} picture came back changed (PSNR ${decibel.toFixed(1)} dB).`);
  }
  return `${PICTURE_FORMATS.join(', ')} written and read back`;
}

async function tryNetwork(
  folder: string,
  model: string,
  device: CheckRequest['device'],
  pool: ModelPool,
  signal: AbortSignal,
): Promise<string> {
  const input = samplePictureFile();
  const silent: RunEvents = { onStart: () => undefined, onProgress: () => undefined, onFrame: () => undefined };
  const { choice, model: loaded } = await pool.restoration(model, device);
  const { tasks } = loaded.installed.manifest;
  // A result of the sample's own size is the cheapest; a model that only enlarges is tried with that.
  const task = tasks.find((one) => one !== 'super-resolution') ?? 'super-resolution';
  const request = {
    input,
    task,
    frames: FRAMES,
    model,
    device,
    framesFolder: folder,
    priority: 'interactive',
  } as const;
  const { record } = await restorePicture(request, pool, silent, signal);
  const note = choice.note === undefined ? '' : `; ${choice.note}`;
  return `${record.model.id} made ${record.frames.length} frames of ${record.input.width}x${record.input.height} pixels on ${record.device.used} in ${record.seconds.network.toFixed(2)} s${note}`;
}

/** Figures that are known on paper, but for that of LPIPS. */
async function tryMetrics(pool: ModelPool): Promise<string> {
  const plain = createPixels(64, 64);
  plain.data.fill(GREY);
  const brighter = createPixels(64, 64);
  brighter.data.fill(GREY + STEP);
  const expect = (name: string, value: number, expected: number, tolerance: number): string => {
    if (Math.abs(value - expected) <= tolerance) return `${name} ${value.toFixed(3)}`;
    throw wrong(`${name} of a known pair is ${value}; ${expected} was expected.`);
  };
  // Of two plain greys a and b, SSIM is its luminance term alone: (2ab + C1) / (a² + b² + C1).
  const [a, b, c1] = [GREY, GREY + STEP, (0.01 * 255) ** 2];
  const sample = await samplePicture();
  const negative = { ...sample, data: sample.data.map((value) => 255 - value) };
  const lpips = await (await (await pool.perceptual()).prepare(sample))(negative);
  if (flip(sample, sample) !== 0) throw wrong('FLIP of a picture against itself is not 0.');
  return [
    expect('PSNR', psnrOfPair(plain, brighter, MEASURE), 20 * Math.log10(255 / STEP), 1e-9),
    expect('SSIM', ssimOfPair(plain, brighter, MEASURE), (2 * a * b + c1) / (a * a + b * b + c1), 1e-9),
    expect('LPIPS', lpips, NEGATIVE_LPIPS.value, NEGATIVE_LPIPS.tolerance),
    'FLIP 0.000',
  ].join(', ');
}
