import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { RunRecord } from '../../../src/protocol';
import type { ModelCheck, ModelEntry } from '../../../src/api';
import { writeOnnxModel } from '../../../src/restoration/models/onnx-writer';
import { FileServer } from '../models/file-server';
import { NETWORKS, networkManifest, writeTestNetwork } from '../models/test-network';
import { runCli, type CliResult } from './run-cli';

const picture = path.resolve(__dirname, '../../fixtures/pictures/card.png');

describe('models on the command line', () => {
  let folder: string;
  let root: string;
  let server: FileServer;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-models-cli-'));
    server = await FileServer.start();
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    root = await mkdtemp(path.join(folder, 'models-'));
  });

  function call(words: string[], interruptWhen?: () => boolean): Promise<CliResult> {
    const env = { PROGRESSIVE_RESTORATION_MODELS: root };
    return runCli(['models', ...words], { env, ...(interruptWhen ? { interruptWhen } : {}) });
  }

  async function ids(): Promise<string[]> {
    return (JSON.parse((await call(['list', '--json'])).stdout) as ModelEntry[]).map(({ id }) => id);
  }

  function assertRefused(result: CliResult, code: number, message: RegExp): void {
    assert.equal(result.code, code, result.stderr);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, message);
    assert.match(result.stderr, /^Error: \S/m);
    assert.doesNotMatch(result.stderr, /^\s+at /m, 'no stack trace');
    assert.doesNotMatch(result.stderr, /undefined|\[object/);
  }

  function publish(id: string, slow?: number): string {
    const bytes = Buffer.concat([writeOnnxModel(NETWORKS.twice)]);
    server.serve(`/${id}/network.onnx`, { body: bytes, ...(slow === undefined ? {} : { slow }) });
    const manifest = { tasks: ['super-resolution'], scale: 2, id };
    return server.serve(`/${id}/manifest.json`, { body: JSON.stringify(networkManifest(bytes, { manifest })) });
  }

  it('are downloaded after consent, listed, used by their id, verified and removed', async () => {
    const url = publish('sharp');
    const asked = await call(['add', url]);
    assertRefused(asked, 1, /was not added: nobody agreed to it\. .*--yes/);
    assert.match(asked.stderr, /licence +CC0-1\.0/);
    assert.match(asked.stderr, new RegExp(`download +0\\.0 MiB from ${new URL(url).host}`));
    assert.ok(!(await ids()).includes('sharp'));
    assert.ok(!server.seen.some(({ path: asked }) => asked.endsWith('.onnx')), 'nothing but the manifest came');

    const added = await call(['add', url, '--yes', '--json']);
    assert.equal(added.code, 0, added.stderr);
    assert.equal((JSON.parse(added.stdout) as ModelEntry).id, 'sharp');
    assert.match((await call(['list'])).stdout, /sharp +added +.*CC0-1\.0 +super-resolution \(2 times\)/);

    const restored = await runCli(
      [
        'restore',
        picture,
        '--task',
        'super-resolution',
        '--model',
        'sharp',
        '--device',
        'cpu',
        '--json',
        '--out',
        folder,
      ],
      { env: { PROGRESSIVE_RESTORATION_MODELS: root } },
    );
    assert.equal(restored.code, 0, restored.stderr);
    const [record] = JSON.parse(restored.stdout) as RunRecord[];
    assert.deepEqual([record?.model.id, record?.scale, record?.frames.length], ['sharp', 2, 2]);
    assert.equal(record?.frames[1]?.width, 2 * (record?.input.width ?? 0));

    assert.match((await call(['verify', 'sharp'])).stdout, /sharp: intact/);
    await appendFile(path.join(root, 'sharp', 'network.onnx'), 'x');
    const damaged = await call(['verify', '--json']);
    assert.equal(damaged.code, 1);
    const checks = JSON.parse(damaged.stdout) as ModelCheck[];
    assert.deepEqual(
      checks.map(({ id, ok }) => [id, ok]),
      [
        ['compact', true],
        ['sharp', false],
      ],
    );
    assert.match(damaged.stderr, /Error: sharp is damaged\. Add the model again/);

    assert.equal((await call(['remove', 'sharp'])).code, 0);
    assert.ok(!(await ids()).includes('sharp'));
    assertRefused(await call(['remove', 'compact']), 2, /compact is part of the package and is not removed/);
    assert.ok((await ids()).includes('compact'));
  });

  it('come from a folder and from a plain .onnx file', async () => {
    await writeTestNetwork(path.join(folder, 'source'), 'identity', { manifest: { id: 'from-folder' } });
    assert.equal((await call(['add', path.join(folder, 'source'), '--yes'])).code, 0);
    const file = path.join(folder, 'Halfway_White.onnx');
    await writeFile(file, writeOnnxModel(NETWORKS.luma));
    const added = await call(['add', file, '--yes', '--task', 'low-light', '--license', 'MIT']);
    assert.equal(added.code, 0, added.stderr);
    assert.match(added.stderr, /One channel was taken as luma \(Y\)/);
    const entries = JSON.parse((await call(['list', '--json'])).stdout) as ModelEntry[];
    const entry = entries.find(({ id }) => id === 'halfway-white');
    assert.deepEqual([entry?.tasks, entry?.license, entry?.kind], [['low-light'], 'MIT', 'network']);
  });

  it('go on with a download that Ctrl-C stopped', async () => {
    const bytes = Buffer.concat([writeOnnxModel(NETWORKS.identity)]);
    const big = new Uint8Array(400_000).map((_, i) => (i * 31) >> 3);
    const manifest = networkManifest(bytes, { files: { 'notes.bin': big }, manifest: { id: 'large' } });
    server.serve('/large/network.onnx', { body: bytes });
    server.serve('/large/notes.bin', { body: big, slow: 50 });
    const url = server.serve('/large/manifest.json', { body: JSON.stringify(manifest) });
    let since = 0;
    const stopped = await call(['add', url, '--yes'], () => {
      if (!server.seen.some(({ path: asked }) => asked === '/large/notes.bin')) return false;
      since ||= Date.now();
      return Date.now() - since > 500;
    });
    assertRefused(stopped, 130, /The download was cancelled; what has come so far is kept/);
    assert.ok(!(await ids()).includes('large'));
    assert.ok((await readdir(path.join(root, '.downloads'))).some((name) => name.endsWith('.part')));
    server.serve('/large/notes.bin', { body: big });
    const again = await call(['add', url, '--yes']);
    assert.equal(again.code, 0, again.stderr);
    assert.match(
      server.seen.filter(({ path: asked }) => asked === '/large/notes.bin').at(-1)?.range ?? '',
      /^bytes=[1-9]/,
    );
    assert.ok((await ids()).includes('large'));
  });

  it('that fail on a picture are not added', async () => {
    for (const [name, message] of [
      ['nan', /gave values that are not finite numbers/],
      ['half', /its manifest promises/],
      ['custom', /custom operator my\.plugin\.Deform/],
    ] as const) {
      await writeTestNetwork(path.join(folder, name), name, { manifest: { id: name } });
      assertRefused(await call(['add', path.join(folder, name), '--yes']), 1, message);
    }
    assert.deepEqual(await ids(), ['compact']);
  });

  const wrong: [string[], number, RegExp][] = [
    [[], 2, /models needs an action/],
    [['buy'], 2, /models cannot "buy"\. Choose one of list, add, remove, verify/],
    [['list', 'compact'], 2, /models list takes no names/],
    [['add'], 2, /models add takes one model/],
    [['add', 'a', 'b', '--yes'], 2, /models add takes one model/],
    [['add', 'a', '--frames', '3'], 2, /models add has no option --frames/],
    [['add', 'a.onnx', '--channels', 'CMYK'], 2, /--channels cannot be "CMYK"/],
    [['add', 'no-such-folder', '--yes'], 1, /no-such-folder does not exist/],
    [['add', 'no-such.onnx', '--yes'], 1, /no-such\.onnx does not exist or is not a file/],
    [['add', 'http://example.org/m.json', '--yes'], 2, /only https:\/\//],
    [['add', 'ftp://example.org/m.json', '--yes'], 2, /only https:\/\//],
    [['add', 'https://example.org/a.onnx', '--yes'], 2, /address of a network alone/],
    [['remove'], 2, /models remove takes the id of one model/],
    [['remove', 'nobody'], 1, /There is no model "nobody"/],
    [['remove', '../..'], 1, /There is no model "\.\.\/\.\."/],
    [['verify', 'nobody'], 1, /There is no model "nobody"/],
  ];
  for (const [words, code, message] of wrong) {
    it(`refuse models ${words.join(' ')}`, async () => assertRefused(await call(words), code, message));
  }
});
