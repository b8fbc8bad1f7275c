import type { Frame, Locator } from 'playwright-core';
import type { Workbench } from './workbench';

const SHORT = 90_000;

/** The notebook that is shown. */
export class NotebookView {
  constructor(private readonly workbench: Workbench) {}

  private get page(): Workbench['page'] {
    return this.workbench.page;
  }

  cells(): Locator {
    return this.page.locator('.notebookOverlay .monaco-list-row.code-cell-row');
  }

  kernelLabel(): Locator {
    return this.page.locator('.notebook-toolbar-container .kernel-label');
  }

  async waitUntilShown(): Promise<void> {
    await this.cells().first().waitFor({ timeout: SHORT });
  }

  async runAll(): Promise<void> {
    await this.page.getByRole('button', { name: 'Run All', exact: true }).click({ timeout: SHORT });
  }

  /** Runs cell `index` (0-based, among the code cells that are in view). */
  async run(index: number): Promise<void> {
    await this.cells().nth(index).hover();
    await this.cells()
      .nth(index)
      .getByRole('button', { name: /Execute Cell/ })
      .click({ timeout: SHORT });
  }

  /** Waits until `count` cells in view show that they succeeded. */
  async waitForSuccess(count: number, timeout: number): Promise<void> {
    await this.page
      .locator('.notebookOverlay .code-cell-row .codicon-notebook-state-success')
      .nth(count - 1)
      .waitFor({ timeout });
  }

  /** Waits until a cell in view shows that it failed. */
  async waitForError(timeout: number): Promise<void> {
    await this.page
      .locator('.notebookOverlay .code-cell-row .codicon-notebook-state-error')
      .first()
      .waitFor({ timeout });
  }

  isRunning(): Locator {
    return this.page.locator('.notebookOverlay .code-cell-row .codicon-notebook-state-executing');
  }

  /** The document that holds the outputs, once `selector` is visible in it. */
  output(selector: string, timeout?: number): Promise<Frame> {
    return this.workbench.frameWith(selector, timeout);
  }

  async save(): Promise<void> {
    await this.workbench.command('File: Save');
    await this.page.locator('.tab.active:not(.dirty)').waitFor({ timeout: SHORT });
  }
}
