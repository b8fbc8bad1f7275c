import type { Priority } from './messages';
import type { MetricValue, Region } from './run';
import type { Device, MetricProtocol } from './tasks';

/** Full-reference metrics, by their names in records. */
export const METRICS = ['psnr', 'ssim', 'lpips', 'flip'] as const;
export type Metric = (typeof METRICS)[number];

/** Compare two picture files, or look at one. Paths are absolute. */
export interface MeasureRequest {
  a: string;
  b: string;
  protocol: MetricProtocol;
  scale: number;
  device: Device;
  /** What is measured; all when left out. */
  metrics?: Metric[];
  /** Part of the pictures that is measured, as if both were cropped to it; the whole when left out. */
  region?: Region;
  /** Folder for maps as PNG and as NumPy arrays; none are made when left out. */
  mapsFolder?: string;
  /** Whether the shift between the pictures is estimated; true unless said otherwise. */
  alignment?: boolean;
  /** Interactive unless said otherwise. */
  priority?: Priority;
}

/** How the first picture lies on the second, as far as their detail tells. Nothing is corrected by it. */
export interface AlignmentReport {
  /** Pixels by which the content of the first picture lies to the right of the reference's. */
  dx: number;
  /** Pixels by which it lies below. */
  dy: number;
  /** Standard error, in pixels. */
  error: number;
  /** Share, in [0, 1], of the common detail that agrees with the shift. */
  confidence: number;
  /** One sentence, when the shift is too large and too sure to be ignored: it spoils every metric here. */
  warning?: string;
}

/** A map of one metric, as two files in the folder that was asked for. */
export interface MapFiles {
  /** Name of the 8-bit picture in the colours of `colours`. */
  png: string;
  /** Name of the values as a NumPy array: float32, shape (height, width). */
  npy: string;
  width: number;
  height: number;
  /** The pixel of the pictures that the first value stands for. */
  left: number;
  top: number;
  mean: number;
  maximum: number;
  colours: 'magma';
  /** The values that the darkest and the brightest colour stand for. */
  range: { low: number; high: number };
}

export const MAP_KINDS = ['error', 'ssim', 'lpips', 'flip'] as const;
export type MapKind = (typeof MAP_KINDS)[number];

/** Figures of two pictures; a metric that was not asked for, or is not defined for so small a picture, is left out. */
export interface Measurement {
  protocol: MetricProtocol;
  /** dB. */
  psnr?: MetricValue;
  ssim?: number;
  lpips?: number;
  /** LDR-FLIP at 67.0206 pixels per degree, in [0, 1]. */
  flip?: number;
  /** Sides of the pictures, or of the region. */
  width: number;
  height: number;
  region?: Region;
  alignment?: AlignmentReport;
  maps?: Partial<Record<MapKind, MapFiles>>;
}
