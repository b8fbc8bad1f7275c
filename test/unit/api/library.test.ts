import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { MIME_BUNDLE, RUN_MIME, isRunView } from '../../../src/protocol';
import { RestorationError, evaluate, metrics, restore, shutdown, strip } from '../../../src/api';
import { writeTestModel } from '../restoration/test-model';

const root = path.resolve(__dirname, '../../..');
const pictures = path.join(root, 'test/fixtures/pictures');
const input = path.join(pictures, 'card-blurred.png');
const reference = path.join(pictures, 'card.png');

describe('library', () => {
  let folder: string;
  let model: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-api-'));
    model = await writeTestModel(path.join(folder, 'model'));
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  it('gives frames, metrics, the last and the best', async () => {
    const run = await restore(input, { task: 'deblurring', reference, model, device: 'cpu' });
    assert.equal(run.frames.length, 9);
    assert.equal(run.metrics.psnr.length, 9);
    assert.equal(run.last.index, 9);
    assert.equal(run.last.psnr, run.metrics.psnr[8]);
    assert.equal(run.best?.psnr.psnr, Math.max(...run.metrics.psnr));
    const { width, height, data } = await run.last.image;
    assert.equal(data.length, width * height * 3);
  });

  it('shows itself in a notebook: strip, picture and table', async () => {
    const run = await restore(input, { task: 'deblurring', reference, model, device: 'cpu', frames: 5 });
    const bundle = await run[MIME_BUNDLE]();
    assert.ok(isRunView(bundle[RUN_MIME]));
    assert.match(bundle['image/jpeg'] as string, /^\/9j\//);
    assert.match(JSON.stringify(bundle['text/plain']), /frame\s+severity/);
  });

  it('measures and shows frames from elsewhere', async () => {
    const run = await strip([input, reference], { reference, model: 'my method' });
    assert.equal(run.record.model.id, 'my method');
    assert.equal(run.last.psnr, Number.POSITIVE_INFINITY);
    assert.equal(run.record.frames[1]?.psnr, 'Infinity');
    const alone = await strip([input, reference, input]);
    assert.equal(alone.best, undefined);
    assert.deepEqual(alone.metrics, { psnr: [], ssim: [], lpips: [] });
    assert.ok((alone.frames[1]?.change ?? 0) > 0);
    await assert.rejects(strip([input, path.join(pictures, 'patch.png')]), /Give frames of one size/);
    await assert.rejects(strip([input]), /at least two frames/);
  });

  it('saves all files of a run or none', async () => {
    const run = await restore(input, { task: 'deblurring', model, device: 'cpu', frames: 2 });
    const saved = await run.save(path.join(folder, 'saved'), { name: 'other' });
    assert.deepEqual(
      saved.frames.map((file) => path.basename(file)),
      ['other.frame-1.png', 'other.frame-2.png'],
    );
    assert.ok((await readFile(saved.strip)).length > 1000);
    await rm(run.last.file);
    const target = path.join(folder, 'gone');
    await assert.rejects(run.save(target), RestorationError);
    await assert.rejects(readFile(path.join(target, 'card-blurred.frame-1.png')), /ENOENT/);
    await assert.rejects(run.save(target, { name: '../up' }), /is not a file name/);
  });

  it('saves the estimates of a diffusion model with its frames', async () => {
    const video = path.join(root, 'test/fixtures/cogvideox/5b-i2v');
    const picture = path.join(root, 'test/fixtures/cogvideox/picture.png');
    const diffusion = { steps: 4, previews: 2 };
    const run = await restore(picture, { task: 'deblurring', model: video, device: 'cpu', diffusion });
    assert.deepEqual(
      run.previews.map(({ step, approximate }) => [step, approximate]),
      [
        [1, false],
        [2, false],
      ],
    );
    const saved = await run.save(path.join(folder, 'estimates'));
    assert.deepEqual(
      saved.previews.map((file) => path.basename(file)),
      ['picture.preview-1.png', 'picture.preview-2.png'],
    );
    for (const [i, file] of saved.previews.entries()) {
      assert.deepEqual(await readFile(file), await readFile(run.previews[i]?.file ?? ''));
    }
    const record = JSON.parse(await readFile(saved.record, 'utf8')) as typeof run.record;
    assert.deepEqual(
      record.diffusion?.previews?.map(({ file }) => file),
      saved.previews.map((file) => path.basename(file)),
    );
    await rm(run.previews[1]?.file ?? '');
    const target = path.join(folder, 'estimates-gone');
    await assert.rejects(run.save(target), /The estimate after step 2 is gone/);
    await assert.rejects(readFile(path.join(target, 'picture.frame-1.png')), /ENOENT/);
  });

  it('measures as the golden figures say: PSNR and SSIM within 1e-6, LPIPS within 1e-3', async () => {
    const golden = JSON.parse(await readFile(path.join(root, 'test/fixtures/metrics-golden.json'), 'utf8')) as {
      pairs: (Record<'name' | 'a' | 'b', string> &
        Record<'psnr_rgb' | 'psnr_y', number | string> &
        Record<'ssim_rgb' | 'ssim_y' | 'lpips', number>)[];
    };
    assert.ok(golden.pairs.length >= 12);
    for (const pair of golden.pairs) {
      for (const [protocol, psnr, ssim] of [
        ['rgb', pair.psnr_rgb, pair.ssim_rgb],
        ['sr', pair.psnr_y, pair.ssim_y],
      ] as const) {
        const measured = await metrics(path.join(root, pair.a), path.join(root, pair.b), { protocol, scale: 4 });
        const what = `${pair.name}, ${protocol}`;
        if (typeof psnr === 'string') assert.equal(measured.psnr, psnr, what);
        else assert.ok(Math.abs((measured.psnr as number) - psnr) < 1e-6, `PSNR of ${what}`);
        assert.ok(Math.abs(measured.ssim - ssim) < 1e-6, `SSIM of ${what}`);
        assert.ok(Math.abs((measured.lpips as number) - pair.lpips) < 1e-3, `LPIPS of ${what}`);
      }
    }
  });

  it('cancels by a signal, before and during a run', async () => {
    const cancelled = (error: unknown): boolean => error instanceof RestorationError && error.code === 'cancelled';
    await assert.rejects(restore(input, { task: 'deblurring', model, signal: AbortSignal.abort() }), cancelled);
    const controller = new AbortController();
    const running = restore(input, {
      task: 'deblurring',
      model,
      device: 'cpu',
      signal: controller.signal,
      onProgress: ({ stage }) => {
        if (stage === 'network') controller.abort();
      },
    });
    await assert.rejects(running, cancelled);
  });

  it('refuses a call without a picture, or with nothing that says what to do, in words that help', async () => {
    const untyped = restore as unknown as (input?: unknown, options?: unknown) => Promise<unknown>;
    await assert.rejects(untyped(path.join(root, 'nowhere.png')), /There is no file/);
    await assert.rejects(untyped(undefined, { task: 'deblurring' }), /needs the path of a picture/);
    const unguided = evaluate as unknown as (folder: string, options?: unknown) => Promise<unknown>;
    await assert.rejects(unguided('x', {}), /needs a task.*super-resolution, deblurring, low-light/);
    await assert.rejects(unguided('x'), /needs a task/);
    await assert.rejects(metrics('nowhere.png', reference, { protocol: 'rgb' }), /There is no file/);
  });

  it('lets a script end by itself, and its inference process with it', () => {
    const script = `
      const { metrics } = require(${JSON.stringify(path.join(root, 'dist/index.js'))});
      metrics(${JSON.stringify(input)}, ${JSON.stringify(reference)}, { protocol: 'rgb' }).then((m) => console.log(m.psnr));
    `;
    const result = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, /^\d+\.\d+/);
  });
});
