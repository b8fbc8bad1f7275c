import assert from 'node:assert/strict';
import type { Frame } from 'playwright-core';
import type { Workbench } from './workbench';

/** The Restore panel that is shown. */
export class PanelView {
  constructor(private readonly workbench: Workbench) {}

  /** The panel's document. */
  document(timeout?: number): Promise<Frame> {
    return this.workbench.frameWith('main .controls .prompt', timeout);
  }

  /** Waits until the run has ended well: all frames are there and the notebook may be opened. */
  waitUntilDone(timeout: number): Promise<Frame> {
    return this.whenVisible('vscode-button:not([disabled])', 'Open as Notebook', timeout);
  }

  /** Waits for the one sentence that says why a run failed. */
  async waitForError(timeout: number): Promise<string> {
    const document = await this.whenVisible('main > .error', /./, timeout);
    return document.locator('main > .error').innerText();
  }

  /** Looks again and again for the panel in front: the document of one that was just closed may still be there. */
  private whenVisible(selector: string, text: string | RegExp, timeout: number): Promise<Frame> {
    return this.workbench.eventually(async () => {
      const document = await this.document();
      await document.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: 2_000 });
      return document;
    }, timeout);
  }

  async press(button: string): Promise<void> {
    await (await this.document()).locator('vscode-button', { hasText: button }).click({ timeout: 90_000 });
  }

  /** Turns the strength dial, and waits until the picture of exactly this strength is there. */
  async turnDial(percent: number): Promise<void> {
    const document = await this.document();
    await document.locator('.dial input').fill(String(percent), { timeout: 90_000 });
    await this.workbench.eventually(async () => {
      assert.equal(await document.locator('.strength-value').innerText(), `${percent} %`);
      assert.equal(await document.locator('.strength-note').innerText(), '');
    });
  }

  /** Numbers below the frames, as they are spoken: one for each frame of the first curve. */
  async curveValues(): Promise<string[]> {
    const document = await this.document();
    const points = document.locator('.curve').first().locator('.point');
    const labels = await points.evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-label') ?? ''));
    return labels;
  }
}
