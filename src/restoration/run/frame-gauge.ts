import {
  RestorationError,
  metricValue,
  type FrameRecord,
  type Metric,
  type MetricProtocol,
  type RunRecord,
  type Task,
} from '../../protocol';
import {
  createFlipReference,
  createReference,
  meanAbsoluteDifference,
  type FlipReference,
  type Reference,
} from '../../measure';
import type { Pixels } from '../image/pixels';
import { alignmentOf } from '../metrics/alignment';
import { LPIPS_MINIMUM_SIDE, type Lpips } from '../metrics/lpips';

export type FrameMetrics = Pick<FrameRecord, 'psnr' | 'ssim' | 'lpips' | 'flip' | 'change'>;

/** What is measured unless the request says otherwise. FLIP costs about as much as PSNR, SSIM and LPIPS together. */
const USUAL: readonly Metric[] = ['psnr', 'ssim', 'lpips'];

export interface GaugeOptions {
  task: Task;
  protocol: MetricProtocol;
  scale: number;
  metrics?: readonly Metric[];
}

/** The reference of a run, prepared once: the means and variances, features and filtered picture that frames are held against. */
interface Prepared {
  pixels: Pixels;
  metrics: ReadonlySet<Metric>;
  plain: Reference | undefined;
  lpips: ((frame: Pixels) => Promise<number>) | undefined;
  flip: FlipReference | undefined;
}

/** Measures the frames of one run: against the reference when there is one, and always against the frame before. */
export class FrameGauge {
  private before: Pixels | undefined;

  private constructor(
    readonly protocol: RunRecord['protocol'],
    /** Grows by what the first frame shows. */
    readonly warnings: string[],
    private readonly reference: Prepared | undefined,
  ) {}

  static unreferenced(): FrameGauge {
    return new FrameGauge(undefined, [], undefined);
  }

  /**
   * @param size of the frames to come
   * @throws RestorationError `size-mismatch` when the reference has another size
   */
  static async against(
    reference: Pixels,
    size: { width: number; height: number },
    options: GaugeOptions,
    loadLpips: () => Promise<Lpips>,
  ): Promise<FrameGauge> {
    if (reference.width !== size.width || reference.height !== size.height) {
      const enlarged = options.task === 'super-resolution' ? ` (the picture enlarged ${options.scale} times)` : '';
      throw new RestorationError(
        'size-mismatch',
        `The reference has ${reference.width}x${reference.height} pixels; the frames have ${size.width}x${size.height}${enlarged}.`,
        'Give a reference of the size of the frames.',
      );
    }
    const scale = options.task === 'super-resolution' ? options.scale : 1;
    const border = options.protocol === 'sr' ? Math.max(1, Math.round(scale)) : 0;
    const warnings: string[] = [];
    const metrics = new Set<Metric>(options.metrics ?? USUAL);
    let lpips: ((frame: Pixels) => Promise<number>) | undefined;
    if (metrics.has('lpips')) {
      if (Math.min(size.width, size.height) >= LPIPS_MINIMUM_SIDE) {
        lpips = await (await loadLpips()).prepare(reference);
      } else {
        warnings.push(`LPIPS was not computed: it needs sides of at least ${LPIPS_MINIMUM_SIDE} pixels.`);
      }
    }
    const plain =
      metrics.has('psnr') || metrics.has('ssim')
        ? createReference(reference, { protocol: options.protocol, scale: Math.max(1, border) })
        : undefined;
    return new FrameGauge({ name: options.protocol, scale: options.protocol === 'sr' ? border : scale }, warnings, {
      pixels: reference,
      metrics,
      plain,
      lpips,
      flip: metrics.has('flip') ? createFlipReference(reference) : undefined,
    });
  }

  /** The next frame, in order: the first is the degraded picture, which also shows how it lies on the reference. */
  async measure(frame: Pixels): Promise<FrameMetrics> {
    const { before, reference } = this;
    const change = before ? meanAbsoluteDifference(frame, before) : 0;
    this.before = frame;
    if (!reference) return { change };
    const { metrics, plain, lpips, flip } = reference;
    if (!before) {
      const warning = alignmentOf(frame, reference.pixels)?.warning;
      if (warning !== undefined) this.warnings.push(warning);
    }
    const measured: FrameMetrics = {};
    const pair = plain?.measure(frame);
    if (pair && metrics.has('psnr')) measured.psnr = metricValue(pair.psnr);
    if (pair && metrics.has('ssim')) measured.ssim = pair.ssim;
    if (lpips) measured.lpips = await lpips(frame);
    if (flip) measured.flip = flip.measure(frame);
    return { ...measured, change };
  }
}
