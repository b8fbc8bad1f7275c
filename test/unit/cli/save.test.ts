import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { restore, shutdown, strip } from '../../../src/api';
import { decodeSource } from '../../../src/restoration/image/decode';
import { writeTestModel } from '../restoration/test-model';
import { runCli } from './run-cli';

const pictures = path.resolve(__dirname, '../../fixtures/pictures');

describe('saving from the command line and from scripts', () => {
  let folder: string;
  let model: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-cli-save-'));
    model = await writeTestModel(path.join(folder, 'model'));
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  const deblurring = (...words: string[]): string[] =>
    ['restore', ...words, '--task', 'deblurring', '--model', model, '--device', 'cpu']; // prettier-ignore

  it('writes one result in the format of its name, and the frames only where asked', async () => {
    const input = path.join(pictures, 'ramp-16bit.png');
    const output = path.join(folder, 'ramp.tif');
    const result = await runCli(deblurring(input, '--save', output), { cwd: folder });
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /Result: .*ramp\.tif/);
    const saved = await decodeSource(output);
    assert.deepEqual([saved.traits.format, saved.traits.depth], ['tiff', 16]);
    const source = await decodeSource(input);
    saved.pixels.data.forEach((value, i) =>
      assert.ok(Math.abs(value - ((source.pixels.data[i] as number) + 65535) / 2) <= 2),
    );
    assert.deepEqual((await readdir(folder)).sort(), ['model', 'ramp.tif']);
  });

  it('writes several results into a folder that it makes, next to the frames', async () => {
    const out = path.join(folder, 'frames');
    const results = path.join(folder, 'results');
    const inputs = ['card-alpha.png', 'card-turned.jpg'].map((name) => path.join(pictures, name));
    const words = deblurring(...inputs, '--save', results, '--out', out, '--frames', '3', '--json');
    const result = await runCli([...words, '--format', 'webp', '--quality', '90']);
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual((await readdir(results)).sort(), ['card-alpha.restored.webp', 'card-turned.restored.webp']);
    assert.ok((await readdir(out)).includes('card-turned.run.json'));
    assert.equal((await sharp(path.join(results, 'card-alpha.restored.webp')).metadata()).hasAlpha, true);
    const turned = await sharp(path.join(results, 'card-turned.restored.webp')).metadata();
    assert.deepEqual([turned.width, turned.height, turned.orientation ?? 1], [64, 48, 1]);
  });

  it('has saveAs for a frame, a severity, a depth and frames of others', async () => {
    const input = path.join(folder, 'input.png');
    await copyFile(path.join(pictures, 'card-blurred.png'), input);
    const before = await readFile(input);
    const run = await restore(input, { task: 'deblurring', model, device: 'cpu', frames: 5 });
    const third = await run.saveAs(path.join(folder, 'third.png'), { frame: 3 });
    const image = await run.frames[2]?.image;
    assert.deepEqual((await decodeSource(third.file)).pixels.data, image?.data);
    const deep = await run.saveAs(path.join(folder, 'deep.png'), { depth: 16, severity: 0.25 });
    assert.deepEqual([deep.depth, (await decodeSource(deep.file)).traits.depth], [16, 16]);
    await assert.rejects(run.saveAs(input), /would overwrite input\.png/);
    await assert.rejects(run.saveAs(path.join(folder, 'x.png'), { frame: 6 }), /There is no frame 6/);
    await assert.rejects(run.saveAs(path.join(folder, 'x.png'), { severity: 2 }), /severity has to be a number from 0/);
    await assert.rejects(run.saveAs(path.join(folder, 'x.webp'), { quality: 0 }), /quality has to be a number from 1/);
    assert.deepEqual(await readFile(input), before);

    const others = await strip([input, path.join(pictures, 'card.png')]);
    const last = await others.saveAs(path.join(folder, 'last.webp'), { quality: 100 });
    assert.deepEqual((await decodeSource(last.file)).pixels.data, (await others.last.image).data);
    await assert.rejects(others.saveAs(path.join(folder, 'x.tif'), { depth: 16 }), /were not made here/);
  });
});
