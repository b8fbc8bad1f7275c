import { isPictureDataUrl, type MetricProtocol, type RunView } from '../../src/protocol';
import { lumaPlane, psnr, rgbPlane, ssim, WINDOW, type Pixels, type Plane } from '../../src/measure';

/** PSNR in dB (Infinity for identical crops) and SSIM of the region of one frame. */
export interface RegionMeasurement {
  psnr: number;
  ssim: number;
}

/** Longest side of a crop that is measured here: more would be noticed while scrolling. */
const LONGEST_SIDE = 1024;

/**
 * Measures the embedded crops of a run against the crop of its reference, in the run's protocol. Nothing is cut off at the
 * region's border: the border that `sr` leaves out is that of the whole picture.
 */
export class RegionMeter {
  private readonly known = new Map<string, RegionMeasurement | undefined>();
  private reference: { crop: string; protocol: MetricProtocol; plane: Promise<Plane | undefined> } | undefined;

  /** Measurements by frame index. Crops that cannot be read or have another size than the reference's are left out. */
  async measure(view: RunView): Promise<ReadonlyMap<number, RegionMeasurement>> {
    const measured = new Map<number, RegionMeasurement>();
    const referenceCrop = view.reference?.crop;
    const protocol = view.record.protocol?.name;
    if (referenceCrop === undefined || protocol === undefined) return measured;
    if (this.reference?.crop !== referenceCrop || this.reference.protocol !== protocol) {
      this.known.clear();
      this.reference = { crop: referenceCrop, protocol, plane: planeOf(referenceCrop, protocol) };
    }
    const reference = await this.reference.plane;
    if (reference === undefined) return measured;
    for (const { index, crop } of view.pictures) {
      if (crop === undefined) continue;
      if (!this.known.has(crop)) this.known.set(crop, compare(await planeOf(crop, protocol), reference));
      const value = this.known.get(crop);
      if (value !== undefined) measured.set(index, value);
    }
    return measured;
  }
}

function compare(plane: Plane | undefined, reference: Plane): RegionMeasurement | undefined {
  if (plane?.width !== reference.width || plane.height !== reference.height) return undefined;
  return { psnr: psnr(plane, reference), ssim: ssim(plane, reference) };
}

async function planeOf(dataUrl: string, protocol: MetricProtocol): Promise<Plane | undefined> {
  const pixels = await decode(dataUrl);
  if (pixels === undefined) return undefined;
  switch (protocol) {
    case 'rgb':
      return rgbPlane(pixels);
    case 'sr':
      return lumaPlane(pixels, 0);
  }
}

/** The pixels of an embedded picture, as stored; undefined when it cannot be decoded or measured. */
async function decode(dataUrl: string): Promise<Pixels | undefined> {
  if (!isPictureDataUrl(dataUrl)) return undefined;
  const image = new Image();
  image.src = dataUrl;
  try {
    await image.decode();
  } catch {
    return undefined; // Not a picture, whatever its address says: the place of its numbers stays empty.
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  if (Math.min(width, height) < WINDOW || Math.max(width, height) > LONGEST_SIDE) return undefined;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  if (context === null) return undefined;
  context.drawImage(image, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    data[to++] = rgba[from] ?? 0;
    data[to++] = rgba[from + 1] ?? 0;
    data[to++] = rgba[from + 2] ?? 0;
  }
  return { data, width, height };
}
