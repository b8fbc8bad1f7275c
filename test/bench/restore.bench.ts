import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { severityOf, type RestoreRequest } from '../../src/protocol';
import { InferenceClient } from '../../src/inference/client';
import { ServiceHost } from '../../src/inference/service-host';
import { decodePicture } from '../../src/restoration/image/decode';
import { areaThumbnail } from '../../src/restoration/image/thumbnail';
import { expertOf, findModel } from '../../src/restoration/models/manifest';
import { Network, type TensorData } from '../../src/restoration/models/sessions';

/** Nine frames through the service against the bare network runs, on the CPU, same picture, turn by turn. */
export const title = 'Nine frames, compact model, CPU';

const SIDES = [256, 512];
/** Turns of all variants: a machine that is busy with other things is so for all of them. */
const ROUNDS = 5;
const FRAMES = 9;

export type Row = Record<string, string>;

export async function* run(): AsyncGenerator<Row> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'pir-bench-'));
  const host = new ServiceHost();
  const client = new InferenceClient(() => host.address());
  try {
    for (const side of SIDES) {
      const file = path.join(folder, `${side}.png`);
      const reference = path.join(folder, `${side}-sharp.png`);
      const source = path.resolve(__dirname, '../../notebooks/pictures/coffee.png');
      await sharp(source).resize(side, side, { fit: 'cover' }).png().toFile(reference);
      await sharp(reference).blur(2).png().toFile(file);
      const size = `${side}x${side}`;
      const request: RestoreRequest = {
        input: file,
        task: 'deblurring',
        frames: FRAMES,
        scale: 4,
        model: 'compact',
        device: 'cpu',
        // A batch remembers nothing: every run computes all frames.
        priority: 'batch',
      };
      const bare = await BareRuns.load(file);
      const restored = (variant: RestoreRequest, part: 'network' | 'total') => async (): Promise<number> =>
        (await client.restore(variant)).record.seconds[part];
      const folderOf = (name: string): string => path.join(folder, `${name}${side}`);
      const variants: [string, () => Promise<number>][] = [
        ['bare network runs', () => bare.seconds()],
        ['network part of a run', restored(request, 'network')],
        ['decode + network + frames as PNG', restored({ ...request, framesFolder: folderOf('a') }, 'total')],
        ['the same + PSNR, SSIM, LPIPS', restored({ ...request, framesFolder: folderOf('b'), reference }, 'total')],
      ];
      const best = variants.map(() => Infinity);
      // The first round loads the networks.
      for (let round = 0; round <= ROUNDS; round++) {
        for (const [i, [, measure]] of variants.entries()) {
          const seconds = await measure();
          if (round > 0) best[i] = Math.min(best[i] as number, seconds);
        }
      }
      await bare.release();
      const [least] = best as [number];
      for (const [i, [what]] of variants.entries()) {
        const seconds = best[i] as number;
        yield { size, what, seconds: seconds.toFixed(3), 'against bare': (seconds / least).toFixed(2) };
      }
    }
  } finally {
    client.close();
    await host.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One trunk and eight heads (frame 1 is the input), nothing else. */
class BareRuns {
  private constructor(
    private readonly trunk: Network,
    private readonly head: Network,
    private readonly inputs: { image: TensorData; thumbnail: TensorData; prompt: TensorData },
  ) {}

  static async load(file: string): Promise<BareRuns> {
    const model = await findModel('compact');
    if (model.manifest.kind !== 'trajectory') throw new Error('compact is not a trajectory model');
    const { trunk, head } = expertOf(model.manifest, 'deblurring');
    const { pixels } = await decodePicture(file);
    const { width, height, data } = pixels;
    const plane = width * height;
    const planar = new Float32Array(3 * plane);
    for (let i = 0; i < plane; i++) {
      for (let c = 0; c < 3; c++) planar[c * plane + i] = (data[i * 3 + c] as number) / 255;
    }
    const { thumbnail: side, prompt } = model.manifest;
    return new BareRuns(await Network.load(model, trunk, 'cpu'), await Network.load(model, head, 'cpu'), {
      image: tensor(planar, [1, 3, height, width]),
      thumbnail: tensor(areaThumbnail(pixels, side), [1, 3, side, side]),
      prompt: tensor(new Float32Array(prompt.width), [1, prompt.width]),
    });
  }

  async seconds(): Promise<number> {
    const { image, prompt } = this.inputs;
    const start = performance.now();
    const { features } = await this.trunk.run(this.inputs);
    if (!features) throw new Error('the trunk has no output "features"');
    for (let k = 2; k <= FRAMES; k++) {
      await this.head.run({
        image,
        features: tensor(features.data, [...features.dims]),
        prompt,
        severity: tensor(Float32Array.of(severityOf(k, FRAMES)), [1, 1]),
      });
    }
    return (performance.now() - start) / 1000;
  }

  async release(): Promise<void> {
    await Promise.all([this.trunk.release(), this.head.release()]);
  }
}

function tensor(data: Float32Array, dims: number[]): TensorData {
  return { type: 'float32', data, dims };
}
