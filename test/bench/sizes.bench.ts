import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { InferenceClient } from '../../src/inference/client';
import { ServiceHost } from '../../src/inference/service-host';

/** Memory and time of nine frames with the size of the picture; a new process for each, so that its peak is its own. */
export const title = 'Nine frames by size, compact model, CPU';

const SIZES = [
  { width: 1152, height: 864 },
  { width: 2304, height: 1728 },
  { width: 4000, height: 3000 },
  { width: 8000, height: 6000 },
];
/** Above this many megapixels LPIPS and SSIM of nine frames would take most of an hour. */
const MEASURED_MEGAPIXELS = 12;

export type Row = Record<string, string>;

export async function* run(): AsyncGenerator<Row> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'pir-bench-'));
  try {
    let least: number | undefined;
    for (const { width, height } of SIZES) {
      const megapixels = (width * height) / 1e6;
      const reference = path.join(folder, `${width}-sharp.jpg`);
      const input = path.join(folder, `${width}.jpg`);
      const source = path.resolve(__dirname, '../../notebooks/pictures/coffee.png');
      await sharp(source).resize(width, height, { fit: 'fill' }).jpeg({ quality: 95 }).toFile(reference);
      await sharp(reference).blur(2).jpeg({ quality: 95 }).toFile(input);
      for (const measured of [false, true]) {
        if (measured && megapixels > MEASURED_MEGAPIXELS) continue;
        const host = new ServiceHost();
        const client = new InferenceClient(() => host.address());
        try {
          const { record } = await client.restore({
            input,
            task: 'deblurring',
            frames: 9,
            model: 'compact',
            device: 'cpu',
            framesFolder: path.join(folder, 'frames'),
            ...(measured ? { reference } : {}),
            priority: 'batch',
          });
          const cost = (record.seconds.network / megapixels) * 1000;
          if (!measured) least ??= cost;
          yield {
            megapixels: megapixels.toFixed(0),
            what: measured ? 'frames as PNG + PSNR, SSIM, LPIPS' : 'frames as PNG',
            tiles: String(record.work?.tiles ?? 0),
            'peak memory, MiB': String(record.peakMemoryMiB ?? ''),
            'network, ms a megapixel': cost.toFixed(0),
            'against the smallest': (cost / (least ?? cost)).toFixed(2),
            'seconds in all': record.seconds.total.toFixed(1),
          };
        } finally {
          client.close();
          await host.dispose();
          await rm(path.join(folder, 'frames'), { recursive: true, force: true });
        }
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
