import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readNotebook, type NotebookDocument } from '../../src/kernel';
import { RUN_MIME, isRunView } from '../../src/protocol';
import { findModel } from '../../src/restoration/models/manifest';
import { sourceOf } from '../../src/kernel/nbformat';
import { ROOT } from './kernel-fixture';
import { compileModule } from './compile-module';

const FOLDER = path.join(ROOT, 'notebooks');
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.ipynb'));

/** Largest committed documents: a strip with its picture takes 300 kB or, with nine frames of a larger picture, 900 kB. */
const MOST_BYTES = 800_000;
const MOST_BYTES_OF: Record<string, number> = { '01-quickstart.ipynb': 3_000_000, '03-strips.ipynb': 1_300_000 };

const codeCells = ({ cells }: NotebookDocument) => cells.filter(({ cell_type }) => cell_type === 'code');

/** All texts of a value but pictures, in which any letters may follow each other. */
function* textsOf(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    if (!/^(?:data:image\/\w+;base64,)?[A-Za-z0-9+/=\s]{256,}$/.test(value)) yield value;
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) yield* textsOf(inner);
  }
}

describe('the committed notebooks', () => {
  it('are the quickstart and the experiments of the paper', () => {
    const numbers = NAMES.map((name) => name.slice(0, 2)).sort();
    assert.deepEqual(numbers, ['01', '02', '03', '04', '05', '06']);
  });

  it('would not type-check with a name that the package does not have', () => {
    const [found, ...more] = diagnosticsOf(
      "import { restore, unknown } from 'progressive-restoration';\nvoid restore;",
    );
    assert.match(found ?? '', /no exported member 'unknown'/);
    assert.deepEqual(more, []);
  });

  for (const name of NAMES) {
    describe(name, () => {
      let notebook: NotebookDocument;
      before(async () => {
        notebook = await readNotebook(path.join(FOLDER, name));
      });

      it('is a notebook of the TypeScript kernel, with a name for every cell', () => {
        assert.deepEqual([notebook.nbformat, notebook.nbformat_minor], [4, 5]);
        const { kernelspec, language_info } = notebook.metadata as Record<string, Record<string, unknown>>;
        assert.deepEqual([kernelspec?.name, language_info?.name], ['tslab', 'typescript']);
        const ids = notebook.cells.map(({ id }) => id);
        assert.equal(new Set(ids).size, ids.length);
        for (const id of ids) assert.match(String(id), /^[\w-]{1,64}$/);
        assert.match(sourceOf(notebook.cells[0]!), /^# /);
      });

      it('was run from top to bottom without an error, a warning or an interrupted run', () => {
        const cells = codeCells(notebook);
        assert.deepEqual(
          cells.map(({ execution_count }) => execution_count),
          cells.map((_, i) => i + 1),
        );
        const outputs = cells.flatMap((cell) => cell.outputs ?? []);
        assert.ok(outputs.length > 0);
        for (const output of outputs) {
          assert.ok(output.output_type === 'stream' || output.output_type === 'display_data', output.output_type);
          if (output.output_type === 'stream') assert.equal(output.name, 'stdout');
        }
        const last = cells.at(-1)?.outputs?.length ?? 0;
        assert.ok(last > 0, 'the last cell shows what it found');
      });

      it('shows finished runs of the weights that ship, and drawings that are SVG', async () => {
        const { sha256 } = await findModel('compact');
        const bundles = codeCells(notebook)
          .flatMap((cell) => cell.outputs ?? [])
          .flatMap((output) => ('data' in output ? [output.data as Record<string, unknown>] : []));
        for (const bundle of bundles) {
          assert.ok('text/plain' in bundle, 'there is a text for those who cannot see');
          const view = bundle[RUN_MIME];
          if (view !== undefined) {
            assert.ok(isRunView(view) && view.state.kind === 'done');
            assert.ok(
              'image/jpeg' in bundle || 'image/png' in bundle,
              'pages that do not know the strip show its picture',
            );
            if (view.record.model.id === 'compact') assert.equal(view.record.model.sha256, sha256, 'run it again');
          }
          const svg = bundle['image/svg+xml'] as string | string[] | undefined;
          if (svg !== undefined) assert.match([svg].flat().join(''), /^<svg [^>]*>[\s\S]*<\/svg>\s*$/);
        }
        assert.ok(bundles.some((bundle) => RUN_MIME in bundle || 'image/svg+xml' in bundle));
        const printed = codeCells(notebook)
          .flatMap((cell) => cell.outputs ?? [])
          .map((output) => ('text' in output ? [output.text].flat().join('') : ''));
        for (const [, weights] of printed.join('\n').matchAll(/model compact, weights (\w+)/g)) {
          assert.equal(weights, sha256.slice(0, 12), 'run it again');
        }
      });

      it('names no place of the machine that it ran on, and is small', async () => {
        const places = [ROOT, os.homedir(), os.tmpdir()].filter((place) => place.length > 1);
        for (const text of textsOf(codeCells(notebook).map(({ outputs }) => outputs))) {
          for (const place of places) assert.ok(!text.includes(place), text);
          assert.doesNotMatch(text, /(?:^|[\s'"(])(?:\/(?:home|Users|root|tmp|private|var|work)\/|[A-Z]:\\)/);
        }
        const { size } = await stat(path.join(FOLDER, name));
        assert.ok(size < (MOST_BYTES_OF[name] ?? MOST_BYTES), `${size} bytes`);
      });

      it('type-checks against the declarations of the package', () => {
        assert.deepEqual(diagnosticsOf(codeCells(notebook).map(sourceOf).join('\n')), []);
      });
    });
  }
});

/** What the compiler of notebooks has to say about a module. */
function diagnosticsOf(text: string): string[] {
  const file = path.join(ROOT, 'dist', 'notebook.ts');
  return compileModule(file, text, {
    baseUrl: ROOT,
    paths: { 'progressive-restoration': ['dist/index.d.ts'] },
    skipLibCheck: true,
  }).problems;
}
