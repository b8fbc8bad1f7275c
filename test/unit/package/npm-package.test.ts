import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import sharp from 'sharp';
import { snippets } from '../documents/snippets';

const run = promisify(execFile);
const root = path.resolve(__dirname, '..', '..', '..');
const picture = (name: string): string => path.join(root, 'test', 'fixtures', 'pictures', name);

describe('npm package, installed into an empty folder', function () {
  this.timeout(600_000);
  let folder: string;
  const environment = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-npm-'));
    await run(process.execPath, ['scripts/package.mjs', '--only', 'npm'], { cwd: root });
    const { name, version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
    };
    await writeFile(path.join(folder, 'package.json'), '{ "private": true }');
    const tarball = path.join(root, 'out', `${name}-${version}.tgz`);
    const options = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    await run(npm, ['install', ...options, tarball], {
      cwd: folder,
      env: environment,
      shell: process.platform === 'win32',
      maxBuffer: 16 * 1024 * 1024,
    });
  });
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  const node = async (args: string[]): Promise<string> =>
    (await run(process.execPath, args, { cwd: folder, env: environment })).stdout;

  it('gives the same functions to require and to import', async () => {
    const list =
      "console.log(Object.entries(api).filter(([, f]) => typeof f === 'function').map(([n]) => n).sort().join())";
    const required = await node(['-e', `const api = require('progressive-restoration'); ${list}`]);
    await writeFile(
      path.join(folder, 'import.mjs'),
      `import * as all from 'progressive-restoration'; const { default: _default, 'module.exports': _module, ...api } = all; ${list}`,
    );
    const imported = await node(['import.mjs']);
    assert.match(required, /\brestore\b/);
    assert.match(required, /\bstrip\b/);
    assert.equal(imported, required);
  });

  it('carries the licences of what is bundled', async () => {
    const file = path.join(folder, 'node_modules', 'progressive-restoration', 'dist', 'THIRD-PARTY-NOTICES.txt');
    const notices = await readFile(file, 'utf8');
    assert.match(notices, /h264-mp4-encoder 1\.0\.12 \(MIT\)\s+MIT License\s+Copyright \(c\) 2020 Trevor Sundberg/);
    assert.match(notices, /yauzl \d+\.\d+\.\d+ \(MIT\)\s+The MIT License/);
  });

  it('measures two pictures from the command line', async () => {
    const bin = path.join(folder, 'node_modules', '.bin', 'progressive-restoration');
    const args = ['metrics', picture('eye-noisy.png'), picture('eye.png'), '--protocol', 'rgb', '--json'];
    const { stdout } = await run(bin, args, { cwd: folder, env: environment, shell: process.platform === 'win32' });
    const measured = JSON.parse(stdout) as Record<string, unknown>;
    const golden = JSON.parse(await readFile(path.join(root, 'test', 'fixtures', 'metrics-golden.json'), 'utf8')) as {
      pairs: { name: string; psnr_rgb: number; ssim_rgb: number; lpips: number }[];
    };
    const expected = golden.pairs.find(({ name }) => name === 'eye noisy');
    assert.ok(expected !== undefined);
    assert.equal(measured.protocol, 'rgb');
    for (const [key, value, tolerance] of [
      ['psnr', expected.psnr_rgb, 1e-4],
      ['ssim', expected.ssim_rgb, 1e-5],
      ['lpips', expected.lpips, 1e-3],
    ] as const) {
      assert.ok(Math.abs(Number(measured[key]) - value) <= tolerance, `${key}: ${String(measured[key])}, not ${value}`);
    }
  });

  it('restores a picture through the library, with a process, a model and metrics of its own', async () => {
    await writeFile(
      path.join(folder, 'restore.mjs'),
      `import { restore } from 'progressive-restoration';
const run = await restore(process.argv[2], { task: 'low-light', reference: process.argv[3], device: 'cpu' });
await run.save('saved');
console.log(JSON.stringify({ frames: run.frames.length, psnr: run.metrics.psnr, model: run.record.model.id }));`,
    );
    const output = await node(['restore.mjs', picture('card-dark.png'), picture('card.png')]);
    const { frames, psnr, model } = JSON.parse(output) as { frames: number; psnr: number[]; model: string };
    assert.equal(frames, 9);
    assert.equal(model, 'compact');
    assert.ok((psnr[8] ?? 0) > (psnr[0] ?? 0) + 1, `brighter is nearer: ${psnr.join(', ')}`);
    const saved = await readdir(path.join(folder, 'saved'));
    assert.ok(saved.some((name) => name.endsWith('.run.json')));
    assert.equal(saved.filter((name) => /\.frame-\d+\.png$/.test(name)).length, 9);
  });

  it('gives its types to a TypeScript program', async () => {
    await writeFile(
      path.join(folder, 'program.ts'),
      `import { restore } from 'progressive-restoration';
export async function best(file: string): Promise<number> {
  const run = await restore(file, { task: 'deblurring' });
  const psnr: number[] = run.metrics.psnr;
  return psnr[run.frames.length - 1] ?? 0;
}
// @ts-expect-error: there is no such task
await restore('a.png', { task: 'colourisation' });
`,
    );
    const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--noEmit', '--strict', '--module', 'node16', '--target', 'es2022'];
    await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    await node([compiler, ...options, 'program.ts']).catch((error: { stdout?: string }) => assert.fail(error.stdout));
  });

  it('holds what the documents show in TypeScript: it compiles, and it runs', async () => {
    const shown = snippets().filter(({ language }) => language === 'ts');
    assert.ok(shown.length >= 2, `${shown.length} snippets`);
    const examples = path.join(folder, 'examples');
    await mkdir(path.join(examples, 'pairs-of-another-day', 'input'), { recursive: true });
    await mkdir(path.join(examples, 'pairs-of-another-day', 'reference'));
    await writeFile(path.join(examples, 'package.json'), '{ "private": true, "type": "module" }');
    for (const [from, to] of [
      [picture('card-blurred.png'), 'street.png'],
      [picture('card-blurred.png'), 'pairs-of-another-day/input/card.png'],
      [picture('card.png'), 'pairs-of-another-day/reference/card.png'],
      [path.join(root, 'models', 'compact', 'adapters', 'reds.safetensors'), 'mine.safetensors'],
    ] as const) {
      await cp(from, path.join(examples, to));
    }
    await sharp(picture('card-blurred.png')).jpeg().toFile(path.join(examples, 'football.jpg'));
    await sharp(picture('card.png')).jpeg().toFile(path.join(examples, 'football-sharp.jpg'));
    const programs = await Promise.all(
      shown.map(async ({ where, code }, index) => {
        const names = [...code.matchAll(/^const (\w+) =/gm)].map(([, name]) => name);
        // What the snippet ends with is what its reader has in hand.
        const told = `\nconsole.log(JSON.stringify({ ${names.join(', ')} }, (_, value) => (value?.record ? { frames: value.frames.length, psnr: value.record.frames.at(-1).psnr } : value)));\n`;
        await writeFile(path.join(examples, `snippet-${index}.ts`), code);
        const { code: script } = await transform(code + told, { loader: 'ts', format: 'esm', target: 'es2022' });
        await writeFile(path.join(examples, `snippet-${index}.mjs`), script);
        return { where, names, program: `snippet-${index}` };
      }),
    );
    const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--noEmit', '--strict', '--module', 'node16', '--target', 'es2022'];
    const inExamples = (args: string[]): Promise<{ stdout: string }> =>
      run(process.execPath, args, { cwd: examples, env: environment });
    await inExamples([compiler, ...options, ...programs.map(({ program }) => `${program}.ts`)]).catch(
      (error: { stdout?: string }) => assert.fail(error.stdout),
    );
    for (const { where, names, program } of programs) {
      const made = JSON.parse((await inExamples([`${program}.mjs`])).stdout) as Record<string, { frames?: unknown }>;
      assert.deepEqual(Object.keys(made), names, where);
      if (where.startsWith('README')) {
        const { frames, psnr } = made.run as { frames: number; psnr: number };
        assert.equal(frames, 9);
        assert.ok(psnr > 10, `${where}: ${psnr} dB`);
      }
    }
  });

  it('names no path of the machine that packed it', async () => {
    const inside = path.join(folder, 'node_modules', 'progressive-restoration');
    for (const name of await readdir(inside, { recursive: true })) {
      const file = path.join(inside, name);
      if ((await stat(file)).isFile()) assert.ok(!(await readFile(file)).includes(root), `${name} names the checkout`);
    }
  });

  it('carries neither the extension nor recipes nor maps', async () => {
    const inside = path.join(folder, 'node_modules', 'progressive-restoration');
    const names = (await readdir(inside, { recursive: true })).map((name) => name.replaceAll(path.sep, '/'));
    for (const unwanted of [/^dist\/(extension|pieces|webview)/, /^models\/recipes/, /\.map$/, /^src\//, /^test\//]) {
      assert.deepEqual(
        names.filter((name) => unwanted.test(name)),
        [],
      );
    }
    for (const wanted of [
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli.js',
      'LICENSE',
      'README.md',
      'models/lpips/LICENSE',
    ]) {
      assert.ok(names.includes(wanted), `${wanted} is inside`);
    }
  });
});
