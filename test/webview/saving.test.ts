import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { isMadeFile } from '../../src/protocol';
import { stripBundle } from './support/bundles';
import { cut, pixelsOfUrl } from './support/embedded';
import { mountStrip } from './support/mounted-strip';
import { runningAfter, sampleRun, type Sample } from './support/run-view';
import { Site } from './support/site';

describe('saving and copying from the strip', () => {
  let site: Site;
  let sample: Sample;

  before(async () => {
    sample = await sampleRun({ frames: 3 });
    site = await Site.open({ 'strip.mjs': await stripBundle() });
  });
  after(() => site.close());

  async function pick(page: Page, menu: string, item: string): Promise<void> {
    await page.getByRole('button', { name: menu, exact: true }).click();
    await page.getByRole('menuitem', { name: item, exact: true }).click();
  }

  const decoded = (dataUrl: string): string =>
    Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64').toString();

  it('draws the crops pixel for pixel, twice as large, with their numbers', async () => {
    const { page, made, problems } = await mountStrip(site, sample.view, {});
    await pick(page, 'Save', 'Crops with numbers (PNG)…');
    await page.waitForFunction(() => (window as unknown as { made: unknown[] }).made.length === 1);
    const [[url, name] = ['', '']] = await made();
    assert.equal(name, 'cat-blurred.crops.png');
    assert.ok(isMadeFile(url));
    const figure = await pixelsOfUrl(url);
    // Every crop stands in the figure: its first row is looked for, every pixel doubled.
    const find = (crop: { data: Uint8Array; width: number }): { x: number; y: number } | undefined => {
      const row = cut({ data: crop.data, width: crop.width, height: 1 }, { x: 0, y: 0, width: crop.width, height: 1 });
      for (let y = 0; y < figure.height; y += 2) {
        for (let x = 0; x + crop.width * 2 <= figure.width; x += 2) {
          let at = 0;
          while (at < crop.width) {
            const from = (y * figure.width + x + 2 * at) * 3;
            if ([0, 1, 2].some((channel) => figure.data[from + channel] !== row[at * 3 + channel])) break;
            at++;
          }
          if (at === crop.width) return { x, y };
        }
      }
      return undefined;
    };
    const places: ({ x: number; y: number } | undefined)[] = [];
    for (const crop of [...sample.view.pictures.map((picture) => picture.crop), sample.view.reference?.crop]) {
      places.push(find(await pixelsOfUrl(crop ?? '')));
    }
    assert.ok(
      places.every((place) => place !== undefined && place.y === places[0]?.y),
      JSON.stringify(places),
    );
    const below = (places[0]?.y ?? 0) + 256;
    const ink = figure.data.slice(below * figure.width * 3).filter((value) => value < 100).length;
    assert.ok(ink > 3000, `${ink} dark samples under the crops`);
    assert.deepEqual(problems, []);
  });

  it('writes the table as Markdown and as CSV', async () => {
    const { page, made } = await mountStrip(site, sample.view, {});
    await pick(page, 'Save', 'Table (Markdown)…');
    await pick(page, 'Save', 'Table (CSV)…');
    const [[markdown, markdownName] = ['', ''], [csv, csvName] = ['', '']] = await made();
    assert.deepEqual([markdownName, csvName], ['cat-blurred.frames.md', 'cat-blurred.frames.csv']);
    const psnr = Number(sample.view.record.frames[1]?.psnr).toFixed(2);
    const lines = decoded(markdown).trimEnd().split('\n');
    assert.equal(lines.length, 5);
    assert.equal(new Set(lines.map((line) => line.split('|').length)).size, 1);
    assert.ok(lines[3]?.startsWith(`| 2 | 0.500 | ${psnr} |`), lines[3]);
    const rows = decoded(csv).trimEnd().split('\r\n');
    assert.equal(rows.length, 4);
    assert.ok(rows[2]?.startsWith(`2,0.500,${psnr},+`), rows[2]);
    assert.ok(!decoded(csv).includes('\u2212'));
  });

  it('copies table and record', async () => {
    const { page, copied } = await mountStrip(site, sample.view, {});
    await pick(page, 'Copy', 'Record (JSON)');
    assert.deepEqual(JSON.parse((await copied())[0] ?? ''), JSON.parse(JSON.stringify(sample.view.record)));
  });

  it('opens its menus with the keyboard and closes them with Escape', async () => {
    const { page } = await mountStrip(site, sample.view, {});
    const save = page.getByRole('button', { name: 'Save', exact: true });
    await save.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    const focused = (): Promise<string> =>
      page.evaluate(
        () => document.querySelector('.progressive-restoration-strip')?.shadowRoot?.activeElement?.textContent ?? '',
      );
    assert.equal(await focused(), 'Table (CSV)…');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'Frame 3…');
    await page.keyboard.press('Escape');
    assert.equal(await focused(), 'Save');
    assert.equal(await save.getAttribute('aria-expanded'), 'false');
  });

  it('stops a run that works, and only that', async () => {
    const { page, stopped, update } = await mountStrip(site, runningAfter(sample, 1), {});
    await page.getByRole('button', { name: 'Stop' }).click();
    assert.equal(await stopped(), 1);
    await update(sample.view);
    assert.equal(await page.getByRole('button', { name: 'Stop' }).isVisible(), false);
  });
});
