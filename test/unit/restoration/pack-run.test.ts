import assert from 'node:assert/strict';
import fc from 'fast-check';
import sharp from 'sharp';
import type { Pixels } from '../../../src/measure';
import { isRunView, type FramePicture, type Region, type RunView } from '../../../src/protocol';
import { packRun } from '../../../src/restoration/run/pack-run';
import { frameOf, recordOf } from '../report/runs';
import { savedCrops } from './saved-crops';

async function url({ data, width, height }: Pixels): Promise<string> {
  const raw = { width, height, channels: 3 } as const;
  const bytes = await sharp(new Uint8Array(data), { raw }).webp({ lossless: true, effort: 0 }).toBuffer();
  return `data:image/webp;base64,${bytes.toString('base64')}`;
}

function noise(width: number, height: number, seed: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  let state = seed;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state >>> 24;
  }
  return { data, width, height };
}

function smooth(width: number, height: number, level: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = Math.min(255, 20 + ((i * level) % 97));
  return { data, width, height };
}

async function runOf(region: Region, crops: readonly Pixels[], reference?: Pixels): Promise<RunView> {
  const thumbnail = await url(smooth(32, 24, 1));
  const pictures: FramePicture[] = [];
  for (const [at, crop] of crops.entries()) pictures.push({ index: at + 1, thumbnail, crop: await url(crop) });
  const record = recordOf([], { region, frames: crops.map((_, at) => frameOf(at + 1, crops.length)) });
  return {
    record,
    state: { kind: 'done' },
    pictures,
    ...(reference ? { reference: { thumbnail, crop: await url(reference) } } : {}),
  };
}

describe('packed run', () => {
  it('keeps arbitrary crops sample for sample', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 2, max: 6 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 1e6 }),
        async (width, height, count, withReference, seed) => {
          const crops = Array.from({ length: count + 1 }, (_, at) => noise(width, height, seed + at));
          const shown = withReference ? crops : crops.slice(0, count);
          const region = { x: 0, y: 0, width, height };
          const packed = await packRun(
            await runOf(region, crops.slice(0, count), withReference ? crops[count] : undefined),
          );
          assert.ok(isRunView(JSON.parse(JSON.stringify(packed))));
          assert.deepEqual(
            (await savedCrops(packed)).map(({ data }) => [...data]),
            shown.map(({ data }) => [...data]),
          );
          assert.ok(packed.pictures.every(({ crop }) => crop === undefined));
          assert.equal(packed.reference?.crop, undefined);
        },
      ),
      { seed: 3, numRuns: 25 },
    );
  });

  it('leaves out thumbnails between the ends only where they follow from them', async () => {
    const region = { x: 0, y: 0, width: 16, height: 16 };
    const view = await runOf(
      region,
      [1, 2, 3, 4].map((seed) => noise(16, 16, seed)),
    );
    const [first, last] = [smooth(32, 24, 3), smooth(32, 24, 7)];
    const half: Pixels = { ...first, data: first.data.map((sample, i) => (sample + last.data[i]!) >> 1) };
    const shown = await Promise.all([first, half, noise(32, 24, 9), last].map(url));
    const pictures = view.pictures.map((picture, at) => ({ ...picture, thumbnail: shown[at]! }));
    const packed = await packRun({ ...view, pictures });
    assert.equal(packed.pictures[0]?.thumbnail, shown[0]);
    assert.equal(packed.pictures[1]?.thumbnail, undefined);
    assert.ok(packed.pictures[1]?.between?.every((share) => Math.abs(share - 128) <= 3));
    assert.equal(packed.pictures[2]?.thumbnail, shown[2], 'noise follows from nothing');
    assert.equal(packed.pictures[3]?.thumbnail, shown[3]);
  });

  it('packs every run of a comparison, and packs nothing twice', async () => {
    const region = { x: 0, y: 0, width: 20, height: 10 };
    const crops = [5, 6].map((seed) => noise(20, 10, seed));
    const view = { ...(await runOf(region, crops)), others: [await runOf(region, crops, crops[0])] };
    const packed = await packRun(view);
    assert.ok(packed.cropSheet !== undefined && packed.others?.[0]?.cropSheet?.reference === true);
    assert.deepEqual(await packRun(packed), packed);
  });

  it('leaves runs alone whose crops are too many or too large for one picture', async () => {
    const many = await runOf({ x: 0, y: 0, width: 1, height: 200 }, Array<Pixels>(82).fill(noise(1, 200, 1)));
    assert.deepEqual((await packRun(many)).pictures[5]?.crop, many.pictures[5]?.crop);
    const large = await runOf(
      { x: 0, y: 0, width: 500, height: 500 },
      [1, 2, 3, 4, 5].map((seed) => noise(500, 500, seed)),
    );
    const packed = await packRun(large);
    assert.equal(packed.cropSheet, undefined, 'a sheet of noise is longer than a reader takes');
    assert.ok(isRunView(JSON.parse(JSON.stringify(packed))));
  });

  it('leaves runs alone that have no sheet: crops missing, or of another size than the region', async () => {
    const region = { x: 0, y: 0, width: 20, height: 10 };
    const odd = await runOf(region, [noise(20, 10, 1), noise(10, 20, 2)]);
    assert.deepEqual(await packRun(odd), odd);
    const whole = await runOf(region, [noise(20, 10, 1), noise(20, 10, 2)]);
    const missing = {
      ...whole,
      pictures: whole.pictures.map(({ crop, ...rest }, at) => (at === 0 ? rest : { ...rest, crop })),
    };
    assert.deepEqual(await packRun(missing), missing);
    assert.deepEqual(await packRun({ ...whole, pictures: [] }), { ...whole, pictures: [] });
  });
});

