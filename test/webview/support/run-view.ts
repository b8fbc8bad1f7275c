import { createHash } from 'node:crypto';
import path from 'node:path';
import sharp from 'sharp';
import { createReference, meanAbsoluteDifference, type Pixels } from '../../../src/measure';
import {
  metricValue,
  protocolOf,
  RUN_SCHEMA,
  severityOf,
  type FrameRecord,
  type Region,
  type RunView,
  type Task,
} from '../../../src/protocol';

const PICTURES = path.resolve(__dirname, '../../../notebooks/pictures');

export interface SampleOptions {
  degraded?: string;
  sharp?: string;
  task?: Task;
  prompt?: string;
  frames?: number;
  region?: Region;
  withReference?: boolean;
}

export interface Sample {
  view: RunView;
  /** Full frames by file name, as data URLs. */
  files: Map<string, string>;
}

async function read(name: string): Promise<Pixels> {
  const { data, info } = await sharp(path.join(PICTURES, name))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height };
}

function image({ data, width, height }: Pixels): ReturnType<typeof sharp> {
  return sharp(Buffer.from(data.buffer, data.byteOffset, data.byteLength), { raw: { width, height, channels: 3 } });
}

function dataUrl(type: 'png' | 'webp', bytes: Buffer): string {
  return `data:image/${type};base64,${bytes.toString('base64')}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function blend(from: Pixels, to: Pixels, share: number): Pixels {
  const data = new Uint8Array(from.data.length);
  for (let i = 0; i < data.length; i++)
    data[i] = Math.round((from.data[i] ?? 0) * (1 - share) + (to.data[i] ?? 0) * share);
  return { data, width: from.width, height: from.height };
}

async function pictures(pixels: Pixels, region: Region): Promise<{ thumbnail: string; crop: string }> {
  const { x: left, y: top, width, height } = region;
  const thumbnail = await image(pixels).resize(256, 256, { fit: 'inside', withoutEnlargement: true }).webp().toBuffer();
  const crop = await image(pixels).extract({ left, top, width, height }).webp({ lossless: true }).toBuffer();
  return { thumbnail: dataUrl('webp', thumbnail), crop: dataUrl('webp', crop) };
}

/**
 * A run as the service would deliver it, of pictures that are there: the frames go from the degraded picture most of the way to the
 * sharp one, PSNR and SSIM are measured, and `lpips` stands in for a falling curve (no network runs in these tests).
 */
export async function sampleRun(options: SampleOptions = {}): Promise<Sample> {
  const { task = 'deblurring', frames: count = 9, withReference = true } = options;
  const degradedName = options.degraded ?? 'cat-blurred.png';
  const sharpName = options.sharp ?? 'cat.png';
  const degraded = await read(degradedName);
  const target = await read(sharpName);
  const region = options.region ?? { x: 150, y: 70, width: 128, height: 128 };
  const protocol = { name: protocolOf(task), scale: task === 'super-resolution' ? 4 : 1 };
  const reference = createReference(target, { protocol: protocol.name, scale: protocol.scale });
  const files = new Map<string, string>();
  const records: FrameRecord[] = [];
  const shown: RunView['pictures'] = [];
  let before: Pixels | undefined;
  for (let index = 1; index <= count; index++) {
    const severity = severityOf(index, count);
    const pixels = blend(degraded, target, 0.85 * (1 - severity) ** 1.5);
    const png = await image(pixels).png().toBuffer();
    const file = `${sha256(png)}.png`;
    files.set(file, dataUrl('png', png));
    const measured = reference.measure(pixels);
    records.push({
      index,
      severity,
      file,
      width: pixels.width,
      height: pixels.height,
      change: before === undefined ? 0 : meanAbsoluteDifference(before, pixels),
      ...(withReference
        ? { psnr: metricValue(measured.psnr), ssim: measured.ssim, lpips: 0.02 + 0.32 * severity ** 1.4 }
        : {}),
    });
    shown.push({ index, ...(await pictures(pixels, region)) });
    before = pixels;
  }
  const targetPng = await image(target).png().toBuffer();
  const targetFile = `${sha256(targetPng)}.png`;
  if (withReference) files.set(targetFile, dataUrl('png', targetPng));
  const view: RunView = {
    record: {
      schema: RUN_SCHEMA,
      task,
      taskSource: 'user',
      prompt: { text: options.prompt ?? 'a cat looking into the camera, soft light on its fur', source: 'user' },
      model: { id: 'compact', sha256: 'a'.repeat(64) },
      device: { requested: 'auto', used: 'cpu' },
      input: { file: degradedName, sha256: 'b'.repeat(64), width: degraded.width, height: degraded.height },
      region,
      frames: records,
      ...(withReference
        ? {
            reference: { file: sharpName, sha256: 'c'.repeat(64) },
            protocol,
            best: { psnr: count, ssim: count, lpips: count },
          }
        : {}),
      seconds: { decode: 0.02, network: 0.61, metrics: 0.2, encode: 0.05, total: 0.9 },
      versions: { 'progressive-restoration': '0.1.0', 'onnxruntime-node': '1.30.0' },
    },
    state: { kind: 'done' },
    pictures: shown,
    framesFolder: 'quickstart.frames',
    ...(withReference ? { reference: { ...(await pictures(target, region)), file: targetFile } } : {}),
  };
  return { view, files };
}

/** The same run after `frames` of its frames, still running. */
export function runningAfter({ view }: Sample, frames: number): RunView {
  const { record } = view;
  return {
    ...view,
    record: { ...record, best: undefined, frames: record.frames.slice(0, frames) },
    pictures: view.pictures.slice(0, frames),
    state: {
      kind: 'running',
      stage: 'network',
      done: frames,
      total: record.frames.length,
      secondsLeft: 3.2,
      frames: record.frames.length,
    },
  };
}
