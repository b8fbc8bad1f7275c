import { detailLimit, type PictureMeasures } from './picture-measures';

/** Names of the numbers that the detector weighs, in the order of its coefficients. */
export const DETECTOR_FEATURES = [
  'brightness',
  'median',
  'highlights',
  'darkShare',
  'contrast',
  'side',
  'smallness',
  'band1',
  'band2',
  'band3',
  'band4',
  'band5',
  'band6',
  'quarter',
  'half',
  'detailLimit',
  'anisotropy',
  'edgesBest',
  'edgesWorst',
  'edgesRatio',
  'noise',
  'blockiness',
  'sharpAndSmall',
  'softAndLarge',
] as const;

const log = (value: number, floor: number): number => Math.log10(Math.max(value, floor));

/** The numbers of `DETECTOR_FEATURES` for a picture; each is bounded, whatever the picture. */
export function detectorFeatures(measures: PictureMeasures): number[] {
  const { luma, spectrum, edges } = measures;
  const bands = [...spectrum.bands];
  const mean = (from: number, to: number): number => bands.slice(from, to).reduce((a, b) => a + b, 0) / (to - from);
  const side = Math.sqrt(measures.width * measures.height);
  const smallness = 1 / (1 + (Math.min(side, 4096) / 180) ** 3);
  const worst = Math.min(edges.horizontal, edges.vertical);
  const best = Math.max(edges.horizontal, edges.vertical);
  const sectors = [...spectrum.sectors];
  return [
    log(luma.mean, 1e-3),
    log(luma.median, 1e-3),
    log(luma.p99, 1e-3),
    luma.dark,
    log(luma.standardDeviation, 1e-3),
    log(Math.min(side, 4096), 16),
    smallness,
    ...[1, 2, 3, 4].map((band) => log(bands[band] as number, 1e-8) - log(bands[0] as number, 1e-8)),
    log(mean(6, 8), 1e-8) - log(mean(1, 3), 1e-8),
    log(mean(10, 16), 1e-8) - log(mean(1, 3), 1e-8),
    // Where an enlarged picture breaks off: just above against just below a quarter and a half of Nyquist.
    log(mean(5, 8), 1e-8) - log(mean(2, 4), 1e-8),
    log(mean(9, 12), 1e-8) - log(mean(5, 8), 1e-8),
    detailLimit(spectrum),
    log(Math.max(...sectors), 1e-4) - log(Math.min(...sectors), 1e-4),
    best,
    worst,
    log(worst, 0.02) - log(best, 0.02),
    log(measures.noise, 1e-4),
    Math.min(measures.blockiness, 1),
    smallness * worst,
    (1 - smallness) * (1 - best),
  ];
}
