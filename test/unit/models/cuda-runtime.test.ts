import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { RestorationError } from '../../../src/protocol';
import {
  coreRuntime,
  existingCudaRuntime,
  findCudaRuntime,
  installCudaRuntime,
  installedCudaRuntime,
  isCudaPlatform,
  libraryPath,
  linkCudaRuntime,
  missingCudaLibraries,
  verifyCudaRuntime,
} from '../../../src/restoration/models/cuda-runtime';
import { providerLibrary, serveCudaFeed } from './cuda-feed';
import { FileServer } from './file-server';

async function rejection(promise: Promise<unknown>): Promise<RestorationError> {
  const error = await promise.then(
    () => assert.fail('it should have been rejected'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RestorationError, String(error));
  return error;
}

// Elsewhere onnxruntime has no CUDA libraries, and that is what the code says.
const describeCuda = isCudaPlatform() ? describe : undefined;

if (describeCuda === undefined) {
  describe('CUDA libraries', () => {
    it('are refused on a system that has none', async () => {
      assert.equal((await rejection(findCudaRuntime())).code, 'device-unavailable');
    });
  });
}

describeCuda?.('CUDA libraries', () => {
  let folder: string;
  let root: string;
  let server: FileServer;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-cuda-'));
  });
  beforeEach(async () => {
    server = await FileServer.start();
    root = await mkdtemp(path.join(folder, 'root-'));
  });
  afterEach(() => server.close());
  after(() => rm(folder, { recursive: true, force: true }));

  it('come from the feed after a look at size and hash, are verified and unpacked', async () => {
    const feed = serveCudaFeed(server);
    const offer = await findCudaRuntime(feed.index);
    assert.deepEqual(
      [offer.bytes, offer.version, offer.libraries],
      [
        feed.archive.length,
        coreRuntime().version,
        Object.keys(feed.libraries).sort((a, b) => offer.libraries.indexOf(a) - offer.libraries.indexOf(b)),
      ],
    );
    assert.ok(!server.seen.some(({ path: asked }) => asked === feed.archivePath), 'nothing large came yet');
    assert.equal(await installedCudaRuntime(root), undefined);
    let last = 0;
    const runtime = await installCudaRuntime(offer, root, { onProgress: (done) => (last = done) });
    assert.equal(last, feed.archive.length);
    for (const [name, content] of Object.entries(feed.libraries)) {
      assert.ok((await readFile(path.join(runtime.folder, name))).equals(content), name);
    }
    assert.deepEqual((await readdir(root)).sort(), ['.downloads', coreRuntime().version]);
    assert.deepEqual(await readdir(path.join(root, '.downloads')), []);
    assert.deepEqual(await installedCudaRuntime(root), runtime);
    assert.deepEqual(await verifyCudaRuntime(runtime), []);
    const name = 'libonnxruntime_providers_shared.so';
    await writeFile(path.join(runtime.folder, name), 'SHARED');
    assert.deepEqual(await verifyCudaRuntime(runtime), [name]);
    await appendFile(path.join(runtime.folder, name), 'x');
    assert.equal(await installedCudaRuntime(root), undefined, 'another size is noticed without hashing');
  });

  it('go on where a lost connection left them', async () => {
    const feed = serveCudaFeed(server, { archive: { cut: { after: 100_000, times: 1 } } });
    const offer = await findCudaRuntime(feed.index);
    await installCudaRuntime(offer, root, { pauseMilliseconds: 1 });
    const asked = server.seen.filter(({ path: one }) => one === feed.archivePath);
    assert.equal(asked.length, 2);
    assert.match(asked[1]?.range ?? '', /^bytes=[1-9]\d*-$/);
  });

  it('are kept as far as they came when the user cancels', async () => {
    const feed = serveCudaFeed(server, { archive: { slow: 20 } });
    const offer = await findCudaRuntime(feed.index);
    const controller = new AbortController();
    const stopped = await rejection(
      installCudaRuntime(offer, root, {
        signal: controller.signal,
        onProgress: (done) => done > 0 && controller.abort(),
      }),
    );
    assert.equal(stopped.code, 'cancelled');
    assert.equal(await installedCudaRuntime(root), undefined);
    server.serve(feed.archivePath, { body: feed.archive });
    await installCudaRuntime(offer, root);
    assert.match(server.seen.at(-1)?.range ?? '', /^bytes=[1-9]\d*-$/);
  });

  it('of another content than the feed says are not installed', async () => {
    const feed = serveCudaFeed(server, { sha512: Buffer.alloc(64, 1).toString('base64') });
    const error = await rejection(findCudaRuntime(feed.index).then((offer) => installCudaRuntime(offer, root)));
    assert.equal(error.code, 'download-failed');
    assert.match(error.message, /another SHA-512 than was promised/);
    assert.equal(await installedCudaRuntime(root), undefined);
    assert.deepEqual(await readdir(path.join(root, '.downloads')), []);
  });

  it('are refused when a feed does not say their hash, names another protocol, or sends no feed at all', async () => {
    const feed = serveCudaFeed(server, { sha512: null });
    assert.match((await rejection(findCudaRuntime(feed.index))).message, /does not say the SHA-512/);
    const index = server.serve('/ftp.json', {
      body: JSON.stringify({ resources: [{ '@id': 'ftp://example.org/', '@type': 'RegistrationsBaseUrl' }] }),
    });
    assert.match((await rejection(findCudaRuntime(index))).message, /only https/);
    for (const body of ['<html>', '[]', '{"resources": 4}']) {
      const error = await rejection(findCudaRuntime(server.serve('/odd.json', { body })));
      assert.match(error.message, /did not answer as a package feed does/, body);
    }
  });

  it('that are incomplete, of another version or no archive leave what was there', async () => {
    const first = serveCudaFeed(server);
    const runtime = await installCudaRuntime(await findCudaRuntime(first.index), root);
    const cases: [Record<string, Uint8Array>, RegExp][] = [
      [{ 'libonnxruntime_providers_shared.so': Buffer.from('x') }, /providers_cuda\.so is not in it/],
      [{ ...first.libraries, 'libonnxruntime_providers_cuda.so': providerLibrary('1.2.3') }, /are not of onnxruntime/],
    ];
    for (const [files, message] of cases) {
      const feed = serveCudaFeed(server, { files });
      const error = await rejection(findCudaRuntime(feed.index).then((offer) => installCudaRuntime(offer, root)));
      assert.match(error.message, message);
      assert.deepEqual(await installedCudaRuntime(root), runtime);
      assert.deepEqual(await verifyCudaRuntime(runtime), []);
      assert.ok(!(await readdir(root)).includes('.staging'));
    }
  });

  it('are found in folders that others made, and refused when of another version', async () => {
    const capi = path.join(root, 'site-packages', 'onnxruntime', 'capi');
    await mkdir(capi, { recursive: true });
    await writeFile(path.join(capi, 'libonnxruntime_providers_cuda.so'), providerLibrary());
    await writeFile(path.join(capi, 'libonnxruntime_providers_shared.so'), 'shared');
    for (const given of [capi, path.dirname(capi), path.join(root, 'site-packages')]) {
      assert.equal((await existingCudaRuntime(given)).folder, capi);
    }
    const missing = await rejection(existingCudaRuntime(root));
    assert.equal(missing.code, 'missing-file');
    await writeFile(path.join(capi, 'libonnxruntime_providers_cuda.so'), providerLibrary('1.22.0'));
    const other = await rejection(existingCudaRuntime(capi));
    assert.equal(other.code, 'bad-argument');
    assert.ok(other.message.includes(`onnxruntime ${coreRuntime().version}`));
  });

  it('and the folders beside them are what onnxruntime loads from', async () => {
    const capi = path.join(root, 'python', 'onnxruntime', 'capi');
    const cublas = path.join(root, 'python', 'nvidia', 'cublas', 'lib');
    await mkdir(capi, { recursive: true });
    await mkdir(cublas, { recursive: true });
    await writeFile(path.join(capi, 'libonnxruntime_providers_cuda.so'), providerLibrary());
    // Loaded before the CUDA provider: a library without dependencies of its own.
    await cp(coreRuntime().library, path.join(capi, 'libonnxruntime_providers_shared.so'));
    const runtime = await existingCudaRuntime(capi);
    // What the stand-in needs is the core library, which lies beside it only in the folder of links.
    assert.deepEqual(await missingCudaLibraries(runtime, []), ['libonnxruntime.so.1']);
    const search = await linkCudaRuntime(runtime, path.join(root, 'links'));
    assert.deepEqual(search.slice(1), [cublas]);
    assert.deepEqual(await missingCudaLibraries(runtime, search), []);
    const [links = ''] = search;
    assert.equal(await realpath(path.join(links, 'libonnxruntime.so.1')), await realpath(coreRuntime().library));
    assert.deepEqual(await linkCudaRuntime(runtime, path.join(root, 'links')), search, 'again, nothing changes');

    const script = `require(${JSON.stringify(require.resolve('onnxruntime-node'))}).InferenceSession.create(
      ${JSON.stringify(path.resolve(__dirname, '../../../models/compact/text.onnx'))}, { executionProviders: ['cuda'] })`;
    const env = { ...process.env, LD_LIBRARY_PATH: libraryPath(search) };
    const { stderr } = await promisify(execFile)(process.execPath, ['-e', `${script}.catch(() => undefined)`], { env });
    assert.ok(stderr.includes(path.join(links, 'libonnxruntime_providers_')), stderr.slice(0, 600));
  });
});
