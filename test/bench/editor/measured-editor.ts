import { removeInstallation, startEditor, type Editor, type EditorOptions } from '../../editor/harness/editor';

/** Runs a benchmark in an editor of its own, and stops the editor. A failure leaves a picture of the window. */
export async function* inEditor<Row>(
  options: EditorOptions,
  measure: (editor: Editor) => AsyncGenerator<Row>,
): AsyncGenerator<Row> {
  try {
    const editor = await startEditor(options);
    try {
      yield* measure(editor);
    } catch (error) {
      await editor.screenshot('failed');
      throw error;
    } finally {
      await editor.stop();
    }
  } finally {
    await removeInstallation();
  }
}
