import assert from 'node:assert/strict';
import { packRun } from '../../src/restoration/run/pack-run';
import type { RunView } from '../../src/protocol';
import type { Strip } from '../../webview/strip/strip';
import { losslessWebpSize } from '../../webview/strip/unpack';
import { stripBundle } from './support/bundles';
import { cut, pixelsOfUrl } from './support/embedded';
import { mountStrip, settled } from './support/mounted-strip';
import { runningAfter, sampleRun, type Sample } from './support/run-view';
import { Site } from './support/site';

/** The policy of notebooks with VS Code's setting `notebook.experimental.enableCsp`. */
const NOTEBOOK_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' https: http: data:; font-src 'self' https:; connect-src https:; child-src https: data:";

describe('strip of a saved run', () => {
  let site: Site;
  let sample: Sample;
  let packed: RunView;

  before(async () => {
    sample = await sampleRun();
    packed = await packRun(sample.view);
    site = await Site.open({ 'strip.mjs': await stripBundle() });
  });
  after(() => site.close());

  const pictures = (page: Awaited<ReturnType<typeof mountStrip>>['page']): Promise<(string | null)[]> =>
    page.locator('.frame img').evaluateAll((images) => images.map((image) => image.getAttribute('src')));

  it('is a fraction of the run as it came', () => {
    assert.ok(packed.cropSheet !== undefined);
    assert.ok(packed.pictures.slice(1, -1).every(({ thumbnail }) => thumbnail === undefined));
    assert.ok(JSON.stringify(packed).length < 0.7 * JSON.stringify(sample.view).length);
  });

  for (const policy of [undefined, NOTEBOOK_POLICY]) {
    it(`shows the very pixels of the frames ${policy === undefined ? 'without' : 'under'} a policy`, async () => {
      const { page, problems } = await mountStrip(site, packed, { policy });
      const { region, frames } = packed.record;
      assert.ok(region);
      const shown = await pictures(page);
      assert.equal(shown.length, 9);
      for (const [at, frame] of frames.entries()) {
        const crop = await pixelsOfUrl(shown[at] ?? '');
        const whole = await pixelsOfUrl(sample.files.get(frame.file) ?? '');
        assert.deepEqual([crop.width, crop.height], [region.width, region.height]);
        assert.ok(Buffer.from(crop.data).equals(Buffer.from(cut(whole, region))), `frame ${frame.index}`);
      }
      const reference = await pixelsOfUrl((await page.locator('.reference img').getAttribute('src')) ?? '');
      const whole = await pixelsOfUrl(sample.files.get(packed.reference?.file ?? '') ?? '');
      assert.ok(Buffer.from(reference.data).equals(Buffer.from(cut(whole, region))));
      assert.deepEqual(problems, []);
    });
  }

  it('measures the region as the run that came did', async () => {
    const values = async (view: RunView): Promise<string[]> => {
      const { page } = await mountStrip(site, view, {});
      await page.getByRole('button', { name: 'region', exact: true }).click();
      return page.locator('.curve .value').allTextContents();
    };
    const expected = await values(sample.view);
    assert.ok(expected.length >= 18);
    assert.deepEqual(await values(packed), expected);
  });

  it('shows every frame whole, close to its thumbnail', async () => {
    const { page, problems } = await mountStrip(site, packed, {});
    await page.getByRole('button', { name: 'Fit', exact: true }).click();
    const shown = await pictures(page);
    for (const [at, { thumbnail }] of sample.view.pictures.entries()) {
      const [a, b] = [await pixelsOfUrl(shown[at] ?? ''), await pixelsOfUrl(thumbnail ?? '')];
      assert.deepEqual([a.width, a.height], [b.width, b.height]);
      const error = a.data.reduce((sum, sample, i) => sum + (sample - b.data[i]!) ** 2, 0) / a.data.length;
      assert.ok(error < 40, `frame ${at + 1}: ${error.toFixed(1)}`);
    }
    assert.deepEqual(problems, []);
  });

  it('goes on showing what it showed when a run ends', async () => {
    const { page, update } = await mountStrip(site, runningAfter(sample, 9), { files: sample.files });
    const before = await pictures(page);
    const gaps = page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const root = document.querySelector('.progressive-restoration-strip')?.shadowRoot;
          let empty = 0;
          const observer = new MutationObserver(() => {
            empty += root?.querySelectorAll('.frame .window.empty').length ?? 0;
          });
          if (root) observer.observe(root, { subtree: true, attributes: true, childList: true });
          setTimeout(() => resolve(empty), 500);
        }),
    );
    await update(packed);
    assert.equal(await gaps, 0);
    await settled(page);
    assert.deepEqual(await pictures(page), before, 'nothing had to be worked out again');
  });

  it('works out nothing of strips that are far from what is seen', async () => {
    const { page, problems } = await mountStrip(site, packed, {});
    const second = page.locator('.progressive-restoration-strip').nth(1);
    await page.evaluate(async (text) => {
      const address = '/strip.mjs';
      const { createStrip } = (await import(address)) as { createStrip: (container: HTMLElement) => Strip };
      const far = document.createElement('div');
      far.style.marginTop = '5000px';
      document.body.append(far);
      createStrip(far).update(JSON.parse(text));
    }, JSON.stringify(packed));
    const crops = second.locator('.frame img[src]');
    await page.waitForTimeout(500);
    assert.equal(await crops.count(), 0);
    assert.equal(await second.locator('.curve.psnr .point').count(), 9, 'the numbers are there at once');
    const height = await second.evaluate((element) => element.getBoundingClientRect().height);
    await second.scrollIntoViewIfNeeded();
    await page.waitForFunction(
      () =>
        document.querySelectorAll('.progressive-restoration-strip')[1]?.shadowRoot?.querySelectorAll('.frame img[src]')
          .length === 9,
    );
    const after = await second.evaluate((element) => element.getBoundingClientRect().height);
    assert.ok(Math.abs(after - height) <= 1, 'nothing below has moved');
    assert.deepEqual(problems, []);
  });

  it('shows several saved runs', async () => {
    const { page, problems } = await mountStrip(site, { ...packed, others: [packed] }, {});
    const shown = await pictures(page);
    assert.equal(shown.length, 18);
    assert.ok(shown.every((src) => src?.startsWith('data:image/png;base64,')));
    assert.deepEqual(problems, []);
  });

  describe('with a hostile sheet', () => {
    const bytes = (): Buffer => Buffer.from((packed.cropSheet?.picture ?? '').split(',')[1] ?? '', 'base64');
    const header = (width: number, height: number): Buffer => {
      const made = bytes();
      made.writeUInt32LE((width - 1) | ((height - 1) << 14), 21);
      return made;
    };
    const sheets: [string, () => Buffer][] = [
      ['that is no WebP', () => Buffer.from('not a picture at all, whatever its address says')],
      ['that is cut off', () => bytes().subarray(0, Math.floor(bytes().length / 2))],
      ['that is cut off in its head', () => bytes().subarray(0, 22)],
      ['of another width', () => header(127, 1280)],
      ['of another height', () => header(128, 1152)],
      ['of a billion pixels', () => header(16384, 16384)],
      ['that is a PNG', () => Buffer.from((sample.files.values().next().value ?? '').split(',')[1] ?? '', 'base64')],
      [
        'with noise behind its head',
        () => {
          const made = bytes();
          for (let i = 25; i < made.length; i++) made[i] = (i * 7919) % 251;
          return made;
        },
      ],
    ];
    for (const [name, make] of sheets) {
      it(`${name} is said to be previews, and measured by nobody`, async () => {
        const picture = `data:image/webp;base64,${make().toString('base64')}`;
        const { page, problems } = await mountStrip(site, {
          ...packed,
          cropSheet: { ...packed.cropSheet!, picture },
        });
        assert.equal(await page.locator('.frame').count(), 9);
        assert.match(await page.locator('.previews').innerText(), /full frames are not there/);
        assert.equal(await page.getByRole('button', { name: 'region', exact: true }).count(), 0);
        assert.deepEqual(problems, []);
      });
    }

    it('knows the size of a sheet by its head', () => {
      assert.deepEqual(losslessWebpSize(bytes()), { width: 128, height: 1280 });
      assert.deepEqual(losslessWebpSize(header(16384, 16384)), { width: 16384, height: 16384 });
      assert.equal(losslessWebpSize(bytes().subarray(0, 24)), undefined);
    });
  });
});
