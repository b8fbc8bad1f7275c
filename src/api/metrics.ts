import path from 'node:path';
import type { Measurement, MetricProtocol } from '../protocol';
import { inferenceClient } from './session';

export interface MetricsOptions {
  /** `sr`: Y channel, border of `scale` pixels cropped; `rgb`: all channels, no crop. LPIPS is always uncropped RGB. */
  protocol: MetricProtocol;
  /** 4 unless said otherwise. */
  scale?: number;
  signal?: AbortSignal;
}

/**
 * PSNR, SSIM and LPIPS of two pictures of one size.
 *
 * @returns psnr in dB ("Infinity" for identical pictures), ssim, lpips (absent for sides under 32 pixels)
 * @throws RestorationError `size-mismatch`, `missing-file` or `unreadable-picture`
 */
export function metrics(a: string, b: string, options: MetricsOptions): Promise<Measurement> {
  return inferenceClient().measure(
    {
      a: path.resolve(a),
      b: path.resolve(b),
      protocol: options.protocol,
      scale: options.scale ?? 4,
      device: 'cpu',
    },
    options.signal ? { signal: options.signal } : {},
  );
}
