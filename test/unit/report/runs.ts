import { RUN_SCHEMA, severityOf, type FrameRecord, type RunRecord } from '../../../src/protocol';
import { bestFrames } from '../../../src/restoration/report/record';

/** A frame of `count`, without metrics unless given. */
export function frameOf(index: number, count: number, metrics: Partial<FrameRecord> = {}): FrameRecord {
  return {
    index,
    severity: severityOf(index, count),
    file: `${String(index).padStart(64, '0')}.png`,
    width: 96,
    height: 64,
    ...metrics,
  };
}

/** A complete record of `metrics.length` frames. */
export function recordOf(metrics: Array<Partial<FrameRecord>>, changes: Partial<RunRecord> = {}): RunRecord {
  const frames = metrics.map((values, i) => frameOf(i + 1, metrics.length, values));
  const best = bestFrames(frames);
  return {
    schema: RUN_SCHEMA,
    task: 'deblurring',
    taskSource: 'user',
    prompt: { text: 'a football rolling over grass', source: 'user' },
    model: { id: 'compact', sha256: 'ab'.repeat(32) },
    device: { requested: 'auto', used: 'cpu' },
    input: { file: 'football.jpg', sha256: 'cd'.repeat(32), width: 96, height: 64 },
    ...(best
      ? {
          reference: { file: 'football-sharp.jpg', sha256: 'ef'.repeat(32) },
          protocol: { name: 'rgb' as const, scale: 1 },
          best,
        }
      : {}),
    frames,
    seconds: { decode: 0.02, network: 0.5, metrics: 0.3, encode: 0.08, total: 0.9 },
    versions: { 'progressive-restoration': '0.1.0' },
    ...changes,
  };
}

/** Three measured frames that improve, the last one identical to the reference. */
export const MEASURED: Array<Partial<FrameRecord>> = [
  { psnr: 25.114, ssim: 0.7351, lpips: 0.34, change: 0 },
  { psnr: 31.2, ssim: 0.902, lpips: 0.12, change: 4.25 },
  { psnr: 'Infinity', ssim: 1, lpips: 0, change: 2.5 },
];
