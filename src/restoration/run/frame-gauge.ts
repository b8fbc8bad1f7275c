import {
  RestorationError,
  metricValue,
  type FrameRecord,
  type MetricProtocol,
  type RunRecord,
  type Task,
} from '../../protocol';
import { createReference, meanAbsoluteDifference, type Reference } from '../../measure';
import type { Pixels } from '../image/pixels';
import { LPIPS_MINIMUM_SIDE, type Lpips } from '../metrics/lpips';

export type FrameMetrics = Pick<FrameRecord, 'psnr' | 'ssim' | 'lpips' | 'change'>;

export interface GaugeOptions {
  task: Task;
  protocol: MetricProtocol;
  scale: number;
}

/** Measures the frames of one run: against the reference when there is one, and always against the frame before. */
export class FrameGauge {
  private before: Pixels | undefined;

  private constructor(
    readonly protocol: RunRecord['protocol'],
    readonly warnings: readonly string[],
    private readonly reference: Reference | undefined,
    private readonly lpips: ((frame: Pixels) => Promise<number>) | undefined,
  ) {}

  static unreferenced(): FrameGauge {
    return new FrameGauge(undefined, [], undefined, undefined);
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
    let lpips: ((frame: Pixels) => Promise<number>) | undefined;
    if (Math.min(size.width, size.height) >= LPIPS_MINIMUM_SIDE) {
      lpips = await (await loadLpips()).prepare(reference);
    } else {
      warnings.push(`LPIPS was not computed: it needs sides of at least ${LPIPS_MINIMUM_SIDE} pixels.`);
    }
    return new FrameGauge(
      { name: options.protocol, scale: options.protocol === 'sr' ? border : scale },
      warnings,
      createReference(reference, { protocol: options.protocol, scale: Math.max(1, border) }),
      lpips,
    );
  }

  async measure(frame: Pixels): Promise<FrameMetrics> {
    const change = this.before ? meanAbsoluteDifference(frame, this.before) : 0;
    this.before = frame;
    if (!this.reference) return { change };
    const { psnr, ssim } = this.reference.measure(frame);
    const lpips = await this.lpips?.(frame);
    return { psnr: metricValue(psnr), ssim, ...(lpips === undefined ? {} : { lpips }), change };
  }
}
