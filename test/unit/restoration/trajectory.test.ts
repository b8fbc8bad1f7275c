import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { RestorationError, type Task } from '../../../src/protocol';
import { measurePair } from '../../../src/measure';
import {
  CompactModel,
  type TrajectoryFrame,
  type TrajectoryRequest,
  type TrajectoryWork,
} from '../../../src/restoration/compact/compact-model';
import { FeatureCache } from '../../../src/restoration/compact/feature-cache';
import { FrameAssembler, axisWeights } from '../../../src/restoration/compact/frame-assembler';
import { spoolFrames } from '../../../src/restoration/compact/frame-spool';
import { tileTensor } from '../../../src/restoration/compact/tile-input';
import { decodePicture } from '../../../src/restoration/image/decode';
import {
  createPixels,
  createPixels16,
  toEightBits,
  toSixteenBits,
  type AnyPixels,
  type Depth,
  type Pixels,
} from '../../../src/restoration/image/pixels';
import { findModel, type InstalledModel, type TrajectoryManifest } from '../../../src/restoration/models/manifest';
import { affordableTileSize, tileSpans, tileWeights } from '../../../src/restoration/models/tiling';
import { writeTestModel } from './test-model';

const signal = new AbortController().signal;

async function installed(id: string): Promise<InstalledModel<TrajectoryManifest>> {
  const model = await findModel(id);
  assert.ok(model.manifest.kind === 'trajectory');
  return { ...model, manifest: model.manifest };
}

/** The shipped model with other tiles: weights are the same. */
function withTiles(model: InstalledModel<TrajectoryManifest>, size: number): InstalledModel<TrajectoryManifest> {
  return { ...model, manifest: { ...model.manifest, tile: { ...model.manifest.tile, size } } };
}

type Asked = Partial<TrajectoryRequest> & Pick<TrajectoryRequest, 'picture' | 'severities'>;

async function collect(
  model: CompactModel,
  asked: Asked,
): Promise<{ frames: AnyPixels[]; work: TrajectoryWork; progress: { done: number; total: number }[] }> {
  const progress: { done: number; total: number }[] = [];
  const trajectory = model.trajectory({
    task: 'deblurring',
    prompt: '',
    signal,
    onProgress: (step) => progress.push(step),
    ...asked,
  });
  const frames: AnyPixels[] = [];
  for (;;) {
    const next: IteratorResult<TrajectoryFrame, TrajectoryWork> = await trajectory.next();
    if (next.done) return { frames, work: next.value, progress };
    frames[next.value.index] = next.value.pixels;
  }
}

function noise(width: number, height: number, seed: number): Pixels {
  const pixels = createPixels(width, height);
  let state = seed;
  for (let i = 0; i < pixels.data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pixels.data[i] = state >>> 24;
  }
  return pixels;
}

