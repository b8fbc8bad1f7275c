import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError } from '../../../src/protocol';
import { installedModelsFolder } from '../../../src/restoration/models/locations';
import { findModel, listModels } from '../../../src/restoration/models/manifest';
import { openModelSource } from '../../../src/restoration/models/model-source';
import { ModelStore, modelIdOf } from '../../../src/restoration/models/model-store';
import { writeOnnxModel } from '../../../src/restoration/models/onnx-writer';
import { FileServer } from './file-server';
import { NETWORKS, networkManifest, sha256, writeTestNetwork } from './test-network';

const QUICK = { attempts: 2, pauseMilliseconds: 5, idleMilliseconds: 2_000 };

async function refusal(work: Promise<unknown>): Promise<RestorationError> {
  const error = await work.then(
    () => assert.fail('it went through'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RestorationError, String(error));
  assert.doesNotMatch(error.message, /undefined|\[object/);
  return error;
}

describe('the model store', () => {
  let folder: string;
  let root: string;
  let store: ModelStore;
  const before = process.env.PROGRESSIVE_RESTORATION_MODELS;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-store-'));
    root = path.join(folder, 'models');
    process.env.PROGRESSIVE_RESTORATION_MODELS = root;
    store = new ModelStore();
  });
  afterEach(async () => {
    if (before === undefined) delete process.env.PROGRESSIVE_RESTORATION_MODELS;
    else process.env.PROGRESSIVE_RESTORATION_MODELS = before;
    await rm(folder, { recursive: true, force: true });
  });

  async function added(manifest: Record<string, unknown> = {}): Promise<void> {
    const source = await writeTestNetwork(path.join(folder, 'source'), 'identity', { manifest });
    await store.install(await openModelSource(source));
  }

  /** Nothing that was begun is left lying about. */
  async function assertTidy(): Promise<void> {
    assert.deepEqual(await readdir(path.join(root, '.staging')), []);
  }

  it('lists what ships inside, then what was added', async () => {
    const shipped = await store.list();
    assert.ok(
      shipped.some(({ id, origin, kind }) => id === 'compact' && origin === 'shipped' && kind === 'trajectory'),
    );
    assert.ok(!shipped.some(({ id }) => /lpips|recipes/.test(id)), 'metrics and recipes restore nothing');
    await added({ id: 'sharp', tasks: ['super-resolution'], scale: 2 });
    const entry = (await store.list()).at(-1);
    assert.deepEqual(
      [entry?.id, entry?.origin, entry?.scale, entry?.license, entry?.tasks],
      ['sharp', 'added', 2, 'CC0-1.0', ['super-resolution']],
    );
    assert.equal(entry?.bytes, writeOnnxModel(NETWORKS.identity).length);
    assert.ok((await listModels()).includes('sharp'));
    assert.equal((await findModel('sharp')).folder, path.join(root, 'sharp'));
    await assertTidy();
  });

  it('adds from a folder or a manifest, and keeps fields that it does not know', async () => {
    await added({ id: 'a', author: { name: 'somebody' } });
    const kept = JSON.parse(await readFile(path.join(root, 'a', 'manifest.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(kept.author, { name: 'somebody' });
    assert.equal(kept.origin, path.join(folder, 'source'));
    const source = await openModelSource(path.join(folder, 'source', 'manifest.json'));
    assert.equal((await store.install(source)).id, 'a');
    assert.deepEqual(source.offer.hosts, []);
  });

  it('replaces a model of the same id, and leaves it when the new one fails', async () => {
    await added({ id: 'a', version: '1.0.0' });
    await added({ id: 'a', version: '2.0.0' });
    assert.equal((await store.list()).at(-1)?.version, '2.0.0');
    const source = await writeTestNetwork(path.join(folder, 'source'), 'identity', {
      manifest: { id: 'a', version: '3.0.0' },
    });
    const check = (): Promise<void> => Promise.reject(new RestorationError('bad-output', 'It gave nothing.', 'Sorry.'));
    assert.equal((await refusal(store.install(await openModelSource(source), { check }))).code, 'bad-output');
    await writeFile(path.join(source, 'network.onnx'), 'something else');
    assert.match((await refusal(store.install(await openModelSource(source)))).message, /network\.onnx was refused/);
    assert.equal((await store.list()).at(-1)?.version, '2.0.0');
    assert.deepEqual(
      (await store.verify('a')).map(({ ok }) => ok),
      [true],
    );
    await assertTidy();
  });

  it('tries a model before it takes its place', async () => {
    let tried = '';
    const source = await writeTestNetwork(path.join(folder, 'source'), 'identity', { manifest: { id: 'a' } });
    const check = async (place: string): Promise<void> => {
      tried = (await findModel(place)).manifest.id;
      assert.deepEqual(await readdir(root), ['.staging'], 'not there yet');
    };
    await store.install(await openModelSource(source), { check });
    assert.equal(tried, 'a');
  });

  it('removes what was added, and nothing of the package', async () => {
    await added({ id: 'a' });
    assert.equal((await store.remove('a')).id, 'a');
    assert.deepEqual(await readdir(root), ['.staging']);
    const error = await refusal(store.remove('compact'));
    assert.equal(error.code, 'bad-argument');
    assert.match(error.message, /compact is part of the package and is not removed/);
    assert.ok((await findModel('compact')).folder.endsWith('compact'));
    for (const id of ['a', '../source', '.staging', '', '/', 'lpips']) {
      assert.equal((await refusal(store.remove(id))).code, 'unknown-model', id);
    }
    assert.ok((await readdir(path.join(folder, 'source'))).length > 0);
  });

  it('does not add under an id of the package', async () => {
    assert.match((await refusal(added({ id: 'compact' }))).message, /id compact belongs to a model of the package/);
    const [first] = await store.list();
    assert.equal(first?.origin, 'shipped');
  });

  it('verifies every file', async () => {
    await added({ id: 'a' });
    assert.ok((await store.verify()).every(({ ok }) => ok));
    await appendFile(path.join(root, 'a', 'network.onnx'), 'x');
    const damaged = (await store.verify()).filter(({ ok }) => !ok);
    assert.deepEqual(
      damaged.map(({ id }) => id),
      ['a'],
    );
    assert.match(damaged[0]?.files[0]?.problem ?? '', /network\.onnx was refused: it has \d+ bytes instead of/);
    await rm(path.join(root, 'a', 'network.onnx'));
    await symlink(path.join(folder, 'source', 'network.onnx'), path.join(root, 'a', 'network.onnx'));
    assert.match((await store.verify('a'))[0]?.files[0]?.problem ?? '', /it leads out of the folder/);
    await writeFile(path.join(root, 'a', 'manifest.json'), '{');
    assert.match((await store.verify('a'))[0]?.files[0]?.problem ?? '', /is not valid: it is not JSON/);
    assert.match((await store.list()).at(-1)?.problem ?? '', /is not JSON/);
    assert.equal((await store.remove('a')).id, 'a', 'also what is damaged can be removed');
  });

  it('does not take a folder for a model of another name', async () => {
    await added({ id: 'a' });
    await mkdir(path.join(root, 'compact'));
    await writeFile(path.join(root, 'compact', 'manifest.json'), await readFile(path.join(root, 'a', 'manifest.json')));
    assert.match((await store.list()).at(-1)?.problem ?? '', /folder is called compact; it has to be called a/);
    assert.equal((await findModel('compact')).manifest.kind, 'trajectory', 'the package comes first');
    await symlink(path.join(folder, 'source'), path.join(root, 'linked'));
    assert.ok(!(await store.list()).some(({ id }) => id === 'linked'));
  });

  it('deletes what others began and never finished', async () => {
    const old = new Date(Date.now() - 30 * 24 * 3_600_000);
    await mkdir(path.join(root, '.staging', 'dead', 'a'), { recursive: true });
    await mkdir(path.join(root, '.downloads'), { recursive: true });
    for (const name of ['old.part', 'new.part']) await writeFile(path.join(root, '.downloads', name), 'x');
    await utimes(path.join(root, '.staging', 'dead'), old, old);
    await utimes(path.join(root, '.downloads', 'old.part'), old, old);
    await added({ id: 'a' });
    assert.deepEqual(await readdir(path.join(root, '.downloads')), ['new.part']);
    await assertTidy();
  });

  it('says when its folder cannot be written', async () => {
    await writeFile(path.join(folder, 'file'), 'x');
    const source = await openModelSource(await writeTestNetwork(path.join(folder, 'source'), 'identity'));
    const blocked = new ModelStore(path.join(folder, 'file', 'models'));
    const error = await refusal(blocked.install(source));
    assert.equal(error.code, 'unwritable');
    assert.match(error.message, /PROGRESSIVE_RESTORATION_MODELS/);
  });

  const sources: [string, (place: string) => Promise<string>, string, RegExp][] = [
    ['nothing at all', async (place) => path.join(place, 'none'), 'missing-file', /none does not exist/],
    ['a folder without a manifest', async (place) => place, 'unknown-model', /There is no manifest\.json in/],
    [
      'a manifest that is not JSON',
      async (place) => {
        await writeFile(path.join(place, 'manifest.json'), 'schema: 1');
        return place;
      },
      'bad-model',
      /it is not JSON/,
    ],
    [
      'a manifest without end',
      async (place) => {
        await writeFile(path.join(place, 'manifest.json'), ' '.repeat(1_000_001));
        return place;
      },
      'bad-model',
      /far more than any manifest/,
    ],
    ['a metric', async () => path.resolve(__dirname, '../../../models/lpips'), 'bad-model', /lpips-alex is a metric/],
    [
      'a file that is a link to elsewhere',
      async (place) => {
        await writeTestNetwork(place, 'identity');
        await rm(path.join(place, 'network.onnx'));
        await symlink('/etc/hostname', path.join(place, 'network.onnx'));
        return place;
      },
      'bad-model',
      /leads out of the folder/,
    ],
    [
      'a missing file',
      async (place) => {
        await writeTestNetwork(place, 'identity');
        await rm(path.join(place, 'network.onnx'));
        return place;
      },
      'bad-model',
      /network\.onnx was refused: it cannot be read \(ENOENT\)/,
    ],
    ['an open address', async () => 'http://example.org/manifest.json', 'bad-argument', /only https:\/\//],
    [
      'a network without a manifest',
      async () => 'https://example.org/a.onnx',
      'bad-argument',
      /address of a network alone/,
    ],
  ];
  for (const [what, prepare, code, message] of sources) {
    it(`refuses ${what}`, async () => {
      const place = path.join(folder, 'place');
      await mkdir(place);
      const source = await prepare(place);
      const error = await refusal(openModelSource(source).then((found) => store.install(found)));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.deepEqual(
        (await store.list()).filter(({ origin }) => origin === 'added'),
        [],
      );
    });
  }

  it('makes ids of file names', () => {
    for (const [name, id] of [
      ['RealESRGAN_x4plus', 'realesrgan-x4plus'],
      ['4x-UltraSharp (v2)', '4x-ultrasharp-v2'],
      ['..', 'network'],
      ['模型', 'network'],
    ] as const) {
      assert.equal(modelIdOf(name), id);
    }
  });

  it('lies where the platform keeps caches, unless told otherwise', () => {
    assert.equal(
      installedModelsFolder({ PROGRESSIVE_RESTORATION_MODELS: '/data/models' }),
      path.resolve('/data/models'),
    );
    const usual = installedModelsFolder({ XDG_CACHE_HOME: '/cache', LOCALAPPDATA: 'C:\\Local' });
    assert.match(usual, /progressive-restoration[\\/]models$/);
    if (process.platform === 'linux') {
      assert.equal(usual, '/cache/progressive-restoration/models');
      const home = path.join(os.homedir(), '.cache/progressive-restoration/models');
      assert.equal(installedModelsFolder({ XDG_CACHE_HOME: 'relative' }), home);
    }
  });

  describe('from the net', () => {
    let server: FileServer;
    const bytes = writeOnnxModel(NETWORKS.identity);
    beforeEach(async () => {
      server = await FileServer.start();
    });
    afterEach(() => server.close());

    function publish(manifest: Record<string, unknown> = {}): string {
      server.serve('/models/a/network.onnx', { body: bytes });
      const json = { ...networkManifest(bytes), id: 'a', ...manifest };
      return server.serve('/models/a/manifest.json', { body: JSON.stringify(json) });
    }

    it('fetches the files beside the manifest, or where it says', async () => {
      const source = await openModelSource(publish(), QUICK);
      assert.deepEqual(
        [source.offer.hosts, source.offer.bytes, source.offer.downloadBytes, source.offer.license],
        [[new URL(server.origin).host], bytes.length, bytes.length, 'CC0-1.0'],
      );
      assert.equal(server.seen.length, 1, 'a look fetches the manifest alone');
      const told: [number, number][] = [];
      const entry = await store.install(source, { ...QUICK, onProgress: (done, total) => told.push([done, total]) });
      assert.deepEqual(told.at(-1), [bytes.length, bytes.length]);
      assert.ok((await store.verify(entry.id)).every(({ ok }) => ok));
      assert.deepEqual(await readdir(path.join(root, '.downloads')), []);
      const url = server.serve('/elsewhere/weights', { body: bytes });
      const files = { network: { path: 'network.onnx', sha256: sha256(bytes), bytes: bytes.length, url } };
      await store.install(await openModelSource(publish({ id: 'b', files }), QUICK), QUICK);
      assert.equal(server.seen.at(-1)?.path, '/elsewhere/weights');
    });

    it('goes on with a half download, and adds nothing before it is whole', async () => {
      const url = publish();
      server.serve('/models/a/network.onnx', { body: bytes, cut: { after: 20, times: 99 } });
      assert.equal((await refusal(store.install(await openModelSource(url, QUICK), QUICK))).code, 'download-failed');
      assert.deepEqual(
        (await store.list()).filter(({ origin }) => origin === 'added'),
        [],
      );
      await assertTidy();
      server.serve('/models/a/network.onnx', { body: bytes });
      await store.install(await openModelSource(url, QUICK), QUICK);
      assert.match(server.seen.at(-1)?.range ?? '', /^bytes=[1-9]\d*-$/);
      assert.ok((await store.verify('a')).every(({ ok }) => ok));
    });

    it('refuses what is not what the manifest says', async () => {
      const url = publish();
      server.serve('/models/a/network.onnx', { body: Buffer.alloc(bytes.length) });
      assert.match((await refusal(store.install(await openModelSource(url, QUICK), QUICK))).message, /another SHA-256/);
      assert.deepEqual(await readdir(path.join(root, '.downloads')), []);
    });

    const hostile: [string, Record<string, unknown>, RegExp][] = [
      ['a path that climbs', { path: '../../evil.onnx' }, /has to stay inside/],
      ['an absolute path', { path: '/tmp/evil.onnx' }, /has to stay inside/],
      ['its own manifest as a file', { path: 'manifest.json' }, /has to stay inside/],
      ['a hidden file', { path: '.bashrc' }, /has to stay inside/],
      ['an address that is not https', { url: 'http://example.org/a.onnx' }, /has to begin with https/],
      ['an address of a file', { url: 'file:///etc/passwd' }, /has to begin with https/],
      ['a size beyond all disks', { bytes: 2 ** 41 }, /needs \d+ MiB/],
      ['a size that is no number', { bytes: 1e300 }, /whole number/],
    ];
    for (const [what, change, message] of hostile) {
      it(`refuses ${what}`, async () => {
        const file = { path: 'network.onnx', sha256: sha256(bytes), bytes: bytes.length, ...change };
        const url = publish({ files: { network: file } });
        const error = await refusal(openModelSource(url, QUICK).then((source) => store.install(source, QUICK)));
        assert.match(error.message, message);
        assert.deepEqual(
          (await store.list()).filter(({ origin }) => origin === 'added'),
          [],
        );
      });
    }
  });
});
