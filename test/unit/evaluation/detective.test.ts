import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { detective, shutdown, type DetectiveOptions, type FolderFindings } from '../../../src/api';
import { measurePair, type Pixels } from '../../../src/measure';
import { RESIZERS } from '../../../src/restoration/evaluation/resizers';
import { crop, noisy, savePicture, saveText, scene } from './data-sets';

const COUNT = 4;
const WIDTH = 165;
const HEIGHT = 131;
const SCALE = 4;

const cut = (length: number, multiple: number): number => length - (length % multiple);

/** Larger than the pictures that are cut out of it. */
const canvas = (seed: number): Pixels => scene(200, 170, seed);

/** Content moved by whole pixels to the right and down; what comes in from outside is the scene going on. */
function shifted(seed: number, dx: number, dy: number): Pixels {
  return crop(canvas(seed), 4 - dx, 4 - dy, WIDTH, HEIGHT);
}

describe('protocol detective', () => {
  let folder: string;
  let reference: string;
  let references: Pixels[];
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-detective-'));
    reference = path.join(folder, 'reference');
    references = Array.from({ length: COUNT }, (_, i) => shifted(i + 1, 0, 0));
    for (const [i, picture] of references.entries()) await savePicture(picture, reference, `p${i}.png`);
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  /** Writes one picture for every reference and looks at the folder. */
  async function look(
    name: string,
    role: 'input' | 'result',
    make: (picture: Pixels, i: number) => Pixels,
    options: Partial<DetectiveOptions> = {},
  ): Promise<FolderFindings> {
    const place = path.join(folder, name);
    for (const [i, picture] of references.entries()) await savePicture(make(picture, i), place, `p${i}.png`);
    const where = role === 'input' ? { input: place } : { results: [place] };
    const { folders } = await detective({ ...where, reference, scale: SCALE, ...options });
    assert.equal(folders.length, 1);
    return folders[0]!;
  }

  const statements = ({ findings }: FolderFindings): string => findings.map(({ statement }) => statement).join(' ');

  const small = (picture: Pixels, shrink: (typeof RESIZERS)[number]['shrink']): Pixels => {
    const [width, height] = [cut(picture.width, SCALE), cut(picture.height, SCALE)];
    const whole = crop(picture, 0, 0, width, height);
    return shrink({ ...whole, data: new Uint8Array(whole.data) }, width / SCALE, height / SCALE);
  };

  for (const { id, name, shrink } of RESIZERS) {
    it(`low-resolution pictures made by ${name}`, async () => {
      const found = await look(`lr-${id}`, 'input', (picture) => small(picture, shrink));
      const [first] = found.findings.filter(({ kind }) => kind === 'resizer');
      assert.ok(first, statements(found));
      if (id === 'matlab-bicubic') {
        assert.equal(first.level, 'ok');
        assert.match(first.statement, /are MATLAB's antialiased bicubic.*error 0\.00 levels, 100\.0 %/);
        assert.equal(found.findings.length, 1, statements(found));
      } else {
        assert.equal(first.level, ['float-bicubic', 'pillow-bicubic'].includes(id) ? 'note' : 'warning');
        assert.ok(first.statement.includes(`made by ${name}`), first.statement);
        assert.match(first.statement, /error 0\.00 levels/);
      }
      assert.equal(first.pictures.length, COUNT);
    });
  }

  it('low-resolution pictures that sharp (libvips) shrank, which is none of the known ways', async () => {
    const place = path.join(folder, 'lr-vips');
    for (const [i, picture] of references.entries()) {
      const whole = crop(picture, 0, 0, cut(WIDTH, SCALE), cut(HEIGHT, SCALE));
      const { data, info } = await sharp(Buffer.from(whole.data), {
        raw: { width: whole.width, height: whole.height, channels: 3 },
      })
        .blur(3)
        .resize(whole.width / SCALE, whole.height / SCALE, { kernel: 'lanczos2' })
        .raw()
        .toBuffer({ resolveWithObject: true });
      await savePicture({ data: new Uint8Array(data), width: info.width, height: info.height }, place, `p${i}.png`);
    }
    const { folders } = await detective({ input: place, reference, scale: SCALE });
    const [first] = folders[0]!.findings;
    assert.equal(first!.level, 'warning');
    assert.match(first!.statement, /No known way of shrinking|are most like/);
  });

  it('a folder in which resizers are mixed', async () => {
    const [matlab, plain] = ['matlab-bicubic', 'nearest-corner'].map((id) => RESIZERS.find((one) => one.id === id)!);
    const found = await look('lr-mixed', 'input', (picture, i) => small(picture, (i === 2 ? plain : matlab)!.shrink));
    const mixed = found.findings.find(({ statement }) => statement.includes('mixes resizers'));
    assert.deepEqual(mixed?.pictures, ['p2'], statements(found));
    assert.match(mixed.statement, /1 of 4 pictures \(p2\) were made by nearest neighbour/);
  });

  it('results without a fault', async () => {
    const found = await look('fine', 'result', (picture, i) => noisy(picture, 6, i));
    assert.deepEqual(found.findings, []);
    assert.deepEqual([found.examined, found.count, found.role], [COUNT, COUNT, 'result']);
  });

  it('results that are shifted by whole pixels', async () => {
    const found = await look('shifted', 'result', (_, i) => noisy(shifted(i + 1, 2, -1), 4, i));
    const [first, ...more] = found.findings;
    assert.equal(more.length, 0, statements(found));
    assert.deepEqual([first!.kind, first!.level, first!.pictures.length], ['shift', 'warning', COUNT]);
    assert.match(
      first!.statement,
      /All 4 pictures are shifted .* by the same (2\.0\d|1\.9\d) pixels to the right and -(1\.0\d|0\.9\d) pixels down/,
    );
  });

  it('results that are shifted by half a pixel', async () => {
    const half = (picture: Pixels): Pixels => {
      const data = Uint8Array.from(picture.data, (value, i) =>
        i % (WIDTH * 3) < 3 ? value : Math.round((value + picture.data[i - 3]!) / 2),
      );
      return { ...picture, data };
    };
    const found = await look('half', 'result', half);
    assert.match(
      statements(found),
      /are shifted .* by the same 0\.(4[5-9]|5[0-5]) pixels to the right and -?0\.0\d pixels down/,
    );
  });

  const sizes: Array<[what: string, make: (picture: Pixels, i: number) => Pixels, message: RegExp]> = [
    [
      'cut to a multiple of 8',
      (picture) => crop(picture, 0, 0, cut(WIDTH, 8), cut(HEIGHT, 8)),
      /All 4 pictures are cut to a multiple of 8 \(p0: 160x128 against 165x131\); their upper left corners correspond/,
    ],
    [
      'filled up to a multiple of 16',
      (_, i) => crop(canvas(i + 1), 4, 4, 176, 144),
      /filled up to a multiple of 16 \(p0: 176x144 against 165x131\); their upper left corners correspond/,
    ],
    [
      'without a border',
      (picture) => crop(picture, 4, 4, WIDTH - 8, HEIGHT - 8),
      /have lost a border of 4 pixels \(p0: 157x123 against 165x131\); their middles correspond/,
    ],
    [
      'low-resolution inputs in place of results',
      (picture) => small(picture, RESIZERS[0]!.shrink),
      /are 4 times smaller than their references.*low-resolution inputs/,
    ],
    ['turned', (picture) => crop(scene(HEIGHT, WIDTH, 9), 0, 0, picture.height, picture.width), /turned by 90 degrees/],
  ];
  for (const [what, make, message] of sizes) {
    it(`results ${what}`, async () => {
      const found = await look(`size-${what}`, 'result', make);
      assert.match(statements(found), message);
      assert.ok(found.findings.every(({ level }) => level === 'warning'));
    });
  }

  it('a folder of mixed sizes', async () => {
    const found = await look('sizes-mixed', 'result', (picture, i) =>
      i === 1 ? small(picture, RESIZERS[0]!.shrink) : noisy(picture, 5, i),
    );
    const mixed = found.findings.find(({ statement }) => statement.includes('mixes sizes'));
    assert.match(mixed!.statement, /3 of the same size, 1 4 times smaller/);
    assert.deepEqual(mixed!.pictures, ['p1']);
  });

  it('copies of the references', async () => {
    const found = await look('copies', 'result', (picture, i) => (i < 3 ? picture : noisy(picture, 5, i)));
    assert.match(statements(found), /3 of 4 pictures equal their references in every pixel \(p0, p1, p2\)/);
  });

  it('a picture that cannot be read', async () => {
    const place = path.join(folder, 'broken');
    for (const [i, picture] of references.entries()) await savePicture(noisy(picture, 5, i), place, `p${i}.png`);
    await saveText('no picture', place, 'p1.png');
    const { folders } = await detective({ results: [place], reference });
    assert.deepEqual(
      folders[0]!.findings.map(({ kind, pictures }) => [kind, pictures]),
      [['unreadable', ['p1']]],
    );
  });

  it('a figure that follows another protocol', async () => {
    const make = (picture: Pixels, i: number): Pixels => noisy(picture, 4 + i, i);
    const mean = (of: (picture: Pixels, result: Pixels) => number): number =>
      references.reduce((sum, picture, i) => sum + of(picture, make(picture, i)), 0) / COUNT;
    const y = mean((picture, result) => measurePair(result, picture, { protocol: 'sr', scale: 4 }).psnr);
    const rgb = mean((picture, result) => measurePair(result, picture, { protocol: 'rgb', scale: 1 }).psnr);
    const found = await look('claimed', 'result', make, {
      claimed: [`psnr=${y.toFixed(4)}`, `psnr=${rgb.toFixed(4)}`, 'psnr=55.55'],
    });
    const [first, second, third] = found.claims;
    assert.equal(first!.fitting[0]!.id, 'psnr y 4 mean', first!.statement);
    assert.equal(second!.fitting[0]!.id, 'psnr rgb 0 mean', second!.statement);
    assert.deepEqual(third!.fitting, []);
    assert.match(third!.statement, /PSNR 55\.55 fits no known way of measuring these pictures/);
  });

  it('looks at some pictures of many, evenly', async () => {
    const found = await look('fine', 'result', (picture, i) => noisy(picture, 6, i), { limit: 2 });
    assert.deepEqual([found.examined, found.count], [2, COUNT]);
  });

  const wrong: Array<[what: string, options: () => DetectiveOptions, message: RegExp]> = [
    ['nothing to look at', () => ({ reference }), /nothing to look at/],
    ['no references', () => ({ results: [reference] }), /without their references/],
    ['a claim about inputs', () => ({ input: reference, reference, claimed: ['psnr=30'] }), /belongs to results/],
    ['a claim that is none', () => ({ results: [reference], reference, claimed: ['psnr=good'] }), /reads psnr=32\.1/],
    [
      'a folder that is not there',
      () => ({ results: [path.join(folder, 'nowhere')], reference }),
      /no folder .*nowhere/,
    ],
    ['a limit of none', () => ({ results: [reference], reference, limit: 0 }), /limit/],
  ];
  for (const [what, options, message] of wrong) {
    it(`refuses ${what}`, () => assert.rejects(detective(options()), message));
  }
});
