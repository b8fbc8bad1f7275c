import { adapterNames, type RunRecord, type Task } from '../../protocol';
import type { Judged } from './record';

/** How a run is worded in the drawn strip and in the text table. */

export const TASK_NAMES: Record<Task, string> = {
  'super-resolution': 'Super-resolution',
  deblurring: 'Deblurring',
  'low-light': 'Low light',
};

export const METRIC_NAMES: Record<Judged, string> = { psnr: 'PSNR', ssim: 'SSIM', lpips: 'LPIPS' };
export const ARROWS: Record<Judged, string> = { psnr: '↑', ssim: '↑', lpips: '↓' };

export type Measured = Judged | 'change';
const DIGITS: Record<Measured, number> = { psnr: 2, ssim: 4, lpips: 4, change: 2 };

/** A value with the digits that are worth reading; infinity is the word. */
export function formatMetric(metric: Measured, value: number): string {
  return Number.isFinite(value) ? value.toFixed(DIGITS[metric]) : String(value);
}

/** A difference with its sign, which is never a hyphen; no sign where rounding leaves nothing. */
export function formatGain(metric: Measured, gain: number): string {
  const text = formatMetric(metric, Math.abs(gain));
  if (Number(text) === 0) return text;
  return `${gain > 0 ? '+' : '−'}${text}`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** The protocol and what it means: no number is shown without it. */
export function describeProtocol(protocol: NonNullable<RunRecord['protocol']>): string {
  switch (protocol.name) {
    case 'sr':
      return `sr: Y channel, border of ${protocol.scale} px cropped`;
    case 'rgb':
      return 'rgb: all channels, nothing cropped';
  }
}

/** The file's name without its folders, whichever separator the record was written with. */
export function baseName(file: string): string {
  return file.split(/[\\/]/).pop() ?? file;
}

/** Model, device and seconds in one line. */
export function describeWork(record: RunRecord): string {
  const { model, device, seconds } = record;
  const names = [model.id, ...adapterNames(model.adapter)].join(' + ');
  const used =
    device.requested === device.used || device.requested === 'auto'
      ? device.used
      : `${device.used} (asked: ${device.requested})`;
  return `${names} · ${used} · ${formatSeconds(seconds.total)}`;
}

/** The prompt in quotation marks, and that it is the uniform one where it is; empty without a prompt. */
export function describePrompt({ text, source }: RunRecord['prompt']): string {
  if (text.trim() === '') return '';
  return source === 'uniform' ? `“${text}” (uniform)` : `“${text}”`;
}

/** Which frames are best: "9 by PSNR and SSIM, 8 by LPIPS"; undefined when nothing was measured. */
export function describeBest(best: RunRecord['best']): string | undefined {
  if (!best) return undefined;
  const byFrame = new Map<number, string[]>();
  for (const metric of ['psnr', 'ssim', 'lpips'] as const) {
    const index = best[metric];
    if (index !== undefined) byFrame.set(index, [...(byFrame.get(index) ?? []), METRIC_NAMES[metric]]);
  }
  return [...byFrame]
    .map(
      ([index, names]) =>
        `${index} by ${names.length < 3 ? names.join(' and ') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`}`,
    )
    .join(', ');
}
