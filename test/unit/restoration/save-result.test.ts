import assert from 'node:assert/strict';
import { appendFile, copyFile, link, mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { RestorationError, type RunRecord, type SaveRequest, type Task } from '../../../src/protocol';
import { resizeAlpha, resizeBicubic } from '../../../src/restoration/image/bicubic';
import { decodeSource, type SourcePicture } from '../../../src/restoration/image/decode';
import { pngWithMetadata } from '../../../src/restoration/image/png-chunks';
import { toEightBits } from '../../../src/restoration/image/pixels';
import type { RunEvents } from '../../../src/restoration/run/events';
import { ModelPool } from '../../../src/restoration/run/model-pool';
import { restorePicture } from '../../../src/restoration/run/restore-picture';
import { saveResult } from '../../../src/restoration/run/save-result';
import { ADOBE_RGB, gammaCurve, rgbProfile } from './icc-profile';
import { writeTestModel } from './test-model';

const pictures = path.resolve(__dirname, '../../fixtures/pictures');
const silent: RunEvents = { onStart: () => undefined, onProgress: () => undefined, onFrame: () => undefined };

describe('saving results of a run', () => {
  let folder: string;
  let model: string;
  let frames: string;
  const pool = new ModelPool();
  const { signal } = new AbortController();

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-save-'));
    frames = path.join(folder, 'frames');
    // The model goes halfway to white: what it does to every sample is known.
    model = await writeTestModel(path.join(folder, 'model'));
  });
  after(async () => {
    await pool.release();
    await rm(folder, { recursive: true, force: true });
  });

  async function restored(input: string, task: Task = 'deblurring', scale = 4): Promise<RunRecord> {
    const { record } = await restorePicture(
      { input, task, frames: 9, scale, model, device: 'cpu', framesFolder: frames, priority: 'interactive' },
      pool,
      silent,
      signal,
    );
    return record;
  }

  function request(record: RunRecord, input: string, output: string, more: Partial<SaveRequest> = {}): SaveRequest {
    return { record, framesFolder: frames, input, output, severity: 0, model, device: 'cpu', priority: 'interactive', ...more }; // prettier-ignore
  }

  const save = (wish: SaveRequest): ReturnType<typeof saveResult> => saveResult(wish, pool, silent, signal);

  async function deepRamp(name: string): Promise<string> {
    const file = path.join(folder, name);
    const data = Uint16Array.from({ length: 128 * 40 * 3 }, (_, i) => 9000 + 3 * i);
    await sharp(data, { raw: { width: 128, height: 40, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toFile(file);
    return file;
  }

  it('in 16 bits: the network saw 16 and its result keeps them', async () => {
    const input = await deepRamp('ramp.png');
    const record = await restored(input);
    const output = path.join(folder, 'ramp-result.tif');
    const saved = await save(request(record, input, output));
    assert.deepEqual(saved, { file: output, format: 'tiff', depth: 16, width: 128, height: 40, notes: [] });
    const source = await decodeSource(input);
    const result = await decodeSource(output);
    assert.equal(result.traits.depth, 16);
    // Halfway to white, within a step of 16 bits: an 8-bit input or output would be off by up to 257.
    result.pixels.data.forEach((value, i) => {
      const expected = ((source.pixels.data[i] as number) + 65535) / 2;
      assert.ok(Math.abs(value - expected) <= 2, `${value} for ${expected}`);
    });
    const shown = await decodeSource(path.join(frames, record.frames[8]?.file as string));
    assert.equal(shown.traits.depth, 8);
    shown.pixels.data.forEach((value, i) =>
      assert.ok(Math.abs(value - (toEightBits(result.pixels).data[i] as number)) <= 1),
    );
  });

  it('in 8 bits: the frame that the strip shows, to the last bit', async () => {
    const input = path.join(pictures, 'card-blurred.png');
    const record = await restored(input);
    for (const frame of [record.frames[2], record.frames[8]]) {
      assert.ok(frame);
      const saved = await save(request(record, input, path.join(folder, 'frame.png'), { severity: frame.severity }));
      assert.equal(saved.depth, 8);
      const shown = await decodeSource(path.join(frames, frame.file));
      assert.deepEqual((await decodeSource(saved.file)).pixels, shown.pixels);
    }
  });

  it('at any severity, computed again', async () => {
    const input = path.join(pictures, 'card-blurred.png');
    const record = await restored(input);
    const { pixels: source } = await decodeSource(input);
    for (const severity of [0.3, 0.5123]) {
      const saved = await save(request(record, input, path.join(folder, 'dial.png'), { severity }));
      const { pixels } = await decodeSource(saved.file);
      pixels.data.forEach((value, i) => {
        const from = source.data[i] as number;
        assert.ok(Math.abs(value - (from + ((1 - severity) * (255 - from)) / 2)) <= 0.51);
      });
    }
    const input16 = await deepRamp('untouched.png');
    const untouched = await restored(input16);
    const saved = await save(request(untouched, input16, path.join(folder, 'same.png'), { severity: 1 }));
    assert.deepEqual((await decodeSource(saved.file)).pixels, (await decodeSource(input16)).pixels);
  });

  it('with opacity: passed through, and enlarged by bicubic for super-resolution', async () => {
    const input = path.join(pictures, 'card-alpha.png');
    const source = await decodeSource(input);
    assert.ok(source.alpha);
    const record = await restored(input);
    assert.match(String(record.warnings), /transparent in parts/);
    const plain = await decodeSource((await save(request(record, input, path.join(folder, 'veil.webp'), { quality: 100 }))).file); // prettier-ignore
    assert.deepEqual(plain.alpha, source.alpha);
    const enlarged = await restored(input, 'super-resolution', 2);
    const large = await decodeSource((await save(request(enlarged, input, path.join(folder, 'veil.png')))).file);
    assert.deepEqual([large.pixels.width, large.pixels.height], [128, 96]);
    assert.deepEqual(large.alpha, resizeAlpha(source.alpha, 128, 96));
    const bicubic = resizeBicubic(toEightBits(source.pixels), 128, 96);
    large.pixels.data.forEach((value, i) => {
      // Where nothing is seen a reader fills in colours of its own.
      if (large.alpha?.data[Math.floor(i / 3)] === 0) return;
      assert.ok(Math.abs(value - ((bicubic.data[i] as number) + 255) / 2) <= 1.01);
    });
  });

  it('with the profile of the input', async () => {
    const profile = rgbProfile(ADOBE_RGB, gammaCurve(2.2));
    const input = path.join(folder, 'adobe.png');
    const png = await sharp(path.join(pictures, 'card.png')).removeAlpha().png().toBuffer();
    await sharp(pngWithMetadata(png, { profile })).keepMetadata().png().toFile(input);
    const record = await restored(input);
    const saved = await save(request(record, input, path.join(folder, 'adobe-result.jpg')));
    const { icc } = await sharp(saved.file).metadata();
    assert.ok(icc && profile.equals(icc));
    const before = await decodeSource(input);
    const after = await decodeSource((await save(request(record, input, path.join(folder, 'adobe-result.png')))).file); // prettier-ignore
    let sum = 0;
    after.pixels.data.forEach((v, i) => (sum += Math.abs(v - ((before.pixels.data[i] as number) + 255) / 2)));
    assert.ok(sum / after.pixels.data.length < 0.6);
  });

  it('into a folder under the name and in the format of the input', async () => {
    const input = path.join(folder, 'photo.with.dots.png');
    await sharp(path.join(pictures, 'card.png')).removeAlpha().jpeg().toFile(input);
    const record = await restored(input);
    const out = path.join(folder, 'out');
    await mkdir(out);
    const saved = await save(request(record, input, out));
    assert.equal(saved.file, path.join(out, 'photo.with.dots.restored.jpg'));
    assert.equal(saved.format, 'jpeg');
    await save(request(record, input, out, { format: 'tiff' }));
    assert.deepEqual((await readdir(out)).sort(), ['photo.with.dots.restored.jpg', 'photo.with.dots.restored.tif']);
  });

  it('never over the input or the reference, by whatever name, and leaves nothing half-written', async () => {
    const input = path.join(folder, 'original.png');
    await copyFile(path.join(pictures, 'card.png'), input);
    const record = await restored(input);
    const hard = path.join(folder, 'hard.png');
    await link(input, hard);
    const soft = path.join(folder, 'soft.png');
    await symlink(input, soft);
    const reference = path.join(folder, 'reference.png');
    await copyFile(path.join(pictures, 'card-dark.png'), reference);
    const before = await readFile(input);
    const listing = (await readdir(folder)).sort();
    for (const output of [input, hard, soft, reference, path.join(frames, '..', 'original.png')]) {
      await assert.rejects(save(request(record, input, output, { reference })), /would overwrite (original|reference)\.png/); // prettier-ignore
    }
    await assert.rejects(save(request(record, input, path.join(model, 'manifest.json', 'x.png'))), {
      code: 'unwritable',
    });
    await assert.rejects(save(request(record, input, path.join(folder, 'x.gif'))), /does not say what format/);
    await assert.rejects(save(request(record, input, path.join(folder, 'x.jpg'), { depth: 16 })), /JPEG is saved with 8 bits/); // prettier-ignore
    await assert.rejects(save(request(record, input, path.join(folder, 'x.jpg'), { format: 'png' })), /ending of JPEG, but PNG/); // prettier-ignore
    assert.deepEqual(await readFile(input), before);
    assert.deepEqual((await readdir(folder)).sort(), listing);
  });

  it('refuses an input that has changed, frames that are gone and another model', async () => {
    const input = path.join(folder, 'changing.png');
    await copyFile(path.join(pictures, 'card.png'), input);
    const record = await restored(input);
    const output = path.join(folder, 'never.png');
    const altered = { ...record, model: { ...record.model, sha256: '0'.repeat(64) } };
    await assert.rejects(save(request(altered, input, output, { severity: 0.3 })), /has changed since the run/);
    const missing = record.frames.map((frame) => ({ ...frame, file: `${'0'.repeat(64)}.png` }));
    await assert.rejects(save(request({ ...record, frames: missing }, input, output)), { code: 'missing-file' });
    const escaping = record.frames.map((frame) => ({ ...frame, file: '../changing.png' }));
    await assert.rejects(save(request({ ...record, frames: escaping }, input, output)), /not the name of a stored frame/); // prettier-ignore
    await assert.rejects(save(request(record, input, output, { severity: 0.3, model: undefined })), /not made here/);
    await appendFile(input, 'x');
    await assert.rejects(save(request(record, input, output)), /is not the picture that was restored/);
    await rm(input);
    await assert.rejects(save(request(record, input, output)), (error: unknown) => {
      assert.ok(error instanceof RestorationError);
      assert.equal(error.code, 'missing-file');
      return true;
    });
    await assert.rejects(readFile(output), /ENOENT/);
  });

  it('keeps the opacity of a picture that is transparent nearly everywhere', async () => {
    const input = path.join(folder, 'dust.png');
    const data = new Uint8Array(40 * 40 * 4);
    data.set([10, 200, 30, 255], 4 * (20 * 40 + 20));
    await sharp(data, { raw: { width: 40, height: 40, channels: 4 } })
      .png()
      .toFile(input);
    const result: SourcePicture = await decodeSource(
      (await save(request(await restored(input), input, path.join(folder, 'dust-result.png')))).file,
    );
    assert.deepEqual(
      [...(result.alpha?.data ?? [])].filter((a) => a > 0),
      [255],
    );
    const at = 3 * (20 * 40 + 20);
    assert.deepEqual([...result.pixels.data.subarray(at, at + 3)], [133, 228, 143]);
  });
});
