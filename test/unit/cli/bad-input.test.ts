import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError } from '../../../src/protocol';
import { restore, shutdown } from '../../../src/api';
import { writeTestModel } from '../restoration/test-model';
import { BROKEN, writeBrokenPictures } from './broken-pictures';
import { runCli, type CliResult } from './run-cli';

const root = path.resolve(__dirname, '../../..');
const pictures = path.join(root, 'test/fixtures/pictures');
const good = path.join(pictures, 'card.png');

/** Every file below a folder with its hash, to see that nothing was touched. */
async function snapshot(folder: string): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    result[path.relative(folder, file)] = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  }
  return result;
}

/** One clear sentence and a remedy on standard error, no stack, nothing on standard output. */
function assertClear(result: CliResult, code: number, message: RegExp): void {
  assert.equal(result.code, code, result.stderr);
  assert.equal(result.stdout, '');
  assert.match(result.stderr, message);
  assert.match(result.stderr, /^Error: \S/m);
  assert.doesNotMatch(result.stderr, /^\s+at /m, 'no stack trace');
  assert.doesNotMatch(result.stderr, /undefined|\[object/);
}

describe('bad input', () => {
  let folder: string;
  let out: string;
  let model: string;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-bad-'));
    out = path.join(folder, 'out');
    model = await writeTestModel(path.join(folder, 'model'));
    const jpeg = (await readdir(pictures)).find((name) => name.endsWith('.jpg'));
    assert.ok(jpeg, 'a JPEG among the fixtures');
    await writeBrokenPictures(path.join(folder, 'pictures'), good, path.join(pictures, jpeg));
    await writeTestModel(path.join(folder, 'nan'), { head: 'nan' });
    await writeTestModel(path.join(folder, 'altered'));
    await appendFile(path.join(folder, 'altered', 'head.onnx'), 'x');
    await writeTestModel(path.join(folder, 'wrong-hash'), {
      edit: (manifest: Record<string, never>) => {
        const files = manifest.files as unknown as Record<string, { sha256: string }>;
        files.trunk!.sha256 = '0'.repeat(64);
      },
    });
    await writeTestModel(path.join(folder, 'outside'), {
      edit: (manifest: Record<string, never>) => {
        const files = manifest.files as unknown as Record<string, { path: string }>;
        files.trunk!.path = '../model/trunk.onnx';
      },
    });
  });
  after(async () => {
    await shutdown();
    await rm(folder, { recursive: true, force: true });
  });

  const broken: Record<(typeof BROKEN)[number], RegExp> = {
    'empty.png': /empty\.png is empty/,
    'truncated.png': /truncated\.png could not be decoded as PNG.*damaged or incomplete/,
    'truncated.jpg': /truncated\.jpg could not be decoded as JPEG.*damaged or incomplete/,
    'random.png': /random\.png is not a picture/,
    'truncated.webp': /truncated\.webp could not be decoded as WebP.*damaged or incomplete/,
    'truncated.avif': /truncated\.avif could not be decoded as AVIF.*damaged or incomplete/,
    'truncated.tif': /truncated\.tif could not be decoded as TIFF.*damaged or incomplete/,
    'svg.png': /svg\.png holds SVG data; PNG, JPEG, WebP, AVIF or TIFF was expected/,
    'text.jpg': /text\.jpg is not a picture/,
    'gif.png': /gif\.png holds GIF data/,
    'pdf.jpg': /pdf\.jpg holds PDF data/,
    'raw.tif': /raw\.tif holds camera raw data; .*Develop it/,
    'enormous.png': /enormous\.png has 60000x60000 = 3600 megapixels; at most/,
  };
  const fine = ['--task', 'deblurring', '--device', 'cpu'];
  interface Case {
    what: string;
    words: () => string[];
    code: number;
    message: RegExp;
  }
  const restoring = (...more: string[]): string[] => ['restore', ...more, '--out', out];
  const cases: Case[] = [
    ...BROKEN.map((name) => ({
      what: name,
      words: () => restoring(path.join(folder, 'pictures', name), ...fine, '--model', model),
      code: 1,
      message: broken[name],
    })),
    {
      what: 'a missing picture',
      words: () => restoring('nowhere.png', ...fine, '--model', model),
      code: 1,
      message: /There is no file .*nowhere\.png/,
    },
    {
      what: 'a folder for a picture',
      words: () => restoring(pictures, ...fine, '--model', model),
      code: 1,
      message: /is a folder/,
    },
    {
      what: 'a reference of another size',
      words: () => restoring(good, ...fine, '--model', model, '--reference', path.join(pictures, 'patch.png')),
      code: 1,
      message: /reference has 128x112 pixels; the frames have 64x48/,
    },
    {
      what: 'a broken reference',
      words: () =>
        restoring(good, ...fine, '--model', model, '--reference', path.join(folder, 'pictures', 'random.png')),
      code: 1,
      message: /random\.png is not a picture/,
    },
    {
      what: 'an unknown task',
      words: () => restoring(good, '--task', 'colourise', '--model', model),
      code: 2,
      message: /--task cannot be "colourise".*super-resolution, deblurring, low-light/,
    },
    {
      what: 'a severity above 1',
      words: () => restoring(good, '--task', 'deblurring', '--severity', '1.5'),
      code: 2,
      message: /--severity has to be numbers from 0 \(restored\) to 1/,
    },
    {
      what: 'an empty severity',
      words: () => restoring(good, '--task', 'deblurring', '--severity', '0.5,'),
      code: 2,
      message: /--severity has to be numbers/,
    },
    {
      what: 'frames and a severity',
      words: () => restoring(good, '--task', 'deblurring', '--severity', '0.5', '--frames', '9'),
      code: 2,
      message: /Only one of frames, severity and severities/,
    },
    {
      what: 'a result without a known format',
      words: () => restoring(good, ...fine, '--model', model, '--save', 'result.gif'),
      code: 2,
      message: /result\.gif does not say what format to save.*\.png, \.jpg/s,
    },
    {
      what: 'a format that does not exist',
      words: () => restoring(good, ...fine, '--model', model, '--save', 'result', '--format', 'gif'),
      code: 2,
      message: /--format cannot be "gif".*png, jpeg, webp, avif, tiff/,
    },
    {
      what: 'a depth without a file',
      words: () => restoring(good, ...fine, '--model', model, '--depth', '16'),
      code: 2,
      message: /belong to --save/,
    },
    {
      what: 'a result over its input',
      words: () => ['restore', good, ...fine, '--model', model, '--save', good],
      code: 2,
      message: /would overwrite card\.png/,
    },
    {
      what: '16 bits of a JPEG',
      words: () => ['restore', good, ...fine, '--model', model, '--save', 'result.jpg', '--depth', '16'],
      code: 2,
      message: /JPEG is saved with 8 bits a channel; 16 were asked for/,
    },
    {
      what: 'a folder for results that is a file',
      words: () => ['restore', good, path.join(pictures, 'patch.png'), ...fine, '--model', model, '--save', good],
      code: 1,
      message: /folder .*card\.png could not be made/,
    },
    { what: 'no picture', words: () => restoring('--task', 'deblurring'), code: 2, message: /needs a picture/ },
    {
      what: 'no output folder',
      words: () => ['restore', good, '--task', 'deblurring'],
      code: 2,
      message: /--out or --save is missing/,
    },
    {
      what: 'an unknown device',
      words: () => restoring(good, '--task', 'deblurring', '--device', 'abacus'),
      code: 2,
      message: /--device cannot be "abacus"/,
    },
    {
      what: 'an unknown model',
      words: () => restoring(good, ...fine, '--model', 'no-such-model'),
      code: 1,
      message: /There is no model "no-such-model"; installed: .*compact/,
    },
    {
      what: 'a folder without a model',
      words: () => restoring(good, ...fine, '--model', pictures),
      code: 1,
      message: /There is no model in .*manifest\.json cannot be read/,
    },
    {
      what: 'altered weights',
      words: () => restoring(good, ...fine, '--model', path.join(folder, 'altered')),
      code: 1,
      message: /head\.onnx of model test-model was refused: it has \d+ bytes instead of/,
    },
    {
      what: 'a wrong hash',
      words: () => restoring(good, ...fine, '--model', path.join(folder, 'wrong-hash')),
      code: 1,
      message: /trunk\.onnx of model test-model was refused: its SHA-256 is/,
    },
    {
      what: 'a manifest that leads outside',
      words: () => restoring(good, ...fine, '--model', path.join(folder, 'outside')),
      code: 1,
      message: /has to stay inside the model's folder/,
    },
    {
      what: 'a network that gives NaN',
      words: () => restoring(good, ...fine, '--model', path.join(folder, 'nan')),
      code: 1,
      message: /gave values that are not finite numbers/,
    },
    {
      what: 'one frame',
      words: () => restoring(good, ...fine, '--model', model, '--frames', '1'),
      code: 2,
      message: /number of frames has to be a whole number from 2/,
    },
    {
      what: 'frames that are no number',
      words: () => restoring(good, ...fine, '--frames', 'nine'),
      code: 2,
      message: /--frames has to be a whole number above 0, not "nine"/,
    },
    {
      what: 'two pictures of one name',
      words: () => restoring(good, path.join('elsewhere', 'card.jpg'), ...fine),
      code: 2,
      message: /same base name/,
    },
    {
      what: 'one reference for two pictures',
      words: () => restoring(good, 'other.png', ...fine, '--reference', good),
      code: 2,
      message: /cannot belong to several pictures/,
    },
    {
      what: 'an unknown option',
      words: () => restoring(good, '--colour'),
      code: 2,
      message: /Unknown option '--colour'/,
    },
    {
      what: 'an option of another command',
      words: () => ['metrics', good, good, '--protocol', 'rgb', '--task', 'deblurring'],
      code: 2,
      message: /metrics has no option --task/,
    },
    { what: 'an unknown command', words: () => ['toString'], code: 2, message: /There is no command "toString"/ },
    { what: 'no command', words: () => [], code: 2, message: /A command is missing/ },
    {
      what: 'metrics of different sizes',
      words: () => ['metrics', good, path.join(pictures, 'patch.png'), '--protocol', 'rgb', '--json'],
      code: 1,
      message: /64x48.*128x112|128x112.*64x48/,
    },
    {
      what: 'an unknown protocol',
      words: () => ['metrics', good, good, '--protocol', 'cmyk'],
      code: 2,
      message: /--protocol cannot be "cmyk"/,
    },
    {
      what: 'metrics of three pictures',
      words: () => ['metrics', good, good, good, '--protocol', 'rgb'],
      code: 2,
      message: /got 3/,
    },
    {
      what: 'an output folder that is a file',
      words: () => ['restore', good, ...fine, '--model', model, '--out', path.join(folder, 'pictures', 'text.jpg')],
      code: 1,
      message: /could not be written/,
    },
  ];

  for (const { what, words, code, message } of cases) {
    it(`${what}: one clear error, nothing left behind`, async () => {
      const before = await snapshot(folder);
      assertClear(await runCli(words(), { cwd: folder }), code, message);
      assert.deepEqual(await snapshot(folder), before);
    });
  }

  it('does not keep the next call of the same process from working', async () => {
    const options = { task: 'deblurring', model, device: 'cpu' } as const;
    for (const name of BROKEN) {
      await assert.rejects(restore(path.join(folder, 'pictures', name), options), RestorationError);
    }
    const run = await restore(good, options);
    assert.equal(run.frames.length, 9);
  });

  it('goes on with the other pictures when one fails', async () => {
    const target = path.join(folder, 'several');
    const result = await runCli([
      'restore',
      good,
      path.join(folder, 'pictures', 'random.png'),
      path.join(pictures, 'patch.png'),
      ...fine,
      '--model',
      model,
      '--json',
      '--out',
      target,
    ]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /1 of 3 pictures failed/);
    const records = JSON.parse(result.stdout) as { input: { file: string } }[];
    assert.deepEqual(
      records.map(({ input }) => input.file),
      ['card.png', 'patch.png'],
    );
  });
});
