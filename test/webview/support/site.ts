import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../browser';
import { themePage, type Theme } from './themes';

const SCREENSHOTS = path.resolve(__dirname, '../../../test-results/webview');

export interface PageOptions {
  theme?: Theme;
  width?: number;
  height?: number;
  /** Content security policy; `NONCE` stands for the page's nonce. */
  policy?: string;
  reducedMotion?: boolean;
  /** What the document of a panel shows. */
  panel?: 'restore' | 'batch' | 'compare';
}

export interface Visit {
  page: Page;
  problems: string[];
}

/** A local site with scripts under `/NAME.js` and one page, and a browser to look at it. */
export class Site {
  private readonly visits = new Map<string, Visit>();

  private constructor(
    private readonly server: Server,
    private readonly browser: Browser,
    private readonly origin: string,
  ) {}

  static async open(scripts: Record<string, string>): Promise<Site> {
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
      const name = pathname.slice(1);
      const script = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
      if (script !== undefined) {
        response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(script);
      } else if (name === 'page') {
        const theme = searchParams.get('theme') as Theme;
        const panel = searchParams.get('panel') ?? '';
        const body = html(theme, searchParams.get('policy') ?? '', Object.keys(scripts), panel);
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(body);
      } else {
        response.writeHead(404).end();
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('Expected a TCP port.');
    return new Site(server, await launchBrowser(), `http://127.0.0.1:${address.port}`);
  }

  /**
   * A fresh document. What goes wrong in it is collected in `problems`. The page behind it is used again by later visits with the same
   * theme and policy (a new one takes seconds on a busy machine); `prepare` therefore runs once for each of these pages.
   */
  async visit(options: PageOptions = {}, prepare?: (page: Page) => Promise<void>): Promise<Visit> {
    const { theme = 'dark', width = 1000, height = 900, reducedMotion = false } = options;
    const name = `page?${new URLSearchParams({ theme, policy: options.policy ?? '', panel: options.panel ?? '' }).toString()}`;
    const visit = this.visits.get(name) ?? (await this.openPage(name, prepare));
    visit.problems.length = 0;
    await visit.page.setViewportSize({ width, height });
    await visit.page.emulateMedia({
      colorScheme: theme.endsWith('light') ? 'light' : 'dark',
      reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    });
    await visit.page.goto(`${this.origin}/${name}`);
    return visit;
  }

  private async openPage(name: string, prepare?: (page: Page) => Promise<void>): Promise<Visit> {
    const page = await this.browser.newPage();
    // A busy machine takes its time; what never comes still fails before the test's own limit.
    page.setDefaultTimeout(90_000);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(`console: ${message.text()}`);
    });
    page.on('dialog', (dialog) => {
      problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(this.origin) && !url.startsWith('data:')) problems.push(`request: ${url}`);
    });
    // The TypeScript loader of the tests wraps named functions in this helper, which a page does not have.
    await page.addInitScript({ content: 'globalThis.__name = (made) => made;' });
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    await prepare?.(page);
    const visit = { page, problems };
    this.visits.set(name, visit);
    return visit;
  }

  async screenshot(page: Page, name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true });
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

function html(theme: Theme, policy: string, scripts: string[], panel: string): string {
  const nonce = 'dGVzdC1ub25jZQ';
  const { bodyClass, css } = themePage(theme);
  const meta =
    policy === ''
      ? ''
      : `<meta http-equiv="Content-Security-Policy" content="${policy.replaceAll('NONCE', `'nonce-${nonce}'`)}">`;
  // Modules are fetched by the tests themselves where they need what a module exports.
  const tags = scripts
    .filter((name) => !name.endsWith('.mjs'))
    .map((name) => `<script nonce="${nonce}" src="/${name}"></script>`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">${meta}<link rel="icon" href="data:,">
<style nonce="${nonce}">${css}</style></head><body class="${bodyClass}" data-panel="${panel}">${tags.join('')}</body></html>`;
}
