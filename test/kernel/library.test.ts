import assert from 'node:assert/strict';
import { copyFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { RUN_MIME, isRunView } from '../../src/protocol';
import { ROOT, TestKernel } from './kernel-fixture';
import { compileModule } from './compile-module';

const TYPES = path.join(ROOT, 'dist', 'index.d.ts');

describe('the library in a notebook far from the package', () => {
  let kernel: TestKernel;
  before(async () => {
    kernel = await TestKernel.create();
    await copyFile(path.join(ROOT, 'notebooks', 'pictures', 'cat.png'), kernel.path('cat.png'));
    await copyFile(path.join(ROOT, 'notebooks', 'pictures', 'cat-blurred.png'), kernel.path('blurred.png'));
  });
  after(() => kernel.dispose());

  it('is imported by its name', async () => {
    const { outcome, text, error } = await kernel.run(
      "import { restore, TASKS } from 'progressive-restoration';\n[typeof restore, TASKS.length]",
    );
    assert.deepEqual([outcome, text, error], ['ok', "[ 'function', 3 ]", undefined]);
    assert.equal((await kernel.run("(await import('progressive-restoration')).restore === restore")).text, 'true');
  });

  it('brings its types: a wrong option is found before anything runs', async () => {
    const wrongName = await kernel.run("restore('a.png', {\n  task: 'deblurring',\n  promt: 'a cat',\n});");
    assert.deepEqual([wrongName.error?.name, wrongName.error?.line, wrongName.error?.column], ['CompileError', 3, 3]);
    assert.match(wrongName.error?.message ?? '', /'promt' does not exist in type 'RestoreOptions'/);
    const wrongTask = await kernel.run("restore('a.png', { task: 'colouring' });");
    assert.match(wrongTask.error?.message ?? '', /"colouring"' is not assignable to type/);
    const wrongResult = await kernel.run(
      "const run = await restore('a.png', { task: 'deblurring' });\nrun.metrics.psrn;",
    );
    assert.equal(wrongResult.error?.line, 2);
  });

  it('fails with one sentence and its remedy at the line of the call', async () => {
    const { error } = await kernel.run(
      "const before = 1;\nconst missing = await restore('missing.png', { task: 'deblurring' });",
    );
    assert.deepEqual([error?.name, error?.line, error?.column], ['RestorationError', 2, 17]);
    assert.match(error?.message ?? '', /missing\.png/);
    assert.doesNotMatch(error?.stack ?? '', /dist|node:/);
  });

  it('restores a picture: shown while it works and, once, when it is done; frames lie beside the notebook', async () => {
    const result = await kernel.run(
      "const run = await restore('blurred.png', { task: 'deblurring', reference: 'cat.png', frames: 3 });\nrun",
    );
    assert.equal(result.outcome, 'ok', result.error?.message);
    assert.equal(result.displays.length, 1, 'the finished run replaces the one that was shown while it worked');
    const bundle = result.displays[0]?.bundle ?? {};
    const view = bundle[RUN_MIME];
    assert.ok(isRunView(view) && view.state.kind === 'done');
    assert.equal(view.record.frames.length, 3);
    assert.ok(typeof bundle['image/jpeg'] === 'string' && typeof bundle['text/plain'] === 'string');
    const files = await readdir(kernel.path('test.frames'));
    for (const frame of view.record.frames) assert.ok(files.includes(frame.file));
    assert.equal((await kernel.run('run.metrics.psnr.length')).text, '3');
  });

  it('restores with the settings of its host unless a call says otherwise', async () => {
    const settings = { device: 'cpu', model: 'chosen-in-settings' } as const;
    const other = await TestKernel.create({ defaults: () => settings });
    try {
      await copyFile(kernel.path('blurred.png'), other.path('blurred.png'));
      const wrong = await other.run(
        "import { restore } from 'progressive-restoration';\nawait restore('blurred.png', { task: 'deblurring' });",
      );
      assert.match(wrong.error?.message ?? '', /chosen-in-settings/);
      const { text, error } = await other.run(
        "import { restore } from 'progressive-restoration';\nconst run = await restore('blurred.png', { task: 'deblurring', model: 'compact', frames: 2 });\nrun.record.device",
      );
      assert.match(String(text), /requested: 'cpu'/, error?.message);
    } finally {
      await other.dispose();
    }
  });

  it('leaves a run that does not end its cell there as a finished one, and shows nothing of a quiet one', async () => {
    const { displays, outcome } = await kernel.run(
      "const shown = await restore('blurred.png', { task: 'deblurring', frames: 3 });\nconst more = 1;",
    );
    assert.deepEqual([outcome, displays.length], ['ok', 1]);
    const view = displays[0]?.bundle[RUN_MIME];
    assert.ok(isRunView(view) && view.state.kind === 'done' && view.record.frames.length === 3);
    const quiet = await kernel.run(
      "const quiet = await restore('blurred.png', { task: 'deblurring', frames: 3, quiet: true });\nconsole.log(quiet.frames.length);",
    );
    assert.deepEqual([quiet.outcome, quiet.displays.length, quiet.stdout], ['ok', 0, '3\n']);
  });

  it('draws curves as the last expression of a cell', async () => {
    const { displays } = await kernel.run(
      "import { curves } from 'progressive-restoration';\ncurves([{ name: 'quiet', items: [{ frames: [1, 2].map((index) => ({ index, psnr: 20 + index })) }] }], { metrics: ['psnr'] })",
    );
    assert.match(String(displays[0]?.bundle['image/svg+xml']), /^<svg /);
    assert.match(String(displays[0]?.bundle['text/plain']), /quiet +21\.00 +22\.00/);
  });
});

describe('the rolled-up declarations', () => {
  it('compile with the compiler of notebooks, every declaration checked', () => {
    const consumer = path.join(ROOT, 'dist', 'consumer.ts');
    const text = [
      "import { restore, strip, metrics, evaluate, RestorationError, type Run } from './index';",
      'export async function use(): Promise<number[]> {',
      "  const run: Run = await restore('a.png', { task: 'deblurring', onProgress: ({ done, total }) => void (done / total) });",
      '  const pixels: Uint8Array = (await run.last.image).data;',
      "  await strip(['a.png', 'b.png'], { reference: 'c.png' });",
      "  const { ssim } = await metrics('a.png', 'b.png', { protocol: 'rgb' });",
      '  void evaluate; void RestorationError;',
      '  return [ssim, pixels.length, ...run.metrics.psnr];',
      '}',
    ].join('\n');
    const { problems, program } = compileModule(consumer, text, { skipLibCheck: false });
    assert.deepEqual(problems, []);
    assert.ok(program.getSourceFile(TYPES), 'the declarations were part of the program');
  });
});