describe('frames from tiles', () => {
  /** Tiles that all show the same function of the place, through spools of either kind. */
  function assemble(
    width: number,
    height: number,
    size: number,
    overlap: number,
    depth: Depth,
    memory: number,
  ): AnyPixels {
    const columns = tileSpans(width, size, overlap, 16);
    const rows = tileSpans(height, size, overlap, 16);
    const [spool] = spoolFrames(1, { width, height }, depth, memory);
    assert.ok(spool);
    const assembler = new FrameAssembler(spool, width, depth === 16 ? 65535 : 255, columns, rows);
    for (const [row, y] of rows.entries()) {
      for (const [column, x] of columns.entries()) {
        // A tensor is larger than its tile where it is padded; what stands there must not show.
        const stride = x.length + 3;
        const plane = stride * (y.length + 2);
        const frame = new Float32Array(3 * plane).fill(9);
        for (let c = 0; c < 3; c++) {
          for (let j = 0; j < y.length; j++) {
            for (let i = 0; i < x.length; i++) frame[c * plane + j * stride + i] = value(x.start + i, y.start + j, c);
          }
        }
        assembler.add(
          frame,
          stride,
          plane,
          row,
          column,
          axisWeights(columns, column, overlap),
          axisWeights(rows, row, overlap),
        );
      }
    }
    return spool.take();
  }
  /** Also beyond [0, 1]: networks do that. */
  const value = (x: number, y: number, c: number): number => -0.1 + ((x * 0.013 + y * 0.007 + c * 0.21) % 1.3);

  it('show what the tiles show, for any size, depth and place of rest', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 200 }),
        fc.constantFrom(48, 64, 96),
        fc.integer({ min: 0, max: 16 }),
        fc.constantFrom<Depth>(8, 16),
        fc.boolean(),
        (width, height, size, overlap, depth, disk) => {
          const { data } = assemble(width, height, size, overlap, depth, disk ? 0 : 1e9);
          const maximum = depth === 16 ? 65535 : 255;
          for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) {
              for (let c = 0; c < 3; c++) {
                const expected = Math.min(maximum, Math.max(0, value(x, y, c) * maximum));
                const actual = data[(y * width + x) * 3 + c] as number;
                assert.ok(Math.abs(actual - expected) <= 0.52, `${actual} at ${x},${y},${c} instead of ${expected}`);
              }
            }
          }
        },
      ),
      { numRuns: 60, seed: 5 },
    );
  });

  it('blend neighbours that disagree by their weights', () => {
    const [width, height, overlap] = [100, 70, 12];
    const columns = tileSpans(width, 48, overlap, 16);
    const rows = tileSpans(height, 48, overlap, 16);
    const [spool] = spoolFrames(1, { width, height }, 8);
    assert.ok(spool);
    const assembler = new FrameAssembler(spool, width, 255, columns, rows);
    const expected = new Float64Array(width * height);
    for (const [row, y] of rows.entries()) {
      for (const [column, x] of columns.entries()) {
        const level = (((row * columns.length + column) * 37) % 200) / 255;
        const plane = x.length * y.length;
        const across = tileWeights(columns, column, overlap);
        const down = tileWeights(rows, row, overlap);
        for (let j = 0; j < y.length; j++) {
          for (let i = 0; i < x.length; i++) {
            const at = (y.start + j) * width + x.start + i;
            expected[at] = (expected[at] as number) + (across[i] as number) * (down[j] as number) * level * 255;
          }
        }
        const frame = new Float32Array(3 * plane).fill(level);
        assembler.add(
          frame,
          x.length,
          plane,
          row,
          column,
          axisWeights(columns, column, overlap),
          axisWeights(rows, row, overlap),
        );
      }
    }
    const { data } = spool.take();
    expected.forEach((level, i) => assert.ok(Math.abs((data[i * 3 + 1] as number) - level) <= 0.51, `pixel ${i}`));
  });

  it('leave no temporary file behind', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'pir-spool-'));
    const before = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    try {
      const spools = spoolFrames(3, { width: 10, height: 10 }, 8, 0);
      if (process.platform !== 'win32') assert.deepEqual(await readdir(folder), []);
      for (const spool of spools) spool.close();
      assert.deepEqual(await readdir(folder), []);
      process.env.TMPDIR = path.join(folder, 'not-there');
      assert.throws(
        () => spoolFrames(2, { width: 10, height: 10 }, 8, 0),
        (error) => error instanceof RestorationError && error.code === 'unwritable' && /TMPDIR/.test(error.message),
      );
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('a tile as a tensor', () => {
  it('holds samples / maximum, mirrored beyond the picture, for both depths', () => {
    const picture = noise(20, 13, 1);
    for (const source of [picture, toSixteenBits(picture)]) {
      const { data, dims } = tileTensor(
        source,
        { start: 2, length: 17 },
        { start: 1, length: 9 },
        { multiple: 16, minimumSide: 32 },
      );
      assert.deepEqual(dims, [1, 3, 32, 32]);
      for (const [x, y, fromX, fromY] of [
        [0, 0, 2, 1],
        [16, 8, 18, 9],
        [17, 0, 17, 1],
        [31, 8, 3, 9],
        [3, 9, 5, 8],
        [3, 17, 5, 2],
      ] as const) {
        for (let c = 0; c < 3; c++) {
          const sample = picture.data[(fromY * 20 + fromX) * 3 + c] as number;
          assert.equal(data[c * 1024 + y * 32 + x], Math.fround(sample / 255), `${x},${y}`);
        }
      }
    }
  });
});

describe('the size of tiles', () => {
  const tile = { size: 768, overlap: 48 };
  const GB = 1024 ** 3;
  const sizes: [string, Parameters<typeof affordableTileSize>, number][] = [
    ['is the model’s own with memory to spare', [tile, 16, 'cpu', 16 * GB], 768],
    ['is twice that on a GPU', [tile, 16, 'webgpu', 16 * GB], 1536],
    ['shrinks with memory', [tile, 16, 'cpu', GB / 4], 352],
    ['shrinks on a GPU, too', [tile, 16, 'cuda', GB], 720],
    ['keeps three overlaps whatever happens', [tile, 16, 'cpu', 0], 144],
    ['is not made larger than the model says', [{ size: 64, overlap: 16 }, 16, 'cpu', 0], 64],
    ['divides by what the network needs', [{ size: 768, overlap: 48 }, 64, 'cpu', GB / 4], 320],
  ];
  for (const [what, call, expected] of sizes) {
    it(what, () => assert.equal(affordableTileSize(...call), expected));
  }
});

describe('kept features', () => {
  const features = (value: number, length = 1000) => ({
    type: 'float32' as const,
    data: new Float32Array(length).fill(value),
    dims: [1, length],
  });
  const places: [string, { memory: number; disk: number }, boolean][] = [
    ['in memory', { memory: 1e6, disk: 1e6 }, true],
    ['in a file from the second tile on', { memory: 4000, disk: 1e6 }, true],
    ['in a file altogether', { memory: 0, disk: 1e6 }, true],
    ['nowhere when they are too large', { memory: 0, disk: 8000 }, false],
  ];
  for (const [where, limits, found] of places) {
    it(`stay ${where}`, () => {
      const cache = new FeatureCache(limits);
      const entry = cache.open('a', 64);
      for (let i = 0; i < 3; i++) entry.store(i, features(i));
      const again = cache.open('a', 128);
      assert.equal(again.tileSize, 64, 'tiles are those of the first time');
      for (let i = 0; i < 3; i++) {
        assert.equal(again.has(i), found);
        const read = again.read(i);
        assert.deepEqual(read?.dims, found ? [1, 1000] : undefined);
        if (read) assert.ok(read.data.every((value) => value === i));
      }
      assert.equal(cache.open('b', 32).has(0), false, 'another picture takes the place');
      assert.equal(cache.open('a', 32).has(0), false);
      cache.clear();
    });
  }
});

describe('the trajectory of a model', () => {
  let folder: string;
  let local: CompactModel;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-trajectory-'));
    local = await CompactModel.load(
      await installed(await writeTestModel(path.join(folder, 'local'), { tile: { size: 64, overlap: 16 } })),
      'cpu',
    );
  });
  after(async () => {
    await local.release();
    await rm(folder, { recursive: true, force: true });
  });

  it('runs the trunk once for a picture, however often another severity is asked for', async () => {
    const picture = noise(150, 100, 3);
    const first = await collect(local, { picture, pictureKey: 'p', severities: [1, 0.5, 0] });
    const { tiles } = first.work;
    assert.ok(tiles > 1);
    assert.deepEqual(first.work, { tiles, trunkRuns: tiles, headRuns: 2 * tiles });
    const dial = await collect(local, { picture, pictureKey: 'p', severities: [0.3] });
    assert.deepEqual(dial.work, { tiles, trunkRuns: 0, headRuns: tiles });
    assert.deepEqual(dial.progress.at(-1), { done: tiles, total: tiles });
    const fresh = await collect(local, { picture, severities: [0.3] });
    assert.deepEqual(fresh.work, { tiles, trunkRuns: tiles, headRuns: tiles });
    assert.deepEqual(dial.frames[0]?.data, fresh.frames[0]?.data, 'the same pixels with and without the trunk');
    // A run without a key leaves what is kept alone; whatever features depend on makes them new.
    const changes: [string, Partial<Asked>, number][] = [
      ['the same again', {}, 0],
      ['another task of the same networks', { task: 'low-light' }, 0],
      ['another prompt', { prompt: 'sharpen' }, tiles],
      ['another picture', { pictureKey: 'q', prompt: 'sharpen' }, tiles],
      ['the first picture again: only the latest is kept', {}, tiles],
    ];
    for (const [what, change, trunkRuns] of changes) {
      const { work } = await collect(local, { picture, pictureKey: 'p', severities: [0.1], ...change });
      assert.deepEqual(work, { tiles, trunkRuns, headRuns: tiles }, what);
    }
  });

  it('is not misled by what another model kept of the same picture with other tiles', async () => {
    const cache = new FeatureCache();
    const models: CompactModel[] = [];
    for (const [name, tile] of [
      ['a', { size: 64, overlap: 16 }],
      ['b', { size: 64, overlap: 20 }],
      ['c', { size: 96, overlap: 16 }],
    ] as const) {
      models.push(
        await CompactModel.load(await installed(await writeTestModel(path.join(folder, name), { tile })), 'cpu', cache),
      );
    }
    const picture = noise(150, 100, 6);
    for (const model of [...models, ...models]) {
      const { work } = await collect(model, { picture, pictureKey: 'same', severities: [0] });
      const { size, overlap } = model.installed.manifest.tile;
      const tiles = tileSpans(150, size, overlap, 16).length * tileSpans(100, size, overlap, 16).length;
      assert.deepEqual(work, { tiles, trunkRuns: tiles, headRuns: tiles });
    }
    for (const model of models) await model.release();
  });

  it('goes on with what a cancelled run has kept', async () => {
    const picture = noise(150, 100, 4);
    const controller = new AbortController();
    let steps = 0;
    await assert.rejects(
      collect(local, {
        picture,
        pictureKey: 'cancelled',
        severities: [0],
        signal: controller.signal,
        onProgress: () => {
          if (++steps === 4) controller.abort();
        },
      }),
      (error) => error instanceof RestorationError && error.code === 'cancelled',
    );
    const { work } = await collect(local, { picture, pictureKey: 'cancelled', severities: [0] });
    assert.ok(work.trunkRuns > 0 && work.trunkRuns < work.tiles, `${work.trunkRuns} of ${work.tiles}`);
  });

  it('gives the picture itself at severity 1 without any network, in either depth', async () => {
    const picture = noise(40, 30, 5);
    const { frames, work } = await collect(local, { picture, severities: [1] });
    assert.deepEqual(work, { tiles: 0, trunkRuns: 0, headRuns: 0 });
    assert.equal(frames[0]?.data, picture.data, 'no copy');
    const deep = await collect(local, { picture, severities: [1], depth: 16 });
    assert.deepEqual(deep.frames[0]?.data, toSixteenBits(picture).data);
  });

  it('reads and gives 16 bits as the network computes them', async () => {
    const picture = createPixels16(90, 70);
    for (let i = 0; i < picture.data.length; i++) picture.data[i] = (i * 7919) % 65536;
    const { frames } = await collect(local, { picture, severities: [0.25], depth: 16 });
    const shallow = await collect(local, { picture, severities: [0.25] });
    picture.data.forEach((value, i) => {
      const expected = value + (0.75 * (65535 - value)) / 2;
      assert.ok(
        Math.abs((frames[0]?.data[i] as number) - expected) <= 1,
        `${frames[0]?.data[i]} instead of ${expected}`,
      );
      assert.ok(Math.abs((shallow.frames[0]?.data[i] as number) - expected / 257) <= 0.51);
    });
  });
});

