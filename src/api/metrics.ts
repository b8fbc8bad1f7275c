import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RestorationError, type Measurement, type Metric, type MetricProtocol, type Region } from '../protocol';
import { noReference as noReferenceOf, type NoReference, type ScalarMap } from '../measure';
import { decodePicture } from '../restoration/image/decode';
import { decodeNpy } from '../restoration/metrics/npy';
import { inferenceClient } from './session';

export interface MetricsOptions {
  /** `sr`: Y channel, border of `scale` pixels cropped; `rgb`: all channels, no crop. LPIPS and FLIP are always uncropped RGB. */
  protocol: MetricProtocol;
  /** 4 unless said otherwise. */
  scale?: number;
  /** What is measured; all of psnr, ssim, lpips and flip unless said otherwise. */
  metrics?: Metric[];
  /** Part that is measured, as if both pictures were cropped to it (`sr` crops no border from it); the whole unless said otherwise. */
  region?: Region;
  /**
   * Folder for maps: the error in 8-bit levels, and SSIM, spatial LPIPS and FLIP as far as they are measured. Each is
   * written as `NAME.KIND.png` (magma, bright is bad) and as `NAME.KIND.npy` (values; `readMap` reads them).
   */
  maps?: string;
  signal?: AbortSignal;
}

/**
 * PSNR, SSIM, LPIPS and FLIP of two pictures of one size, and the shift between them.
 *
 * @param a path of the picture that is judged
 * @param b path of its reference
 * @returns psnr in dB ("Infinity" for identical pictures), ssim, lpips (absent for sides under 32 pixels), flip; the
 *   sides that were measured; `alignment`: by how many pixels `a` lies right of `b` and below, with a warning when that
 *   spoils the metrics (absent where nothing can be said); `maps` when they were asked for
 * @throws RestorationError `size-mismatch`, `missing-file`, `unreadable-picture`; `bad-argument` for a region that does
 *   not lie inside or is too small for SSIM; `unwritable` for maps
 * @example
 * const { psnr, alignment } = await metrics('restored.png', 'sharp.png', { protocol: 'rgb' });
 */
export function metrics(
  a: string,
  b: string,
  options: MetricsOptions & { metrics?: undefined },
): Promise<Measurement & Required<Pick<Measurement, 'psnr' | 'ssim' | 'flip'>>>;
/** With `metrics` in the options only those that were asked for are there. */
export function metrics(a: string, b: string, options: MetricsOptions): Promise<Measurement>;
export function metrics(a: string, b: string, options: MetricsOptions): Promise<Measurement> {
  const { protocol, scale, metrics: wanted, region, maps, signal } = options;
  return inferenceClient().measure(
    {
      a: path.resolve(a),
      b: path.resolve(b),
      protocol,
      scale: scale ?? 4,
      device: 'cpu',
      ...(wanted === undefined ? {} : { metrics: wanted }),
      ...(region === undefined ? {} : { region }),
      ...(maps === undefined ? {} : { mapsFolder: path.resolve(maps) }),
    },
    signal ? { signal } : {},
  );
}

/**
 * The values of a map that `metrics` wrote: float32, row by row.
 *
 * @param file path of a `NAME.KIND.npy`
 * @throws RestorationError `missing-file`, or `unreadable-picture` for another file
 */
export async function readMap(file: string): Promise<Pick<ScalarMap, 'data' | 'width' | 'height'>> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new RestorationError('missing-file', `There is no map ${file}.`, 'Have the maps made again.', {
      cause: error,
    });
  });
  return decodeNpy(bytes);
}

/**
 * Sharpness and exposure of one picture. They describe and do not judge: noise raises sharpness, and a night scene is
 * rightly dark.
 *
 * @throws RestorationError `missing-file` or `unreadable-picture`
 */
export async function noReference(file: string): Promise<NoReference> {
  return noReferenceOf((await decodePicture(path.resolve(file))).pixels);
}
