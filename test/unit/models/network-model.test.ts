import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError } from '../../../src/protocol';
import { createPixels, createPixels16, toEightBits, type Pixels } from '../../../src/restoration/image/pixels';
import { findModel, type InstalledModel, type NetworkManifest } from '../../../src/restoration/models/manifest';
import { draftManifest } from '../../../src/restoration/network/draft-manifest';
import { NetworkModel } from '../../../src/restoration/network/network-model';
import { writeOnnxModel } from '../../../src/restoration/models/onnx-writer';
import { NETWORKS, networkManifest, writeTestNetwork, type NetworkName, type TestNetworkOptions } from './test-network';

/** A picture in which every pixel tells where it is, with soft and hard edges. */
function picture(width: number, height: number): Pixels {
  const pixels = createPixels(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      pixels.data[at] = (x * 5 + y) % 180;
      pixels.data[at + 1] = (y * 3) % 170;
      pixels.data[at + 2] = ((x >> 3) + (y >> 3)) % 2 === 0 ? 30 : 160;
    }
  }
  return pixels;
}

/** `change` applied to every pixel. */
function changed(pixels: Pixels, change: (rgb: [number, number, number]) => [number, number, number]): Pixels {
  const result = createPixels(pixels.width, pixels.height);
  for (let i = 0; i < pixels.data.length; i += 3) {
    const [r, g, b] = pixels.data.subarray(i, i + 3) as unknown as [number, number, number];
    result.data.set(change([r, g, b]), i);
  }
  return result;
}

/** The mean of the (2r+1) x (2r+1) neighbours, the picture mirrored at its borders. */
function boxBlur(pixels: Pixels, radius: number): Pixels {
  const { width, height, data } = pixels;
  const mirror = (i: number, length: number): number => (i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i);
  const result = createPixels(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let dy = -radius; dy <= radius; dy++) {
          for (let dx = -radius; dx <= radius; dx++) {
            sum += data[(mirror(y + dy, height) * width + mirror(x + dx, width)) * 3 + c] as number;
          }
        }
        result.data[(y * width + x) * 3 + c] = Math.round(sum / (2 * radius + 1) ** 2);
      }
    }
  }
  return result;
}

function largestDifference(a: Pixels, b: Pixels): number {
  assert.deepEqual([a.width, a.height], [b.width, b.height]);
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (b.data[i] as number))), 0);
}