describe('the model that ships, in tiles', () => {
  const tasks: Task[] = ['super-resolution', 'deblurring', 'low-light'];

  async function bothWays(picture: AnyPixels, task: Task, severities: number[]): Promise<[Pixels[], Pixels[], number]> {
    const model = await installed('compact');
    const { overlap } = model.manifest.tile;
    const whole = await CompactModel.load(withTiles(model, 1024), 'cpu');
    const tiled = await CompactModel.load(withTiles(model, Math.max(160, Math.ceil((overlap * 3) / 16) * 16)), 'cpu');
    try {
      const prompt = model.manifest.uniformPrompts[task];
      const one = await collect(whole, { picture, task, prompt, severities });
      const many = await collect(tiled, { picture, task, prompt, severities });
      assert.equal(one.work.tiles, 1);
      return [one.frames.map(toEightBits), many.frames.map(toEightBits), many.work.tiles];
    } finally {
      await whole.release();
      await tiled.release();
    }
  }

  for (const task of tasks) {
    it(`shows the same as in one piece: ${task}`, async () => {
      const { pixels } = await decodePicture(path.resolve(__dirname, '../../../notebooks/pictures/coffee.png'));
      const picture = createPixels(400, 336);
      for (let y = 0; y < picture.height; y++) {
        const from = ((y + 20) * pixels.width + 30) * 3;
        picture.data.set(pixels.data.subarray(from, from + picture.width * 3), y * picture.width * 3);
      }
      const [whole, tiled, tiles] = await bothWays(picture, task, [0.5, 0]);
      assert.ok(tiles >= 4);
      whole.forEach((frame, k) => {
        const { psnr } = measurePair(tiled[k] as Pixels, frame, { protocol: 'rgb', scale: 1 });
        assert.ok(psnr >= 50, `${psnr.toFixed(1)} dB at severity ${[0.5, 0][k]}`);
      });
    });

    it(`leaves no seam on a gradient: ${task}`, async () => {
      const picture = createPixels(400, 400);
      for (let y = 0; y < 400; y++) {
        for (let x = 0; x < 400; x++)
          picture.data.fill(20 + Math.round((x + y) * 0.18), (y * 400 + x) * 3, (y * 400 + x) * 3 + 3);
      }
      const [[whole], [tiled]] = await bothWays(picture, task, [0]);
      assert.ok(whole && tiled);
      const { psnr } = measurePair(tiled, whole, { protocol: 'rgb', scale: 1 });
      assert.ok(psnr >= 50, `${psnr.toFixed(1)} dB`);
      // A seam is a place where a whole line leaves the picture in one piece: by less than a level, nobody sees it.
      const lineMeans = (frame: Pixels, horizontal: boolean): number[] =>
        Array.from({ length: 400 }, (_, at) => {
          let sum = 0;
          for (let k = 16; k < 384; k++) {
            const [x, y] = horizontal ? [at, k] : [k, at];
            sum += frame.data[(y * 400 + x) * 3] as number;
          }
          return sum / 368;
        });
      for (const horizontal of [true, false]) {
        const expected = lineMeans(whole, horizontal);
        const off = lineMeans(tiled, horizontal).map((mean, at) => mean - (expected[at] as number));
        off.forEach((difference, at) => {
          assert.ok(Math.abs(difference) < 1, `line ${at} is off by ${difference}`);
          assert.ok(Math.abs(difference - (off[at - 1] ?? difference)) < 1, `a step of ${difference} at line ${at}`);
        });
      }
    });
  }
});
