import type { Inspection } from '../../protocol';

/** How a picture's size relates to its reference's. */
export type SizeRelation =
  | { kind: 'same' }
  | { kind: 'turned' }
  /** Smaller (factor above 1) or larger (below 1) by one factor on both axes. */
  | { kind: 'scaled'; factor: number }
  /** Cut down to a multiple of one of these numbers. */
  | { kind: 'cut'; multiples: number[] }
  /** Filled up to a multiple of one of these numbers. */
  | { kind: 'padded'; multiples: number[] }
  /** The same number of pixels missing at every side. */
  | { kind: 'border'; pixels: number }
  | { kind: 'other' };

/** What networks and protocols cut or fill pictures to. */
const MULTIPLES = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128];
/** Relative difference of the two axes' factors up to which they are one: sizes are rounded. */
const SAME_FACTOR = 0.03;
/** From this factor on a picture is a scaled version and not a cut one. */
const LEAST_FACTOR = 1.25;

type Sizes = Pick<Inspection, 'width' | 'height' | 'referenceWidth' | 'referenceHeight'>;

export function relateSizes({ width, height, referenceWidth, referenceHeight }: Sizes): SizeRelation {
  if (width === referenceWidth && height === referenceHeight) return { kind: 'same' };
  if (width === referenceHeight && height === referenceWidth) return { kind: 'turned' };
  const x = referenceWidth / width;
  const y = referenceHeight / height;
  const scaled = x >= LEAST_FACTOR || x <= 1 / LEAST_FACTOR;
  if (scaled && Math.abs(x / y - 1) <= factorTolerance(width, height)) {
    const factor = (x + y) / 2;
    const whole = Math.round(factor);
    return { kind: 'scaled', factor: whole >= 2 && Math.abs(factor - whole) < 0.1 ? whole : factor };
  }
  if (width <= referenceWidth && height <= referenceHeight) {
    const multiples = MULTIPLES.filter(
      (m) => width === referenceWidth - (referenceWidth % m) && height === referenceHeight - (referenceHeight % m),
    );
    if (multiples.length > 0) return { kind: 'cut', multiples };
    const missing = referenceWidth - width;
    if (missing === referenceHeight - height && missing % 2 === 0) return { kind: 'border', pixels: missing / 2 };
  }
  if (width >= referenceWidth && height >= referenceHeight) {
    const upTo = (length: number, m: number): number => Math.ceil(length / m) * m;
    const multiples = MULTIPLES.filter((m) => width === upTo(referenceWidth, m) && height === upTo(referenceHeight, m));
    if (multiples.length > 0) return { kind: 'padded', multiples };
  }
  return { kind: 'other' };
}

/** One pixel more or less on the shorter side changes the factor of small pictures by more than that of large ones. */
function factorTolerance(width: number, height: number): number {
  return Math.max(SAME_FACTOR, 1.5 / Math.min(width, height));
}
