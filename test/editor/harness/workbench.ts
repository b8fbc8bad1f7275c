import assert from 'node:assert/strict';
import type { Frame, Locator, Page } from 'playwright-core';
import { projectRoot } from './installation';

/** Longest wait for something that the editor itself does. */
const SHORT = 90_000;

export interface WorkbenchOptions {
  /** Whether the extension has commands to wait for; it has. */
  hasCommands?: boolean;
  /** Module that the extension host runs as its tests, with the extension out of this checkout. */
  extensionTests?: string;
}

/** VS Code's workbench in a page: what a user sees and does. */
export class Workbench {
  private hasFolder = true;

  constructor(
    readonly page: Page,
    private readonly url: string,
    private readonly options: WorkbenchOptions = {},
  ) {}

  /** Loads (or reloads) the workbench on `folder`, or without any, and waits until the extension is known. */
  async open(folder: string | undefined): Promise<void> {
    this.hasFolder = folder !== undefined;
    const address = new URL(this.url);
    if (folder === undefined) address.searchParams.set('ew', 'true');
    else address.searchParams.set('folder', folder);
    if (this.options.extensionTests !== undefined) await this.develop(address.host, this.options.extensionTests);
    await this.page.goto(address.href);
    await this.ready();
  }

  /** Has the page load the extension out of this checkout, and its extension host run `tests`. */
  private async develop(host: string, tests: string): Promise<void> {
    const remote = (file: string): object => ({ scheme: 'vscode-remote', authority: host, path: file });
    // The workbench calls these when it runs tests of extensions.
    await this.page.exposeFunction('codeAutomationLog', () => undefined);
    await this.page.exposeFunction('codeAutomationExit', () => undefined);
    await this.page.addInitScript(
      (options) => {
        // The workbench reads its configuration from this element as soon as the page is parsed.
        new MutationObserver((_, observer) => {
          const element = document.getElementById('vscode-workbench-web-configuration');
          const settings = element?.getAttribute('data-settings');
          if (!element || !settings) return;
          observer.disconnect();
          element.setAttribute(
            'data-settings',
            JSON.stringify({ ...(JSON.parse(settings) as object), developmentOptions: options }),
          );
        }).observe(document, { childList: true, subtree: true });
      },
      { extensions: [remote(projectRoot)], extensionTestsPath: remote(tests) },
    );
  }

  /** Reloads the window by its command: a bare reload of the page may lose what the workbench has not written yet. */
  async reload(): Promise<void> {
    const loaded = this.page.waitForEvent('load', { timeout: 120_000 });
    await this.command('Developer: Reload Window');
    await loaded;
    await this.ready();
  }

  private async ready(): Promise<void> {
    const shown = this.hasFolder ? '.explorer-folders-view .monaco-list-row' : '.part.statusbar';
    await this.page.locator(shown).first().waitFor({ timeout: 120_000 });
    // Before its commands are known, a notebook would open without our kernel; before those of VS Code's own extensions are, as text.
    const known =
      this.options.hasCommands === false ? 'Create: New Jupyter Notebook' : 'Progressive Restoration: Show Log';
    await this.eventually(async () => {
      assert.ok((await this.commandsNamed(known)).length > 0, `"${known}" is in the palette`);
    }, 120_000);
  }

  /** Repeats `check` until it holds; throws what it threw last when `timeout` milliseconds are over. */
  async eventually<T>(check: () => Promise<T>, timeout = SHORT): Promise<T> {
    const deadline = Date.now() + timeout;
    for (;;) {
      try {
        return await check();
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await this.page.waitForTimeout(250);
      }
    }
  }

  private async palette(text: string): Promise<void> {
    const input = this.quickInput();
    // A workbench that is still busy with the view before loses a key, or closes what it has just opened.
    await this.eventually(async () => {
      await this.page.keyboard.press('F1');
      await input.waitFor({ timeout: 5_000 });
      await input.fill(`>${text}`, { timeout: 5_000 });
    });
    await this.page.waitForTimeout(300);
  }

  quickInput(): Locator {
    return this.page.locator('.quick-input-widget input[type=text]');
  }

