import { stat } from 'node:fs/promises';
import { isFiniteNumber, isObject, isText } from '../../protocol/checks';
import type { FrameMetrics, ItemResult } from './report';

/** Size and time of the files that a row was measured from: when one of them changes, the row no longer counts. */
export type Fingerprint = string;

/** A row of a row log: a picture's result, or why there is none. */
export interface ItemRow<T> {
  name: string;
  files: Fingerprint;
  result?: T;
  error?: string;
}

/** Length and time of change of each file; a missing one is named so. */
export async function fingerprintOf(files: readonly string[]): Promise<Fingerprint> {
  const parts = await Promise.all(
    files.map(async (file) => {
      try {
        const { size, mtimeMs } = await stat(file);
        return `${size}:${Math.round(mtimeMs)}`;
      } catch {
        return 'missing';
      }
    }),
  );
  return parts.join(' ');
}

/**
 * Results by name out of the rows of a log: of several rows with one name the last counts, and failures are left out, so
 * that what failed is tried again. Rows that are not what they should be are passed over: they are measured again.
 */
export function resultsByName<T>(
  rows: readonly unknown[],
  isResult: (value: unknown) => value is T,
): Map<string, { files: Fingerprint; result: T }> {
  const results = new Map<string, { files: Fingerprint; result: T }>();
  for (const row of rows) {
    if (!isObject(row) || !isText(row.name, 4096) || !isText(row.files, 4096)) continue;
    if (isResult(row.result)) results.set(row.name, { files: row.files, result: row.result });
    else results.delete(row.name);
  }
  return results;
}

function isMetric(value: unknown): boolean {
  return value === undefined || isFiniteNumber(value);
}

/** Guard for metrics of one frame or picture. */
export function isFrameMetrics(value: unknown): value is FrameMetrics {
  return (
    isObject(value) &&
    Number.isInteger(value.index) &&
    (isMetric(value.psnr) || value.psnr === 'Infinity') &&
    [value.ssim, value.lpips, value.flip].every(isMetric)
  );
}

/** Guard for what a row log keeps of a restored and measured picture. */
export function isItemResult(value: unknown): value is ItemResult {
  return (
    isObject(value) &&
    Array.isArray(value.frames) &&
    value.frames.every(isFrameMetrics) &&
    isFiniteNumber(value.seconds) &&
    isObject(value.model) &&
    isText(value.model.id, 256) &&
    isObject(value.device) &&
    isMetric(value.peakMemoryMiB)
  );
}
