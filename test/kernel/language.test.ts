import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LanguageClient, type LanguageOptions } from '../../src/kernel';
import type { CellProblem } from '../../src/protocol';
import { ROOT, TestKernel, isAlive, temporaryFolder, until } from './kernel-fixture';

const LANGUAGE_ENTRY = path.join(ROOT, 'dist', 'language.js');
const IMPORT = "import { restore } from 'progressive-restoration';";

describe('the language process', () => {
  let folder: string;
  let client: LanguageClient;
  const log: string[] = [];
  const create = (options: Partial<LanguageOptions> = {}): LanguageClient =>
    new LanguageClient({ entry: LANGUAGE_ENTRY, folder, onLog: (line) => log.push(line), ...options });

  before(async () => {
    folder = await temporaryFolder();
    client = create();
  });
  after(async () => {
    client.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  /** `code` marks the place that is asked about with a bar. */
  const at = (code: string): { code: string; offset: number } => {
    const offset = code.indexOf('|');
    return { code: code.slice(0, offset) + code.slice(offset + 1), offset };
  };
  const complete = async (above: string[], marked: string): Promise<string[]> => {
    const { code, offset } = at(marked);
    const found = await client.ask({ above, code }, { kind: 'complete', offset });
    return (found ?? []).map(({ name }) => name);
  };
  const check = async (above: string[], code: string): Promise<CellProblem[]> => {
    const problems = await client.ask({ above, code }, { kind: 'check' });
    assert.ok(problems !== undefined, log.join('\n'));
    return problems;
  };

  it('is not started before a question', () => {
    assert.equal(client.pid, undefined);
  });

  it('completes what cells above declare, the library, its literals and local modules', async () => {
    const above = [
      'const picture = { width: 3, height: 4 };',
      `${IMPORT}\nconst run = await restore('a.png', { task: 'deblurring' });`,
    ];
    assert.deepEqual((await complete(above, 'picture.|')).sort(), ['height', 'width']);
    assert.ok((await complete(above, 'run.|')).includes('frames'));
    assert.ok((await complete(above, 'run.frames[0]!.|')).length > 0);
    assert.ok((await complete(above, "await restore('b.png', { task: '|' })")).includes('deblurring'));
    assert.ok((await complete(above, 'pict|')).includes('picture'));
    await writeFile(path.join(folder, 'helper.ts'), 'export const helped = 1;\n');
    assert.ok((await complete([], "import { | } from './helper';")).includes('helped'));
    assert.ok((await complete([], "import {} from './|';")).includes('helper'));
  });

  it('completes the name of the library, which is installed beside no notebook', async () => {
    const { code, offset } = at("import { restore } from 'prog|';\nrestore");
    const found = await client.ask({ above: [], code }, { kind: 'complete', offset });
    const own = (found ?? []).filter(({ name }) => name === 'progressive-restoration');
    assert.deepEqual(
      own.map(({ span }) => span && code.slice(span.start, span.end)),
      ['prog'],
    );
    const inImports = ["import {} from '|", "await import('|')", "require('|')", "export {} from '|';"];
    for (const place of inImports) assert.ok((await complete([], place)).includes('progressive-restoration'), place);
    for (const place of ["const text = '|';", "console.log('|')", "import {} |from './helper';"]) {
      assert.ok(!(await complete([], place)).includes('progressive-restoration'), place);
    }
  });

  it('offers what the library exports with the import that the cell lacks', async () => {
    /** The cell after the completion `name` at the bar was taken; undefined when it is not offered exactly once. */
    const taken = async (name: string, marked: string, above: string[] = []): Promise<string | undefined> => {
      const { code, offset } = at(marked);
      const found = await client.ask({ above, code }, { kind: 'complete', offset });
      const offers = (found ?? []).filter((one) => one.name === name);
      assert.ok(offers.length <= 1, `${name} is offered ${offers.length} times`);
      const [offer] = offers;
      if (offer === undefined) return undefined;
      const word = /\w*$/.exec(code.slice(0, offset))?.[0].length ?? 0;
      const completed = code.slice(0, offset - word) + name + code.slice(offset);
      const { at: place, text } = offer.addition ?? { at: 0, text: '' };
      assert.ok(place <= offset - word, 'the import stands before the name');
      return completed.slice(0, place) + text + completed.slice(place);
    };
    assert.equal(await taken('restore', 'restor|'), "import { restore } from 'progressive-restoration';\nrestore");
    assert.equal(await taken('restore', 'restor|', [IMPORT]), 'restore', 'a cell above has imported it');
    assert.equal(
      await taken('degrade', `${IMPORT}\nconst a = degr|`),
      "import { restore, degrade } from 'progressive-restoration';\nconst a = degrade",
    );
    assert.equal(
      await taken('strip', 'import os from "node:os";\nstri|'),
      'import os from "node:os";\nimport { strip } from "progressive-restoration";\nstrip',
    );
    assert.equal(
      await taken('RestoreOptions', "import type { Run } from 'progressive-restoration';\nlet o: RestoreOp|;"),
      "import type { Run } from 'progressive-restoration';\nimport { RestoreOptions } from 'progressive-restoration';\nlet o: RestoreOptions;",
    );
    assert.equal(
      await taken('restore', '/** Mine. */\nfunction f() {\n  return rest|;\n}'),
      "import { restore } from 'progressive-restoration';\n/** Mine. */\nfunction f() {\n  return restore;\n}",
    );
    for (const place of ['const a = { b: 1 };\na.rest|', "const a = 'rest|';", '// rest|', 'const rest| = 1;']) {
      assert.equal(await taken('restore', place), undefined, place);
    }
    const source = await readFile(path.join(ROOT, 'src', 'api', 'index.ts'), 'utf8');
    const all = await complete([], '|');
    for (const name of ['restore', 'degrade', 'compare', 'strip', 'evaluate']) {
      assert.ok(source.includes(name) && all.includes(name), name);
    }
    const described = await client.ask({ above: [], code: 'res' }, { kind: 'describe', offset: 3, name: 'restore' });
    assert.match(described?.declaration ?? '', /restore\(/);
    assert.ok((described?.documentation ?? '').length > 0);
    const result = await check([], (await taken('restore', 'typeof restor|')) ?? '');
    assert.deepEqual(result, [], 'the kernel would run the cell');
  });

  it('says what a completion, a name and a call are', async () => {
    const above = [
      `${IMPORT}\n/** Doubles a number.\n * @param x in pixels */\nfunction double(x: number): number {\n  return 2 * x;\n}`,
    ];
    const { code, offset } = at('doub|');
    const described = await client.ask({ above, code }, { kind: 'describe', offset, name: 'double' });
    assert.match(described?.declaration ?? '', /function double\(x: number\): number/);
    assert.match(described?.documentation ?? '', /Doubles a number/);
    const hover = await client.ask({ above, code: '1;\nrestore' }, { kind: 'hover', offset: 5 });
    assert.match(hover?.declaration ?? '', /restore\(/);
    assert.deepEqual(hover?.span, { start: 3, end: 10 });
    const call = at('double(|)');
    const help = await client.ask({ above, code: call.code }, { kind: 'signatures', offset: call.offset });
    assert.equal(help?.signatures[0]?.declaration, 'double(x: number): number');
    assert.deepEqual(help?.signatures[0]?.parameters, [{ label: 'x: number', documentation: 'in pixels' }]);
    assert.equal(await client.ask({ above, code: '1' }, { kind: 'signatures', offset: 0 }), undefined);
  });

  it('refuses what the kernel refuses, at the same place, and nothing else', async () => {
    const cells = [
      'let count: number = 1;',
      "count = 'text';",
      '\n\ncount.toUpperCase();',
      'const count = "now a text";\ncount.length',
      'await Promise.resolve(count)',
      'for await (const x of [1]) console.log(x);',
      'interface Size { width: number }\nconst size: Size = { widht: 1 };',
      `${IMPORT}\nawait restore('missing.png', { task: 'nothing' });`,
      "import os from 'node:os';\nos.cpus().length > 0",
      "import { nothing } from 'not-installed';",
      'function f(a: number) { return a; }\nf(1, 2);',
      'const broken = ;',
      'f(3)',
      'unknownName',
    ];
    const kernel = await TestKernel.create();
    try {
      const above: string[] = [];
      for (const code of cells) {
        const [problem] = await check(above, code);
        const { outcome, error } = await kernel.run(code);
        assert.equal(outcome === 'ok', problem === undefined, `${code}\n${problem?.message}\n${error?.message}`);
        if (outcome === 'ok') above.push(code);
        if (problem === undefined) continue;
        assert.ok(error?.message.startsWith(problem.message), `${error?.message} / ${problem.message}`);
        const before = code.slice(0, problem.start).split('\n');
        assert.deepEqual([error?.line, error?.column], [before.length, (before.at(-1)?.length ?? 0) + 1]);
      }
    } finally {
      await kernel.dispose();
    }
  });

  it('goes on below a cell with errors, and sees edits of a local module', async () => {
    const above = ['const right = 1;', "const wrong: number = 'text';"];
    assert.equal((await check(above.slice(0, 1), above[1] ?? '')).length, 1);
    assert.deepEqual(await check(above, 'right + wrong'), []);
    await writeFile(path.join(folder, 'edited.ts'), 'export const value: number = 1;\n');
    const code = "import { value } from './edited';\nvalue.toFixed(1)";
    assert.deepEqual(await check([], code), []);
    await writeFile(path.join(folder, 'edited.ts'), "export const value: string = 'now a text';\n");
    assert.match((await check([], code))[0]?.message ?? '', /toFixed/);
    assert.match((await check([], "import { later } from './later';"))[0]?.message ?? '', /Cannot find module/);
    await writeFile(path.join(folder, 'later.ts'), 'export const later = 1;\n');
    assert.deepEqual(await check([], "import { later } from './later';"), []);
  });

  it('answers nothing when it is killed, and the next question from a new process', async () => {
    const first = client.pid ?? 0;
    const waiting = client.ask({ above: [], code: 'const a = 1;' }, { kind: 'check' });
    process.kill(first, 'SIGKILL');
    assert.equal(await waiting, undefined);
    assert.deepEqual(await check([], 'const a = 1;'), []);
    assert.notEqual(client.pid, first);
    assert.match(log.at(-1) ?? '', /SIGKILL/);
  });

  it('is ended when it takes too long, and left alone when it ends again and again', async () => {
    const hasty = create({ patience: 1 });
    for (let i = 0; i < 3; i++) assert.equal(await hasty.ask({ above: [], code: '1' }, { kind: 'check' }), undefined);
    assert.equal(hasty.pid, undefined);
    assert.equal(await hasty.ask({ above: [], code: '1' }, { kind: 'check' }), undefined);
    assert.equal(hasty.pid, undefined, 'none is started');
    hasty.dispose();
  });

  it('never hears a question that was taken back, and urgent ones overtake checks', async () => {
    const order: string[] = [];
    const controller = new AbortController();
    const first = client.ask({ above: [], code: '1' }, { kind: 'check' }).then(() => order.push('first'));
    const gone = client.ask({ above: [], code: '2' }, { kind: 'check' }, controller.signal);
    const check = client.ask({ above: [], code: '3' }, { kind: 'check' }).then(() => order.push('check'));
    const urgent = client.ask({ above: [], code: 'x' }, { kind: 'hover', offset: 0 }).then(() => order.push('urgent'));
    controller.abort();
    assert.equal(await gone, undefined);
    await Promise.all([first, check, urgent]);
    assert.deepEqual(order, ['first', 'urgent', 'check']);
  });

  it('ends with its client', async () => {
    const pid = client.pid ?? 0;
    const waiting = client.ask({ above: [], code: '1' }, { kind: 'check' });
    client.dispose();
    assert.equal(await waiting, undefined);
    await until(() => !isAlive(pid), 10_000, 'the process is gone');
  });
});
