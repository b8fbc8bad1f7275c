import type { Frame, Locator } from 'playwright-core';
import type { Workbench } from './workbench';

const SHORT = 90_000;

/** The overlay of the editor in front: the others are kept far outside of the window. */
const OVERLAY = '.notebookOverlay:not([style*="-50000px"])';

/** The notebook that is shown. */
export class NotebookView {
  constructor(private readonly workbench: Workbench) {}

  private get page(): Workbench['page'] {
    return this.workbench.page;
  }

  cells(): Locator {
    return this.page.locator(`${OVERLAY} .monaco-list-row.code-cell-row`);
  }

  kernelLabel(): Locator {
    return this.page.locator('.notebook-toolbar-container .kernel-label').filter({ visible: true });
  }

  async waitUntilShown(): Promise<void> {
    await this.cells().first().waitFor({ timeout: SHORT });
  }

  /** The same for a notebook of more than ten megabytes: VS Code in a browser asks whether it shall be opened, once. */
  async waitUntilLargeShown(): Promise<void> {
    const question = this.page.getByRole('button', { name: 'Open Anyway' });
    await question.or(this.cells().first()).first().waitFor({ timeout: SHORT });
    if (await question.isVisible()) await question.click();
    await this.waitUntilShown();
  }

  async runAll(): Promise<void> {
    await this.page.getByRole('button', { name: 'Run All', exact: true }).click({ timeout: SHORT });
  }

  /** Runs cell `index` (0-based, among the code cells that are in view). */
  async run(index: number): Promise<void> {
    await this.cells().nth(index).hover();
    await this.cells()
      .nth(index)
      .getByRole('button', { name: /^Execute Cell(?! and)/ })
      .click({ timeout: SHORT });
  }

  /** The code cell whose source contains `text`. */
  cell(text: string): { row: Locator; succeeded(timeout: number): Promise<void> } {
    const row = this.cells().filter({ hasText: text });
    return {
      row,
      succeeded: (timeout) => row.locator('.codicon-notebook-state-success').waitFor({ timeout }),
    };
  }

  /** Waits until `count` cells in view show that they succeeded. */
  async waitForSuccess(count: number, timeout: number): Promise<void> {
    await this.cells()
      .locator('.codicon-notebook-state-success')
      .nth(count - 1)
      .waitFor({ timeout });
  }

  /** Waits until a cell in view shows that it failed. */
  async waitForError(timeout: number): Promise<void> {
    await this.cells().locator('.codicon-notebook-state-error').first().waitFor({ timeout });
  }

  /** Waits until no cell runs or waits any more: for a moment between two cells, none runs either. */
  async waitUntilIdle(timeout: number): Promise<void> {
    const interrupt = this.page.getByRole('button', { name: 'Interrupt', exact: true }).filter({ visible: true });
    const deadline = Date.now() + timeout;
    for (let quiet = 0; quiet < 12;) {
      if (Date.now() > deadline) throw new Error('Expected all cells to have ended; some still run.');
      quiet = (await interrupt.count()) === 0 ? quiet + 1 : 0;
      await this.page.waitForTimeout(250);
    }
  }

  isRunning(): Locator {
    return this.cells().locator('.codicon-notebook-state-executing');
  }

  /** The document that holds the outputs, once `selector` is visible in it. */
  output(selector: string, timeout?: number): Promise<Frame> {
    return this.workbench.frameWith(selector, timeout);
  }

  /** Turns the wheel over the cells by so many pixels. */
  async scroll(pixels: number): Promise<void> {
    await this.cells().first().hover();
    // A turn of the wheel moves the cells by some 50 pixels, however far it is turned.
    for (let moved = 0; moved < pixels; moved += 50) {
      await this.page.mouse.wheel(0, 100);
      await this.page.waitForTimeout(30);
    }
  }

  async save(): Promise<void> {
    await this.workbench.command('File: Save');
    await this.page.locator('.tab.active:not(.dirty)').waitFor({ timeout: SHORT });
  }
}
