import type { ActivationFunction, OutputItem } from 'vscode-notebook-renderer';
import { packRun } from '../../src/restoration/run/pack-run';
import { builtBundle } from '../webview/support/bundles';
import { sampleRun } from '../webview/support/run-view';
import { Site } from '../webview/support/site';

/** Fifty saved outputs in one page, each in a container of its own, as a notebook shows them; then scrolled from top to bottom. */
export const title = 'A notebook with fifty runs, in the browser';

const RUNS = 50;

export type Row = Record<string, string>;

export async function* run(): AsyncGenerator<Row> {
  const region = { x: 150, y: 70, width: 80, height: 80 };
  const { view } = await sampleRun({ region });
  const packed = await packRun(view);
  const site = await Site.open({ 'renderer.mjs': await builtBundle('renderer') });
  try {
    for (const [what, output] of [
      ['a picture a crop', view],
      ['packed', packed],
    ] as const) {
      const text = JSON.stringify(output);
      const { page } = await site.visit({ width: 1200, height: 900 });
      const seen = await page.evaluate(
        async ({ json, runs }) => {
          const address = '/renderer.mjs';
          const { activate } = (await import(address)) as { activate: ActivationFunction };
          const tasks: number[] = [];
          new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => tasks.push(duration))).observe({
            type: 'longtask',
          });
          const renderer = await activate({
            setState: () => undefined,
            getState: () => undefined,
            getRenderer: async () => undefined,
            workspace: { isTrusted: false },
          });
          const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
          const start = performance.now();
          let longest = 0;
          let first: number | undefined;
          const isShown = (strip: Element | null | undefined): boolean =>
            strip?.shadowRoot?.querySelectorAll('.frame img[src]').length === 9 &&
            strip.shadowRoot.querySelector('[aria-busy]') === null;
          const look = (): void => {
            if (first === undefined && isShown(document.querySelector('.progressive-restoration-strip'))) {
              first = performance.now() - start;
            }
          };
          for (let at = 0; at < runs; at++) {
            const container = document.createElement('div');
            container.style.marginBottom = '120px';
            document.body.append(container);
            const item = { id: String(at), mime: '', json: () => JSON.parse(json) as unknown } as OutputItem;
            const since = performance.now();
            await renderer?.renderOutputItem(item, container, new AbortController().signal);
            longest = Math.max(longest, performance.now() - since);
            // A notebook hands over one output a task.
            await new Promise((resolve) => setTimeout(resolve, 0));
            look();
          }
          const all = performance.now() - start;
          const strips = [...document.querySelectorAll('.progressive-restoration-strip')];
          while (first === undefined) {
            await wait();
            look();
          }
          await new Promise((resolve) => setTimeout(resolve, 2000));
          const opening = tasks.splice(0);
          for (let y = 0; y < document.documentElement.scrollHeight; y += 120) {
            scrollTo(0, y);
            await new Promise((resolve) => requestAnimationFrame(() => resolve(undefined)));
          }
          await new Promise((resolve) => setTimeout(resolve, 2000));
          const scrolling = tasks.splice(0);
          return { all, first, longest, opening, scrolling, shown: strips.filter(isShown).length };
        },
        { json: text, runs: RUNS },
      );
      const worst = (tasks: number[]): string => `${tasks.length}, longest ${Math.max(0, ...tasks).toFixed(0)} ms`;
      yield {
        what,
        'MB in the notebook': ((text.length * RUNS) / 1e6).toFixed(1),
        'all outputs handed over, ms': seen.all.toFixed(0),
        'longest hand-over, ms': seen.longest.toFixed(0),
        'first strip complete, ms': seen.first.toFixed(0),
        'long tasks opening': worst(seen.opening),
        'long tasks scrolling': worst(seen.scrolling),
        'strips complete at the end': String(seen.shown),
      };
    }
  } finally {
    await site.close();
  }
}
