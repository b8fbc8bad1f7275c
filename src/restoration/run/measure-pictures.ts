import { METRICS, metricValue, type MapKind, type Measurement, type MeasureRequest, type Metric } from '../../protocol';
import {
  assertSameSize,
  cropToRegion,
  errorMap,
  flip,
  flipMap,
  psnrOfPair,
  ssimMap,
  ssimOfPair,
  type ProtocolOptions,
  type ScalarMap,
} from '../../measure';
import { decodePicture } from '../image/decode';
import { alignmentOf } from '../metrics/alignment';
import { LPIPS_MINIMUM_SIDE } from '../metrics/lpips';
import { writeMaps } from '../metrics/write-maps';
import type { ModelPool } from './model-pool';

/**
 * Figures of two picture files, and their maps when a folder for them is named. LPIPS is left out for sides under 32
 * pixels, where it is not defined.
 *
 * @throws RestorationError `size-mismatch` when their sizes differ; `bad-argument` for a region that does not lie inside
 *   and for SSIM of fewer than 11x11 pixels; `unwritable` for maps
 */
export async function measurePictures(request: MeasureRequest, pool: ModelPool): Promise<Measurement> {
  const a = (await decodePicture(request.a)).pixels;
  const b = (await decodePicture(request.b)).pixels;
  assertSameSize(a, b);
  const { protocol, scale, region, mapsFolder } = request;
  const options: ProtocolOptions = { protocol, scale, ...(region ? { region } : {}) };
  const asked = new Set<Metric>(request.metrics ?? METRICS);
  const measuredA = region ? cropToRegion(a, region) : a;
  const measuredB = region ? cropToRegion(b, region) : b;
  const maps: Partial<Record<MapKind, ScalarMap>> = {};
  const figures: Pick<Measurement, Metric> = {};
  const moved = (map: ScalarMap): ScalarMap => ({ ...map, left: region?.x ?? 0, top: region?.y ?? 0 });

  if (mapsFolder !== undefined) maps.error = errorMap(a, b, options);
  if (asked.has('psnr')) figures.psnr = metricValue(psnrOfPair(a, b, options));
  if (asked.has('ssim')) {
    figures.ssim = ssimOfPair(a, b, options);
    if (mapsFolder !== undefined) maps.ssim = ssimMap(a, b, options);
  }
  if (asked.has('lpips') && Math.min(measuredA.width, measuredA.height) >= LPIPS_MINIMUM_SIDE) {
    const lpips = await pool.perceptual();
    if (mapsFolder === undefined) {
      figures.lpips = await (await lpips.prepare(measuredB))(measuredA);
    } else {
      const { value, map } = await lpips.measureWithMap(measuredA, measuredB);
      figures.lpips = value;
      maps.lpips = moved(map);
    }
  }
  if (asked.has('flip')) {
    if (mapsFolder === undefined) {
      figures.flip = flip(measuredA, measuredB);
    } else {
      maps.flip = moved(flipMap(measuredA, measuredB));
      figures.flip = maps.flip.data.reduce((sum, value) => sum + value, 0) / maps.flip.data.length;
    }
  }
  // A shift is one of the whole picture; a region would say less about it.
  const alignment = request.alignment === false ? undefined : alignmentOf(a, b);
  return {
    protocol,
    ...figures,
    width: measuredA.width,
    height: measuredA.height,
    ...(region ? { region } : {}),
    ...(alignment ? { alignment } : {}),
    ...(mapsFolder === undefined ? {} : { maps: await writeMaps(mapsFolder, request.a, request.b, maps) }),
  };
}