  quickRow(label: string | RegExp): Locator {
    return this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: label });
  }

  /** Runs a command by its full title. */
  async command(title: string): Promise<void> {
    await this.palette(title);
    await this.quickRow(title).first().click({ timeout: SHORT });
  }

  /** What the palette offers when this is typed, of which it is a part. */
  async commandsNamed(title: string): Promise<string[]> {
    await this.palette(title);
    const found = await this.quickRow(title).allInnerTexts();
    await this.page.keyboard.press('Escape');
    return found;
  }

  /** Chooses an entry of the quick pick that is open. */
  async pick(label: string | RegExp): Promise<void> {
    await this.quickRow(label).first().click({ timeout: SHORT });
  }

  /** Answers the input box that is open; without `text` its proposal is taken. Returns what stood in it. */
  async answer(expectedTitle: string | RegExp, text?: string): Promise<string> {
    await this.inputTitled(expectedTitle);
    const input = this.quickInput();
    const proposal = await input.inputValue();
    if (text !== undefined) await input.fill(text);
    await this.page.keyboard.press('Enter');
    return proposal;
  }

  /** Waits until the input box with this title is open. */
  async inputTitled(title: string | RegExp): Promise<void> {
    const widget = this.page.locator('.quick-input-widget').filter({ hasText: title });
    await widget.filter({ has: this.page.locator('input[type=text]') }).waitFor({ timeout: SHORT });
    // The list of the question before is gone: what is open asks for text.
    await this.page
      .locator('.quick-input-list')
      .filter({ visible: true })
      .waitFor({ state: 'detached', timeout: SHORT });
  }

  /** Chooses a theme by its label, and waits until the workbench has the style (`vs`, `vs-dark`, `hc-black`, `hc-light`). */
  async chooseTheme(label: string, style: string): Promise<void> {
    await this.command('Preferences: Color Theme');
    const row = this.quickRow(label);
    await row.first().waitFor({ timeout: SHORT });
    await this.quickInput().fill(label);
    await row.first().click({ timeout: SHORT });
    await this.page.locator(`.monaco-workbench.${style}`).waitFor({ timeout: SHORT });
    await this.page
      .locator('.quick-input-widget')
      .filter({ visible: true })
      .waitFor({ state: 'detached', timeout: SHORT });
  }

  treeItem(name: string): Locator {
    return this.page.locator('.explorer-folders-view').getByRole('treeitem', { name, exact: true });
  }

  /** Opens a file of the workspace for good, not as a preview. */
  async openFile(name: string): Promise<void> {
    await this.treeItem(name).dblclick({ timeout: SHORT });
  }

  /** Chooses an entry of the context menu of a file in the explorer. */
  async contextMenu(name: string, entry: string): Promise<void> {
    await this.treeItem(name).click({ button: 'right', timeout: SHORT });
    const item = this.page.getByRole('menuitem', { name: entry });
    await item.waitFor({ timeout: SHORT });
    // A menu that has just opened takes the first click for the end of the one that opened it.
    await this.eventually(async () => {
      if (await item.isVisible()) await item.click();
      await item.waitFor({ state: 'hidden', timeout: 2_000 });
    });
  }

  /** Closes every editor; what is not saved is saved first. */
  async closeAll(): Promise<void> {
    await this.command('File: Save All');
    await this.command('View: Close All Editors');
    await this.page.locator('.tabs-container .tab').first().waitFor({ state: 'detached', timeout: SHORT });
  }

  /** Chooses a name in the file dialog that opens, once it offers an `expected` one. Returns the name that it offered. */
  async chooseFile(target: string, expected = /\.\w+$/): Promise<string> {
    const input = this.quickInput();
    let offered = '';
    await this.eventually(async () => {
      offered = await input.inputValue();
      assert.match(offered, expected);
    });
    // The dialog may still be reading the folder, and puts its own proposal back when it has.
    await this.eventually(async () => {
      await input.fill(target);
      await this.page.waitForTimeout(700);
      assert.equal(await input.inputValue(), target);
    });
    await this.page.keyboard.press('Enter');
    return offered;
  }

  /** Answers the question of the file dialog whether an existing file shall be replaced. */
  async confirmOverwrite(): Promise<void> {
    const question = this.page.locator('.quick-input-widget').filter({ hasText: /already exists/ });
    await question.waitFor({ timeout: SHORT });
    await question
      .getByRole('button', { name: /^(Yes|OK)$/ })
      .filter({ visible: true })
      .first()
      .click({ timeout: SHORT });
  }

  /** Chooses a colour theme by its name. */
  async theme(name: string): Promise<void> {
    await this.command('Preferences: Color Theme');
    await this.quickInput().fill(name);
    await this.quickRow(name).first().click({ timeout: SHORT });
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden', timeout: SHORT });
  }

  toasts(): Locator {
    return this.page.locator('.notification-toast');
  }

  tab(name: string | RegExp): Locator {
    return this.page.getByRole('tab', { name });
  }

  /** The document of a webview (a panel, or the outputs of a notebook) in which `selector` is visible. */
  async frameWith(selector: string, timeout = SHORT): Promise<Frame> {
    return this.eventually(async () => {
      for (const frame of this.page.frames()) {
        // The workbench itself shows the sources of cells, not their outputs.
        if (frame === this.page.mainFrame()) continue;
        const visible = await frame
          .locator(selector)
          .first()
          .isVisible()
          .catch(() => false);
        if (visible) return frame;
      }
      throw new Error(`Expected "${selector}" in some webview; there is none.`);
    }, timeout);
  }

  /** The same, looked for all the time: for measuring when it is there. */
  async soonFrameWith(selector: string, timeout: number): Promise<Frame> {
    const deadline = Date.now() + timeout;
    for (;;) {
      for (const frame of this.page.frames().slice(1)) {
        const seen = await frame
          .locator(selector)
          .first()
          .isVisible()
          .catch(() => false);
        if (seen) return frame;
      }
      if (Date.now() > deadline) throw new Error(`Expected "${selector}" in some webview; there is none.`);
      await this.page.waitForTimeout(15);
    }
  }

  async screenshot(file: string): Promise<void> {
    await this.page.screenshot({ path: file });
  }
}
