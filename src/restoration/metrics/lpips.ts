import path from 'node:path';
import { RestorationError, type ConcreteDevice } from '../../protocol';
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
    const inputs: Record<string, TensorData> = {};
    for (const [index, name] of this.features.outputNames.entries()) {
      const one = a[name];
      const two = b[name];
      if (!one || !two) throw new RestorationError('bad-model', `LPIPS lacks ${name}.`, 'Install the package again.');
      inputs[`a${index + 1}`] = { type: 'float32', ...one };
      inputs[`b${index + 1}`] = { type: 'float32', ...two };
    }
    const { distance } = await this.distance.run(inputs);
    const value = distance?.data[0];
    if (value === undefined || !Number.isFinite(value)) {
      throw new RestorationError('bad-output', 'LPIPS gave no finite number.', 'Install the package again.');
    }
    // Rounding can leave -1e-9 for identical pictures.
    return Math.max(0, value);
  }
}
