import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { TestKernel, until } from './kernel-fixture';

describe('cells', () => {
  let kernel: TestKernel;
  before(async () => {
    kernel = await TestKernel.create();
  });
  after(() => kernel.dispose());

  it('start without one being asked for, and tell their versions', async () => {
    assert.equal((await kernel.run('1 + 1')).text, '2');
    assert.equal((await kernel.client.start()).typescript, '5.0.4');
  });

  it('share variables, functions, classes and types', async () => {
    await kernel.run('let count = 1;\nfunction twice(n: number) { return 2 * n; }');
    await kernel.run('class Point { constructor(readonly x: number) {} }\ninterface Named { name: string }');
    const result = await kernel.run(
      'count++;\nconst named: Named = { name: "p" };\n[twice(count), new Point(3).x, named.name]',
    );
    assert.equal(result.text, "[ 4, 3, 'p' ]");
  });

  it('may declare again what another cell declared, with another type', async () => {
    await kernel.run('const again = 1;');
    assert.equal((await kernel.run('const again = "text";\nagain')).text, "'text'");
    assert.equal((await kernel.run('again.length')).text, '4');
  });

  it('await at the top level, also in loops and expressions', async () => {
    const result = await kernel.run(
      [
        'const later = <T>(value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), 5));',
        'let sum = 0;',
        'for (const n of [1, 2, 3]) { sum += (await later(n)) * 2; }',
        'const pair = { a: await later(1), b: [await later(2)] };',
        'sum + pair.a + pair.b[0]! - (await later(1) ? await later(5) : 0)',
      ].join('\n'),
    );
    assert.deepEqual([result.outcome, result.text], ['ok', '10']);
  });

  it('catch what they await, and run their finally blocks', async () => {
    const result = await kernel.run(
      'try { await Promise.reject(new Error("no")); } catch (error) { console.log((error as Error).message); } finally { console.log("end"); }',
    );
    assert.equal(result.stdout, 'no\nend\n');
  });

  it('loop over what comes later, and tell the source when they leave early', async () => {
    const result = await kernel.run(
      [
        'async function* source() { try { for (let n = 1; ; n++) yield n; } finally { console.log("closed"); } }',
        'let total = 0;',
        'for await (const n of source()) { if (n === 2) continue; if (n > 4) break; total += n; }',
        'for await (const { x } of [Promise.resolve({ x: 10 }), { x: 20 }]) total += x;',
        'total',
      ].join('\n'),
    );
    assert.deepEqual([result.outcome, result.stdout, result.text], ['ok', 'closed\n', '38']);
    const failed = await kernel.run(
      '\nfor await (const n of (async function* () { yield 1; throw new Error("in it"); })()) console.log(n);',
    );
    assert.deepEqual([failed.error?.message, failed.error?.line, failed.stdout], ['in it', 2, '1\n']);
  });

  it('run in the folder of the notebook and know where they are', async () => {
    assert.equal((await kernel.run('process.cwd()')).text, `'${kernel.folder}'`);
    assert.equal((await kernel.run('__filename')).text, `'${kernel.path('test.ipynb')}'`);
    assert.equal((await kernel.run('__dirname')).text, `'${kernel.folder}'`);
  });

  it('print in order, and all of it before they end', async () => {
    const result = await kernel.run(
      [
        'console.log("one");',
        'console.error("two");',
        'process.stdout.write("three");',
        'process.stdout.write(new Uint8Array([0xc3]));',
        'process.stdout.write(new Uint8Array([0xa4]));',
        'console.warn("%s and %d", "four", 5);',
        'for (let i = 0; i < 2000; i++) console.log(i);',
      ].join('\n'),
    );
    assert.deepEqual(
      result.streams.slice(0, 4).map(({ name, text }) => [name, text.slice(0, 12)]),
      [
        ['stdout', 'one\n'],
        ['stderr', 'two\n'],
        ['stdout', 'three\u00e4'],
        ['stderr', 'four and 5\n'],
      ],
    );
    const numbers = result.streams[4]?.text.trim().split('\n').map(Number);
    assert.deepEqual(
      numbers,
      Array.from({ length: 2000 }, (_, i) => i),
    );
  });

  it('stop printing after five million characters', async () => {
    const result = await kernel.run('for (let i = 0; i < 700; i++) console.log("x".repeat(9999));');
    assert.equal(result.stdout.length, 5_000_000);
    assert.match(result.stderr, /more than 5 million characters; the rest is left out/);
  });

  describe('show the value of their last expression:', () => {
    it('nothing for undefined and for declarations', async () => {
      assert.deepEqual((await kernel.run('undefined')).displays, []);
      assert.deepEqual((await kernel.run('const silent = 5;')).displays, []);
      assert.equal((await kernel.run('null')).text, 'null');
    });

    const displayable = (id: string, text: string): string =>
      `({ displayId: ${JSON.stringify(id)}, [Symbol.for('progressive-restoration.mime-bundle')]: async () => ({ 'text/plain': ${JSON.stringify(text)} }) })`;

    it('objects that know how to show themselves, alone and in lists', async () => {
      const one = await kernel.run(displayable('a', 'first'));
      assert.deepEqual(one.displays, [{ displayId: 'a', bundle: { 'text/plain': 'first' }, updates: 1 }]);
      const two = await kernel.run(`[${displayable('a', 'first')}, ${displayable('b', 'second')}]`);
      assert.deepEqual(
        two.displays.map(({ bundle }) => bundle['text/plain']),
        ['first', 'second'],
      );
    });

    it('in place of what the running cell already showed under the same id', async () => {
      const show = `(globalThis as any)[Symbol.for('progressive-restoration.display-host')].show('live', { 'text/plain': 'working' });`;
      const result = await kernel.run(`${show}\nawait null;\n${displayable('live', 'done')}`);
      assert.deepEqual(result.displays, [{ displayId: 'live', bundle: { 'text/plain': 'done' }, updates: 2 }]);
    });

    it('what tslab can display', async () => {
      const result = await kernel.run(
        'import { display } from "tslab";\ndisplay.html("<b>bold</b>");\ndisplay.png(new Uint8Array([137, 80]));',
      );
      assert.deepEqual(
        result.displays.map(({ bundle }) => bundle),
        [{ 'text/html': '<b>bold</b>' }, { 'image/png': 'iVA=' }],
      );
    });
  });

  it('are offered a folder for frames, made on first use', async () => {
    assert.ok(!existsSync(kernel.path('test.frames')));
    const result = await kernel.run(
      `(globalThis as any)[Symbol.for('progressive-restoration.display-host')].framesFolder`,
    );
    assert.equal(result.text, `'${kernel.path('test.frames')}'`);
    assert.ok(existsSync(kernel.path('test.frames')));
  });

  describe('fail', () => {
    it('with the line and column of a compile error, one message, and nothing on stderr', async () => {
      const result = await kernel.run("\nconst x: number = 'a';");
      assert.deepEqual([result.outcome, result.error?.line, result.error?.column], ['error', 2, 7]);
      assert.equal(result.error?.message, "Type 'string' is not assignable to type 'number'. (TS2322)");
      assert.equal(result.stderr, '');
    });

    it('with all compile errors, each with its line', async () => {
      const { error } = await kernel.run('let a: number = true;\nlet b = missing;');
      assert.match(error?.message ?? '', /boolean.*\nline 2:9: Cannot find name 'missing'/);
      assert.deepEqual([error?.line, error?.column], [1, 5]);
    });

    it('with the explanation of an error in one piece', async () => {
      const { error } = await kernel.run(
        'const deep: { a: { b: number } } = { a: { b: 1 } };\nconst other: { a: { b: string } } = deep;',
      );
      assert.equal(error?.line, 2);
      assert.match(error?.message ?? '', /^Type .*\n {2}The types of 'a\.b' are incompatible.*\n {2}Type 'number'/);
    });

    it('with the line of a syntax error', async () => {
      const { error } = await kernel.run('const ok = 1;\nif (ok {');
      assert.deepEqual([error?.name, error?.line], ['CompileError', 2]);
    });

    it('with the line of a runtime error, types and comments above notwithstanding', async () => {
      const { error } = await kernel.run(
        'interface Removed { a: number }\n// comment\ntype Also = Removed;\nconst fine: Also = { a: 1 };\nthrow new RangeError(`bad ${fine.a}`);',
      );
      assert.deepEqual([error?.name, error?.message, error?.line, error?.column], ['RangeError', 'bad 1', 5, 7]);
    });

    it('with the line in this cell and in the cell that defined the function', async () => {
      const defined = await kernel.run('\nfunction deepThrow(): never {\n  throw new TypeError("deep");\n}');
      assert.equal(defined.outcome, 'ok');
      const { error } = await kernel.run('const before = 1;\n\ndeepThrow();');
      assert.equal(error?.line, 3);
      assert.match(error?.stack ?? '', /^ {4}at deepThrow in cell \[\d+\]:3:9\n {4}at cell \[\d+\]:3:1$/);
    });

    it('with the line of the await through which a failure came that has no line of its own', async () => {
      await kernel.run(
        'const failing = new Promise((_, reject) => setTimeout(() => reject(Object.assign(new Error("x"), { stack: "" })), 20));',
      );
      const { error } = await kernel.run('\nconst one = 1;\nconst two = one + Number(await failing);');
      assert.deepEqual([error?.message, error?.line], ['x', 3]);
      assert.equal(error?.column, 26);
    });

    it('with anything that can be thrown', async () => {
      assert.deepEqual((await kernel.run('throw { code: 5 };')).error, {
        name: 'Thrown',
        message: '{ code: 5 }',
        stack: '',
      });
      const { error } = await kernel.run('throw new Error("outer", { cause: new Error("inner") });');
      assert.match(error?.stack ?? '', /Caused by Error: inner/);
    });

    it('without changing variables that they declare again', async () => {
      await kernel.run('const kept = "old";');
      const result = await kernel.run('const kept = 42;\nconst fresh = 1;\nthrow new Error("after");');
      assert.equal(result.outcome, 'error');
      assert.equal((await kernel.run('kept.toUpperCase()')).text, "'OLD'");
      assert.match((await kernel.run('fresh')).error?.message ?? '', /Cannot find name 'fresh'/);
    });

    it('when they ask for a browser', async () => {
      assert.match((await kernel.run('/** @browser */\n1')).error?.message ?? '', /cannot run here/);
    });
  });

  it('report what fails in the background on stderr and go on', async () => {
    const result = await kernel.run(
      'setTimeout(() => { throw new Error("from a timer"); }, 20);\nvoid Promise.reject(new Error("nobody waited"));\nawait new Promise((resolve) => setTimeout(resolve, 100));\n"still here"',
    );
    assert.equal(result.text, "'still here'");
    assert.match(result.stderr, /Failed in the background: Error: nobody waited\n {4}at cell \[\d+\]:2:21/);
    assert.match(result.stderr, /Failed in the background: Error: from a timer\n {4}at cell \[\d+\]:1:26/);
  });

  it('keep output that comes after their end apart', async () => {
    await kernel.run('setTimeout(() => console.log("late"), 50);');
    await until(() => kernel.background.length > 0, 10_000, 'late output arrives');
    assert.deepEqual(
      kernel.background.map((output) => (output.type === 'stream' ? [output.name, output.text] : output)),
      [['stdout', 'late\n']],
    );
  });

  it('run one after the other in the order in which they were sent', async () => {
    const order: string[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map(async (name, i) => {
        const { stdout } = await kernel.run(
          `await new Promise((r) => setTimeout(r, ${50 - 20 * i}));\nconsole.log('${name}')`,
        );
        order.push(stdout.trim());
      }),
    );
    assert.deepEqual(order, ['a', 'b', 'c']);
  });
});
