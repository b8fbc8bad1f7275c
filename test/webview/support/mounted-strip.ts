import type { Locator, Page } from 'playwright-core';
import type { Strip, StripOptions } from '../../../webview/strip/strip';
import type { PageOptions, Site } from './site';

/** What the page of `mountStrip` keeps on its window. */
interface StripWindow {
  strip: Strip;
  /** Files that were asked with `loadFrame`, in order. */
  asked: string[];
  saved: number[];
  copied: string[];
  /** What was made and should be saved: data URL and name. */
  made: [string, string][];
  stopped: number;
}

export interface Mounted {
  page: Page;
  problems: string[];
  update: (view: unknown) => Promise<void>;
  asked: () => Promise<string[]>;
  saved: () => Promise<number[]>;
  copied: () => Promise<string[]>;
  made: () => Promise<[string, string][]>;
  stopped: () => Promise<number>;
}

/** A page with a strip in it; `files` are the full frames that can be loaded, absent = no `loadFrame` at all. */
export async function mountStrip(
  site: Site,
  view: unknown,
  { files, ...options }: PageOptions & { files?: Map<string, string>; comparison?: StripOptions['comparison'] } = {},
): Promise<Mounted> {
  const { page, problems } = await site.visit(options);
  await page.evaluate(
    async ({ entries, comparison }) => {
      const address = '/strip.mjs';
      const { createStrip } = (await import(address)) as {
        createStrip: (container: HTMLElement, options: StripOptions) => Strip;
      };
      const mine = window as unknown as StripWindow;
      Object.assign(mine, { asked: [], saved: [], copied: [], made: [], stopped: 0 });
      const frames = new Map(entries);
      mine.strip = createStrip(document.body, {
        comparison,
        loadFrame:
          entries === undefined
            ? undefined
            : async (file) => {
                mine.asked.push(file);
                return frames.get(file);
              },
        onSave: (frame) => mine.saved.push(frame.index),
        onCopy: async (text) => {
          mine.copied.push(text);
          return true;
        },
        onSaveMade: (dataUrl, name) => mine.made.push([dataUrl, name]),
        onStop: () => mine.stopped++,
      });
    },
    { entries: files === undefined ? undefined : [...files], comparison: options.comparison },
  );
  const mounted: Mounted = {
    page,
    problems,
    // As text, since some of what is shown here must survive as it stands: own keys named __proto__, for example.
    update: (next) =>
      page.evaluate(
        (text) =>
          (window as unknown as StripWindow).strip.update(text === null ? undefined : (JSON.parse(text) as unknown)),
        typeof next === 'string' ? next : (JSON.stringify(next) ?? null),
      ),
    asked: () => page.evaluate(() => (window as unknown as StripWindow).asked),
    saved: () => page.evaluate(() => (window as unknown as StripWindow).saved),
    copied: () => page.evaluate(() => (window as unknown as StripWindow).copied),
    made: () => page.evaluate(() => (window as unknown as StripWindow).made),
    stopped: () => page.evaluate(() => (window as unknown as StripWindow).stopped),
  };
  await mounted.update(view);
  await settled(page);
  return mounted;
}

/** Waits until all pictures of the strip are decoded, full frames have come or not, and the region has been measured. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const root = document.querySelector('.progressive-restoration-strip')?.shadowRoot;
    return (
      root !== undefined &&
      root?.querySelector('[aria-busy]') === null &&
      [...root.querySelectorAll('img[src]')].every((image) => (image as HTMLImageElement).complete)
    );
  });
}

export async function middle(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (box === null) throw new Error('Expected an element that is shown.');
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
