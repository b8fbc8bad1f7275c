import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { RestorationError, isRunView, type RestoreRequest } from '../../../src/protocol';
import { InferenceClient } from '../../../src/inference/client';
import { DeviceLock } from '../../../src/inference/device-lock';
import { encodeMessage } from '../../../src/inference/framing';
import { ServiceHost } from '../../../src/inference/service-host';
import { writeTestModel } from '../restoration/test-model';

const root = path.resolve(__dirname, '../../..');
const pictures = path.join(root, 'test/fixtures/pictures');

async function rejection(promise: Promise<unknown>): Promise<RestorationError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof RestorationError, String(error));
    return error;
  }
  return assert.fail('it should have been rejected');
}

describe('inference service', () => {
  let folder: string;
  let frames: string;
  let model: string;
  let host: ServiceHost;
  let client: InferenceClient;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-service-'));
    frames = path.join(folder, 'frames');
    model = await writeTestModel(path.join(folder, 'model'));
    host = new ServiceHost();
    client = new InferenceClient(() => host.address(), { forceCancel: () => host.kill() });
  });
  after(async () => {
    client.close();
    await host.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  const request = (changes: Partial<RestoreRequest> = {}): RestoreRequest => ({
    input: path.join(pictures, 'card.png'),
    task: 'deblurring',
    frames: 9,
    scale: 4,
    model,
    device: 'cpu',
    framesFolder: frames,
    priority: 'interactive',
    ...changes,
  });

  /** A picture that takes the test model long enough to be interrupted. */
  async function largePicture(): Promise<string> {
    const file = path.join(folder, 'large.png');
    if (!existsSync(file)) {
      await sharp({ create: { width: 3000, height: 2000, channels: 3, background: '#345' } })
        .png()
        .toFile(file);
    }
    return file;
  }

  it('restores a picture: frames on disk, metrics, a view that the guard accepts', async () => {
    const reference = path.join(pictures, 'card.png');
    const stages: string[] = [];
    const seen: number[] = [];
    const view = await client.restore(request({ input: path.join(pictures, 'card-blurred.png'), reference }), {
      onProgress: ({ stage }) => stages.push(stage),
      onFrame: ({ record, picture }) => {
        seen.push(record.index);
        assert.ok(picture?.thumbnail?.startsWith('data:image/webp;base64,'));
      },
    });
    assert.ok(isRunView(JSON.parse(JSON.stringify(view))));
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(stages[0], 'queued');
    assert.ok(stages.includes('network'));
    assert.equal(view.record.device.used, 'cpu');
    assert.deepEqual(view.record.prompt, { text: 'Sharpen the picture.', source: 'uniform' });
    assert.deepEqual(
      view.record.frames.map(({ severity }) => severity),
      [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0],
    );
    for (const frame of view.record.frames) {
      assert.ok(typeof frame.psnr === 'number' && typeof frame.ssim === 'number' && typeof frame.lpips === 'number');
      assert.ok(existsSync(path.join(frames, frame.file)), 'the frame is on disk');
    }
    // Frame 1 is the input itself: PSNR against the reference is that of the input.
    const direct = await client.measure({
      a: path.join(pictures, 'card-blurred.png'),
      b: reference,
      protocol: 'rgb',
      scale: 4,
      device: 'cpu',
    });
    assert.equal(view.record.frames[0]?.psnr, direct.psnr);
    assert.equal(view.record.frames[0]?.lpips, direct.lpips);
  });

  it('computes what the network says, also in tiles', async () => {
    const tiled = await writeTestModel(path.join(folder, 'tiled'), { tile: { size: 64, overlap: 16 } });
    const whole = await client.restore(request({ input: path.join(pictures, 'patch.png') }));
    const parts = await client.restore(request({ input: path.join(pictures, 'patch.png'), model: tiled }));
    assert.equal(whole.record.work?.tiles, 1);
    assert.ok((parts.record.work?.tiles ?? 0) > 1);
    const input = await sharp(path.join(pictures, 'patch.png')).removeAlpha().raw().toBuffer();
    for (const [k, frame] of whole.record.frames.entries()) {
      const pixels = await sharp(path.join(frames, frame.file)).raw().toBuffer();
      const other = await sharp(path.join(frames, parts.record.frames[k]?.file ?? ''))
        .raw()
        .toBuffer();
      const left = 1 - frame.severity;
      input.forEach((value: number, i: number) => {
        const expected = value + (left * (255 - value)) / 2;
        assert.ok(Math.abs((pixels[i] as number) - expected) <= 0.51);
        // Blending the same value twice may round the other way.
        assert.ok(Math.abs((other[i] as number) - (pixels[i] as number)) <= 1);
      });
    }
  });

  it('gives frames at any severities, and for the strength dial runs the head only', async () => {
    const input = path.join(pictures, 'patch.png');
    const clip = await client.restore(request({ input }));
    assert.deepEqual(clip.record.work, { tiles: 1, trunkRuns: 1, headRuns: 8 });
    const totals: number[] = [];
    const dial = await client.restore(request({ input, severities: [0.3] }), {
      onProgress: ({ stage, total }) => {
        if (stage === 'network') totals.push(total);
      },
    });
    assert.deepEqual(dial.record.work, { tiles: 1, trunkRuns: 0, headRuns: 1 });
    assert.ok(totals.length > 0 && totals.every((total) => total === 1));
    assert.ok(isRunView(JSON.parse(JSON.stringify(dial))));
    assert.deepEqual(
      dial.record.frames.map(({ index, severity }) => [index, severity]),
      [[1, 0.3]],
    );
    assert.ok(dial.record.region && dial.pictures[0]?.crop);
    const before = await sharp(input).removeAlpha().raw().toBuffer();
    const after = await sharp(path.join(frames, dial.record.frames[0]?.file ?? ''))
      .raw()
      .toBuffer();
    before.forEach((value: number, i: number) => {
      assert.ok(Math.abs((after[i] as number) - (value + (0.7 * (255 - value)) / 2)) <= 0.51);
    });
    // In the order that was asked for, the input itself among them.
    const mixed = await client.restore(request({ input, severities: [0, 1, 0.5] }));
    assert.deepEqual(
      mixed.record.frames.map(({ index, severity }) => [index, severity]),
      [
        [1, 0],
        [2, 1],
        [3, 0.5],
      ],
    );
    assert.deepEqual(
      mixed.pictures.map(({ index }) => index),
      [1, 2, 3],
    );
    assert.equal(mixed.record.frames[1]?.file, clip.record.frames[0]?.file);
    assert.equal(mixed.record.work?.trunkRuns, 0);
    // A batch leaves nothing behind, and does not take what is there either.
    const batch = await client.restore(request({ input, severities: [0.2], priority: 'batch' }));
    assert.equal(batch.record.work?.trunkRuns, 1);
    assert.equal((await client.restore(request({ input, severities: [0.2] }))).record.work?.trunkRuns, 0);
    const strip = await client.draw({ record: dial.record, framesFolder: frames });
    const whole = await sharp(strip).metadata();
    assert.equal(whole.format, 'png');
    const small = await client.draw({ record: dial.record, framesFolder: frames, small: true });
    const half = await sharp(small).metadata();
    assert.deepEqual([half.format, half.width], ['jpeg', Math.round((whole.width ?? 0) / 2)]);
    assert.ok(small.length < strip.length / 3, `${small.length} bytes of ${strip.length}`);
  });

  it('says what it decided before the first frame', async () => {
    const order: string[] = [];
    const view = await client.restore(request({ task: undefined, prompt: 'please brighten' }), {
      onStart: (start) => {
        order.push('start');
        assert.equal(start.task, 'low-light');
        assert.equal(start.taskSource, 'prompt');
        assert.equal(start.device.used, 'cpu');
      },
      onFrame: () => order.push('frame'),
    });
    assert.equal(order[0], 'start');
    assert.equal(order.filter((what) => what === 'start').length, 1);
    assert.equal(view.record.task, 'low-light');
    assert.equal(view.record.prompt.text, 'please brighten');
  });

  it('falls back to the cpu for a device that is not here, and says so', async () => {
    const view = await client.restore(request({ device: 'dml' }));
    if (process.platform === 'win32') return;
    assert.deepEqual(view.record.device, { requested: 'dml', used: 'cpu' });
    assert.ok(view.record.warnings?.some((warning) => warning.includes('dml is not available')));
  });

  it('reports every device, and the cpu works', async () => {
    const reports = await client.devices();
    assert.equal(reports.length, 6);
    assert.equal(reports.find(({ device }) => device === 'cpu')?.available, true);
    assert.ok(reports.every(({ detail }) => detail.length > 0));
  });

  it('refuses values that are not finite, and goes on', async () => {
    const nan = await writeTestModel(path.join(folder, 'nan'), { head: 'nan' });
    const error = await rejection(client.restore(request({ model: nan, framesFolder: path.join(folder, 'none') })));
    assert.equal(error.code, 'bad-output');
    assert.match(error.message, /not finite numbers/);
    await client.restore(request());
  });

  it('refuses a network with outputs of another size', async () => {
    const wrong = await writeTestModel(path.join(folder, 'wrong'), { head: 'wrong-size' });
    const error = await rejection(client.restore(request({ model: wrong })));
    assert.equal(error.code, 'bad-model');
  });

  it('cancels between two network runs and is free for the next', async () => {
    const controller = new AbortController();
    const target = path.join(folder, 'cancelled');
    const running = client.restore(request({ input: await largePicture(), framesFolder: target }), {
      signal: controller.signal,
      onProgress: ({ stage, done }) => {
        if (stage === 'network' && done > 1) controller.abort();
      },
    });
    const error = await rejection(running);
    assert.equal(error.code, 'cancelled');
    // Whole files or none: nothing half-written is left.
    if (existsSync(target)) assert.ok(readdirSync(target).every((name) => /^[0-9a-f]{64}\.png$/.test(name)));
    await client.restore(request());
  });

  it('says that a killed process was killed, replays what waited, and starts another', async () => {
    const input = await largePicture();
    const begun = new Promise<void>((resolve) => {
      void client
        .restore(request({ input }), {
          onProgress: ({ stage }) => {
            if (stage === 'network') resolve();
          },
        })
        .then(
          () => assert.fail('it was killed'),
          (error: RestorationError) => {
            failed = error;
          },
        );
    });
    let failed: RestorationError | undefined;
    const queued = client.restore(request());
    await begun;
    const before = host.pid;
    host.kill();
    const view = await queued;
    assert.equal(view.record.frames.length, 9);
    assert.equal(failed?.code, 'service-died');
    assert.match(failed?.message ?? '', /ended while it worked.*Run it again/s);
    assert.notEqual(host.pid, before);
  });

  it('is closed to those who do not know the token', async () => {
    const { path: address } = await host.address();
    for (const first of [
      encodeMessage({ type: 'hello', token: 'x'.repeat(64) }),
      encodeMessage({ type: 'request', id: 1, kind: 'devices', request: {} }),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ]) {
      const socket = createConnection(address);
      const received: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => received.push(chunk)).on('error', () => undefined);
      socket.write(first);
      await once(socket, 'close');
      assert.equal(received.length, 0);
    }
    assert.equal((await client.devices()).length, 6);
  });

  const wrong: [string, Partial<Record<keyof RestoreRequest, unknown>>, RegExp][] = [
    ['an unknown task', { task: 'colourise' }, /There is no task "colourise"/],
    ['an unknown device', { device: 'abacus' }, /There is no device "abacus"/],
    ['one frame', { frames: 1 }, /whole number from 2/],
    ['a fractional number of frames', { frames: 2.5 }, /whole number from 2/],
    ['no severities', { severities: [] }, /Severities are 1 to/],
    ['a severity above 1', { severities: [0.5, 1.01] }, /numbers from 0 \(restored\) to 1/],
    ['a negative severity', { severities: [-0.1] }, /numbers from 0/],
    ['a severity that is no number', { severities: ['0.5'] }, /numbers from 0/],
    ['a severity that is not a number', { severities: [Number.NaN] }, /numbers from 0/],
    ['severities that are no list', { severities: 0.5 }, /Severities are/],
    ['more severities than frames', { severities: new Array(258).fill(0.5) }, /Severities are 1 to 257/],
    ['a scale of 100', { scale: 100 }, /from 1 to 8/],
    ['a relative path', { input: 'card.png' }, /path of a file/],
    ['a prompt that is a number', { prompt: 7 }, /prompt has to be a text/],
    ['a region outside', { region: { x: 60, y: 0, width: 40, height: 10 } }, /does not lie inside the picture/],
    ['a region that is none', { region: { x: -1, y: 0, width: 4, height: 1 } }, /A region has whole numbers/],
  ];
  for (const [what, changes, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const error = await rejection(client.restore(request(changes as Partial<RestoreRequest>)));
      assert.equal(error.code, 'bad-argument');
      assert.match(error.message, message);
    });
  }

  it('tells of a broken picture while another program holds the device, and measures without it', async () => {
    const temporary = await mkdtemp(path.join(folder, 'lock-'));
    const other = new DeviceLock(
      'compute',
      path.join(temporary, `progressive-restoration-${process.getuid?.() ?? 'user'}`),
    );
    const release = await other.acquire(new AbortController().signal, () => undefined);
    const env = { ...process.env, TMPDIR: temporary, TMP: temporary, TEMP: temporary };
    const ownHost = new ServiceHost({ env });
    const own = new InferenceClient(() => ownHost.address());
    try {
      const broken = path.join(folder, 'broken.png');
      await writeFile(broken, 'this is not a picture');
      assert.equal((await rejection(own.restore(request({ input: broken })))).code, 'unreadable-picture');
      assert.equal((await rejection(own.restore(request({ reference: broken })))).code, 'unreadable-picture');
      const pair = { a: path.join(pictures, 'card.png'), b: path.join(pictures, 'card.png'), scale: 4 } as const;
      const measured = await own.measure({ ...pair, protocol: 'rgb', device: 'cpu', metrics: ['psnr', 'ssim'] });
      assert.equal(measured.psnr, 'Infinity');

      let finished = false;
      const waiting = own.restore(request()).then((view) => {
        finished = true;
        return view;
      });
      // It waits for the device; a broken picture behind it in the same queue does not wait for it.
      assert.equal((await rejection(own.restore(request({ input: broken })))).code, 'unreadable-picture');
      assert.equal(finished, false);
      await release();
      assert.equal((await waiting).record.frames.length, 9);
    } finally {
      await release();
      own.close();
      await ownHost.dispose();
    }
  });
});
