import type { Frame } from 'playwright-core';
import type { Workbench } from './workbench';

/** The Restore panel that is shown. */
export class PanelView {
  constructor(private readonly workbench: Workbench) {}

  /** The panel's document. */
  document(timeout?: number): Promise<Frame> {
    return this.workbench.frameWith('main .controls', timeout);
  }

  /** Waits until the run has ended well: all frames are there and the notebook may be opened. */
  async waitUntilDone(timeout: number): Promise<Frame> {
    const document = await this.document();
    await document.locator('vscode-button:not([disabled])', { hasText: 'Open as Notebook' }).waitFor({ timeout });
    return document;
  }

  /** Waits for the one sentence that says why a run failed. */
  async waitForError(timeout: number): Promise<string> {
    const error = (await this.document()).locator('main > .error');
    await error.waitFor({ timeout });
    return error.innerText();
  }

  async press(button: string): Promise<void> {
    await (await this.document()).locator('vscode-button', { hasText: button }).click({ timeout: 90_000 });
  }

  /** Numbers below the frames, as they are spoken: one for each frame of the first curve. */
  async curveValues(): Promise<string[]> {
    const document = await this.document();
    const points = document.locator('.curve').first().locator('.point');
    const labels = await points.evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-label') ?? ''));
    return labels;
  }
}
