import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { readZip } from './zip';

const root = path.resolve(__dirname, '..', '..', '..');
const HERE = `${process.platform}-${process.arch}`;
/** Another platform than this one. */
const ELSEWHERE = HERE === 'win32-x64' ? 'linux-x64' : 'win32-x64';

interface Manifest {
  main?: string;
  browser?: string;
  icon: string;
  dependencies?: Record<string, string>;
  contributes: {
    commands?: unknown[];
    typescriptServerPlugins?: { name: string }[];
    notebookRenderer: { entrypoint: string }[];
    walkthroughs?: { steps: { media: { image: Record<string, string> } }[] }[];
  };
}

const packed = new Map<string, Promise<Map<string, () => Buffer>>>();

/** Packs for `target`, once; returns the files below `extension/`. */
function pack(target: string): Promise<Map<string, () => Buffer>> {
  const files = packed.get(target) ?? packAnew(target);
  packed.set(target, files);
  return files;
}

async function packAnew(target: string): Promise<Map<string, () => Buffer>> {
  const { name, version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  await promisify(execFile)(process.execPath, ['scripts/package.mjs', '--only', 'vsix', '--target', target], {
    cwd: root,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    maxBuffer: 16 * 1024 * 1024,
  });
  const files = await readZip(path.join(root, 'out', `${name}-${version}-${target}.vsix`));
  return new Map(
    [...files].flatMap(([file, read]) =>
      file.startsWith('extension/') ? [[file.slice('extension/'.length), read] as const] : [],
    ),
  );
}

function manifestOf(files: Map<string, () => Buffer>): Manifest {
  const read = files.get('package.json');
  assert.ok(read !== undefined);
  return JSON.parse(read().toString('utf8')) as Manifest;
}

/** Kinds of native binaries by their first bytes. */
function binaryKind(bytes: Buffer): 'linux' | 'darwin' | 'win32' | undefined {
  if (bytes.subarray(0, 4).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]))) return 'linux';
  if (bytes.subarray(0, 2).toString('latin1') === 'MZ') return 'win32';
  return bytes.length > 4 && [0xfeedfacf, 0xcafebabe].includes(bytes.readUInt32LE(0)) ? 'darwin' : undefined;
}

