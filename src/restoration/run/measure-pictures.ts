import { metricValue, type Measurement, type MeasureRequest } from '../../protocol';
import { measurePair } from '../../measure';
import { decodePicture } from '../image/decode';
import { LPIPS_MINIMUM_SIDE } from '../metrics/lpips';
import type { ModelPool } from './model-pool';

/**
 * PSNR, SSIM and LPIPS of two picture files. LPIPS is left out for sides under 32 pixels, where it is not defined.
 *
 * @throws RestorationError `size-mismatch` when their sizes differ
 */
export async function measurePictures(request: MeasureRequest, pool: ModelPool): Promise<Measurement> {
  const a = (await decodePicture(request.a)).pixels;
  const b = (await decodePicture(request.b)).pixels;
  const { psnr, ssim } = measurePair(a, b, { protocol: request.protocol, scale: request.scale });
  const lpips =
    Math.min(a.width, a.height) >= LPIPS_MINIMUM_SIDE
      ? await (
          await (await pool.perceptual()).prepare(b)
        )(a)
      : undefined;
  return {
    protocol: request.protocol,
    psnr: metricValue(psnr),
    ssim,
    ...(lpips === undefined ? {} : { lpips }),
    width: a.width,
    height: a.height,
  };
}
