import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { figure, shutdown, type FigureOptions } from '../../../src/api';
import { measurePair, type Pixels } from '../../../src/measure';
import { chooseFigureRegion, figureRegionSize } from '../../../src/restoration/report/figure-region';
import { layFigure } from '../../../src/restoration/report/figure-layout';
import { noisy, savePicture, saveText, scene } from '../evaluation/data-sets';
import { runCli } from '../cli/run-cli';

const WIDTH = 240;
const HEIGHT = 180;

/** Noise in one place only. */
function spoiled(picture: Pixels, left: number, top: number, side: number): Pixels {
  const whole = noisy(picture, 60, 5);
  return {
    ...picture,
    data: picture.data.map((value, i) => {
      const x = Math.floor(i / 3) % picture.width;
      const y = Math.floor(i / 3 / picture.width);
      return x >= left && x < left + side && y >= top && y < top + side ? whole.data[i]! : value;
    }),
  };
}

describe('zoom-crop figure', () => {
  let folder: string;
  let reference: string;
  let weak: string;
  let strong: string;
  const picture = scene(WIDTH, HEIGHT, 4);
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-figure-'));
    reference = await savePicture(picture, folder, 'GT', 'town.png');
    weak = await savePicture(spoiled(picture, 150, 40, 40), folder, 'weak', 'town_x4.png');
    strong = await savePicture(noisy(picture, 4, 2), folder, 'strong', 'town.png');
    await savePicture(noisy(scene(WIDTH / 4, HEIGHT / 4, 4), 1, 1), folder, 'LR', 'town.png');
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  it('shows the region where methods differ, pixel for pixel, with the metrics of the whole pictures', async () => {
    const drawing = await figure({ methods: [weak, `Ours=${strong}`], reference, protocol: 'rgb' });
    const { region } = drawing;
    assert.deepEqual({ width: region.width, height: region.height }, figureRegionSize(picture));
    assert.ok(region.x < 190 && region.x + region.width > 150, `${region.x}`);
    assert.ok(region.y < 80 && region.y + region.height > 40, `${region.y}`);
    assert.deepEqual(
      drawing.entries.map(({ label }) => label),
      ['town_x4', 'Ours'],
    );
    const expected = measurePair(noisy(picture, 4, 2), picture, { protocol: 'rgb', scale: 1 });
    assert.deepEqual(drawing.entries[1], { label: 'Ours', ...expected });

    const layout = layFigure(picture, region, 3, 3, true);
    assert.deepEqual([drawing.width, drawing.height], [layout.width, layout.height]);
    const { data, info } = await sharp(drawing.png).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [layout.width, layout.height, 3]);
    const shown = [spoiled(picture, 150, 40, 40), noisy(picture, 4, 2), picture];
    shown.forEach(({ data: source }, i) => {
      const box = layout.crops[i]!;
      for (const [x, y] of [
        [0, 0],
        [region.width - 1, 0],
        [7, 11],
        [region.width - 1, region.height - 1],
      ] as const) {
        const at = (row: number, column: number): number[] => [
          ...data.subarray((row * info.width + column) * 3, (row * info.width + column) * 3 + 3),
        ];
        const middle = Math.floor(layout.zoom / 2);
        const from = ((region.y + y) * WIDTH + region.x + x) * 3;
        assert.deepEqual(
          at(box.top + y * layout.zoom + middle, box.left + x * layout.zoom + middle),
          [...source.subarray(from, from + 3)],
          `crop ${i}, pixel (${x}, ${y})`,
        );
      }
    });
  });

  it('is the same picture as SVG, without fonts and without anything to load', async () => {
    const drawing = await figure({
      methods: [weak, strong],
      reference,
      protocol: 'sr',
      region: { x: 8, y: 8, width: 64, height: 48 },
    });
    assert.doesNotMatch(drawing.svg, /<text|font|<script|href="(?!data:image\/png;base64,)/);
    assert.equal(drawing.svg.match(/<image /g)?.length, 4);
    const rendered = await sharp(Buffer.from(drawing.svg)).removeAlpha().raw().toBuffer();
    const drawn = await sharp(drawing.png).removeAlpha().raw().toBuffer();
    assert.equal(rendered.length, drawn.length);
    let sum = 0;
    for (let i = 0; i < drawn.length; i++) sum += Math.abs(drawn[i]! - rendered[i]!);
    assert.ok(sum / drawn.length < 0.5, `${sum / drawn.length} levels apart`);
  });

  it('is the same on every call', async () => {
    const options: FigureOptions = { methods: [weak, strong], reference, protocol: 'rgb' };
    const [one, two] = [await figure(options), await figure(options)];
    assert.ok(one.png.equals(two.png));
    assert.equal(one.svg, two.svg);
  });

  it('from folders, with the input enlarged, on the command line', async () => {
    const words = [
      'figure',
      path.join(folder, 'weak'),
      path.join(folder, 'strong'),
      '--reference',
      path.join(folder, 'GT'),
    ];
    const more = ['--input', path.join(folder, 'LR'), '--picture', 'town', '--protocol', 'sr', '--out', 'drawn/figure'];
    const result = await runCli([...words, ...more, '--json'], { cwd: folder });
    assert.equal(result.code, 0, result.stderr);
    const { files, entries } = JSON.parse(result.stdout) as { files: string[]; entries: Array<{ label: string }> };
    assert.deepEqual(files, ['drawn/figure.png', 'drawn/figure.svg']);
    assert.deepEqual(
      entries.map(({ label }) => label),
      ['Input (bicubic ×4)', 'weak', 'strong'],
    );
    assert.match(await readFile(path.join(folder, 'drawn/figure.svg'), 'utf8'), /^<svg /);
    const one = await runCli([...words, ...more.slice(0, -1), 'only.svg'], { cwd: folder });
    assert.equal(one.code, 0, one.stderr);
    assert.ok((await readdir(folder)).includes('only.svg'));
  });

  it('fits any number of methods and any shape', () => {
    for (const [width, height] of [
      [240, 180],
      [180, 1200],
      [4000, 300],
    ] as const) {
      const size = figureRegionSize({ width, height });
      assert.ok(size.width <= width && size.height <= height);
      for (let count = 2; count <= 17; count++) {
        const columns = Math.ceil(count / 2);
        const layout = layFigure({ width, height }, { x: 0, y: 0, ...size }, count, columns, true);
        for (const box of [layout.overview, ...layout.crops]) {
          assert.ok(box.left >= 0 && box.left + box.width <= layout.width);
          assert.ok(box.top >= 0 && box.top + box.height < layout.height);
        }
        layout.crops.forEach((box, i) => {
          for (const other of [layout.overview, ...layout.crops.slice(0, i)]) {
            const apart =
              box.left >= other.left + other.width ||
              box.top >= other.top + other.height ||
              other.top >= box.top + box.height;
            assert.ok(apart, `crop ${i} of ${count} lies on another`);
          }
        });
      }
    }
  });

  it('equal pictures give the middle', () => {
    const { x, y, width, height } = chooseFigureRegion([picture, picture]);
    assert.deepEqual([x, y], [Math.floor((WIDTH - width) / 2), Math.floor((HEIGHT - height) / 2)]);
  });

  const wrong: Array<[what: string, words: () => string[], code: number, message: RegExp]> = [
    ['no method', () => ['--reference', reference, '--protocol', 'rgb', '--out', 'x'], 2, /at least one method/],
    ['no output', () => [weak, '--reference', reference, '--protocol', 'rgb'], 2, /--out is missing/],
    ['no reference', () => [weak, '--protocol', 'rgb', '--out', 'x'], 2, /--reference is missing/],
    [
      'a region outside',
      () => [weak, '--reference', reference, '--protocol', 'rgb', '--out', 'x', '--region', '200,0,64,48'],
      2,
      /does not lie inside the reference \(240x180\)/,
    ],
    [
      'a region that is none',
      () => [weak, '--reference', reference, '--protocol', 'rgb', '--out', 'x', '--region', '1,2,3'],
      2,
      /--region has to be/,
    ],
    [
      'a picture of another size',
      () => [path.join(folder, 'LR', 'town.png'), '--reference', reference, '--protocol', 'rgb', '--out', 'x'],
      1,
      /town\.png has 60x45 pixels; the reference has 240x180/,
    ],
    [
      'no picture',
      () => [path.join(folder, 'notes.png'), '--reference', reference, '--protocol', 'rgb', '--out', 'x'],
      1,
      /notes\.png is not a picture/,
    ],
    [
      'folders without a name',
      () => [path.join(folder, 'weak'), '--reference', path.join(folder, 'GT'), '--protocol', 'rgb', '--out', 'x'],
      2,
      /--picture NAME/,
    ],
    [
      'a name that is not there',
      () => [
        path.join(folder, 'weak'),
        '--reference',
        path.join(folder, 'GT'),
        '--protocol',
        'rgb',
        '--out',
        'x',
        '--picture',
        'village',
      ],
      2,
      /no picture called "village".*There are town/,
    ],
  ];
  for (const [what, words, code, message] of wrong) {
    it(`refuses ${what}`, async () => {
      await saveText('no picture', folder, 'notes.png');
      const before = await readdir(folder);
      const result = await runCli(['figure', ...words(), '--json'], { cwd: folder });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, message);
      assert.equal(result.stdout, '');
      assert.deepEqual(await readdir(folder), before);
    });
  }
});
