import path from 'node:path';
import { RestorationError, type ConcreteDevice } from '../../protocol';
import type { ScalarMap } from '../../measure';
import type { Pixels } from '../image/pixels';
import { modelsFolder } from '../models/locations';
import { readManifest } from '../models/manifest';
import { Network, type TensorData } from '../models/sessions';

type Features = Record<string, { data: Float32Array; dims: readonly number[] }>;

/** Smallest side that AlexNet's five feature maps exist for. */
export const LPIPS_MINIMUM_SIDE = 32;

/**
 * LPIPS v0.1 with AlexNet (Zhang et al. 2018), on RGB without cropping. The weights are those of the `lpips` package
 * (models/lpips); agreement with it is within 1e-3.
 */
export class Lpips {
  private constructor(
    private readonly features: Network,
    private readonly distance: Network,
  ) {}

  static async load(device: ConcreteDevice = 'cpu'): Promise<Lpips> {
    const model = await readManifest(path.join(modelsFolder(), 'lpips'));
    if (model.manifest.kind !== 'metric') {
      throw new RestorationError('bad-model', 'models/lpips is not a metric.', 'Install the package again.');
    }
    return new Lpips(await Network.load(model, 'features', device), await Network.load(model, 'distance', device));
  }

  async release(): Promise<void> {
    await Promise.all([this.features.release(), this.distance.release()]);
  }

  /** Features of a reference, computed once a run. */
  async prepare(reference: Pixels): Promise<(frame: Pixels) => Promise<number>> {
    const features = await this.extract(reference);
    return async (frame) => {
      if (frame.width !== reference.width || frame.height !== reference.height) {
        throw new RestorationError(
          'size-mismatch',
          `LPIPS needs pictures of one size; got ${frame.width}x${frame.height} and ${reference.width}x${reference.height}.`,
          'Give a reference of the size of the frames.',
        );
      }
      return this.compare(await this.extract(frame), features);
    };
  }

  /**
   * The distance of two pictures, and its map at the size of the pictures as the `lpips` package gives it with
   * `spatial=True`: the maps of the five levels, enlarged bilinearly, summed. Each level is averaged before it is
   * enlarged in the distance, so that the map's mean is close to it and not the same.
   */
  async measureWithMap(a: Pixels, b: Pixels): Promise<{ value: number; map: ScalarMap }> {
    const outputs = await this.distances(await this.extract(a), await this.extract(b));
    const { width, height } = a;
    const data = new Float32Array(width * height);
    for (let level = 1; level <= this.features.outputNames.length; level++) {
      const map = outputs[`map${level}`];
      const [rows, columns] = map?.dims.slice(-2) ?? [];
      if (!map || rows === undefined || columns === undefined || map.data.length !== rows * columns) {
        throw new RestorationError('bad-model', `LPIPS lacks map${level}.`, 'Install the package again.');
      }
      addEnlarged({ data: map.data, width: columns, height: rows }, data, width, height);
    }
    return { value: valueOf(outputs), map: { data, width, height, left: 0, top: 0 } };
  }

  private async extract(pixels: Pixels): Promise<Features> {
    const { width, height, data } = pixels;
    if (Math.min(width, height) < LPIPS_MINIMUM_SIDE) {
      throw new RestorationError(
        'size-mismatch',
        `LPIPS needs sides of at least ${LPIPS_MINIMUM_SIDE} pixels; this picture has ${width}x${height}.`,
        'Use PSNR and SSIM for so small a picture.',
      );
    }
    const plane = width * height;
    const image = new Float32Array(3 * plane);
    for (let i = 0; i < plane; i++) {
      image[i] = (data[i * 3] as number) / 255;
      image[plane + i] = (data[i * 3 + 1] as number) / 255;
      image[2 * plane + i] = (data[i * 3 + 2] as number) / 255;
    }
    return this.features.run({ image: { type: 'float32', data: image, dims: [1, 3, height, width] } });
  }

  private async compare(a: Features, b: Features): Promise<number> {
    return valueOf(await this.distances(a, b));
  }

  private distances(a: Features, b: Features): Promise<Features> {
    const inputs: Record<string, TensorData> = {};
    for (const [index, name] of this.features.outputNames.entries()) {
      const one = a[name];
      const two = b[name];
      if (!one || !two) throw new RestorationError('bad-model', `LPIPS lacks ${name}.`, 'Install the package again.');
      inputs[`a${index + 1}`] = { type: 'float32', ...one };
      inputs[`b${index + 1}`] = { type: 'float32', ...two };
    }
    return this.distance.run(inputs);
  }
}

function valueOf({ distance }: Features): number {
  const value = distance?.data[0];
  if (value === undefined || !Number.isFinite(value)) {
    throw new RestorationError('bad-output', 'LPIPS gave no finite number.', 'Install the package again.');
  }
  // Rounding can leave -1e-9 for identical pictures.
  return Math.max(0, value);
}

/** Adds `source`, enlarged bilinearly with pixels as areas (PyTorch's align_corners=False), to `out`. */
function addEnlarged(
  source: { data: Float32Array; width: number; height: number },
  out: Float32Array,
  width: number,
  height: number,
): void {
  const across = taps(source.width, width);
  const down = taps(source.height, height);
  for (let y = 0, i = 0; y < height; y++) {
    const above = down.first[y]! * source.width;
    const below = down.second[y]! * source.width;
    const v = down.weight[y]!;
    for (let x = 0; x < width; x++, i++) {
      const left = across.first[x]!;
      const right = across.second[x]!;
      const u = across.weight[x]!;
      const top = source.data[above + left]! * (1 - u) + source.data[above + right]! * u;
      const bottom = source.data[below + left]! * (1 - u) + source.data[below + right]! * u;
      out[i] = out[i]! + top * (1 - v) + bottom * v;
    }
  }
}

/** For every place of the enlarged line: the two places of the short one around it, and the weight of the second. */
function taps(from: number, to: number): { first: Uint32Array; second: Uint32Array; weight: Float64Array } {
  const first = new Uint32Array(to);
  const second = new Uint32Array(to);
  const weight = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const place = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    first[i] = Math.min(Math.floor(place), from - 1);
    second[i] = Math.min(first[i]! + 1, from - 1);
    weight[i] = place - first[i]!;
  }
  return { first, second, weight };
}
