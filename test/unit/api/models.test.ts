import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError, evaluate, models, restore, shutdown, type ModelPreview } from '../../../src/api';
import { decodePicture } from '../../../src/restoration/image/decode';
import { encodePng } from '../../../src/restoration/image/encode';
import { writeOnnxModel } from '../../../src/restoration/models/onnx-writer';
import { NETWORKS, writeTestNetwork } from '../models/test-network';

const picture = path.resolve(__dirname, '../../fixtures/pictures/card.png');

describe('models in the library', () => {
  let folder: string;
  const outside = process.env.PROGRESSIVE_RESTORATION_MODELS;

  let root: string;

  before(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'pir-models-root-'));
    // A service inherits the environment when it starts.
    await shutdown();
    process.env.PROGRESSIVE_RESTORATION_MODELS = root;
  });
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-models-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  after(async () => {
    await shutdown();
    if (outside === undefined) delete process.env.PROGRESSIVE_RESTORATION_MODELS;
    else process.env.PROGRESSIVE_RESTORATION_MODELS = outside;
    await rm(root, { recursive: true, force: true });
  });

  it('are added with consent only, which sees what it agrees to', async () => {
    const file = path.join(folder, 'twice.onnx');
    await writeFile(file, writeOnnxModel(NETWORKS.twice));
    const refused = await models.add(file).then(
      () => assert.fail('it was added'),
      (error: unknown) => error,
    );
    assert.ok(refused instanceof RestorationError && refused.code === 'no-consent');
    let seen: ModelPreview | undefined;
    await assert.rejects(models.add(file, { consent: (preview) => ((seen = preview), false) }), /nobody agreed/);
    assert.deepEqual([seen?.offer.id, seen?.offer.downloadBytes, seen?.manifest.scale], ['twice', 0, 2]);
    assert.ok(!(await models.list()).some(({ id }) => id === 'twice'));
    const stages: string[] = [];
    const entry = await models.add(file, {
      consent: async () => true,
      hints: { license: 'MIT' },
      onProgress: ({ stage }) => stages.push(stage),
    });
    assert.deepEqual([entry.id, entry.license, entry.origin, entry.scale], ['twice', 'MIT', 'added', 2]);
    assert.deepEqual([...new Set(stages)], ['fetch', 'check']);
  });

  it('restore by their id: two frames with metrics, enlarged as the model enlarges', async () => {
    const file = path.join(folder, 'twice.onnx');
    await writeFile(file, writeOnnxModel(NETWORKS.twice));
    await models.add(file, { consent: true });
    const { pixels } = await decodePicture(picture);
    // What the network makes of the picture: every pixel four times.
    const large = { width: pixels.width * 2, height: pixels.height * 2, data: new Uint8Array(pixels.data.length * 4) };
    for (let y = 0; y < large.height; y++) {
      for (let x = 0; x < large.width; x++) {
        const from = ((y >> 1) * pixels.width + (x >> 1)) * 3;
        large.data.set(pixels.data.subarray(from, from + 3), (y * large.width + x) * 3);
      }
    }
    await mkdir(path.join(folder, 'set/input'), { recursive: true });
    await mkdir(path.join(folder, 'set/reference'), { recursive: true });
    const reference = path.join(folder, 'set/reference/card.png');
    await writeFile(reference, await encodePng(large));
    await writeFile(path.join(folder, 'set/input/card.png'), await encodePng(pixels));
    const task = 'super-resolution';
    const run = await restore(picture, { task, model: 'twice', reference, device: 'cpu' });
    assert.deepEqual([run.frames.length, run.record.scale, run.record.model.id], [2, 2, 'twice']);
    assert.equal(run.metrics.psnr[1], Number.POSITIVE_INFINITY, 'exactly what the network gives');
    assert.ok((run.metrics.psnr[0] as number) < 60, 'the input was enlarged by bicubic interpolation');
    assert.ok((await run.stripPng()).length > 1000);
    const report = await evaluate(path.join(folder, 'set'), { task, model: 'twice', device: 'cpu' });
    assert.deepEqual([report.count, report.frames.length, report.failures.length], [1, 2, 0]);
  });

  it('that do one thing need no task', async () => {
    const place = await writeTestNetwork(path.join(folder, 'net'), 'first', { manifest: { tasks: ['low-light'] } });
    const { record } = await restore(picture, { model: place, device: 'cpu' });
    assert.deepEqual([record.task, record.taskSource, record.frames.length], ['low-light', 'user', 2]);
    await assert.rejects(
      restore(picture, { task: 'deblurring', model: place, device: 'cpu' }),
      /does not do deblurring/,
    );
  });

  it('may be named by their folder, and changed there', async () => {
    const place = await writeTestNetwork(path.join(folder, 'net'), 'first');
    const red = async (): Promise<number> => {
      const run = await restore(picture, { task: 'deblurring', model: place, device: 'cpu' });
      const [before, after] = [await run.frames[0]?.image, await run.last.image];
      return ((after?.data[0] as number) ?? 0) - ((before?.data[0] as number) ?? 0);
    };
    const bumped = await red();
    await writeTestNetwork(place, 'first', { manifest: { input: { channels: 'BGR' } } });
    const unchanged = await red();
    assert.ok(bumped > 0, 'red grows in RGB');
    assert.equal(unchanged, 0, 'blue grows in BGR: the manifest was read again');
  });

  it('are removed and verified', async () => {
    await models.add(await writeTestNetwork(path.join(folder, 'net'), 'identity'), { consent: true });
    assert.ok((await models.verify('test-network')).every(({ ok }) => ok));
    assert.equal((await models.remove('test-network')).origin, 'added');
    await assert.rejects(models.remove('test-network'), { code: 'unknown-model' });
    await assert.rejects(models.add('', { consent: true }), { code: 'bad-argument' });
  });

  it('that are only looked at are not added', async () => {
    const place = await writeTestNetwork(path.join(folder, 'net'), 'identity', { manifest: { id: 'looked-at' } });
    const { offer, notes } = await models.preview(place);
    assert.deepEqual([offer.id, offer.hosts, notes], ['looked-at', [], []]);
    assert.ok(!(await models.list()).some(({ id }) => id === 'looked-at'));
  });
});
