import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ActivationFunction, OutputItem } from 'vscode-notebook-renderer';
import { isRunView, RUN_MIME } from '../../src/protocol';
import { builtBundle } from './support/bundles';
import { pixelsOfUrl } from './support/embedded';
import { settled } from './support/mounted-strip';
import { Site, type Visit } from './support/site';

const DOCUMENT = path.resolve(__dirname, '../../docs/frames-from-elsewhere.md');

/** Frames of 96 x 64 pixels written with the standard library, from noise to a pattern; then the output of the documented function. */
const SCRIPT = `
import json, random, zlib

def png(width, height, pixel):
    rows = b"".join(b"\\0" + bytes(v for x in range(width) for v in pixel(x, y)) for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

dice = random.Random(1)
noise = [dice.randint(-60, 60) for _ in range(96 * 64)]
sharp = lambda x, y: (40 + 2 * x, 200 - y, 128)
frame = lambda share: png(96, 64, lambda x, y: tuple(max(0, min(255, round(v + share * noise[y * 96 + x]))) for v in sharp(x, y)))
frames = [frame(share) for share in (1, 0.5, 0.1)]
metrics = [{"psnr": 17.5 + i, "ssim": 0.5 + 0.1 * i} for i in range(3)]
print(json.dumps([strip_bundle(frames, png(96, 64, sharp), metrics, model="from Python"), strip_bundle(frames[:1])]))
`;

describe('a strip from Python', () => {
  let site: Site;
  let bundles: Record<string, unknown>[];

  before(async () => {
    const text = await readFile(DOCUMENT, 'utf8');
    const code = /```python\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    assert.ok(code.trim().split('\n').length <= 24, 'the documented function is short');
    const run = spawnSync('python3', ['-I', '-'], { input: `${code}\n${SCRIPT}`, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    bundles = JSON.parse(run.stdout) as Record<string, unknown>[];
    site = await Site.open({ 'renderer.mjs': await builtBundle('renderer') });
  });
  after(() => site.close());

  it('says that one frame without a reference has no numbers, and invents none', async () => {
    const { page, problems } = await shown(bundles[1]);
    assert.match(await page.locator('.facts').innerText(), /No reference was given, and the run has no numbers/);
    assert.equal(await page.locator('.curve').count(), 0);
    assert.equal(await page.locator('.frame').count(), 1);
    assert.deepEqual(problems, []);
  });

  it('has the published shape', () => {
    for (const bundle of bundles) assert.ok(isRunView(bundle[RUN_MIME]));
  });

  /** A page with the output in the renderer, as a notebook without the extension's own code shows it. */
  async function shown(bundle: Record<string, unknown> | undefined): Promise<Visit> {
    const visit = await site.visit({ height: 1200 });
    const { page } = visit;
    await page.evaluate(async (json) => {
      const address = '/renderer.mjs';
      const { activate } = (await import(address)) as { activate: ActivationFunction };
      const renderer = await activate({
        setState: () => undefined,
        getState: () => undefined,
        getRenderer: async () => undefined,
        workspace: { isTrusted: false },
      });
      const item = { id: 'a', json: () => JSON.parse(json) as unknown } as OutputItem;
      void renderer?.renderOutputItem(item, document.body, new AbortController().signal);
    }, JSON.stringify(bundle?.[RUN_MIME]));
    await settled(page);
    return visit;
  }

  it('is rendered without messaging, measured in its region and compared pixel by pixel', async () => {
    const { page, problems } = await shown(bundles[0]);
    assert.match(await page.locator('.title').innerText(), /from Python/);
    assert.deepEqual(await page.locator('.curve.psnr .value').allTextContents(), ['17.50', '18.50', '19.50']);
    const crop = await pixelsOfUrl((await page.locator('.frame img').first().getAttribute('src')) ?? '');
    assert.deepEqual([crop.width, crop.height], [32, 32]);
    await page.getByRole('button', { name: 'region', exact: true }).click();
    const psnr = (await page.locator('.curve.psnr .value').allTextContents()).map(Number);
    assert.ok(
      psnr.length === 3 && (psnr[0] ?? 0) + 4 < (psnr[1] ?? 0) && (psnr[1] ?? 0) + 8 < (psnr[2] ?? 0),
      psnr.join(),
    );
    await page.locator('.frame').nth(2).click();
    await page.locator('.compare').getByRole('button', { name: 'FLIP' }).click();
    await page.locator('.note-line', { hasText: 'mean FLIP 0.' }).waitFor();
    await site.screenshot(page, 'strip-from-python');
    assert.deepEqual(problems, []);
  });
});
