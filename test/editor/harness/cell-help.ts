import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { NotebookView } from './notebook-view';
import type { Workbench } from './workbench';

/** The cursor in a cell, and what the editor offers there. */
export class CellHelp {
  constructor(private readonly workbench: Workbench) {}

  /** Puts the cursor at the end of cell `index`. */
  async focusEnd(index: number): Promise<Locator> {
    const { page } = this.workbench;
    const cell = new NotebookView(this.workbench).cells().nth(index);
    // A notebook that has just opened may draw its cells once more, and the cursor is gone.
    await this.workbench.eventually(async () => {
      // What still hovers over the cells would take the click.
      for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
      await cell.locator('.view-lines').click({ position: { x: 4, y: 4 } });
      await page.waitForTimeout(500);
      assert.equal(await cell.locator('.monaco-editor.focused').count(), 1, 'the cursor is in the cell');
    });
    await page.keyboard.press('Control+End');
    return cell;
  }

  /** What the list of completions offers under exactly this name. */
  offers(name: string): Locator {
    const { page } = this.workbench;
    return page.locator('.suggest-widget .monaco-list-row').filter({ has: page.getByText(name, { exact: true }) });
  }

  /** The hints about the parameters of a call to `name`. */
  signature(name: string): Locator {
    return this.workbench.page.locator('.parameter-hints-widget').filter({ hasText: `${name}(` });
  }

  /** What hovers over the name at the cursor, once it says something about a call of `name`. */
  async hover(name: string): Promise<Locator> {
    await this.workbench.command('Show or Focus Hover');
    const hover = this.workbench.page.locator('.monaco-hover').filter({ hasText: `${name}(` });
    await hover.first().waitFor({ timeout: 90_000 });
    return hover
      .first()
      .locator('.hover-row')
      .filter({ hasText: `${name}(` });
  }
}
