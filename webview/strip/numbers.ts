import type { CurveKey } from './curve-data';

const DIGITS: Record<CurveKey, number> = { psnr: 2, ssim: 3, lpips: 3, change: 2 };

/** U+2212: a hyphen would be too short beside a plus. */
const MINUS = '\u2212';

/** A value as it stands beside a point: fixed digits, infinity as its sign, absurdly large numbers in few characters. */
export function formatValue(key: CurveKey, value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '∞';
  if (!Number.isFinite(value)) return '–';
  const text = Math.abs(value) >= 1e4 ? value.toExponential(1) : value.toFixed(DIGITS[key]);
  return text.replace('-', MINUS);
}

/** The gain over the first frame, always with its sign. */
export function formatGain(key: CurveKey, value: number, first: number): string {
  if (value === first) return `±${formatValue(key, 0)}`;
  const gain = value - first;
  if (!Number.isFinite(gain)) return gain > 0 ? '+∞' : `${MINUS}∞`;
  return `${gain > 0 ? '+' : ''}${formatValue(key, gain)}`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** The last part of a path, whichever separator it was written with. */
export function baseName(file: string): string {
  return file.split(/[\\/]/).pop() ?? file;
}
