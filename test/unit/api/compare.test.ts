import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import type { Pixels } from '../../../src/measure';
import { savedCrops } from '../restoration/saved-crops';
import { compare, shutdown, strip, type Run } from '../../../src/api';
import { isRunView, MIME_BUNDLE, RUN_MIME, type Region, type RunView } from '../../../src/protocol';

const pictures = path.resolve(__dirname, '../../fixtures/pictures');
const reference = path.join(pictures, 'patch.png');
const frames = (worst: string): string[] => [path.join(pictures, worst), path.join(pictures, 'patch-jpeg.png')];

describe('compare', () => {
  let folder: string;
  let runs: Run[];
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-compare-'));
    runs = [
      await strip(frames('patch-noisy.png'), { reference, model: 'first method' }),
      await strip(frames('patch-shifted.png'), { reference, model: 'second method' }),
    ];
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  async function viewOf(...call: Parameters<typeof compare>): Promise<RunView> {
    const bundle = await (await compare(...call))[MIME_BUNDLE]();
    const view = bundle[RUN_MIME];
    assert.ok(isRunView(view));
    assert.match(String(bundle['text/plain']), /frame\s+severity[\s\S]+frame\s+severity/);
    return view;
  }

  /** Largest difference of an embedded crop to the same place of a picture file, in levels. */
  async function farthest({ data }: Pixels, file: string, region: Region): Promise<number> {
    const { x: left, y: top, width, height } = region;
    const place = await sharp(file).extract({ left, top, width, height }).removeAlpha().raw().toBuffer();
    assert.equal(data.length, place.length);
    return place.reduce((most: number, value: number, at: number) => Math.max(most, Math.abs(value - data[at]!)), 0);
  }

  it('puts all runs into one view, under their labels, in one region', async () => {
    const view = await viewOf(runs, { labels: ['ours', 'theirs'] });
    assert.deepEqual([view.label, view.others?.map(({ label }) => label)], ['ours', ['theirs']]);
    assert.deepEqual(view.others?.[0]?.record.region, view.record.region);
    assert.equal(view.others?.[0]?.record.model.id, 'second method');
  });

  it('cuts a region of its own losslessly out of every frame and the reference', async () => {
    const region = { x: 9, y: 5, width: 40, height: 24 };
    const view = await viewOf(runs, { region });
    for (const [run, worst] of [
      [view, 'patch-noisy.png'],
      [view.others?.[0], 'patch-shifted.png'],
    ] as const) {
      assert.ok(run !== undefined);
      assert.deepEqual(run.record.region, region);
      const crops = await savedCrops(run);
      const files = [...frames(worst), reference];
      assert.equal(crops.length, files.length);
      for (const [at, crop] of crops.entries()) assert.equal(await farthest(crop, files[at]!, region), 0);
    }
  });

  it('refuses one run, nine runs, other things and labels that do not match', async () => {
    const [run] = runs as [Run];
    await assert.rejects(compare([run]), /two to 8 runs/);
    await assert.rejects(compare(Array.from({ length: 9 }, () => run)), /two to 8 runs/);
    await assert.rejects(compare([run, {} as Run]), /what restore or strip returned/);
    await assert.rejects(compare(runs, { labels: ['one'] }), /2 runs and 1 labels/);
  });
});
