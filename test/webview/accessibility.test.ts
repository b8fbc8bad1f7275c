import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { AxeResults } from 'axe-core';
import type { RunView } from '../../src/protocol';
import { stripBundle } from './support/bundles';
import { mountStrip, settled } from './support/mounted-strip';
import { runningAfter, sampleRun, type Sample } from './support/run-view';
import { Site } from './support/site';
import type { Theme } from './support/themes';

describe('accessibility of the strip', () => {
  let site: Site;
  let sample: Sample;
  let several: RunView;
  let axe: string;

  before(async () => {
    sample = await sampleRun({ frames: 5 });
    several = { ...sample.view, label: 'ours', others: [{ ...sample.view, label: 'theirs' }] };
    axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
    site = await Site.open({ 'strip.mjs': await stripBundle() });
  });
  after(() => site.close());

  const themes: Theme[] = ['dark', 'light', 'high-contrast', 'high-contrast-light'];
  const states: [string, () => unknown][] = [
    ['two runs, everything opened', () => several],
    ['a run that works', () => runningAfter(sample, 2)],
  ];
  for (const theme of themes) {
    for (const [name, view] of states) {
      it(`has no serious finding of axe: ${theme}, ${name}`, async () => {
        const { page } = await mountStrip(site, view(), { theme, files: sample.files });
        if (name.includes('opened')) {
          await page.locator('.frame').nth(4).click();
          await page.getByRole('button', { name: 'Table' }).click();
          await page.getByRole('button', { name: 'Record' }).click();
          await page.getByRole('button', { name: 'Save', exact: true }).click();
        }
        await settled(page);
        await site.screenshot(page, `strip-${theme}-${name.replace(/[ ,]+/g, '-')}`);
        await page.evaluate(axe);
        const findings = await page.evaluate(async () => {
          const { axe: tool } = window as unknown as {
            axe: { run(context: object, options: object): Promise<AxeResults> };
          };
          // The page around the strip is the notebook's: its headings and landmarks are not ours.
          const { violations } = await tool.run(
            { include: [['.progressive-restoration-strip']] },
            { resultTypes: ['violations'] },
          );
          return violations.map(({ id, impact, nodes }) => ({
            id,
            impact,
            where: nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary ?? ''}`),
          }));
        });
        const serious = findings.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        assert.deepEqual(serious, [], JSON.stringify(serious, null, 1));
      });
    }
  }
});
