import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import {
  isBatchToExtension,
  isCompareToExtension,
  isPanelToExtension,
  type BatchRow,
  type BatchState,
  type ExtensionToBatch,
  type ExtensionToCompare,
  type ExtensionToPanel,
  type PanelResult,
  type PanelState,
  type PanelToExtension,
} from '../../src/protocol';
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
  let result: PanelResult;

  before(async () => {
    sample = await sampleRun({ frames: 5, withReference: false });
    const wish = { task: 'deblurring' as const, prompt: 'a cat', model: 'compact', device: 'auto' as const };
    state = {
      id: 'panel-1',
      input: { name: 'cat-blurred.png' },
      wish,
      running: false,
      results: [1],
      models: [
        { id: 'compact', name: 'Compact' },
        { id: 'other', name: 'Another Network' },
      ],
      devices: ['auto', 'webgpu', 'cpu'],
    };
    result = { id: 1, wish, view: sample.view, continuous: true };
    site = await Site.open({ 'panel.js': await builtBundle('panel') });
  });
  after(() => site.close());

  /** A panel in a page; what it keeps survives a reload of the page, as in the editor. */
  async function open(options: PageOptions, ...messages: object[]): Promise<Visit> {
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
    for (const message of messages) await send(visit.page, message);
    return visit;
  }

  const restore = (options: PageOptions = {}): Promise<Visit> =>
    open({ panel: 'restore', ...options }, { type: 'state', ...state }, { type: 'result', result });

  async function send(
    page: Page,
    message: ExtensionToPanel | ExtensionToBatch | ExtensionToCompare | object,
  ): Promise<void> {
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

  const answered = new WeakMap<Page, Set<number>>();
  /** Gives every frame that was asked for, as the extension would. */
  async function answerFrames(page: Page): Promise<void> {
    const seen = answered.get(page) ?? new Set();
    answered.set(page, seen);
    for (const { requestId, file } of await posted(page, 'frame')) {
      if (seen.has(requestId)) continue;
      seen.add(requestId);
      await send(page, { type: 'frame', requestId, dataUrl: sample.files.get(file) });
    }
  }

  const forget = (page: Page): Promise<void> => {
    answered.delete(page);
    return page.evaluate(() => sessionStorage.clear());
  };
  const button = (page: Page, name: string): ReturnType<Page['locator']> =>
    page.locator('vscode-button', { hasText: name });
  const fileOf = (frame: number): string => sample.view.record.frames[frame - 1]?.file ?? '';

  /** The pictures on the right of the dividing line, from below to above: number of the frame (or file) and opacity. */
  async function shown(page: Page): Promise<[number, number][]> {
    const layers = await page
      .locator('.before-after .layer')
      .nth(1)
      .locator('img')
      .evaluateAll((nodes) =>
        nodes
          .map((node) => node as HTMLImageElement)
          .filter(({ style }) => style.visibility !== 'hidden')
          .map(({ dataset, style }): [string, number] => [dataset.file ?? '', Number(style.opacity)]),
      );
    return layers.map(([file, opacity]) => [
      1 + sample.view.record.frames.findIndex((frame) => frame.file === file),
      Math.round(opacity * 100) / 100,
    ]);
  }

  it('says that it is ready and shows a result, with no violation of a strict policy', async () => {
    const { page, problems } = await restore();
    await answerFrames(page);
    await settled(page);
    assert.equal((await posted(page, 'ready')).length, 1);
    assert.equal(await page.locator('.frame').count(), 5);
    assert.equal(await page.locator('vscode-text-field input').inputValue(), 'a cat');
    const chosen = page.locator('vscode-dropdown:visible .selected-value');
    assert.deepEqual(
      (await chosen.allTextContents()).map((text) => text.trim()),
      ['Deblurring', 'Compact', 'Any device'],
    );
    // The library's styles are in force: without them the button had no background.
    const background = await button(page, 'Restore').evaluate((target) => getComputedStyle(target).backgroundColor);
    assert.equal(background, 'rgb(0, 120, 212)');
    assert.equal(await page.locator('.controls').evaluate((target) => getComputedStyle(target).display), 'flex');
    assert.deepEqual(await shown(page), [[5, 1]]);
    assert.equal(
      await page.locator('.before-after .layer').nth(0).locator('img').getAttribute('src'),
      sample.files.get(fileOf(1)),
    );
    assert.deepEqual(problems, []);
    await forget(page);
  });

  it('restores again with another task, prompt, model and device', async () => {
    const { page, problems } = await restore();
    for (const [label, choice] of [
      ['Task', 'Low light'],
      ['Model', 'Another Network'],
      ['Device', 'CPU'],
    ] as const) {
      await page.locator(`vscode-dropdown[aria-label="${label}"]`).click();
      await page.locator('vscode-option:visible', { hasText: choice }).click();
    }
    await page.locator('vscode-text-field input').fill('a cat at night');
    await button(page, 'Restore').click();
    const wish = { task: 'low-light', prompt: 'a cat at night', model: 'other', device: 'cpu' };
    assert.deepEqual(await posted(page, 'run'), [{ type: 'run', wish }]);
    await page.locator('vscode-text-field input').press('Enter');
    assert.equal((await posted(page, 'run')).length, 2);
    assert.deepEqual(problems, []);
    await forget(page);
  });

  it('stops what runs, says how far it is, and offers nothing else meanwhile', async () => {
    const { page } = await restore();
    await send(page, { type: 'state', ...state, running: true });
    await send(page, { type: 'result', result: { ...result, view: runningAfter(sample, 2) } });
    await send(page, { type: 'progress', share: 0.42, activity: '3 s left' });
    assert.equal(await page.locator('.progress').first().innerText(), '42 % · 3 s left');
    assert.equal(await button(page, 'Restore').isVisible(), false);
    assert.equal(await page.locator('vscode-progress-ring').isVisible(), true);
    await button(page, 'Stop').click();
    assert.equal((await posted(page, 'cancel')).length, 1);
    await button(page, 'Save As…').click({ force: true });
    await button(page, 'Open as Notebook').click({ force: true });
    assert.deepEqual([...(await posted(page, 'save')), ...(await posted(page, 'open-as-notebook'))], []);
    assert.deepEqual(await shown(page), [[2, 1]]);
    await send(page, { type: 'state', ...state });
    await send(page, { type: 'result', result });
    assert.equal(await button(page, 'Stop').isVisible(), false);
    assert.equal(await page.locator('vscode-progress-ring').isVisible(), false);
    assert.deepEqual(await shown(page), [[5, 1]]);
    await forget(page);
  });

  it('turns from as it came to restored: two frames shine through each other until the strength itself is made', async () => {
    const { page, problems } = await restore();
    await page.locator('.dial input').fill('63');
    assert.deepEqual(await shown(page), [
      [3, 1],
      [4, 0.52],
    ]);
    assert.equal(await page.locator('.strength-note').innerText(), 'between frames 3 and 4…');
    const [asked] = await posted(page, 'strength');
    assert.deepEqual(asked, { type: 'strength', result: 1, severity: 0.37 });
    const own = `${'9'.repeat(64)}.png`;
    await send(page, { type: 'strength', result: 1, severity: 0.37, strength: { severity: 0.37, file: own } });
    assert.deepEqual(await shown(page), [[0, 1]]);
    assert.equal(await page.locator('.strength-note').innerText(), '');
    await button(page, 'Save As…').click();
    assert.deepEqual(await posted(page, 'save'), [{ type: 'save', result: 1, severity: 0.37 }]);
    await page.locator('.dial input').fill('25');
    assert.deepEqual(await shown(page), [[2, 1]]);
    assert.equal(await page.locator('.strength-note').innerText(), '');
    await page.locator('.dial input').focus();
    await page.keyboard.press('Home');
    assert.deepEqual(await shown(page), [[1, 1]]);
    assert.equal(await page.locator('.dial input').getAttribute('aria-valuetext'), '0 percent restored');
    assert.deepEqual(problems, []);
    await forget(page);
  });

  it('says when a strength could not be made, and takes no answer that comes too late', async () => {
    const { page } = await restore();
    await page.locator('.dial input').fill('60');
    await page.locator('.dial input').fill('80');
    const late = { severity: 0.4, file: `${'8'.repeat(64)}.png` };
    await send(page, { type: 'strength', result: 1, severity: 0.4, strength: late });
    assert.deepEqual(
      (await shown(page)).map(([frame]) => frame),
      [4, 5],
    );
    const [, asked] = await posted(page, 'strength');
    await send(page, { type: 'strength', result: 1, severity: asked?.severity ?? NaN });
    assert.match(await page.locator('.strength-note').innerText(), /could not be made/);
    await forget(page);
  });

  it('stops at the frames where a model has nothing between them', async () => {
    const { page } = await open(
      { panel: 'restore' },
      { type: 'state', ...state },
      { type: 'result', result: { ...result, continuous: false } },
    );
    await page.locator('.dial input').fill('63');
    assert.deepEqual(await shown(page), [[4, 1]]);
    assert.equal(await page.locator('.strength-value').innerText(), '75 %');
    await forget(page);
  });

  it('keeps several results, shows one of them and compares it with another', async () => {
    const { page, problems } = await restore();
    assert.equal(await page.locator('.results').isVisible(), false);
    const second = { ...result, id: 2, wish: { ...result.wish, task: 'low-light' as const }, strength: undefined };
    await send(page, { type: 'state', ...state, results: [1, 2], shown: 2 });
    await send(page, { type: 'result', result: second });
    const labels = page.locator('.results label');
    assert.deepEqual(await labels.allInnerTexts(), [
      '1 · Deblurring · compact · 0.9 s',
      '2 · Low light · compact · 0.9 s',
    ]);
    // One strip with a row a result: same columns, same region.
    assert.equal(await page.locator('.strips > div').count(), 1);
    assert.equal(await page.locator('.frame').count(), 10);
    assert.equal(await page.locator('.side-name.right').innerText(), '2 · Low light · 100 %');
    await page.locator('vscode-dropdown[aria-label="Compare with"]').click();
    await page.locator('vscode-option:visible', { hasText: '1 · Deblurring' }).click();
    assert.equal(await page.locator('.side-name.left').innerText(), '1 · Deblurring · 100 %');
    await labels.nth(0).click();
    assert.deepEqual(await posted(page, 'show'), [{ type: 'show', result: 1 }]);
    assert.equal(await page.locator('.side-name.right').innerText(), '1 · Deblurring · 100 %');
    await page.getByRole('button', { name: 'Remove result 2' }).click();
    assert.deepEqual(await posted(page, 'forget'), [{ type: 'forget', result: 2 }]);
    await send(page, { type: 'state', ...state, results: [1], shown: 1 });
    assert.equal(await page.locator('.frame').count(), 5);
    assert.equal(await page.locator('.results').isVisible(), false);
    assert.deepEqual(problems, []);
    await forget(page);
  });

  it('moves both pictures together, and the dividing line by keys', async () => {
    const { page } = await restore();
    const places = (): Promise<string[]> =>
      page
        .locator('.before-after img')
        .evaluateAll((nodes) =>
          nodes.map((node) => `${(node as HTMLElement).style.transform} ${(node as HTMLElement).style.width}`),
        );
    await page.locator('.stage').focus();
    await page.keyboard.press('1');
    const before = await places();
    for (let i = 0; i < 4; i += 1) await page.keyboard.press('+');
    await page.keyboard.press('ArrowRight');
    const moved = await places();
    assert.equal(new Set(moved).size, 1);
    assert.notDeepEqual(moved, before);
    const divider = page.locator('.stage .divider');
    await divider.focus();
    await page.keyboard.press('Home');
    assert.equal(await divider.getAttribute('aria-valuetext'), '0 % Input, 100 % Restored · 100 %');
    await forget(page);
  });

  it('never overwrites a prompt that is being typed, and takes one that was written for the user', async () => {
    const { page } = await restore();
    const field = page.locator('vscode-text-field input');
    await field.fill('a cat with green eyes');
    await send(page, { type: 'state', ...state, running: true });
    assert.equal(await field.inputValue(), 'a cat with green eyes');
    await send(page, { type: 'state', ...state });
    await button(page, 'Describe').click();
    const [asked] = await posted(page, 'describe');
    assert.equal(asked?.wish.prompt, 'a cat with green eyes');
    const wish = { ...state.wish, prompt: 'a bright picture', promptSource: 'described' as const };
    await send(page, { type: 'state', ...state, wish });
    // The component library draws a new value with the next frame.
    await page.waitForFunction(
      () =>
        document.querySelector('vscode-text-field')?.shadowRoot?.querySelector('input')?.value === 'a bright picture',
    );
    await button(page, 'Restore').click();
    await field.fill('a bright picture of a cat');
    await button(page, 'Restore').click();
    const runs = await posted(page, 'run');
    assert.deepEqual(
      runs.map((run) => [run.wish.prompt, run.wish.promptSource]),
      [
        ['a bright picture', 'described'],
        ['a bright picture of a cat', undefined],
      ],
    );
    await forget(page);
  });

  it('shows an error until the next state', async () => {
    const { page } = await restore();
    const message = 'The model is gone. Install it again. <b>now</b>';
    await send(page, { type: 'error', message });
    assert.equal(await page.getByRole('alert').filter({ hasText: 'The model' }).innerText(), message);
    await send(page, { type: 'state', ...state });
    assert.equal(await page.locator('main > .error').isVisible(), false);
    // It is in sight wherever the action was, and the next action ends it.
    await page.setViewportSize({ width: 700, height: 400 });
    await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
    await send(page, { type: 'error', message });
    const box = await page.locator('main > .error').boundingBox();
    assert.ok(box && box.y >= 0 && box.y < 400, JSON.stringify(box));
    await button(page, 'Save As…').click();
    assert.equal(await page.locator('main > .error').isVisible(), false);
    await forget(page);
  });

  it('keeps what was typed over a reload, with the name that the extension knows it by', async () => {
    const { page, problems } = await restore();
    await page.locator('vscode-text-field input').fill('typed before the reload');
    await page.reload();
    await send(page, { type: 'state', ...state });
    await send(page, { type: 'result', result });
    assert.equal(await page.locator('.frame').count(), 5);
    await page.waitForFunction(
      () =>
        document.querySelector('vscode-text-field')?.shadowRoot?.querySelector('input')?.value ===
        'typed before the reload',
    );
    assert.equal(
      await page.evaluate(() => (JSON.parse(sessionStorage.getItem('kept') ?? '{}') as { id?: string }).id),
      'panel-1',
    );
    await page.evaluate(() => sessionStorage.setItem('kept', '{"wish":{"task":"__proto__"}}'));
    await page.reload();
    assert.equal((await posted(page, 'ready')).length, 1);
    assert.equal(await page.locator('.frame').count(), 0);
    assert.deepEqual(problems, []);
    await forget(page);
  });

  it('says what it waits for as long as there is no frame', async () => {
    const { page } = await open({ panel: 'restore' }, { type: 'state', ...state, results: [], running: true });
    assert.equal(await page.locator('main > .hint').innerText(), 'Restoring cat-blurred.png…');
    await send(page, { type: 'state', ...state, results: [] });
    assert.match(await page.locator('main > .hint').innerText(), /press Restore/);
    assert.equal(await page.locator('main > .look').isVisible(), false);
    await forget(page);
  });

  it('ignores messages of another shape', async () => {
    const { page, problems } = await restore();
    const hostile = { ...sample.view, pictures: [{ index: 1, thumbnail: 'javascript:alert(1)' }] };
    for (const message of [
      { type: 'state', ...state, wish: { ...state.wish, task: 'nothing' } },
      { type: 'result', result: { ...result, id: 7, view: hostile } },
      { type: 'error', message: 17 },
      { type: 'frame', requestId: 'x' },
      { type: 'unknown' },
    ]) {
      await send(page, message);
    }
    assert.equal(await page.locator('.frame').count(), 5);
    assert.equal(await page.locator('main > .error').isVisible(), false);
    assert.deepEqual(problems, []);
    await forget(page);
  });

  describe('of many pictures', () => {
    const batch: BatchState = {
      ...{ id: 'batch-1', task: 'detect', prompt: '', model: 'compact' },
      ...{ folder: '/pictures/restored', running: true, count: 3 },
    };
    const row = (index: number, name: string, rest: Partial<BatchRow> = {}): BatchRow => ({
      ...{ index, name, state: 'waiting' },
      ...rest,
    });

    it('has a row a picture, a reason for each failure, and opens a row', async () => {
      const { page, problems } = await open(
        { panel: 'batch' },
        { type: 'state', ...batch },
        { type: 'rows', rows: [row(0, 'a.jpg'), row(1, 'sub/b.png'), row(2, 'c.png')] },
      );
      assert.equal(await page.locator('tbody tr').count(), 3);
      await button(page, 'Stop').click();
      const thumbnail = sample.view.pictures[0]?.thumbnail;
      const reason = 'c.png is <b>not</b> a picture. Choose another one.';
      await send(page, {
        type: 'rows',
        rows: [
          row(0, 'a.jpg', {
            ...{ state: 'done', task: 'low-light', confidence: 0.914, before: thumbnail, after: thumbnail },
            ...{ width: 420, height: 280, change: 12.34, seconds: 1.23, output: 'a.restored.jpg' },
          }),
          row(2, 'c.png', { state: 'failed', note: reason }),
        ],
      });
      const cells = await page.locator('tbody tr').nth(0).locator('td').allInnerTexts();
      assert.deepEqual(cells.map((text) => text.trim()).slice(2, 7), [
        'a.jpg',
        'Low light, 91 % sure',
        '420 × 280',
        '12.3 levels',
        '1.2 s',
      ]);
      assert.match(cells[7] ?? '', /a\.restored\.jpg/);
      assert.equal(await page.locator('tbody tr').nth(2).locator('.note').innerText(), reason);
      await page.getByRole('button', { name: 'Open a.jpg with all its frames' }).click();
      await send(page, { type: 'state', ...batch, running: false });
      assert.equal(await page.locator('.summary').innerText(), '1 of 3 restored, 1 failed');
      await button(page, 'Restore the Rest').click();
      await button(page, 'Show Folder').click();
      const messages = await page.evaluate(() => (window as unknown as EditorWindow).posted);
      for (const message of messages) assert.ok(isBatchToExtension(message), JSON.stringify(message));
      assert.deepEqual(messages, [
        { type: 'ready' },
        { type: 'cancel' },
        { type: 'open-row', row: 0 },
        { type: 'resume' },
        { type: 'reveal' },
      ]);
      assert.deepEqual(problems, []);
      await site.screenshot(page, 'batch-dark');
      await forget(page);
    });

    it('keeps the reason of a failure in sight where it is narrow', async () => {
      const failed = row(0, 'c.png', { state: 'failed', note: 'c.png is not a picture. Choose another one.' });
      const { page } = await open(
        { panel: 'batch' },
        { type: 'state', ...batch, running: false },
        { type: 'rows', rows: [failed] },
      );
      for (const width of [360, 600, 1000]) {
        await page.setViewportSize({ width, height: 500 });
        const box = await page.locator('tbody .note').boundingBox();
        assert.ok(box && box.x + box.width <= width - 8, `${width} px: ${JSON.stringify(box)}`);
      }
      await forget(page);
    });

    it('shows a thousand pictures without losing the view', async () => {
      const rows = Array.from({ length: 1000 }, (_, index) => row(index, `picture-${index}.png`));
      const { page } = await open({ panel: 'batch' }, { type: 'state', ...batch, count: 1000 }, { type: 'rows', rows });
      assert.equal(await page.locator('tbody tr').count(), 1000);
      const seconds = await page.evaluate(() => {
        const started = performance.now();
        const changed = { index: 999, name: 'picture-999.png', state: 'running' };
        window.dispatchEvent(new MessageEvent('message', { data: { type: 'rows', rows: [changed] } }));
        return (performance.now() - started) / 1000;
      });
      assert.ok(seconds < 1, `one row took ${seconds} s`);
      await forget(page);
    });
  });

  it('shows pictures that exist as a strip, and says what is wrong with them', async () => {
    const { page, problems } = await open(
      { panel: 'compare' },
      { type: 'state', id: 'compare-1', names: ['a.png', 'b.png'], running: true },
    );
    assert.equal(await page.getByText('Reading a.png, b.png…').isVisible(), true);
    await button(page, 'Stop').click();
    await send(page, { type: 'state', id: 'compare-1', names: ['a.png', 'b.png'], running: false, view: sample.view });
    for (const message of await page.evaluate(() => (window as unknown as EditorWindow).posted)) {
      assert.ok(isCompareToExtension(message), JSON.stringify(message));
      if (message.type !== 'frame') continue;
      await send(page, { ...message, dataUrl: sample.files.get(message.file) });
    }
    await settled(page);
    assert.equal(await page.locator('.frame').count(), 5);
    // Pictures have names of their own; none is the input or the result of anything.
    const names = ['kitchen at dusk, seen from the door, second attempt.png', 'b.png', 'c.png', 'd.png', 'e.png'];
    const frames = sample.view.record.frames.map((frame, at) => ({ ...frame, name: names[at] }));
    const named = { ...sample.view, record: { ...sample.view.record, frames } };
    await send(page, { type: 'state', id: 'compare-1', names, running: false, view: named });
    assert.deepEqual(await page.locator('.frame .word').allTextContents(), names);
    const title = await page.locator('.header .title').innerText();
    assert.match(title, /^5 pictures/);
    assert.doesNotMatch(title, /deblurring|compact/);
    assert.equal(
      await page.locator('.progressive-restoration-strip [aria-label="Comparison of 5 pictures"]').count(),
      1,
    );
    const widths = await page
      .locator('.frame')
      .evaluateAll((tiles) => tiles.map((tile) => [tile.scrollWidth, tile.clientWidth]));
    for (const [content = 0, room = 0] of widths) assert.ok(content <= room, `a name takes ${content} of ${room} px`);
    assert.deepEqual(
      await page.getByLabel('Frame on the right').locator('option').allTextContents(),
      names.map((name, at) => `${at + 1} ${name}`),
    );
    await site.screenshot(page, 'panel-compare');
    await send(page, { type: 'error', message: 'b.png has 3x4 pixels; the first frame has 5x6.' });
    assert.match(await page.locator('main > .error').innerText(), /3x4/);
    assert.deepEqual(problems, []);
    await forget(page);
  });

  /** Serious findings of axe in the panel; the strip inside it has a test of its own. */
  async function seriousFindings(page: Page): Promise<object[]> {
    await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const findings = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run(context: object, options: object): Promise<AxeResults> } };
      const context = { include: [['main']], exclude: [['.progressive-restoration-strip']] };
      const { violations } = await axe.run(context, { resultTypes: ['violations'] });
      return violations.map(({ id, impact, nodes }) => ({
        id,
        impact,
        where: nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary ?? ''}`),
      }));
    });
    return findings.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  }

  for (const theme of ['dark', 'light', 'high-contrast', 'high-contrast-light'] satisfies Theme[]) {
    it(`has no serious finding of axe: ${theme}`, async () => {
      const { page } = await open(
        { panel: 'restore', theme },
        { type: 'state', ...state, results: [1, 2], shown: 2 },
        { type: 'result', result },
        { type: 'result', result: { ...result, id: 2 } },
        { type: 'error', message: 'The model is gone. Install it again.' },
      );
      await answerFrames(page);
      await settled(page);
      await site.screenshot(page, `panel-results-${theme}`);
      const restoring = await seriousFindings(page);
      assert.deepEqual(restoring, [], JSON.stringify(restoring, null, 1));
      await forget(page);
      const thumbnail = sample.view.pictures[0]?.thumbnail;
      const rows: BatchRow[] = [
        { index: 0, name: 'a.jpg', state: 'done', task: 'low-light', before: thumbnail, after: thumbnail, output: 'a' },
        { index: 1, name: 'b.png', state: 'failed', note: 'b.png is not a picture. Choose another one.' },
      ];
      const batch = { task: 'detect', prompt: '', model: 'compact', folder: '/pictures', running: false, count: 2 };
      const many = await open({ panel: 'batch', theme }, { type: 'state', ...batch }, { type: 'rows', rows });
      const listing = await seriousFindings(many.page);
      assert.deepEqual(listing, [], JSON.stringify(listing, null, 1));
      await forget(many.page);
    });
  }

  it('keeps zoom and the middle of the picture when the panel changes its width, also where the picture fits meanwhile', async () => {
    const { page } = await restore({ width: 900 });
    await answerFrames(page);
    await settled(page);
    const seen = (): Promise<{ zoom: string; middle: number[] }> =>
      page.locator('.before-after').evaluate((view) => {
        const box = view.querySelector('.stage')?.getBoundingClientRect() ?? new DOMRect();
        const picture = view.querySelector('.layer img')?.getBoundingClientRect() ?? new DOMRect();
        const zoom = view.querySelector('.zoom-text')?.textContent ?? '';
        const scale = picture.width / 420;
        const middle = [
          (box.x + box.width / 2 - picture.x) / scale,
          (box.y + box.height / 2 - picture.y) / scale,
        ] as number[];
        return { zoom, middle };
      });
    const resize = async (width: number): Promise<void> => {
      await page.setViewportSize({ width, height: 900 });
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    };
    await page.locator('.stage').focus();
    await page.keyboard.press('1');
    for (const key of ['+', '+', '+', 'ArrowLeft', 'ArrowUp', 'ArrowUp']) await page.keyboard.press(key);
    const before = await seen();
    assert.equal(before.zoom, '400 %');
    for (const width of [700, 1800, 420, 900]) {
      await resize(width);
      const after = await seen();
      assert.equal(after.zoom, '400 %', `${width} px`);
      // Where the stage is larger than what is beside the point, the picture's edge holds it.
      if (width === 1800) continue;
      for (const [axis, at] of after.middle.entries())
        assert.ok(Math.abs(at - (before.middle[axis] ?? NaN)) < 1, `${width} px: ${after.middle.join()}`);
    }
    const rebuild = async (): Promise<void> => {
      await page.reload();
      answered.delete(page);
      await send(page, { type: 'state', ...state });
      await send(page, { type: 'result', result });
    };
    // Behind another tab the page is thrown away, and built anew when it is seen again.
    await page.getByRole('slider', { name: 'Dividing line' }).focus();
    await page.keyboard.press('PageDown');
    await rebuild();
    await answerFrames(page);
    await settled(page);
    const again = await seen();
    assert.equal(again.zoom, '400 %');
    for (const [axis, at] of again.middle.entries())
      assert.ok(Math.abs(at - (before.middle[axis] ?? NaN)) < 1, `built anew: ${again.middle.join()}`);
    assert.equal(await page.getByRole('slider', { name: 'Dividing line' }).getAttribute('aria-valuenow'), '40');
    // What is kept may have been written by anyone.
    for (const look of [null, { part: 400 }, { part: 10, zoom: { scale: 1e9, middle: { x: 0, y: 0 } } }]) {
      await page.evaluate((kept) => {
        sessionStorage.setItem('kept', JSON.stringify({ id: 'panel-1', look: kept }));
      }, look);
      await rebuild();
      await settled(page);
      assert.equal(await page.getByRole('slider', { name: 'Dividing line' }).getAttribute('aria-valuenow'), '50');
    }
    await page.locator('.stage').focus();
    // What fits follows the stage; 100 % stays 100 %, also when it was the whole picture.
    await page.keyboard.press('0');
    await resize(480);
    assert.equal((await seen()).zoom, '100 %');
    await resize(1200);
    assert.equal((await seen()).zoom, '200 %');
    await resize(480);
    await page.keyboard.press('1');
    await resize(1200);
    assert.equal((await seen()).zoom, '100 %');
    await forget(page);
  });

  for (const width of [360, 480, 600, 800, 1200]) {
    it(`has its controls in order at ${width} px, and nothing moves while a strength is made`, async () => {
      const { page } = await open(
        { panel: 'restore', width },
        { type: 'state', ...state, results: [1, 2], shown: 2 },
        { type: 'result', result },
        { type: 'result', result: { ...result, id: 2 } },
      );
      await answerFrames(page);
      const middle = async (target: ReturnType<Page['locator']>): Promise<number> => {
        const box = await target.boundingBox();
        assert.ok(box, String(target));
        return Math.round(box.y + box.height / 2);
      };
      const device = page.locator('vscode-dropdown[aria-label="Device"]');
      const model = page.locator('vscode-dropdown[aria-label="Model"]');
      const run = button(page, 'Restore');
      assert.ok(Math.abs((await middle(model)) - (await middle(device))) <= 1);
      if (width > 440) assert.ok(Math.abs((await middle(run)) - (await middle(device))) <= 1, 'Restore wraps');
      else assert.equal((await run.boundingBox())?.width, (await page.locator('.controls').boundingBox())?.width);
      const [saving, copying, opening] = await Promise.all(
        ['Save As…', 'Copy', 'Open as Notebook'].map((name) => middle(button(page, name))),
      );
      assert.ok(saving === copying && copying === opening, 'the actions wrap');
      const top = await middle(page.locator('.stage'));
      await page.locator('.dial input').fill('63');
      const note = page.locator('.strength-note');
      assert.equal(await note.innerText(), 'between frames 3 and 4…');
      assert.equal(await middle(page.locator('.stage')), top, 'the note moves the picture');
      assert.ok(
        Math.abs((await middle(note)) - (await middle(page.locator('.strength-value')))) <= 1,
        'the note wraps',
      );
      await send(page, { type: 'state', ...state, running: true });
      await send(page, { type: 'progress', share: 0.42, activity: '3 s left' });
      assert.ok(
        Math.abs((await middle(page.locator('.progress').first())) - (await middle(button(page, 'Stop')))) <= 2,
      );
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
      await forget(page);
    });
  }

  const looks: [Theme, number, boolean][] = [
    ['dark', 1100, false],
    ['light', 800, true],
    ['high-contrast', 420, false],
  ];
  for (const [theme, width, running] of looks) {
    it(`fits: ${theme}, ${width} px`, async () => {
      const view = running ? runningAfter(sample, 3) : sample.view;
      const { page, problems } = await open(
        { panel: 'restore', theme, width },
        { type: 'state', ...state, running },
        { type: 'result', result: { ...result, view } },
      );
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
