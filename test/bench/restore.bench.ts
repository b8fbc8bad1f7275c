import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { severityOf, type RestoreRequest } from '../../src/protocol';
import { InferenceClient } from '../../src/inference/client';
import { ServiceHost } from '../../src/inference/service-host';
import { decodePicture } from '../../src/restoration/image/decode';
import { areaThumbnail } from '../../src/restoration/image/thumbnail';
import { findModel } from '../../src/restoration/models/manifest';
import { Network, type TensorData } from '../../src/restoration/models/sessions';

/** Nine frames through the service against the bare network runs, on the CPU, same picture, same process priorities. */
export const title = 'Nine frames, compact model, CPU';

const SIDES = [256, 512];
const REPEAT = 3;
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
      const bare = await bareSeconds(file);
      const size = `${side}x${side}`;
      const request: RestoreRequest = {
        input: file,
        task: 'deblurring',
        frames: FRAMES,
        scale: 4,
        model: 'compact',
        device: 'cpu',
        priority: 'interactive',
      };
      yield { size, what: 'bare network runs', seconds: bare.toFixed(3), 'against bare': '1.00' };
      const variants: [string, RestoreRequest][] = [
        ['network part of a run', request],
        ['decode + network + frames as PNG', { ...request, framesFolder: path.join(folder, `a${side}`) }],
        ['the same + PSNR, SSIM, LPIPS', { ...request, framesFolder: path.join(folder, `b${side}`), reference }],
      ];
      for (const [what, variant] of variants) {
        let best = Infinity;
        // The first run loads the networks.
        for (let i = 0; i <= REPEAT; i++) {
          const { record } = await client.restore(variant);
          const { network, total } = record.seconds;
          if (i > 0) best = Math.min(best, variant === request ? network : total);
        }
        yield { size, what, seconds: best.toFixed(3), 'against bare': (best / bare).toFixed(2) };
      }
    }
  } finally {
    client.close();
    await host.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Shortest time of one trunk and eight heads (frame 1 is the input), nothing else. */
async function bareSeconds(file: string): Promise<number> {
  const model = await findModel('compact');
  if (model.manifest.kind !== 'trajectory') throw new Error('compact is not a trajectory model');
  const trunk = await Network.load(model, 'trunk', 'cpu');
  const head = await Network.load(model, 'head', 'cpu');
  const { pixels } = await decodePicture(file);
  const { width, height, data } = pixels;
  const plane = width * height;
  const planar = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) planar[c * plane + i] = (data[i * 3 + c] as number) / 255;
  const { thumbnail: side, prompt: settings } = model.manifest;
  const tensor = (values: Float32Array, dims: number[]): TensorData => ({ type: 'float32', data: values, dims });
  const image = tensor(planar, [1, 3, height, width]);
  const thumbnail = tensor(areaThumbnail(pixels, side), [1, 3, side, side]);
  const prompt = tensor(new Float32Array(settings.width), [1, settings.width]);
  let best = Infinity;
  for (let i = 0; i <= REPEAT; i++) {
    const start = performance.now();
    const { features } = await trunk.run({ image, thumbnail, prompt });
    if (!features) throw new Error('the trunk has no output "features"');
    for (let k = 2; k <= FRAMES; k++) {
      await head.run({
        image,
        features: tensor(features.data, [...features.dims]),
        prompt,
        severity: tensor(Float32Array.of(severityOf(k, FRAMES)), [1, 1]),
      });
    }
    if (i > 0) best = Math.min(best, (performance.now() - start) / 1000);
  }
  await trunk.release();
  await head.release();
  return best;
}
