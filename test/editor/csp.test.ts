import assert from 'node:assert/strict';
import { removeInstallation, startEditor, type Editor } from './harness/editor';
import { NotebookView } from './harness/notebook-view';
import { savedStrip } from './harness/saved-strip';

for (const enabled of [true, false]) {
  describe(`renderer with the policy of notebook outputs ${enabled ? 'on' : 'off'}`, () => {
    let editor: Editor;
    const refused: string[] = [];

    before(async () => {
      const { files } = await savedStrip();
      editor = await startEditor({
        name: `csp-${enabled ? 'on' : 'off'}`,
        files,
        settings: { 'notebook.experimental.enableCsp': enabled },
      });
      editor.workbench.page.on('console', (message) => {
        if (/Content Security Policy/.test(message.text())) refused.push(message.text());
      });
    });
    after(async () => {
      await editor.stop();
      await removeInstallation();
    });

    it('shows the strip, opens a full frame large and is refused nothing', async () => {
      const { workbench } = editor;
      const notebook = new NotebookView(workbench);
      await workbench.openFile('saved.ipynb');
      await notebook.waitUntilShown();
      const output = await notebook.output('.frames .frame img[src]');
      assert.equal(await output.locator('meta[http-equiv="Content-Security-Policy"]').count(), enabled ? 1 : 0);
      const widths = (selector: string): Promise<number[]> =>
        output
          .locator(selector)
          .evaluateAll((nodes) =>
            nodes.map((node) =>
              node instanceof HTMLImageElement ? node.naturalWidth : (node as HTMLCanvasElement).width,
            ),
          );
      await workbench.eventually(async () => {
        const thumbnails = await widths('.frames .frame img');
        assert.ok(thumbnails.length >= 9 && thumbnails.every((width) => width > 0));
      });
      // The document of the outputs is moved under the cells: a click at a place of the window would miss it.
      await output.locator('.frames .frame').nth(8).dispatchEvent('click');
      // Saved thumbnails are 256 pixels wide at most: what is wider has come from the folder of frames.
      await workbench.eventually(async () => {
        const large = await widths('.compare img, .compare canvas');
        assert.ok(Math.max(0, ...large) > 300, `a full frame is shown, got widths ${large.join(', ')}`);
      });
      await editor.screenshot('strip');
      assert.deepEqual(refused, []);
    });
  });
}
