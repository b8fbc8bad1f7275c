import { METRIC_PROTOCOLS, RestorationError, type MetricProtocol, type Region } from '../protocol';
import { assertSameSize, type Pixels } from './pixels';
import { lumaPlane, rgbPlane, type Plane } from './plane';
import { psnr } from './psnr';
import { cropToRegion } from './region';
import { assertMeasurable, ssim, ssimAgainst, ssimStatistics, windowCount, type SsimStatistics } from './ssim';

/** How a pair is measured. */
export interface ProtocolOptions {
  /** `sr`: Y channel, a border of `scale` pixels cropped; `rgb`: all channels, nothing cropped. */
  protocol: MetricProtocol;
  /** Enlargement of super-resolution; only `sr` reads it. A whole number of at least 1. */
  scale: number;
  /**
   * Part of the pictures that is measured, as if both had been cropped to it; the whole when left out. `sr` crops no
   * border from a region: the border is that of the whole picture, where enlargers lack neighbours.
   */
  region?: Region;
}

export interface PairMetrics {
  /** dB; Infinity for identical pictures. */
  psnr: number;
  /** In [-1, 1]; 1 for identical pictures. */
  ssim: number;
}

/**
 * The samples of `pixels` that `protocol` measures.
 *
 * @throws RestorationError `bad-argument` for an unknown protocol or scale, a region that does not lie inside, and when
 *   the border leaves nothing.
 */
export function planeOf(pixels: Pixels, { protocol, scale, region }: ProtocolOptions): Plane {
  const measured = region === undefined ? pixels : cropToRegion(pixels, region);
  switch (protocol) {
    case 'rgb':
      return rgbPlane(measured);
    case 'sr':
      if (!Number.isInteger(scale) || scale < 1) {
        throw new RestorationError(
          'bad-argument',
          `The sr protocol needs a scale that is a whole number of at least 1, but ${scale} came.`,
          'Pass the enlargement, for example 4.',
        );
      }
      return lumaPlane(measured, region === undefined ? scale : 0);
    default:
      throw new RestorationError(
        'bad-argument',
        `Unknown metric protocol ${JSON.stringify(protocol satisfies never)}.`,
        `Use one of: ${METRIC_PROTOCOLS.join(', ')}.`,
      );
  }
}

/**
 * PSNR and SSIM of two 8-bit pictures.
 *
 * @throws RestorationError `size-mismatch` for different sides; `bad-argument` for an unknown protocol, scale or region, and
 *   when fewer than 11x11 pixels remain to be measured.
 * @example measurePair(restored, reference, { protocol: 'sr', scale: 4 }) // { psnr: 28.43, ssim: 0.811 }
 */
export function measurePair(a: Pixels, b: Pixels, options: ProtocolOptions): PairMetrics {
  return { ssim: ssimOfPair(a, b, options), psnr: psnrOfPair(a, b, options) };
}

/**
 * PSNR alone, in dB, also of pictures that are too small for SSIM.
 *
 * @throws RestorationError as `measurePair`.
 */
export function psnrOfPair(a: Pixels, b: Pixels, options: ProtocolOptions): number {
  assertSameSize(a, b);
  return psnr(planeOf(a, options), planeOf(b, options));
}

/**
 * SSIM alone.
 *
 * @throws RestorationError as `measurePair`.
 */
export function ssimOfPair(a: Pixels, b: Pixels, options: ProtocolOptions): number {
  assertSameSize(a, b);
  return ssim(planeOf(a, options), planeOf(b, options));
}

/** A picture that several others are measured against. */
export interface Reference {
  readonly width: number;
  readonly height: number;
  /**
   * As `measurePair(frame, reference, options)`, equal up to the last digits of a double.
   *
   * @throws RestorationError `size-mismatch` when the frame's sides differ.
   */
  measure(frame: Pixels): PairMetrics;
}

/** Memory that a reference may keep for its statistics unless the caller says otherwise: enough for 5.5 megapixels RGB. */
const STATISTICS_BYTES = 256 * 1024 * 1024;

/**
 * A reference whose filtered means and variances are computed once, at the first measurement, and kept as long as the
 * object lives. A reference that would need more than `statisticsBytes` for them is measured pair by pair instead: same
 * numbers, no memory.
 *
 * @throws RestorationError as `measurePair`.
 */
export function createReference(pixels: Pixels, options: ProtocolOptions & { statisticsBytes?: number }): Reference {
  const plane = planeOf(pixels, options);
  assertMeasurable(plane);
  const bytes = windowCount(plane) * 2 * Float64Array.BYTES_PER_ELEMENT;
  const keeps = bytes <= (options.statisticsBytes ?? STATISTICS_BYTES);
  let statistics: SsimStatistics | undefined;
  return {
    width: pixels.width,
    height: pixels.height,
    measure(frame) {
      assertSameSize(frame, pixels);
      const framePlane = planeOf(frame, options);
      if (keeps) statistics ??= ssimStatistics(plane);
      return {
        ssim: statistics ? ssimAgainst(framePlane, plane, statistics) : ssim(framePlane, plane),
        psnr: psnr(framePlane, plane),
      };
    },
  };
}
