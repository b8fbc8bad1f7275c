import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { ActivationFunction, OutputItem } from 'vscode-notebook-renderer';
import type { Page } from 'playwright-core';
import { isRendererToExtension, type ExtensionToRenderer, type RunView } from '../../src/protocol';
import { builtBundle } from './support/bundles';
import { settled } from './support/mounted-strip';
import { runningAfter, sampleRun, type Sample } from './support/run-view';
import { Site, type Visit } from './support/site';

/** The policy of notebooks with VS Code's setting `notebook.experimental.enableCsp`. */
const NOTEBOOK_POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' https: http: data:; font-src 'self' https:; connect-src https:; child-src https: data:";

/** What the page keeps of an activated renderer. */
interface RendererWindow {
  render(id: string, text: string): void;
  dispose(id?: string): void;
  posted: unknown[];
  answer(message: unknown): void;
}

describe('renderer', () => {
  let site: Site;
  let sample: Sample;
  let bundle: string;

  before(async () => {
    sample = await sampleRun({ frames: 5 });
    bundle = await builtBundle('renderer');
    site = await Site.open({ 'renderer.mjs': bundle });
  });
  after(() => site.close());

  /** A page with the renderer activated in a notebook's way, each output in a container of its own. */
  async function activated(options: { messaging: boolean; policy?: string }): Promise<Visit> {
    const visit = await site.visit({ policy: options.policy });
    await visit.page.evaluate(async (messaging) => {
      const address = '/renderer.mjs';
      const { activate } = (await import(address)) as { activate: ActivationFunction };
      const mine = window as unknown as RendererWindow;
      mine.posted = [];
      const listeners: ((message: unknown) => void)[] = [];
      const renderer = await activate({
        setState: () => undefined,
        getState: () => undefined,
        getRenderer: async () => undefined,
        workspace: { isTrusted: false },
        ...(messaging
          ? {
              postMessage: (message: unknown) => void mine.posted.push(message),
              onDidReceiveMessage: (listener: (message: unknown) => void) => {
                listeners.push(listener);
                return { dispose: () => undefined };
              },
            }
          : {}),
      });
      mine.answer = (message) => listeners.forEach((listener) => listener(message));
      mine.render = (id, text) => {
        const container = document.getElementById(id) ?? document.createElement('div');
        container.id = id;
        document.body.append(container);
        const item: OutputItem = {
          id,
          mime: 'application/vnd.progressive-restoration.run.v1+json',
          metadata: undefined,
          text: () => text,
          json: () => JSON.parse(text) as unknown,
          data: () => new TextEncoder().encode(text),
          blob: () => new Blob([text]),
        };
        void renderer?.renderOutputItem(item, container, new AbortController().signal);
      };
      mine.dispose = (id) => renderer?.disposeOutputItem?.(id);
    }, options.messaging);
    return visit;
  }

  async function render(page: Page, id: string, output: RunView | string): Promise<void> {
    const text = typeof output === 'string' ? output : JSON.stringify(output);
    await page.evaluate(([key, json]) => (window as unknown as RendererWindow).render(key, json), [id, text] as const);
  }

  /** What the renderer has posted but for what it always asks: whether a kernel works, and which regions were moved. */
  const posted = async (page: Page): Promise<unknown[]> =>
    (await page.evaluate(() => (window as unknown as RendererWindow).posted)).filter(
      (message) => !['working', 'regions'].includes((message as { type: string }).type),
    );
  const answer = (page: Page, message: ExtensionToRenderer | object): Promise<void> =>
    page.evaluate((sent) => (window as unknown as RendererWindow).answer(sent), message);

  it('is small', () => {
    assert.ok(Buffer.byteLength(bundle) < 150_000, `${Buffer.byteLength(bundle)} bytes`);
  });

  for (const policy of [undefined, NOTEBOOK_POLICY]) {
    it(`shows a saved output ${policy === undefined ? 'without' : 'under'} a policy of the notebook`, async () => {
      const { page, problems } = await activated({ messaging: true, policy });
      await render(page, 'a', sample.view);
      await settled(page);
      assert.equal(await page.locator('.frame').count(), 5);
      const widths = await page
        .locator('.frame img')
        .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).naturalWidth));
      assert.deepEqual(widths, [128, 128, 128, 128, 128]);
      assert.deepEqual(problems, []);
    });
  }

  it('updates an output in place, also when it gets a new container', async () => {
    const { page, problems } = await activated({ messaging: true });
    await render(page, 'a', runningAfter(sample, 2));
    await page.getByRole('button', { name: 'Table' }).click();
    await page
      .locator('.frame')
      .first()
      .evaluate((frame) => frame.setAttribute('data-mark', 'kept'));
    await render(page, 'a', runningAfter(sample, 4));
    await page.evaluate(() => document.getElementById('a')?.remove());
    await render(page, 'a', sample.view);
    assert.equal(await page.locator('.frame').first().getAttribute('data-mark'), 'kept');
    assert.equal(await page.locator('.progressive-restoration-strip').count(), 1);
    assert.equal(await page.getByRole('row').count(), 6);
    assert.equal(await page.getByRole('progressbar').isVisible(), false);
    assert.deepEqual(problems, []);
  });

  it('shows several outputs and disposes of one or all', async () => {
    const { page } = await activated({ messaging: true });
    for (const id of ['a', 'b', 'c']) await render(page, id, sample.view);
    const strips = page.locator('.progressive-restoration-strip');
    assert.equal(await strips.count(), 3);
    await page.evaluate(() => (window as unknown as RendererWindow).dispose('b'));
    assert.equal(await strips.count(), 2);
    await page.evaluate(() => (window as unknown as RendererWindow).dispose());
    assert.equal(await strips.count(), 0);
  });

  it('asks the extension for full frames and shows the answers', async () => {
    const { page, problems } = await activated({ messaging: true });
    await render(page, 'a', sample.view);
    await page.locator('.frame').nth(4).click();
    await page.waitForFunction(
      () =>
        (window as unknown as RendererWindow).posted.filter((message) => (message as { type: string }).type === 'frame')
          .length === 2,
    );
    const messages = await posted(page);
    for (const message of messages) {
      assert.ok(isRendererToExtension(message), JSON.stringify(message));
      assert.ok(message.type === 'frame');
      assert.equal(message.framesFolder, 'quickstart.frames');
      await answer(page, { type: 'frame', requestId: message.requestId, dataUrl: sample.files.get(message.file) });
    }
    const right = page.locator('.layer.right img');
    const expected = sample.files.get(sample.view.record.frames[4]?.file ?? '');
    await page.locator('.layer.right:not(.preview)').waitFor();
    assert.equal(await right.getAttribute('src'), expected);
    assert.equal(await right.evaluate((image: HTMLImageElement) => image.naturalWidth), 420);
    assert.deepEqual(problems, []);
  });

  it('shows previews when the extension has no frame or answers with something else', async () => {
    const { page, problems } = await activated({ messaging: true });
    await render(page, 'a', sample.view);
    await page.locator('.frame').nth(4).click();
    await page.waitForFunction(
      () =>
        (window as unknown as RendererWindow).posted.filter((message) => (message as { type: string }).type === 'frame')
          .length === 2,
    );
    await answer(page, { type: 'frame', requestId: 0, dataUrl: 'data:image/svg+xml;base64,PHN2Zy8+' });
    await answer(page, { type: 'frame', requestId: 99, dataUrl: 'data:image/png;base64,AAAA' });
    await answer(page, { type: 'frame', requestId: 0 });
    await answer(page, { type: 'frame', requestId: 1, dataUrl: 'data:image/png;base64,AAAA' });
    await page.locator('.note-line', { hasText: 'small previews' }).waitFor();
    assert.equal(await page.locator('.layer.right img').getAttribute('src'), sample.view.pictures[4]?.thumbnail);
    assert.deepEqual(problems, []);
  });

  it('asks to save a frame under a name without a folder', async () => {
    const { page } = await activated({ messaging: true });
    const file = '..\\holiday/../<lion>.jpg';
    await render(page, 'a', {
      ...sample.view,
      record: { ...sample.view.record, input: { ...sample.view.record.input, file } },
    });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('menuitem', { name: 'Frame 5…' }).click();
    const [message] = await posted(page);
    assert.ok(isRendererToExtension(message), JSON.stringify(message));
    assert.ok(message.type === 'save-frame');
    assert.equal(message.file, sample.view.record.frames[4]?.file);
    assert.equal(message.suggestedName, 'lion.frame-5.png');
  });

  /** The number of the question whether the kernel works, once it is asked. */
  async function asked(page: Page): Promise<number> {
    // The first one is whether there is an extension at all.
    await page.waitForFunction(
      () =>
        (window as unknown as RendererWindow).posted.filter(
          (message) => (message as { type: string }).type === 'working',
        ).length >= 2,
    );
    const all = await page.evaluate(() => (window as unknown as RendererWindow).posted);
    const messages = all.filter((one) => isRendererToExtension(one) && one.type === 'working');
    return (messages.at(-1) as { requestId: number }).requestId;
  }

  it('shows a run that nobody works on any more as interrupted, never as working', async () => {
    const { page, problems } = await activated({ messaging: true });
    await render(page, 'a', runningAfter(sample, 2));
    await answer(page, { type: 'working', requestId: await asked(page), working: false });
    await page.locator('.sentence', { hasText: 'The run was interrupted. 2 frames are kept.' }).waitFor();
    assert.equal(await page.getByRole('progressbar').isVisible(), false);
    assert.equal(await page.getByRole('button', { name: 'Stop' }).isVisible(), false);
    // What arrives late counts: the run went on after all.
    await render(page, 'a', sample.view);
    assert.equal(await page.locator('.sentence').isVisible(), false);
    assert.equal(await page.locator('.frame').count(), 5);
    assert.deepEqual(problems, []);
  });

  it('lets a run go on while its kernel works, and stops it on demand', async () => {
    const { page } = await activated({ messaging: true });
    await render(page, 'a', runningAfter(sample, 2));
    await answer(page, { type: 'working', requestId: await asked(page), working: true });
    await page.getByRole('button', { name: 'Stop' }).click();
    assert.equal(await page.getByRole('progressbar').isVisible(), true);
    assert.deepEqual((await posted(page)).at(-1), { type: 'stop' });
  });

  it('gives a silent run up where nobody can be asked', async () => {
    const { page } = await activated({ messaging: false });
    await page.evaluate(() => {
      const now = Date.now.bind(Date);
      (window as unknown as { late: number }).late = 0;
      Date.now = () => now() + (window as unknown as { late: number }).late;
    });
    await render(page, 'a', runningAfter(sample, 2));
    assert.equal(await page.getByRole('progressbar').isVisible(), true);
    assert.equal(await page.getByRole('button', { name: 'Stop' }).count(), 0);
    await page.evaluate(() => ((window as unknown as { late: number }).late = 60_000));
    await page.locator('.sentence', { hasText: 'interrupted' }).waitFor();
  });

  it('looks where the region was moved to, and hands over where the reader moves it', async () => {
    const { page } = await activated({ messaging: true });
    const all = await page.evaluate(() => (window as unknown as RendererWindow).posted);
    assert.ok(
      all.some((message) => (message as { type: string }).type === 'regions'),
      'it asks for moved regions',
    );
    const frame = sample.view.record.frames.at(-1)?.file ?? '';
    const own = sample.view.record.region;
    assert.ok(own);
    const region = { x: own.x - 40, y: own.y + 8, width: 64, height: 72 };
    const box = (id: string): ReturnType<Page['locator']> => page.locator(`#${id} .region-box`);
    const told = async (id: string): Promise<number[]> =>
      ((await box(id).getAttribute('aria-label')) ?? '').match(/\d+/g)?.slice(0, 4).map(Number) ?? [];
    const at = ({ x, y, width, height }: typeof region): number[] => [width, height, x, y];

    /** What the renderer wants to be kept. It asks for full frames as well, to cut the region out of them. */
    const kept = async (): Promise<unknown[]> =>
      (await posted(page)).filter((message) => (message as { type: string }).type === 'region');

    await render(page, 'a', sample.view);
    await answer(page, { type: 'regions', regions: [{ frame, region: { ...region, x: -1 } }] });
    assert.deepEqual(await told('a'), at(own), 'what is no region is not followed');
    await answer(page, { type: 'regions', regions: [{ frame, region }] });
    assert.deepEqual(await told('a'), at(region));
    await render(page, 'b', sample.view);
    assert.deepEqual(await told('b'), at(region), 'a strip that comes later looks there, too');
    await page.waitForTimeout(400);
    assert.deepEqual(await kept(), [], 'looking is no change');

    await box('a').focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    const moved = { ...region, x: region.x + 16, y: region.y + 8 };
    // News of before the reader moved it come too late.
    await answer(page, { type: 'regions', regions: [{ frame, region }] });
    assert.deepEqual(await told('a'), at(moved));
    await page.waitForTimeout(400);
    const [message, ...others] = await kept();
    assert.deepEqual(message, { type: 'region', frame, region: moved });
    assert.ok(isRendererToExtension(message));
    assert.deepEqual(others, [], 'once, when it stands still');

    // Undone in the notebook.
    await answer(page, { type: 'regions', regions: [] });
    assert.deepEqual(await told('a'), at(own));
    await box('a').focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Home');
    await page.waitForTimeout(400);
    const back = (await kept()).at(-1);
    assert.deepEqual(back, { type: 'region', frame, region: undefined });
    assert.ok(isRendererToExtension(back));
  });

  it('works without messaging', async () => {
    const { page, problems } = await activated({ messaging: false });
    await render(page, 'a', sample.view);
    await page.getByRole('button', { name: 'Save' }).click();
    assert.equal(await page.getByRole('menuitem', { name: 'Frame 5…' }).count(), 0);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: 'Table (CSV)…' }).click(),
    ]);
    assert.equal(file.suggestedFilename(), 'cat-blurred.frames.csv');
    assert.match(await readFile(await file.path(), 'utf8'), /^Frames,severity,PSNR/);
    await page.locator('.frame').nth(4).click();
    await page.locator('.note-line', { hasText: 'small previews' }).waitFor();
    assert.deepEqual(problems, []);
  });

  it('asks for nothing when an output names no folder', async () => {
    const { page } = await activated({ messaging: true });
    await render(page, 'a', { ...sample.view, framesFolder: undefined });
    await page.locator('.frame').nth(4).click();
    await page.locator('.note-line', { hasText: 'small previews' }).waitFor();
    assert.deepEqual(await posted(page), []);
  });

  for (const text of ['{', '', 'null', '{"record":{}}']) {
    it(`says in a sentence that "${text}" is no run`, async () => {
      const { page, problems } = await activated({ messaging: true });
      await render(page, 'a', text);
      assert.equal(await page.locator('.refusal').innerText(), 'This output is not a run that this version can show.');
      assert.deepEqual(problems, []);
    });
  }
});
