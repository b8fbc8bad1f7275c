import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { isPanelToExtension, type ExtensionToPanel, type PanelState, type PanelToExtension } from '../../src/protocol';
import { builtBundle } from './support/bundles';
import { settled } from './support/mounted-strip';
import { runningAfter, sampleRun, type Sample } from './support/run-view';
import { Site, type PageOptions, type Visit } from './support/site';
import type { Theme } from './support/themes';

const STRICT =
  "default-src 'none'; img-src data:; style-src NONCE; script-src NONCE; base-uri 'none'; form-action 'none'";

/** The editor's side of the panel, in the page: what the panel has posted and kept. */
interface EditorWindow {
  posted: unknown[];
  kept: unknown;
}

describe('panel', () => {
  let site: Site;
  let sample: Sample;
  let state: PanelState;

  before(async () => {
    sample = await sampleRun({ frames: 5 });
    state = {
      id: 'panel-1',
      view: sample.view,
      input: { name: 'cat-blurred.png' },
      task: 'deblurring',
      prompt: 'a cat',
      running: false,
    };
    site = await Site.open({ 'panel.js': await builtBundle('panel') });
  });
  after(() => site.close());

  /** The panel in a page; what it keeps survives a reload of the page, as in the editor. */
  async function open(first: PanelState | undefined, options: PageOptions = {}): Promise<Visit> {
    const visit = await site.visit({ policy: STRICT, ...options }, async (page) => {
      await page.addInitScript(() => {
        const mine = window as unknown as EditorWindow & { acquireVsCodeApi: () => object };
        mine.posted = [];
        mine.acquireVsCodeApi = () => ({
          postMessage: (message: unknown) => void mine.posted.push(structuredClone(message)),
          getState: () => JSON.parse(sessionStorage.getItem('kept') ?? 'null') as unknown,
          setState: (kept: unknown) => sessionStorage.setItem('kept', JSON.stringify(kept)),
        });
      });
    });
    if (first !== undefined) await send(visit.page, { type: 'state', ...first });
    return visit;
  }

  async function send(page: Page, message: ExtensionToPanel | object): Promise<void> {
    await page.evaluate(
      (sent) =>
        new Promise<void>((resolve) => {
          window.addEventListener('message', () => resolve(), { once: true });
          window.postMessage(sent, '*');
        }),
      message,
    );
  }

  /** All messages of one type that the panel has posted; every message must pass the guard. */
  async function posted<T extends PanelToExtension['type']>(
    page: Page,
    type: T,
  ): Promise<Extract<PanelToExtension, { type: T }>[]> {
    const messages = await page.evaluate(() => (window as unknown as EditorWindow).posted);
    for (const message of messages) assert.ok(isPanelToExtension(message), JSON.stringify(message));
    return (messages as PanelToExtension[]).filter(
      (message): message is Extract<PanelToExtension, { type: T }> => message.type === type,
    );
  }

  /** Gives both frames of the comparison, as the extension would. */
  async function answerFrames(page: Page): Promise<void> {
    await page.waitForFunction(
      () =>
        (window as unknown as EditorWindow).posted.filter((sent) => (sent as { type: string }).type === 'frame')
          .length === 2,
    );
    for (const { requestId, file } of await posted(page, 'frame')) {
      await send(page, { type: 'frame', requestId, dataUrl: sample.files.get(file) });
    }
  }

  const forget = (page: Page): Promise<void> => page.evaluate(() => sessionStorage.clear());
  const button = (page: Page, name: string): ReturnType<Page['locator']> =>
    page.locator('vscode-button', { hasText: name });

  it('says that it is ready and shows the state, with no violation of a strict policy', async () => {
    const { page, problems } = await open(state);
    await answerFrames(page);
    await settled(page);
    assert.equal((await posted(page, 'ready')).length, 1);
    assert.equal(await page.locator('.frame').count(), 5);
    assert.equal(await page.locator('vscode-text-field input').inputValue(), 'a cat');
    assert.equal(
      await page
        .locator('vscode-dropdown .selected-value')
        .textContent()
        .then((text) => text?.trim()),
      'Deblurring',
    );
    // The library's styles are in force: without them the button had no background.
    const background = await button(page, 'Restore').evaluate((target) => getComputedStyle(target).backgroundColor);
    assert.equal(background, 'rgb(0, 120, 212)');
    assert.equal(await page.locator('.controls').evaluate((target) => getComputedStyle(target).display), 'flex');
    assert.deepEqual(problems, []);
    await forget(page);
  });

  it('restores again with the chosen task and the edited prompt', async () => {
    const { page, problems } = await open(state);
    await page.locator('vscode-dropdown').click();
    await page.locator('vscode-option', { hasText: 'Low light' }).click();
    await page.locator('vscode-text-field input').fill('a cat at night');
    await button(page, 'Restore').click();
    assert.deepEqual(await posted(page, 'run'), [{ type: 'run', task: 'low-light', prompt: 'a cat at night' }]);
    await page.locator('vscode-text-field input').press('Enter');
    assert.equal((await posted(page, 'run')).length, 2);
    assert.deepEqual(problems, []);
    await forget(page);
  });

  it('cancels while it works, and offers nothing else', async () => {
    const { page } = await open({ ...state, view: runningAfter(sample, 2), running: true });
    assert.equal(await button(page, 'Restore').isVisible(), false);
    assert.equal(await page.locator('vscode-progress-ring').isVisible(), true);
    await button(page, 'Cancel').click();
    assert.equal((await posted(page, 'cancel')).length, 1);
    await button(page, 'Save As…').click({ force: true });
    await button(page, 'Open as Notebook').click({ force: true });
    assert.deepEqual([...(await posted(page, 'save')), ...(await posted(page, 'open-as-notebook'))], []);
    await send(page, { type: 'state', ...state });
    assert.equal(await button(page, 'Cancel').isVisible(), false);
    assert.equal(await page.locator('vscode-progress-ring').isVisible(), false);
    await forget(page);
  });

  it('saves the frame of the comparison and opens a notebook', async () => {
    const { page } = await open(state);
    await button(page, 'Save As…').click();
    await page.locator('.frame').nth(2).click();
    await button(page, 'Save As…').click();
    assert.deepEqual(
      (await posted(page, 'save')).map(({ frame }) => frame),
      [5, 3],
    );
    await button(page, 'Open as Notebook').click();
    assert.equal((await posted(page, 'open-as-notebook')).length, 1);
    await forget(page);
  });

  it('compares input and last frame above the strip, with full frames from the extension', async () => {
    const { page, problems } = await open(state);
    await answerFrames(page);
    await page.locator('.layer.left:not(.preview)').waitFor();
    await page.locator('.layer.right:not(.preview)').waitFor();
    const [left, right] = await Promise.all(
      ['left', 'right'].map((side) => page.locator(`.layer.${side} img`).getAttribute('src')),
    );
    assert.equal(left, sample.files.get(sample.view.record.frames[0]?.file ?? ''));
    assert.equal(right, sample.files.get(sample.view.record.frames[4]?.file ?? ''));
    const [compare, header] = await Promise.all(
      ['.compare', '.header'].map((part) => page.locator(part).boundingBox()),
    );
    assert.ok((compare?.y ?? NaN) < (header?.y ?? NaN));
    await page.locator('.stage').focus();
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.compare').isVisible(), true);
    assert.deepEqual(problems, []);
    await forget(page);
  });

  it('lets the comparison follow the newest frame until one is chosen', async () => {
    const { page } = await open({ ...state, view: runningAfter(sample, 2), running: true });
    assert.equal(await page.locator('.name.right').innerText(), '2');
    await send(page, { type: 'state', ...state, view: runningAfter(sample, 4), running: true });
    assert.equal(await page.locator('.name.right').innerText(), '4');
    await page.locator('.frame').nth(1).click();
    await send(page, { type: 'state', ...state });
    assert.equal(await page.locator('.name.right').innerText(), '2');
    await forget(page);
  });

  it('never overwrites a prompt that is being typed', async () => {
    const { page } = await open({ ...state, view: runningAfter(sample, 2), running: true });
    await page.locator('vscode-text-field input').fill('a cat with green eyes');
    await send(page, { type: 'state', ...state, view: runningAfter(sample, 3), running: true });
    assert.equal(await page.locator('vscode-text-field input').inputValue(), 'a cat with green eyes');
    await send(page, { type: 'state', ...state, prompt: 'another prompt' });
    assert.equal(await page.locator('vscode-text-field input').inputValue(), 'another prompt');
    await forget(page);
  });

  it('shows an error until the next state', async () => {
    const { page } = await open(state);
    const message = 'The model is gone. Install it again. <b>now</b>';
    await send(page, { type: 'error', message });
    assert.equal(await page.getByRole('alert').filter({ hasText: 'The model' }).innerText(), message);
    await send(page, { type: 'state', ...state });
    assert.equal(await page.locator('.error').isVisible(), false);
    await forget(page);
  });

  it('keeps its state over a reload, with the name that the extension knows it by', async () => {
    const { page, problems } = await open(state);
    await page.locator('vscode-text-field input').fill('typed before the reload');
    await page.reload();
    await page.locator('.frame').first().waitFor();
    assert.equal(await page.locator('.frame').count(), 5);
    assert.equal(await page.locator('vscode-text-field input').inputValue(), 'typed before the reload');
    assert.equal(
      await page.evaluate(() => (JSON.parse(sessionStorage.getItem('kept') ?? '{}') as { id?: string }).id),
      'panel-1',
    );
    await page.evaluate(() => sessionStorage.setItem('kept', '{"view":{"record":7},"task":"__proto__"}'));
    await page.reload();
    assert.equal((await posted(page, 'ready')).length, 1);
    assert.equal(await page.locator('.frame').count(), 0);
    assert.deepEqual(problems, []);
    await forget(page);
  });

  it('says what it waits for as long as there is no frame', async () => {
    const { page } = await open({ ...state, view: undefined, running: true });
    assert.equal(await page.locator('.hint').innerText(), 'Restoring cat-blurred.png…');
    await send(page, { type: 'state', ...state, view: undefined });
    assert.match(await page.locator('.hint').innerText(), /press Restore/);
    await forget(page);
  });

  it('ignores messages of another shape', async () => {
    const { page, problems } = await open(state);
    for (const message of [
      { type: 'state', ...state, task: 'nothing' },
      { type: 'state', ...state, view: { ...sample.view, pictures: [{ index: 1, thumbnail: 'javascript:alert(1)' }] } },
      { type: 'error', message: 17 },
      { type: 'frame', requestId: 'x' },
      { type: 'unknown' },
    ]) {
      await send(page, message);
    }
    assert.equal(await page.locator('.frame').count(), 5);
    assert.equal(await page.locator('.error').isVisible(), false);
    assert.deepEqual(problems, []);
    await forget(page);
  });

  const looks: [Theme, number, boolean][] = [
    ['dark', 1100, false],
    ['light', 800, true],
    ['high-contrast', 420, false],
  ];
  for (const [theme, width, running] of looks) {
    it(`fits: ${theme}, ${width} px`, async () => {
      const shown = running ? { ...state, view: runningAfter(sample, 3), running } : state;
      const { page, problems } = await open(shown, { theme, width });
      await answerFrames(page);
      await settled(page);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
      await site.screenshot(page, `panel-${theme}-${width}`);
      assert.deepEqual(problems, []);
      await forget(page);
    });
  }
});