function assertAllIn(files: Map<string, () => Buffer>, names: (string | undefined)[]): void {
  for (const name of names) {
    assert.ok(name !== undefined && files.has(name.replace(/^\.\//, '')), `${String(name)} is inside`);
  }
}

/** No file names where it was made: neither the checkout nor the home folder of who built it. */
function assertNamesNoMachine(files: Map<string, () => Buffer>): void {
  const home = os.homedir();
  for (const [name, read] of files) {
    const bytes = read();
    assert.ok(!bytes.includes(root), `${name} names the checkout`);
    // A home such as /root is a part of too many other paths, also inside of libraries' binaries.
    if (home.split(path.sep).length > 2) assert.ok(!bytes.includes(home), `${name} names the home folder`);
  }
}

/** What no package may hold, whatever it is for. */
const UNWANTED = [
  /\.map$/,
  /(^|\/)(src|test|tests|scripts|recipes|\.git|\.cache|\.tools)\//,
  /(^|\/)\.(npmrc|env)/,
  /zeromq/,
  /\.tsbuildinfo$/,
  /\.pdb$/,
];

function assertNothingUnwanted(files: Map<string, () => Buffer>, allowed: RegExp): void {
  for (const pattern of UNWANTED) {
    assert.deepEqual(
      [...files.keys()].filter((name) => pattern.test(name)),
      [],
    );
  }
  assert.deepEqual(
    [...files.keys()].filter((name) => !allowed.test(name)),
    [],
  );
}

/** Everything that a platform's package may hold. */
const PLATFORM =
  /^(package\.json|package\.nls\.json|readme\.md|changelog\.md|LICENSE(\.txt)?|(dist|media|models|node_modules)\/.+|notebooks\/(01-quickstart\.ipynb|pictures\/.+)|l10n\/.+)$/i;
const MODULES =
  /^node_modules\/(onnxruntime-(common|node)|sharp|@img\/[\w-]+|detect-libc|semver|tslab|@tslab\/typescript-for-tslab|@types\/node|undici-types|progressive-restoration-cells)\//;

describe('VSIX', function () {
  this.timeout(600_000);

  for (const target of [HERE, ELSEWHERE]) {
    it(`for ${target} holds what it must, and binaries of that platform only`, async () => {
      const files = await pack(target);
      const manifest = manifestOf(files);
      assertNothingUnwanted(files, PLATFORM);
      const modules = [...files.keys()].filter((name) => name.startsWith('node_modules/'));
      assert.deepEqual(
        modules.filter((name) => !MODULES.test(name)),
        [],
      );
      const walkthroughs = manifest.contributes.walkthroughs ?? [];
      const pictures = walkthroughs.flatMap(({ steps }) => steps.flatMap(({ media }) => Object.values(media.image)));
      assert.ok(pictures.length > 0);
      assertAllIn(files, [
        manifest.main,
        manifest.icon,
        ...manifest.contributes.notebookRenderer.map(({ entrypoint }) => entrypoint),
        ...pictures,
        ...(manifest.contributes.typescriptServerPlugins ?? []).map(({ name }) => `node_modules/${name}/index.js`),
        'dist/kernel.js',
        'dist/service.js',
        'dist/index.js',
        'dist/index.d.ts',
        'models/compact/manifest.json',
        'models/lpips/manifest.json',
        ...Object.keys(manifest.dependencies ?? {}).map((name) => `node_modules/${name}/package.json`),
      ]);
      const kinds = modules.flatMap((name) => {
        const kind = /\.(node|dll|dylib|so[\d.]*)$/.test(name)
          ? binaryKind(files.get(name)?.() ?? Buffer.of())
          : 'none';
        return kind === 'none' ? [] : [{ name, kind }];
      });
      assert.ok(kinds.some(({ name }) => name.startsWith('node_modules/onnxruntime-node/')));
      assert.ok(kinds.some(({ name }) => name.startsWith('node_modules/@img/')));
      assert.deepEqual(
        kinds.filter(({ kind }) => !target.startsWith(`${String(kind)}-`)),
        [],
      );
      assertNamesNoMachine(files);
    });
  }

  it('loads little to be activated: the rest lies in pieces, all of them inside', async () => {
    const files = await pack(HERE);
    const main = path.posix.normalize(manifestOf(files).main ?? '');
    /** What a file asks for when it is loaded, and what only when a part of it is used. */
    const askedBy = (name: string): { now: string[]; later: string[] } => {
      const text = files.get(name)?.().toString('utf8') ?? '';
      const asked = (pattern: RegExp): string[] =>
        [...text.matchAll(pattern)].map(([, piece = '']) => path.posix.join(path.posix.dirname(name), piece));
      const later = asked(/Promise\.resolve\(\)\.then\([^;]*?require\("(\.[^"]+)"\)/g);
      return { now: asked(/require\("(\.[^"]+)"\)/g).filter((piece) => !later.includes(piece)), later };
    };
    const reached = (start: string, of: (name: string) => string[]): Set<string> => {
      const found = new Set([start]);
      for (const name of found) for (const piece of of(name)) found.add(piece);
      return found;
    };
    const all = reached(main, (name) => [...askedBy(name).now, ...askedBy(name).later]);
    assertAllIn(files, [...all]);
    assert.deepEqual(
      [...files.keys()].filter((name) => name.startsWith('dist/pieces/') && !all.has(name)),
      [],
    );
    const first = [...reached(main, (name) => askedBy(name).now)];
    const bytes = first.reduce((sum, name) => sum + (files.get(name)?.().length ?? 0), 0);
    assert.ok(bytes < 80_000, `${first.join(', ')} have ${bytes} bytes`);
    assert.ok(all.size > first.length + 2, 'most of the extension is loaded when it is used');
  });

  it('carries the quickstart without outputs, with every picture that it reads', async () => {
    const files = await pack(HERE);
    const text = files.get('notebooks/01-quickstart.ipynb')?.().toString('utf8') ?? '';
    const { cells } = JSON.parse(text) as { cells: { cell_type: string; source: string[]; outputs?: unknown[] }[] };
    const code = cells.filter(({ cell_type: type }) => type === 'code');
    assert.ok(code.length > 0 && code.every(({ outputs }) => outputs?.length === 0));
    const named = [
      ...code
        .flatMap(({ source }) => source)
        .join('')
        .matchAll(/'(pictures\/[^']+)'/g),
    ];
    assert.ok(named.length > 0);
    assertAllIn(
      files,
      named.map(([, picture]) => `notebooks/${picture}`),
    );
  });

  it('for the web holds the renderer and an entry that asks for nothing of Node', async () => {
    const files = await pack('web');
    const manifest = manifestOf(files);
    assertNothingUnwanted(
      files,
      /^(package\.json|package\.nls\.json|readme\.md|changelog\.md|LICENSE(\.txt)?|dist\/THIRD-PARTY-NOTICES\.txt|media\/icon\.png|dist\/web\/extension\.js|dist\/webview\/renderer\.js)$/i,
    );
    assert.equal(manifest.main, undefined);
    assert.equal(manifest.dependencies, undefined);
    assert.deepEqual(Object.keys(manifest.contributes), ['notebookRenderer']);
    assertAllIn(files, [
      manifest.browser,
      manifest.icon,
      ...manifest.contributes.notebookRenderer.map(({ entrypoint }) => entrypoint),
    ]);
    const entry = files.get('dist/web/extension.js')?.().toString('utf8') ?? '';
    assert.deepEqual([...new Set([...entry.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name))], ['vscode']);
    assertNamesNoMachine(files);
  });

  it('has a page whose pictures are inside its text', async () => {
    const files = await pack('web');
    const page =
      [...files]
        .find(([name]) => /^readme\.md$/i.test(name))?.[1]()
        .toString('utf8') ?? '';
    const pictures = [...page.matchAll(/!\[([^\]]*)\]\(([^)]*)\)/g)];
    assert.ok(pictures.length > 0);
    for (const [, alternative, source] of pictures) {
      assert.ok(alternative !== '');
      assert.match(source ?? '', /^data:image\/(png|webp);base64,/);
    }
  });
});
