import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { readNotebook, runNotebook, type NotebookOutput } from '../../src/kernel';
import { RUN_MIME, RestorationError, isRunView } from '../../src/protocol';
import { KERNEL_ENTRY, ROOT, temporaryFolder, until } from './kernel-fixture';

const run = promisify(execFile);
const CLI = path.join(ROOT, 'dist', 'cli.js');

describe('a notebook run without an editor', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function write(name: string, ...sources: string[]): Promise<string> {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    const cells = sources.map((source, i) => ({
      cell_type: source.startsWith('#') ? 'markdown' : 'code',
      id: `cell-${i}`,
      metadata: {},
      ...(source.startsWith('#')
        ? {}
        : { execution_count: 99, outputs: [{ output_type: 'stream', name: 'stdout', text: 'stale' }] }),
      source,
    }));
    await writeFile(file, JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
    return file;
  }

  const texts = (outputs: NotebookOutput[] | undefined): unknown[] =>
    (outputs ?? []).map((output) =>
      'data' in output ? (output.data as Record<string, unknown>)['text/plain'] : output.output_type,
    );

  it('stores outputs and counts of its code cells, and shows its progress', async () => {
    const file = await write('good.ipynb', '# Title', 'console.log("one"); const a = 2;', '   ', 'a + 1', '__dirname');
    const progress: unknown[] = [];
    const result = await runNotebook({
      file,
      out: path.join(folder, 'out', 'good.ipynb'),
      kernel: { entry: KERNEL_ENTRY },
      onProgress: (...state) => progress.push(state),
    });
    assert.deepEqual([result.executed, result.cells, result.failure], [3, 3, undefined]);
    assert.equal(result.framesFolder, path.join(folder, 'out', 'good.frames'));
    const { cells } = await readNotebook(path.join(folder, 'out', 'good.ipynb'));
    assert.deepEqual(
      cells.map((cell) => cell.execution_count),
      [undefined, 1, null, 2, 3],
    );
    assert.deepEqual(cells[1]?.outputs, [{ name: 'stdout', output_type: 'stream', text: ['one\n'] }]);
    assert.deepEqual(cells[2]?.outputs, []);
    assert.deepEqual(texts(cells[3]?.outputs), [['3']]);
    assert.deepEqual(texts(cells[4]?.outputs), [[`'${folder}'`]], 'cells run beside the notebook, not beside its copy');
    assert.deepEqual(progress, [
      [0, 3, 'console.log("one"); const a = 2;'],
      [1, 3, 'a + 1'],
      [2, 3, '__dirname'],
      [3, 3, ''],
    ]);
    assert.match(await readFile(file, 'utf8'), /stale/, 'the notebook itself was not touched');
  });

  it('stops at the first error: kept in another file, nothing in place; the command says where and exits with 1', async () => {
    const file = await write('bad.ipynb', '1', '\nthrow new Error("on purpose");', '3');
    const before = await readFile(file, 'utf8');
    const out = path.join(folder, 'bad-out.ipynb');
    const failure = await run(process.execPath, [CLI, 'notebook', 'run', file, '--out', out]).then(
      () => assert.fail('it should have failed'),
      (error: { code: number; stderr: string }) => error,
    );
    assert.equal(failure.code, 1);
    assert.match(
      failure.stderr,
      /Cell 2, line 2 failed: on purpose\. Correct the cell; the outputs up to there are in .*bad-out\.ipynb/,
    );
    assert.doesNotMatch(failure.stderr, /\n\s+at /, 'no stack trace');
    const { cells } = await readNotebook(out);
    assert.deepEqual(
      cells.map((cell) => cell.outputs?.length),
      [1, 1, 0],
    );
    assert.equal(cells[1]?.outputs?.[0]?.output_type, 'error');
    const inPlace = await runNotebook({ file, kernel: { entry: KERNEL_ENTRY } });
    assert.deepEqual([inPlace.failure?.cell, inPlace.failure?.error.line, inPlace.written], [2, 2, undefined]);
    assert.equal(await readFile(file, 'utf8'), before);
  });

  it('goes on after errors when told to, and stores displays in their last state', async () => {
    const show = `(globalThis as any)[Symbol.for('progressive-restoration.display-host')].show`;
    const file = await write(
      'go-on.ipynb',
      'throw new Error("first");',
      `${show}('a', { 'text/plain': 'working' });\n${show}('b', { 'text/plain': 'other' });\n${show}('a', { 'text/plain': 'done' });`,
    );
    const { stdout } = await run(process.execPath, [CLI, 'notebook', 'run', file, '--allow-errors', '--json']);
    const result = JSON.parse(stdout) as { cells: number; out: string; failed: { cell: number; message: string } };
    assert.deepEqual([result.cells, result.out], [2, file]);
    assert.deepEqual(result.failed, { cell: 1, message: 'Cell 1, line 1 failed: first.' });
    assert.deepEqual(texts((await readNotebook(file)).cells[1]?.outputs), [['done'], ['other']]);
  });

  it('leaves every file as it was when it is cancelled', async () => {
    const folderOf = path.join(folder, 'cancel');
    const file = await write(
      path.join('cancel', 'slow.ipynb'),
      `import { writeFileSync } from 'node:fs';\nconst folder = (globalThis as any)[Symbol.for('progressive-restoration.display-host')].framesFolder;\nwriteFileSync(folder + '/frame.png', 'x');\nconsole.log('on');\nawait new Promise(() => {});`,
    );
    const before = await readFile(file, 'utf8');
    const child = spawn(process.execPath, [CLI, 'notebook', 'run', file], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const frames = path.join(folderOf, 'slow.frames');
    const listed = async (): Promise<string[]> => readdir(frames).catch(() => []);
    let there: string[] = [];
    await until(() => (void listed().then((names) => (there = names)), there.length > 0), 200_000, 'the cell runs');
    child.kill('SIGINT');
    assert.notEqual(await ended, 0);
    assert.deepEqual(await readdir(folderOf), ['slow.ipynb'], stderr);
    assert.equal(await readFile(file, 'utf8'), before);
  });

  it('refuses what is no notebook with exit code 2 and a bad one with 1', async () => {
    const text = path.join(folder, 'notes.txt');
    await writeFile(text, 'x');
    const broken = path.join(folder, 'broken.ipynb');
    await writeFile(broken, '{"cells": [');
    for (const [file, code, message] of [
      [text, 2, /Expected a notebook \(\.ipynb\)/],
      [broken, 1, /broken\.ipynb is not complete JSON\. Restore it from a copy/],
      [path.join(folder, 'none.ipynb'), 1, /there is none/],
    ] as const) {
      const failure = await run(process.execPath, [CLI, 'notebook', 'run', file]).then(
        () => assert.fail('it should have failed'),
        (error: { code: number; stderr: string }) => error,
      );
      assert.deepEqual([failure.code, message.test(failure.stderr)], [code, true], failure.stderr);
    }
  });

  it('settles when the signal was aborted before', async () => {
    const file = await write('aborted.ipynb', '1');
    await assert.rejects(
      runNotebook({ file, signal: AbortSignal.abort(), kernel: { entry: KERNEL_ENTRY } }),
      (error) => error instanceof RestorationError && error.code === 'cancelled',
    );
  });
});

describe('the quickstart notebook', () => {
  it('is saved with one finished run a task: strip, picture and table, every frame measured', async () => {
    const { cells } = await readNotebook(path.join(ROOT, 'notebooks', '01-quickstart.ipynb'));
    const shown = cells
      .flatMap((cell) => cell.outputs ?? [])
      .flatMap((output) => ('data' in output ? [output.data as Record<string, unknown>] : []))
      .filter((data) => data[RUN_MIME] !== undefined);
    const tasks = shown.map((data) => {
      const view = data[RUN_MIME];
      assert.ok(isRunView(view) && view.state.kind === 'done');
      assert.equal(view.framesFolder, '01-quickstart.frames');
      assert.equal(view.pictures.length, 9);
      assert.ok(
        view.record.frames.every(
          (frame) => frame.psnr !== undefined && frame.ssim !== undefined && frame.lpips !== undefined,
        ),
      );
      // A notebook that was run by an earlier version has a PNG there.
      assert.match(String(data['image/jpeg'] ?? data['image/png']), /^(?:\/9j\/|iVBORw0KGgo)/);
      assert.ok(Array.isArray(data['text/plain']));
      return view.record.task;
    });
    assert.deepEqual(tasks.sort(), ['deblurring', 'low-light', 'super-resolution']);
    assert.ok(!cells.some((cell) => cell.outputs?.some((output) => output.output_type === 'error')));
  });
});
