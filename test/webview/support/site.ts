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
}

/** A local site with scripts under `/NAME.js` and one page, and a browser to look at it. */
export class Site {
  private constructor(
    private readonly server: Server,
    private readonly browser: Browser,
    private readonly pages: Map<string, PageOptions>,
    private readonly origin: string,
  ) {}

  static async open(scripts: Record<string, string>): Promise<Site> {
    const pages = new Map<string, PageOptions>();
    const server = createServer((request, response) => {
      const name = (request.url ?? '').slice(1);
      const script = Object.hasOwn(scripts, name) ? scripts[name] : undefined;
      const page = pages.get(name);
      if (script !== undefined) {
        response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(script);
      } else if (page !== undefined) {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html(page, Object.keys(scripts)));
      } else {
        response.writeHead(404).end();
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('Expected a TCP port.');
    return new Site(server, await launchBrowser(), pages, `http://127.0.0.1:${address.port}`);
  }

  /** A fresh page. What goes wrong in it is collected in `problems`. */
  async visit(
    options: PageOptions = {},
    prepare?: (page: Page) => Promise<void>,
  ): Promise<{ page: Page; problems: string[] }> {
    const name = `page-${this.pages.size}`;
    this.pages.set(name, options);
    const context = await this.browser.newContext({
      viewport: { width: options.width ?? 1000, height: options.height ?? 900 },
      colorScheme: options.theme === 'none-light' || options.theme === 'light' ? 'light' : 'dark',
      reducedMotion: options.reducedMotion === true ? 'reduce' : 'no-preference',
    });
    const page = await context.newPage();
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
    await page.goto(`${this.origin}/${name}`);
    return { page, problems };
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

function html({ theme = 'dark', policy }: PageOptions, scripts: string[]): string {
  const nonce = 'dGVzdC1ub25jZQ';
  const { bodyClass, css } = themePage(theme);
  const meta =
    policy === undefined
      ? ''
      : `<meta http-equiv="Content-Security-Policy" content="${policy.replaceAll('NONCE', `'nonce-${nonce}'`)}">`;
  // Modules are fetched by the tests themselves where they need what a module exports.
  const tags = scripts
    .filter((name) => !name.endsWith('.mjs'))
    .map((name) => `<script nonce="${nonce}" src="/${name}"></script>`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">${meta}<link rel="icon" href="data:,">
<style nonce="${nonce}">${css}</style></head><body class="${bodyClass}">${tags.join('')}</body></html>`;
}
