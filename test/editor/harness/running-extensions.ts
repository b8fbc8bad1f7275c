import type { Workbench } from './workbench';

/** VS Code's own list of what its extensions cost. */
export class RunningExtensions {
  constructor(private readonly workbench: Workbench) {}

  /** Milliseconds that our extension took to be loaded and activated in this window, as VS Code counts them. */
  async activation(): Promise<number> {
    const { page } = this.workbench;
    await this.workbench.command('Developer: Show Running Extensions');
    const row = page.locator('.runtime-extensions-editor .extension', { hasText: 'Progressive Image Restoration' });
    const time = row.locator('.activation-time').filter({ hasText: /\d+ms/ });
    await time.first().waitFor({ timeout: 90_000 });
    const [, milliseconds] = /(\d+)ms/.exec(await time.first().innerText()) ?? [];
    // This VS Code shows the list in a window over everything else.
    await page.locator('.monaco-modal-editor-block').press('Escape');
    await page.locator('.monaco-modal-editor-block').waitFor({ state: 'detached' });
    return Number(milliseconds);
  }
}
