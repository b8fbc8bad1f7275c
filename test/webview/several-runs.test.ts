import assert from 'node:assert/strict';
import type { RunView } from '../../src/protocol';
import { stripBundle } from './support/bundles';
import { mountStrip, settled } from './support/mounted-strip';
import { sampleRun, type Sample } from './support/run-view';
import { Site } from './support/site';

describe('several runs in one strip', () => {
  let site: Site;
  let sample: Sample;
  let view: RunView;

  before(async () => {
    sample = await sampleRun({ frames: 5 });
    // The second run is the first one with two frames fewer and another course.
    const other: RunView = {
      ...sample.view,
      label: 'theirs',
      record: {
        ...sample.view.record,
        best: undefined,
        frames: sample.view.record.frames.slice(0, 3).map((frame) => ({ ...frame, psnr: 20 + frame.index, ssim: 0.5 })),
      },
      pictures: sample.view.pictures.slice(0, 3),
    };
    view = { ...sample.view, label: 'ours', others: [other] };
    site = await Site.open({ 'strip.mjs': await stripBundle() });
  });
  after(() => site.close());

  it('gives each a row in the same columns, and the curves over each other', async () => {
    const { page, problems } = await mountStrip(site, view, { files: sample.files });
    const { rows, points } = await page.evaluate(() => {
      const root = document.querySelector('.progressive-restoration-strip')?.shadowRoot;
      const centre = (target: Element): number => {
        const box = target.getBoundingClientRect();
        return box.left + box.width / 2;
      };
      return {
        rows: [...(root?.querySelectorAll('.run') ?? [])].map((row) =>
          [...row.querySelectorAll('.frame .window')].map(centre),
        ),
        points: [...(root?.querySelectorAll('.curve.psnr .series') ?? [])].map((series) => ({
          name: series.getAttribute('aria-label'),
          at: [...series.querySelectorAll('.marker')].map(centre),
        })),
      };
    });
    assert.deepEqual(
      rows.map((row) => row.length),
      [5, 3],
    );
    const columns = rows[0] ?? [];
    for (const list of [...rows, ...points.map(({ at }) => at)]) {
      list.forEach((x, at) => assert.ok(Math.abs(x - (columns[at] ?? NaN)) <= 1, `${x} in column ${at + 1}`));
    }
    assert.deepEqual(points.map(({ name }) => name).sort(), ['ours', 'theirs']);
    assert.deepEqual(await page.locator('.run-name').allTextContents(), ['ours', 'theirs']);
    await site.screenshot(page, 'strip-dark-several-runs');
    assert.deepEqual(problems, []);
  });

  it('says above all of them what is true of all, and of which run a frame is saved', async () => {
    const { page } = await mountStrip(site, view, { files: sample.files });
    const title = page.locator('.header .title');
    assert.match(await title.innerText(), /^deblurring +“a cat[^”]*” +2 runs$/);
    const [other] = view.others ?? [];
    assert.ok(other);
    const { record } = other;
    const dark = { ...other, record: { ...record, task: 'low-light', prompt: { ...record.prompt, text: 'at night' } } };
    const { page: second } = await mountStrip(site, { ...view, others: [dark] }, { files: sample.files });
    assert.match(await second.locator('.header .title').innerText(), /^deblurring, low light +2 runs$/);
    await second.locator('.run').nth(1).locator('.frame').nth(2).click();
    await second.locator('.header').getByRole('button', { name: 'Save', exact: true }).click();
    assert.equal(await second.locator('.menu-item').first().innerText(), 'Frame 3 of theirs…');
  });

  it('tells the curves apart without colour', async () => {
    const { page } = await mountStrip(site, view, { files: sample.files });
    const looks = await page.locator('.curve.psnr .series').evaluateAll((series) =>
      series.map((one) => ({
        dash: getComputedStyle(one.querySelector('.line') as Element).strokeDasharray,
        shape: one.querySelector('.marker')?.tagName,
        colour: getComputedStyle(one.querySelector('.line') as Element).stroke,
      })),
    );
    for (const key of ['dash', 'shape', 'colour'] as const)
      assert.equal(new Set(looks.map((look) => look[key])).size, 2, key);
  });

  it('writes the numbers of the run that is chosen, of one scale', async () => {
    const { page } = await mountStrip(site, view, { files: sample.files });
    const numbers = (): Promise<string[]> =>
      page
        .locator('.curve.psnr .value')
        .evaluateAll((texts) =>
          texts.filter((text) => getComputedStyle(text).visibility === 'visible').map((text) => text.textContent ?? ''),
        );
    assert.deepEqual(
      await numbers(),
      sample.view.record.frames.map(({ psnr }) => Number(psnr).toFixed(2)),
    );
    await page.getByRole('button', { name: 'theirs', exact: true }).click();
    assert.deepEqual(await numbers(), ['21.00', '22.00', '23.00']);
    const table = page.getByRole('table');
    assert.equal(await table.getByRole('row').count(), 9);
    assert.match((await table.getByRole('row').nth(6).textContent()) ?? '', /^theirs1 input/);
  });

  it('compares frames of both, and walks from run to run at the same spot', async () => {
    const { page, problems } = await mountStrip(site, view, { files: sample.files });
    await page.locator('.run').nth(0).locator('.frame').nth(1).click();
    await settled(page);
    assert.equal(await page.locator('.name.right').textContent(), 'ours · 2');
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.locator('.name.right').textContent(), 'theirs · 2');
    assert.equal(await page.locator('.run').nth(1).locator('.frame').nth(1).getAttribute('aria-pressed'), 'true');
    // What stands around the frames speaks of the run that is walked through.
    const choices = page.locator('.run-name');
    assert.deepEqual(await choices.evaluateAll((buttons) => buttons.map((one) => one.getAttribute('aria-pressed'))), [
      'false',
      'true',
    ]);
    await page.getByLabel('Frame on the left').selectOption({ label: 'ours · 5 restored' });
    assert.equal(await page.locator('.name.left').textContent(), 'ours · 5 restored');
    assert.deepEqual(problems, []);
  });

  it('moves one region in all of them', async () => {
    const { page } = await mountStrip(site, view, { files: sample.files });
    await page.locator('.region-box').focus();
    await page.keyboard.press('ArrowRight');
    await settled(page);
    const sources = await page
      .locator('.run')
      .evaluateAll((rows) => rows.map((row) => row.querySelector('.frame img')?.getAttribute('src')));
    // Both start with the same degraded picture.
    assert.equal(sources[0], sources[1]);
    assert.notEqual(sources[0], sample.view.pictures[0]?.crop);
  });

  it('refuses runs inside of runs, and more than eight', async () => {
    const [other] = view.others ?? [];
    const { page, update } = await mountStrip(site, view, { files: sample.files });
    for (const others of [[{ ...other, others: [other] }], Array.from({ length: 8 }, () => other), [null], 'x']) {
      await update({ ...view, others });
      assert.equal(await page.locator('.refusal').isVisible(), true);
    }
    await update(view);
    assert.equal(await page.locator('.run').count(), 2);
    await update(sample.view);
    assert.equal(await page.locator('.run').count(), 1);
    assert.equal(await page.locator('.run-head').isVisible(), false);
  });
});
