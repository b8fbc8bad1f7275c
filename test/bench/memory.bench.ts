import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { ServiceHost } from '../../src/inference/service-host';
import { KernelClient } from '../../src/kernel';
import { bundlePath } from '../../src/restoration/models/locations';

/** Memory of the processes behind a notebook while one kernel makes many runs of different pictures, each shown while it works. */
export const title = 'Resident memory of kernel and inference service, one kernel, 128x128, MB';

const SIDE = 128;
/** Runs after which is measured. */
const AFTER = [1, 20, 40, 60, 80, 100, 150, 200];
/** What ends with a run ends within this time. */
const SETTLED_MILLISECONDS = 2_000;

export type Row = Record<string, string>;

export async function* run(): AsyncGenerator<Row> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'pir-bench-'));
  const host = new ServiceHost();
  const kernel = new KernelClient({
    notebook: path.join(folder, 'memory.ipynb'),
    framesFolder: path.join(folder, 'memory.frames'),
    entry: bundlePath('kernel.js'),
    service: () => host.address(),
  });
  try {
    await writePictures(folder, Math.max(...AFTER));
    await execute(kernel, "import { restore } from 'progressive-restoration';\nlet next = 0;");
    for (const runs of AFTER) {
      await execute(kernel, `for (; next < ${runs}; next++) await restore(\`\${next}.png\`, { task: 'deblurring' });`);
      await new Promise((resolve) => setTimeout(resolve, SETTLED_MILLISECONDS));
      yield {
        runs: String(runs),
        'inference service': await resident(host.pid),
        kernel: await resident(kernel.pid),
      };
    }
  } finally {
    await kernel.dispose();
    await host.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Another part of a picture for every run: nothing is remembered from the run before. */
async function writePictures(folder: string, count: number): Promise<void> {
  const source = path.resolve(__dirname, '../../notebooks/pictures/cat-blurred.png');
  const { width, height } = await sharp(source).metadata();
  for (let i = 0; i < count; i++) {
    const left = Math.floor((i / count) * (width - SIDE));
    const top = i % (height - SIDE);
    await sharp(source)
      .extract({ left, top, width: SIDE, height: SIDE })
      .toFile(path.join(folder, `${i}.png`));
  }
}

async function execute(kernel: KernelClient, code: string): Promise<void> {
  const { error } = await kernel.execute(code);
  if (error !== undefined) throw new Error(error.message);
}

/** In megabytes. */
async function resident(pid: number | undefined): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return ((Number(stdout.trim()) * 1024) / 1e6).toFixed(0);
}
