import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { RestorationError } from '../../../src/protocol';
import {
  assureSpace,
  downloadText,
  downloadVerified,
  type DownloadOptions,
} from '../../../src/restoration/models/download';
import { checkUrl, get, proxyFor } from '../../../src/restoration/models/http-request';
import { FileServer, type Served } from './file-server';
import { sha256 } from './test-network';

/** Bytes that compress badly and repeat nowhere, so that a wrong seam shows. */
function content(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    bytes[i] = state >> 16;
  }
  return bytes;
}

const QUICK: DownloadOptions = { attempts: 3, pauseMilliseconds: 5, idleMilliseconds: 2_000 };

async function refusal(work: Promise<unknown>): Promise<RestorationError> {
  const error = await work.then(
    () => assert.fail('it went through'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RestorationError, String(error));
  assert.doesNotMatch(error.message, /undefined|\[object/);
  return error;
}

describe('downloads', () => {
  let folder: string;
  let part: string;
  let server: FileServer;
  const body = content(300_000);
  const expected = { bytes: body.length, sha256: sha256(body) };

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-download-'));
    part = path.join(folder, 'weights.part');
    server = await FileServer.start();
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function assertWhole(): Promise<void> {
    assert.deepEqual(await readFile(part), body);
    assert.deepEqual(await readdir(folder), ['weights.part'], 'nothing else is left');
  }

  it('arrive whole and verified, and tell how far they are', async () => {
    const told: number[] = [];
    const onProgress = (received: number, total: number): void => {
      assert.equal(total, body.length);
      told.push(received);
    };
    await downloadVerified(server.serve('/a.onnx', { body }), part, expected, { ...QUICK, onProgress });
    await assertWhole();
    assert.equal(told[0], 0);
    assert.equal(told.at(-1), body.length);
    assert.deepEqual(
      told,
      [...told].sort((a, b) => a - b),
    );
  });

  it('go on by themselves after a lost connection', async () => {
    await downloadVerified(server.serve('/a', { body, cut: { after: 100_000, times: 2 } }), part, expected, QUICK);
    await assertWhole();
    // What was under way when the connection broke may be lost, but never asked for twice without need.
    const starts = server.seen.map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]));
    assert.equal(starts.length, 3);
    assert.ok(
      starts[0] === 0 && (starts[1] as number) > 0 && (starts[2] as number) > (starts[1] as number),
      starts.join(),
    );
    assert.ok(server.seen[1]?.ifRange, 'only if the file is still the same');
  });

  it('keep the half for the next call when the server stays away', async () => {
    const url = server.serve('/a', { body, cut: { after: 50_000, times: 99 } });
    const error = await refusal(downloadVerified(url, part, expected, QUICK));
    assert.equal(error.code, 'download-failed');
    assert.match(error.message, /connection to 127\.0\.0\.1:\d+ (failed|ended).*kept/);
    const { size } = await stat(part);
    assert.ok(size > 0 && size <= 150_000, `${size} bytes`);
    server.seen.length = 0;
    server.serve('/a', { body });
    await downloadVerified(url, part, expected, QUICK);
    await assertWhole();
    assert.deepEqual(
      server.seen.map(({ range }) => range),
      [`bytes=${size}-`],
    );
  });

  it('begin again when the server does not continue, or has another file by now', async () => {
    const url = server.serve('/a', { body, ranges: false, cut: { after: 100_000, times: 1 } });
    await downloadVerified(url, part, expected, QUICK);
    await assertWhole();
    for (const etag of ['"of the old file"', null]) {
      await rm(part);
      server.serve('/a', { body: content(300_000, 2), etag, cut: { after: 100_000, times: 99 } });
      await refusal(downloadVerified(url, part, expected, QUICK));
      assert.ok((await stat(part)).size > 0);
      server.serve('/a', { body, ...(etag === null ? { etag } : {}) });
      await downloadVerified(url, part, expected, QUICK);
      await assertWhole();
    }
  });

  it('of which all had come already are only verified', async () => {
    const url = server.serve('/a', { body });
    await writeFile(part, body);
    await writeFile(`${part}.json`, JSON.stringify({ url }));
    await downloadVerified(url, part, expected, QUICK);
    assert.equal(server.seen.length, 0);
    await assertWhole();
  });

  it('do not trust a half of another address, or a damaged note of it', async () => {
    const url = server.serve('/a', { body });
    for (const note of ['{"url": "https://elsewhere.example/a"}', 'null', '{', '[]']) {
      await writeFile(part, content(1000, 9));
      await writeFile(`${part}.json`, note);
      await downloadVerified(url, part, expected, QUICK);
      await assertWhole();
    }
  });

  it('survive a killed process and go on in the next', async () => {
    const url = server.serve('/a', { body, slow: 100 });
    const script = `
      const { downloadVerified } = require(${JSON.stringify(path.resolve(__dirname, '../../../src/restoration/models/download.ts'))});
      downloadVerified(${JSON.stringify(url)}, ${JSON.stringify(part)}, ${JSON.stringify(expected)});
    `;
    const child = spawn(process.execPath, ['--require', 'tsx/cjs', '-e', script], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for (;;) {
      if (((await stat(part).catch(() => undefined))?.size ?? 0) > 60_000) break;
      assert.equal(child.exitCode, null, 'the process that downloads is still there');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    child.kill('SIGKILL');
    await ended;
    const { size } = await stat(part);
    assert.ok(size < body.length);
    assert.ok((await readdir(folder)).includes('weights.part.lock'), 'it could not clean up');
    server.seen.length = 0;
    server.serve('/a', { body });
    await downloadVerified(url, part, expected, QUICK);
    await assertWhole();
    assert.match(server.seen[0]?.range ?? '', /^bytes=[1-9]\d*-$/);
  });

  it('that are cancelled keep what has come', async () => {
    const controller = new AbortController();
    const onProgress = (received: number): void => {
      if (received > 30_000) controller.abort();
    };
    const url = server.serve('/a', { body, slow: 100 });
    const error = await refusal(
      downloadVerified(url, part, expected, { ...QUICK, signal: controller.signal, onProgress }),
    );
    assert.equal(error.code, 'cancelled');
    const { size } = await stat(part);
    assert.ok(size > 30_000 && size < body.length);
    server.serve('/a', { body });
    await downloadVerified(url, part, expected, QUICK);
    await assertWhole();
  });

  it('of one file do not run twice at a time', async () => {
    const url = server.serve('/a', { body, slow: 200 });
    const first = downloadVerified(url, part, expected, QUICK);
    assert.match(
      (await refusal(downloadVerified(url, part, expected, QUICK))).message,
      /Another process is downloading/,
    );
    await first;
    await assertWhole();
    await writeFile(`${part}.lock`, String(process.ppid));
    assert.match(
      (await refusal(downloadVerified(url, part, expected, QUICK))).message,
      /Another process is downloading/,
    );
  });

  const damaged: [string, Served, RegExp, number][] = [
    ['of another content', { body: content(300_000, 7) }, /another SHA-256 than was promised; it was deleted/, 1],
    ['larger than promised', { body: content(300_001) }, /has 300001 bytes; the manifest says 300000/, 1],
    ['smaller than promised', { body: content(299_999) }, /has 299999 bytes; the manifest says 300000/, 1],
    ['that do not exist', { body: '', status: 404 }, /answered 404 for .*\/a\. Check the address/, 1],
    ['that are forbidden', { body: '', status: 403 }, /answered 403/, 1],
    ['of a broken server', { body: '', status: 503 }, /answered 503.*Try again later/, 3],
    ['that are compressed', { body, headers: { 'content-encoding': 'gzip' } }, /sent the file compressed \(gzip\)/, 1],
    [
      'that are redirected to an open connection',
      { body: '', status: 302, headers: { location: 'http://example.com/a' } },
      /redirects to http:\/\/example\.com\/a, which is not https/,
      1,
    ],
    [
      'that lead in a circle',
      { body: '', status: 302, headers: { location: '/a' } },
      /redirected more than 5 times/,
      6,
    ],
    [
      'that are redirected to a file',
      { body: '', status: 302, headers: { location: 'file:///etc/passwd' } },
      /which is not https/,
      1,
    ],
  ];
  for (const [what, served, message, requests] of damaged) {
    it(`are refused: ${what}`, async () => {
      const error = await refusal(downloadVerified(server.serve('/a', served), part, expected, QUICK));
      assert.equal(error.code, 'download-failed');
      assert.match(error.message, message);
      assert.equal(server.seen.length, requests, 'only what may pass is tried again');
      assert.equal((await stat(part).catch(() => undefined))?.size ?? 0, 0, 'nothing of it is kept');
    });
  }

  it('grow to their size and not beyond, whatever the server says', async () => {
    const url = server.serve('/a', { body: content(400_000), length: false });
    const error = await refusal(downloadVerified(url, part, expected, { ...QUICK, attempts: 1 }));
    assert.match(error.message, /is larger than the 300000 bytes that the manifest says/);
    assert.equal(await stat(part).catch(() => undefined), undefined);
  });

  it('give up on a silent server', async () => {
    const options = { attempts: 2, pauseMilliseconds: 5, idleMilliseconds: 150 };
    const error = await refusal(downloadVerified(server.serve('/a', { body, silent: true }), part, expected, options));
    assert.match(error.message, /sent nothing for|failed/);
    assert.equal(server.seen.length, 2);
  });

  it('follow redirects, and remember the address that was asked', async () => {
    server.serve('/real', { body, cut: { after: 100_000, times: 1 } });
    const url = server.serve('/a', { body: '', status: 307, headers: { location: '/real?signature=1' } });
    server.serve('/real?signature=1', { body, cut: { after: 100_000, times: 1 } });
    await downloadVerified(url, part, expected, QUICK);
    await assertWhole();
    assert.match(server.seen.at(-1)?.range ?? '', /^bytes=[1-9]\d*-$/);
  });

  it('of texts are limited', async () => {
    const url = server.serve('/m.json', { body: '{"schema": 1}' });
    assert.equal((await downloadText(url, 100, QUICK)).text, '{"schema": 1}');
    assert.match((await refusal(downloadText(url, 5, QUICK))).message, /holds more than 5 bytes/);
    assert.match((await refusal(downloadText(`${server.origin}/none`, 5, QUICK))).message, /answered 404/);
  });

  it('do not begin when the disk is too small', async () => {
    const error = await refusal(assureSpace(folder, 2 ** 60));
    assert.equal(error.code, 'unwritable');
    assert.match(error.message, /needs \d+ MiB in .*; \d+ MiB are free/);
  });

  it('cannot be written into a file', async () => {
    await writeFile(path.join(folder, 'file'), 'x');
    const url = server.serve('/a', { body });
    const error = await refusal(downloadVerified(url, path.join(folder, 'file', 'a.part'), expected, QUICK));
    assert.equal(error.code, 'unwritable');
  });

  const addresses: [string, boolean][] = [
    ['https://example.org/m.json', true],
    ['http://localhost:8080/m.json', true],
    ['http://127.0.0.1/m.json', true],
    ['http://[::1]:1/m.json', true],
    ['http://example.org/m.json', false],
    ['http://127.0.0.1.example.org/', false],
    ['https://me:secret@example.org/m.json', false],
    ['ftp://example.org/m.json', false],
    ['file:///etc/passwd', false],
    ['javascript:alert(1)', false],
    ['nonsense', false],
  ];
  for (const [address, allowed] of addresses) {
    it(`${allowed ? 'may' : 'may not'} come from ${address}`, () => {
      if (allowed) return void assert.equal(checkUrl(address).href, new URL(address).href);
      assert.throws(() => checkUrl(address), { code: 'bad-argument' });
    });
  }

  it('from any address whatever are refused or https', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), fc.string()), (address) => {
        try {
          const { protocol, hostname } = checkUrl(address);
          assert.ok(
            protocol === 'https:' || hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]',
          );
        } catch (error) {
          assert.ok(error instanceof RestorationError, String(error));
        }
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  const proxies: [string, NodeJS.ProcessEnv, string | undefined][] = [
    ['https://example.org/', {}, undefined],
    ['https://example.org/', { HTTPS_PROXY: 'http://proxy:3128' }, 'http://proxy:3128/'],
    ['https://example.org/', { https_proxy: 'proxy:3128' }, 'http://proxy:3128/'],
    ['https://example.org/', { HTTPS_PROXY: 'http://proxy:1', NO_PROXY: 'a.com, example.org' }, undefined],
    ['https://cdn.example.org/', { HTTPS_PROXY: 'http://proxy:1', NO_PROXY: '.example.org' }, undefined],
    ['https://notexample.org/', { HTTPS_PROXY: 'http://proxy:1', NO_PROXY: 'example.org' }, 'http://proxy:1/'],
    ['https://example.org/', { HTTPS_PROXY: 'http://proxy:1', no_proxy: '*' }, undefined],
    ['https://localhost/', { HTTPS_PROXY: 'http://proxy:1' }, undefined],
  ];
  for (const [address, env, proxy] of proxies) {
    it(`take the proxy ${proxy ?? 'none'} for ${address} with ${JSON.stringify(env)}`, () => {
      assert.equal(proxyFor(new URL(address), env)?.href, proxy);
    });
  }

  it('ask a proxy for a tunnel, and say when it refuses', async () => {
    const asked: string[] = [];
    const proxy: Server = createServer();
    proxy.on('connect', (request, socket) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = proxy.address() as AddressInfo;
      const env = { HTTPS_PROXY: `http://me:pass@127.0.0.1:${port}` };
      const error = await refusal(get('https://example.org/m.json', { idleMilliseconds: 2_000, env }));
      assert.match(error.message, /proxy 127\.0\.0\.1:\d+ did not let the connection to example\.org through \(407\)/);
      assert.deepEqual(asked, [`example.org:443 Basic ${Buffer.from('me:pass').toString('base64')}`]);
    } finally {
      proxy.close();
    }
  });
});
