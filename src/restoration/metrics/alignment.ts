import type { AlignmentReport } from '../../protocol';
import { estimateShift, type Pixels } from '../../measure';

/** A shift below this costs little and cannot be told from what restoring and resizing do to edges. */
const LEAST_SHIFT = 0.3;
/** How many standard errors a shift has to be away from none. */
const LEAST_ERRORS = 4;
/** Below this share of agreeing detail the pictures do not show the same, or nothing is left of what they show. */
const LEAST_CONFIDENCE = 0.7;
/** Undoing the shift has to bring the pictures closer together by this share. */
const LEAST_GAIN = 0.0005;

/**
 * How `picture` lies on `reference`, with a warning when a shift spoils the metrics. It is told, never corrected:
 * whoever publishes a figure has to know what was compared.
 *
 * @returns undefined where nothing can be said (small pictures, nothing in common)
 * @throws RestorationError `size-mismatch`
 */
export function alignmentOf(picture: Pixels, reference: Pixels): AlignmentReport | undefined {
  const shift = estimateShift(picture, reference);
  if (!shift || !Number.isFinite(shift.error)) return undefined;
  const { dx, dy, error, confidence, gain } = shift;
  const distance = Math.hypot(dx, dy);
  const sure =
    distance >= LEAST_SHIFT && distance >= LEAST_ERRORS * error && confidence >= LEAST_CONFIDENCE && gain >= LEAST_GAIN;
  const report = { dx: rounded(dx), dy: rounded(dy), error: rounded(error), confidence: rounded(confidence) };
  return sure ? { ...report, warning: warningOf(dx, dy) } : report;
}

function rounded(value: number): number {
  // Adding 0 turns -0 into 0.
  return Math.round(value * 1000) / 1000 + 0;
}

function warningOf(dx: number, dy: number): string {
  const parts = [
    ...(Math.abs(dx) >= 0.05 ? [`${Math.abs(dx).toFixed(2)} pixels ${dx > 0 ? 'right' : 'left'}`] : []),
    ...(Math.abs(dy) >= 0.05 ? [`${Math.abs(dy).toFixed(2)} pixels ${dy > 0 ? 'below' : 'above'}`] : []),
  ];
  const place = parts
    .join(' and ')
    .replace(/(right|left)$/, '$1 of')
    .replace(/(right|left) and/, '$1 of and');
  return `The picture seems to lie ${place} its reference; metrics compare pixel by pixel and suffer from that.`;
}
