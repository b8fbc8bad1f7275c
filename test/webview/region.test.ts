import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { chooseRegion, createReference } from '../../src/measure';
import type { Region, RunView } from '../../src/protocol';
import { stripBundle } from './support/bundles';
import { cut, pixelsOfUrl } from './support/embedded';
import { mountStrip, settled } from './support/mounted-strip';
import { sampleRun, type Sample } from './support/run-view';
import { Site } from './support/site';

describe('region of the strip', () => {
  let site: Site;
  let sample: Sample;

  before(async () => {
    sample = await sampleRun({ frames: 3 });
    site = await Site.open({ 'strip.mjs': await stripBundle() });
  });
  after(() => site.close());

  const box = (page: Page): ReturnType<Page['locator']> => page.locator('.region-box');

  /** The region that the box names. */
  async function shown(page: Page): Promise<Region> {
    const words = (await box(page).getAttribute('aria-label')) ?? '';
    const [width = 0, height = 0, x = 0, y = 0] = (words.match(/\d+/g) ?? []).slice(0, 4).map(Number);
    return { x, y, width, height };
  }

  /** Every crop is the very pixels of its frame there. */
  async function assertCut(page: Page, region: Region): Promise<void> {
    const sources = await page
      .locator('.frame img')
      .evaluateAll((images) => images.map((image) => image.getAttribute('src') ?? ''));
    assert.equal(sources.length, sample.view.record.frames.length);
    for (const [at, source] of sources.entries()) {
      const crop = await pixelsOfUrl(source);
      const frame = await pixelsOfUrl(sample.files.get(sample.view.record.frames[at]?.file ?? '') ?? '');
      assert.deepEqual([crop.width, crop.height], [region.width, region.height]);
      assert.deepEqual(crop.data, cut(frame, region), `frame ${at + 1}`);
    }
  }

  it('is moved and resized with the arrow keys, and every frame is cut there pixel for pixel', async () => {
    const { page, problems } = await mountStrip(site, sample.view, { files: sample.files });
    await box(page).focus();
    for (const key of [
      'ArrowRight',
      'ArrowRight',
      'ArrowDown',
      'Alt+ArrowLeft',
      'Shift+ArrowLeft',
      'Shift+ArrowDown',
    ]) {
      await page.keyboard.press(key);
    }
    const region = { x: 165, y: 78, width: 120, height: 136 };
    assert.deepEqual(await shown(page), region);
    await settled(page);
    await assertCut(page, region);
    assert.ok((await page.locator('.facts').innerText()).includes('120×136 at 165, 78'));
    await page.keyboard.press('Home');
    await settled(page);
    assert.deepEqual(await shown(page), sample.view.record.region);
    const first = await page.locator('.frame img').first().getAttribute('src');
    assert.equal(first, sample.view.pictures[0]?.crop);
    assert.deepEqual(problems, []);
  });

  it('is dragged, resized at its corner and brought to where the picture is pressed', async () => {
    const { page } = await mountStrip(site, sample.view, { files: sample.files });
    const overview = await page.locator('.overview').boundingBox();
    const from = await box(page).boundingBox();
    assert.ok(overview && from);
    const scale = 420 / overview.width;
    await page.mouse.move(from.x + 20, from.y + 20);
    await page.mouse.down();
    await page.mouse.move(from.x - 10, from.y + 50, { steps: 6 });
    await page.mouse.up();
    const moved = await shown(page);
    assert.ok(
      Math.abs(moved.x - (150 - 30 * scale)) <= 2 && Math.abs(moved.y - (70 + 30 * scale)) <= 2,
      `${moved.x}, ${moved.y}`,
    );
    assert.deepEqual([moved.width, moved.height], [128, 128]);
    const corner = await page.locator('.corner').boundingBox();
    assert.ok(corner);
    await page.mouse.move(corner.x + 4, corner.y + 4);
    await page.mouse.down();
    await page.mouse.move(corner.x - 20, corner.y - 10, { steps: 4 });
    await page.mouse.up();
    const resized = await shown(page);
    assert.deepEqual([resized.x, resized.y], [moved.x, moved.y]);
    assert.ok(Math.abs(resized.width - (128 - 24 * scale)) <= 3, `${resized.width}`);
    await settled(page);
    await assertCut(page, resized);
    await page.mouse.click(overview.x + overview.width - 2, overview.y + 2);
    const pressed = await shown(page);
    assert.deepEqual([pressed.x + pressed.width, pressed.y], [420, 0]);
  });

  it('is measured anew where it is', async () => {
    const { page } = await mountStrip(site, sample.view, { files: sample.files });
    await box(page).focus();
    await page.keyboard.press('ArrowUp');
    await settled(page);
    await page.getByRole('button', { name: 'region', exact: true }).click();
    const region = { x: 150, y: 62, width: 128, height: 128 };
    const part = async (file: string | undefined): Promise<{ data: Uint8Array; width: number; height: number }> => {
      const pixels = await pixelsOfUrl(sample.files.get(file ?? '') ?? '');
      return { data: cut(pixels, region), width: 128, height: 128 };
    };
    const reference = createReference(await part(sample.view.reference?.file), { protocol: 'rgb', scale: 1 });
    const expected = await Promise.all(
      sample.view.record.frames.map(async ({ file }) => reference.measure(await part(file)).psnr.toFixed(2)),
    );
    assert.deepEqual(await page.locator('.curve.psnr .value').allTextContents(), expected);
  });

  it('shows previews and says so, and measures none of them, where the full frames are gone', async () => {
    const { page, problems } = await mountStrip(site, sample.view, { files: new Map() });
    assert.equal(await page.locator('.previews').isVisible(), false);
    await box(page).focus();
    await page.keyboard.press('ArrowDown');
    await settled(page);
    assert.match(await page.locator('.previews').innerText(), /full frames are not there/);
    assert.equal(await page.getByRole('button', { name: 'region', exact: true }).count(), 0);
    assert.ok(!(await page.locator('.facts').innerText()).includes('in the region'));
    await page.keyboard.press('Home');
    await settled(page);
    assert.equal(await page.locator('.previews').isVisible(), false);
    assert.deepEqual(problems, []);
  });

  it('starts where the frames differ most in a run that names no region and embeds its frames', async () => {
    const { record, pictures, reference } = sample.view;
    const whole = (file: string | undefined): string => sample.files.get(file ?? '') ?? '';
    const embedded: RunView = {
      ...sample.view,
      record: { ...record, region: undefined, frames: record.frames.map((frame) => ({ ...frame, file: '' })) },
      pictures: pictures.map(({ index }, at) => ({ index, thumbnail: whole(record.frames[at]?.file) })),
      reference: { thumbnail: whole(reference?.file) },
      framesFolder: undefined,
    };
    const { page, problems } = await mountStrip(site, embedded, {});
    const [first, last] = await Promise.all([0, 2].map((at) => pixelsOfUrl(whole(record.frames[at]?.file))));
    assert.ok(first && last);
    const region = chooseRegion(first, last);
    assert.deepEqual(await shown(page), region);
    await assertCut(page, region);
    assert.ok((await page.locator('.facts').innerText()).includes('in the region'));
    assert.deepEqual(problems, []);
  });

  it('has a place in one frame, in many and in narrow pictures', async () => {
    const [frame] = sample.view.record.frames;
    const [picture] = sample.view.pictures;
    assert.ok(frame && picture);
    const one = {
      ...sample.view,
      record: { ...sample.view.record, frames: [frame], best: undefined },
      pictures: [picture],
    };
    const { page, problems, update } = await mountStrip(site, one, { files: sample.files });
    assert.equal(await page.locator('.frame').count(), 1);
    assert.equal(await page.locator('.curve.psnr .point').count(), 1);
    for (const [width, height] of [
      [12, 900],
      [3000, 20],
    ] as const) {
      await update({
        ...one,
        record: {
          ...one.record,
          region: { x: 0, y: 0, width: Math.min(width, 16), height: Math.min(height, 16) },
          frames: [{ ...frame, width, height }],
        },
      });
      await settled(page);
      await box(page).focus();
      await page.keyboard.press('Shift+ArrowRight');
      await page.keyboard.press('ArrowDown');
      const region = await shown(page);
      assert.ok(region.x + region.width <= width && region.y + region.height <= height, JSON.stringify(region));
      await page.keyboard.press('Home');
      await settled(page);
    }
    assert.deepEqual(problems, []);
  });
});