describe('image-to-image networks', () => {
  let folder: string;
  const loaded: NetworkModel[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-network-'));
  });
  afterEach(async () => {
    for (const model of loaded.splice(0)) await model.release();
    await rm(folder, { recursive: true, force: true });
  });

  async function load(name: NetworkName, options?: TestNetworkOptions): Promise<NetworkModel> {
    const installed = (await findModel(
      await writeTestNetwork(path.join(folder, name), name, options),
    )) as InstalledModel<NetworkManifest>;
    const model = await NetworkModel.load(installed, 'cpu');
    loaded.push(model);
    return model;
  }

  interface Outcome {
    frames: Pixels[];
    notes: string[];
    tiles: number;
  }

  async function run(
    model: NetworkModel,
    source: Pixels,
    options: { size?: Pixels; severities?: number[]; signal?: AbortSignal; onTile?: (done: number) => void } = {},
  ): Promise<Outcome> {
    const outcome: Outcome = { frames: [], notes: [], tiles: 0 };
    const frames = model.trajectory({
      source,
      picture: options.size ?? source,
      task: 'deblurring',
      severities: options.severities ?? [1, 0],
      signal: options.signal ?? new AbortController().signal,
      onProgress: ({ done, total }) => {
        outcome.tiles = total;
        options.onTile?.(done);
      },
    });
    for await (const { index, pixels, note } of frames) {
      outcome.frames[index] = toEightBits(pixels);
      if (note !== undefined) outcome.notes.push(note);
    }
    return outcome;
  }

  async function refusal(work: Promise<unknown>): Promise<RestorationError> {
    const error = await work.then(
      () => assert.fail('it was accepted'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof RestorationError, String(error));
    assert.doesNotMatch(error.message, /undefined|\[object/);
    return error;
  }

  it('have two frames: the input and the result', async () => {
    const model = await load('identity');
    const input = picture(53, 41);
    const { frames, notes } = await run(model, input);
    assert.equal(model.frameCountFor(), 2);
    assert.equal(frames.length, 2);
    assert.deepEqual(frames[0], input);
    assert.equal(frames[0]?.data, input.data, 'the picture itself: nobody changes it');
    assert.deepEqual(frames[1], input);
    assert.deepEqual(notes, []);
  });

  const ranges: [string, Record<string, unknown>][] = [
    ['[0, 255]', { range: [0, 255] }],
    ['[-1, 1]', { range: [-1, 1] }],
    ['inverted values', { range: [1, 0] }],
    ['mean and standard deviation', { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }],
  ];
  for (const [name, input] of ranges) {
    it(`give back what an identity takes with ${name}`, async () => {
      const source = picture(40, 33);
      const model = await load('identity', { manifest: { input } });
      assert.deepEqual((await run(model, source)).frames[1], source);
    });
  }

  for (const type of ['float16', 'float64', 'uint8'] as const) {
    it(`may take and give ${type}`, async () => {
      const dims = [1, 3, 'h', 'w'];
      const bytes = writeOnnxModel({
        inputs: [{ name: 'x', dims, type }],
        outputs: [{ name: 'y', dims, type }],
        nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
      });
      const place = path.join(folder, type);
      await mkdir(place);
      await writeFile(path.join(place, 'network.onnx'), bytes);
      const manifest = { input: { name: 'x', range: type === 'uint8' ? [0, 255] : [0, 1] } };
      await writeFile(path.join(place, 'manifest.json'), JSON.stringify(networkManifest(bytes, { manifest })));
      const model = await NetworkModel.load((await findModel(place)) as InstalledModel<NetworkManifest>, 'cpu');
      loaded.push(model);
      const source = picture(50, 40);
      assert.deepEqual((await run(model, source)).frames[1], source);
      const drafted = await draftManifest(path.join(place, 'network.onnx'), 'cpu');
      assert.deepEqual((drafted.manifest.input as { range: number[] }).range, manifest.input.range);
    });
  }

  it('see and give 16 bits where they are asked to', async () => {
    const model = await load('identity');
    const source = createPixels16(30, 20);
    source.data.forEach((_, i) => (source.data[i] = (i * 37) % 65_536));
    const request = {
      source,
      picture: source,
      task: 'deblurring' as const,
      severities: [0],
      signal: new AbortController().signal,
      onProgress: () => undefined,
    };
    for await (const { pixels } of model.trajectory({ ...request, depth: 16 })) assert.deepEqual(pixels, source);
    for await (const { pixels } of model.trajectory(request)) {
      assert.ok(pixels.data instanceof Uint8Array);
      assert.deepEqual(pixels, toEightBits(source));
    }
  });

  it('may give another range than they take', async () => {
    // 0.25 is added in [0, 1] and read back in [0, 2]: everything is halved.
    const model = await load('first', { manifest: { input: { range: [0, 1] }, output: { range: [0, 2] } } });
    const source = picture(24, 24);
    const expected = changed(source, ([r, g, b]) => [Math.round(r / 2 + 31.875), Math.round(g / 2), Math.round(b / 2)]);
    assert.ok(largestDifference((await run(model, source)).frames[1] as Pixels, expected) <= 1);
  });

  it('take their channels in the order that the manifest names', async () => {
    const source = picture(30, 20);
    const rgb = await run(await load('first'), source);
    const bgr = await run(await load('first', { manifest: { input: { channels: 'BGR' } } }), source);
    const swapped = await run(
      await load('first', { manifest: { input: { channels: 'BGR' }, output: { channels: 'RGB' } } }),
      source,
    );
    const bump = (value: number): number => Math.round(value + 0.25 * 255);
    assert.ok(
      largestDifference(
        rgb.frames[1] as Pixels,
        changed(source, ([r, g, b]) => [bump(r), g, b]),
      ) <= 1,
    );
    assert.ok(
      largestDifference(
        bgr.frames[1] as Pixels,
        changed(source, ([r, g, b]) => [r, g, bump(b)]),
      ) <= 1,
    );
    assert.ok(
      largestDifference(
        swapped.frames[1] as Pixels,
        changed(source, ([r, g, b]) => [bump(b), g, r]),
      ) <= 1,
    );
  });

  it('may have the channels last', async () => {
    const model = await load('last', { manifest: { input: { layout: 'NHWC', range: [0, 255] } } });
    const source = picture(31, 22);
    const expected = changed(source, ([r, g, b]) => [r + 64, g, b]);
    assert.deepEqual((await run(model, source)).frames[1], expected);
  });

  it('that see luma alone keep the colours', async () => {
    const source = picture(40, 30);
    for (const channels of ['Y', 'Y-studio'] as const) {
      const model = await load('luma', { manifest: { input: { channels } } });
      const { frames } = await run(model, source);
      // Halfway to 1 in Y: the same is added to red, green and blue, so that Cb and Cr stay.
      const luma = (r: number, g: number, b: number): number =>
        channels === 'Y' ? 0.299 * r + 0.587 * g + 0.114 * b : 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255;
      const expected = changed(source, ([r, g, b]) => {
        const step = ((255 - luma(r, g, b)) / 2) * (channels === 'Y' ? 1 : 255 / 219);
        return [r, g, b].map((v) => Math.min(255, Math.round(v + step))) as [number, number, number];
      });
      assert.ok(largestDifference(frames[1] as Pixels, expected) <= 1, channels);
    }
    const grey = await run(await load('luma', { manifest: { input: { channels: 'grey' } } }), source);
    const [r, g, b] = (grey.frames[1] as Pixels).data;
    assert.ok(r === g && g === b, 'grey gives grey');
  });

  it('that enlarge take the picture as it came', async () => {
    const manifest = { tasks: ['super-resolution'], scale: 2 };
    const model = await load('twice', { manifest });
    const source = picture(20, 15);
    const { frames, notes } = await run(model, source, { size: createPixels(40, 30) });
    const expected = createPixels(40, 30);
    for (let y = 0; y < 30; y++) {
      for (let x = 0; x < 40; x++) {
        for (let c = 0; c < 3; c++) {
          expected.data[(y * 40 + x) * 3 + c] = source.data[((y >> 1) * 20 + (x >> 1)) * 3 + c] as number;
        }
      }
    }
    assert.deepEqual(frames[1], expected);
    assert.deepEqual(notes, []);
  });

  it('that enlarge otherwise than asked are resized, and the record says so', async () => {
    const model = await load('twice', { manifest: { tasks: ['super-resolution'], scale: 2 } });
    const { frames, notes } = await run(model, picture(20, 15), { size: createPixels(80, 60) });
    assert.deepEqual([frames[1]?.width, frames[1]?.height], [80, 60]);
    assert.match(notes.join(), /enlarges 2 times; its result of 40x30 was resized to 80x60 by bicubic/);
  });

  it('in tiles give what they give in one piece', async () => {
    const source = picture(150, 131);
    const whole = await run(await load('identity'), source);
    const tiled = await run(await load('identity', { manifest: { tile: { size: 32, overlap: 8 } } }), source);
    assert.equal(whole.tiles, 1);
    assert.ok(tiled.tiles > 20, `${tiled.tiles} tiles`);
    assert.deepEqual(tiled.frames[1], source);
    const twice = { tasks: ['super-resolution'], scale: 2 };
    const size = createPixels(300, 262);
    const a = await run(await load('twice', { manifest: twice }), source, { size });
    const b = await run(await load('twice', { manifest: { ...twice, tile: { size: 40, overlap: 12 } } }), source, {
      size,
    });
    assert.ok(b.tiles > 12);
    assert.deepEqual(b.frames[1], a.frames[1]);
  });

  it('of one size take pictures of any size, smaller and larger, without a seam', async () => {
    const input = { size: { width: 64, height: 48 }, border: 4 };
    const model = await load('fixed', { manifest: { input, output: { cropped: 0 } } });
    for (const [width, height] of [
      [64, 48],
      [30, 20],
      [200, 137],
    ] as const) {
      const source = picture(width, height);
      const result = (await run(model, source)).frames[1] as Pixels;
      assert.ok(largestDifference(result, boxBlur(source, 4)) <= 1, `${width}x${height}`);
    }
  });

  it('without padding of their own get a border, and what they cut is accounted for', async () => {
    const source = picture(90, 75);
    const expected = boxBlur(source, 2);
    for (const border of [2, 6]) {
      const manifest = { input: { border, multiple: 4 }, output: { cropped: 2 }, tile: { size: 48, overlap: 0 } };
      const { frames, tiles } = await run(await load('valid', { manifest }), source);
      assert.ok(tiles > 1);
      assert.ok(largestDifference(frames[1] as Pixels, expected) <= 1, `border ${border}`);
    }
  });

  it('pad as the manifest says', async () => {
    const source = changed(picture(20, 20), () => [100, 100, 100]);
    const at = async (padding: string): Promise<number> => {
      const manifest = { input: { border: 2, padding }, output: { cropped: 2 } };
      return ((await run(await load('valid', { manifest }), source)).frames[1] as Pixels).data[0] as number;
    };
    assert.equal(await at('reflect'), 100);
    assert.equal(await at('replicate'), 100);
    assert.equal(await at('zero'), Math.round((100 * 9) / 25));
  });

  it('get further inputs as constants', async () => {
    const constants = [{ name: 'noise', dims: [1], values: [0.2] }];
    const model = await load('noise', { manifest: { constants } });
    const source = picture(20, 20);
    const expected = changed(source, ([r, g, b]) => [r + 51, g + 51, b + 51]);
    assert.deepEqual((await run(model, source)).frames[1], expected);
  });

  it('may keep weights in a file beside them, if the manifest lists it', async () => {
    const weights = new Uint8Array(Float32Array.of(0.2).buffer);
    const model = await load('external', { files: { 'weights.bin': weights } });
    const source = picture(16, 16);
    const expected = changed(source, ([r, g, b]) => [r + 51, g + 51, b + 51]);
    assert.deepEqual((await run(model, source)).frames[1], expected);
    await writeFile(path.join(folder, 'external', 'weights.bin'), new Uint8Array(4));
    const altered = (await findModel(path.join(folder, 'external'))) as InstalledModel<NetworkManifest>;
    assert.match(
      (await refusal(NetworkModel.load(altered, 'cpu'))).message,
      /weights\.bin .* was refused: its SHA-256/,
    );
  });

  it('stop between two tiles', async () => {
    const model = await load('identity', { manifest: { tile: { size: 32, overlap: 8 } } });
    const controller = new AbortController();
    let last = 0;
    const work = run(model, picture(150, 131), {
      signal: controller.signal,
      onTile: (done) => {
        last = done;
        if (done === 3) controller.abort();
      },
    });
    assert.equal((await refusal(work)).code, 'cancelled');
    assert.equal(last, 3);
  });

  it('have no frames in between', async () => {
    const error = await refusal(run(await load('identity'), picture(16, 16), { severities: [1, 0.5, 0] }));
    assert.equal(error.code, 'bad-argument');
    assert.match(error.message, /no frames between its input and its result; severity 0\.5/);
  });

  it('that do one thing need no task; others ask for one', async () => {
    const one = await load('identity', { manifest: { tasks: ['low-light'] } });
    assert.deepEqual(await one.taskOf(), { task: 'low-light', confidence: 1 });
    assert.match(
      (await refusal((await load('identity')).taskOf())).message,
      /Give the task: one of deblurring, low-light/,
    );
  });

  const unloadable: [string, NetworkName, Record<string, unknown>, RegExp][] = [
    ['an unnamed second input', 'noise', {}, /has the inputs "x", "noise"; name one as "input.name"/],
    ['a second input without a value', 'noise', { input: { name: 'x' } }, /needs a value for its input "noise"/],
    [
      'a constant that is no input',
      'identity',
      { constants: [{ name: 'sigma', dims: [1], values: [1] }] },
      /has no input "sigma"/,
    ],
    ['an input of another name', 'identity', { input: { name: 'image' } }, /has no input "image", only "x"/],
    ['an output of another name', 'identity', { output: { name: 'out' } }, /has no output "out", only "y"/],
    ['another number of axes', 'identity', { input: { layout: 'CHW' } }, /has 4 axes, but the layout CHW has 3/],
    ['channels elsewhere', 'identity', { input: { layout: 'NHWC' }, output: {} }, /fixed height of 3/],
    ['another number of channels', 'luma', {}, /input "x" has 1 channels, but RGB has 3/],
    ['a fixed size that is not named', 'fixed', {}, /fixed width of 64; give it as "input.size"/],
    ['another fixed size', 'fixed', { input: { size: { width: 64, height: 64 } } }, /a height of 48, not 64/],
    ['a custom operator', 'custom', {}, /uses the custom operator my\.plugin\.Deform/],
    ['values that are not float32', 'bytes', {}, /input "x" is int64; float32, float16, float64 or uint8 is needed/],
    ['weights that are not listed', 'external', {}, /keeps weights in "weights\.bin", which is no file/],
  ];
  for (const [what, name, manifest, message] of unloadable) {
    it(`are refused with ${what}`, async () => {
      const error = await refusal(load(name, { manifest }));
      assert.equal(error.code, 'bad-model');
      assert.match(error.message, message);
    });
  }

  it('are refused when they reach for files elsewhere', async () => {
    const spec = structuredClone(NETWORKS.external);
    assert.ok(spec.initialisers[0]);
    for (const location of ['/etc/passwd', '../secret.bin', 'C:\\secret.bin']) {
      spec.initialisers[0].external.location = location;
      const bytes = writeOnnxModel(spec);
      await writeFile(path.join(folder, 'network.onnx'), bytes);
      await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(networkManifest(bytes)));
      const installed = (await findModel(folder)) as InstalledModel<NetworkManifest>;
      assert.match((await refusal(NetworkModel.load(installed, 'cpu'))).message, /is no file that its manifest lists/);
    }
  });

  it('that give no finite numbers, or another size, fail in one sentence', async () => {
    const nan = await refusal(run(await load('nan'), picture(16, 16)));
    assert.equal(nan.code, 'bad-output');
    assert.match(nan.message, /gave values that are not finite numbers on cpu/);
    const half = await refusal(run(await load('half'), picture(16, 16)));
    assert.equal(half.code, 'bad-model');
    assert.match(
      half.message,
      /gave \[1, 3, 8, 8\] for an input of \[1, 3, 16, 16\]; its manifest promises \[1, 3, 16, 16\]/,
    );
  });
});
