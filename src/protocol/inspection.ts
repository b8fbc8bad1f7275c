import type { MetricProtocol } from './tasks';
import type { MetricValue, Region } from './run';
import type { Priority } from './messages';
import type { AlignmentReport } from './metrics';

/** What may be asked about a picture and its reference. */
export const INSPECT_QUESTIONS = ['shift', 'resizer', 'variants'] as const;
export type InspectQuestion = (typeof INSPECT_QUESTIONS)[number];

/** Look at one picture beside its reference: sizes always, the rest as asked. Paths are absolute. */
export interface InspectRequest {
  /** A result, or the degraded input. */
  picture: string;
  reference: string;
  /** Enlargement of super-resolution; where variants crop and shrink by it. */
  scale: number;
  questions: InspectQuestion[];
  priority: Priority;
}

/** How well one way of shrinking explains a low-resolution picture. */
export interface ResizerFit {
  id: string;
  /** Root mean square error to the picture, in 8-bit levels, away from the borders. */
  error: number;
  /** Share of the samples that are equal. */
  equal: number;
}

export interface Inspection {
  width: number;
  height: number;
  referenceWidth: number;
  referenceHeight: number;
  /** True when every pixel is that of the reference. */
  identical: boolean;
  /**
   * For sizes that differ a little: whether upper left corners or middles correspond, with the PSNR (RGB) of what both
   * pictures share when they are laid on each other that way.
   */
  correspondence?: { at: 'corner' | 'middle'; corner: MetricValue; middle: MetricValue };
  /**
   * How far the picture's content lies to the right of its reference's and below it, in pixels of the reference, with the
   * standard error of that, and a warning where metrics suffer; a smaller picture is enlarged for it. Absent where nothing
   * can be said.
   */
  shift?: AlignmentReport;
  /** Ways of shrinking, the best first; absent when the picture is not a smaller version of the reference. */
  resizers?: ResizerFit[];
  /** PSNR and SSIM in other protocols, by the name of the variant. */
  variants?: Record<string, MetricValue>;
}

/** One picture of a zoom-crop figure. */
export interface FigurePicture {
  file: string;
  label: string;
}

/** Draw a zoom-crop figure. Paths are absolute. */
export interface FigureRequest {
  methods: FigurePicture[];
  reference: string;
  /** The degraded picture; a smaller one is enlarged by bicubic interpolation. */
  input?: string;
  region?: Region;
  protocol: MetricProtocol;
  scale: number;
  /** Columns of crops; chosen by their number when absent. */
  columns?: number;
  /** False leaves out the line that names protocol and region. */
  note: boolean;
  priority: Priority;
}

export interface FigureDrawing {
  /** base64 */
  png: string;
  svg: string;
  width: number;
  height: number;
  region: Region;
  /** Metrics of the whole pictures: the input first where there is one, then the methods in order. */
  entries: Array<{ label: string; psnr: MetricValue; ssim: number }>;
}