describe('guard of packed runs', () => {
  const region = { x: 0, y: 0, width: 20, height: 10 };
  let packed: RunView;
  before(async () => {
    packed = await packRun(
      await runOf(
        region,
        [1, 2, 3].map((seed) => noise(20, 10, seed)),
        noise(20, 10, 4),
      ),
    );
  });

  const sheet = (change: object): unknown => ({ ...packed, cropSheet: { ...packed.cropSheet, ...change } });
  const wrong: [string, () => unknown][] = [
    ['a sheet of another kind', () => sheet({ picture: packed.cropSheet?.picture.replace('webp', 'png') })],
    ['a sheet from elsewhere', () => sheet({ picture: 'https://example.org/sheet.webp' })],
    ['frames that the record does not have', () => sheet({ frames: [1, 2, 4] })],
    ['a frame twice', () => sheet({ frames: [1, 1, 2] })],
    ['no frames', () => sheet({ frames: [] })],
    ['frames that are no numbers', () => sheet({ frames: ['__proto__'] })],
    ['a reference that is not there', () => ({ ...packed, reference: undefined })],
    ['no region', () => ({ ...packed, record: { ...packed.record, region: undefined } })],
    [
      'a region for which no memory would do',
      () => ({ ...packed, record: { ...packed.record, region: { x: 0, y: 0, width: 1_000_000, height: 1_000_000 } } }),
    ],
    [
      'no thumbnails at the ends',
      () => ({ ...packed, pictures: packed.pictures.map(({ index }) => ({ index, between: [128, 128] })) }),
    ],
    ['neither thumbnail nor shares', () => ({ ...packed, pictures: packed.pictures.map(({ index }) => ({ index })) })],
    [
      'shares without end',
      () => ({
        ...packed,
        pictures: packed.pictures.map((one, at) => (at === 1 ? { index: 2, between: [1e9, 0] } : one)),
      }),
    ],
  ];
  for (const [name, make] of wrong) {
    it(`refuses ${name}`, () => {
      assert.ok(isRunView(packed));
      assert.equal(isRunView(JSON.parse(JSON.stringify(make()))), false);
    });
  }
});
