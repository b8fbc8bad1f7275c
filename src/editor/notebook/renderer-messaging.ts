import path from 'node:path';
import * as vscode from 'vscode';
import { isRendererToExtension, RestorationError, type ExtensionToRenderer } from '../../protocol';
import { findFrame, readFrame } from '../frames/frame-store';
import { saveFrameAs, saveMadeAs } from '../frames/save-frame';
import { RENDERER_ID } from '../ids';
import type { Log } from '../status/log';
import type { TypescriptController } from './controller';
import { MovedRegions } from './moved-regions';
import type { NotebookFiles } from './notebook-files';

/** Serves the strip in a notebook: full frames from the folder beside it, saving, stopping, whether a cell works, and regions that were moved. */
export class RendererMessaging implements vscode.Disposable {
  private readonly messaging = vscode.notebooks.createRendererMessaging(RENDERER_ID);
  private readonly moved = new MovedRegions((message, editor) => this.messaging.postMessage(message, editor));
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly files: NotebookFiles,
    private readonly kernel: Pick<TypescriptController, 'interrupt' | 'isWorking'>,
    private readonly log: Log,
  ) {
    this.subscription = this.messaging.onDidReceiveMessage(({ editor, message }) => {
      this.answer(editor, message as unknown).catch((error: unknown) => this.log.report(error));
    });
  }

  private async answer(editor: vscode.NotebookEditor, message: unknown): Promise<void> {
    if (!isRendererToExtension(message)) {
      this.log.info('A message of a notebook output was ignored: it has not the expected shape.');
      return;
    }
    const { notebook } = editor;
    switch (message.type) {
      case 'frame':
        await this.sendFrame(
          editor,
          message.requestId,
          this.files.outputFolder(notebook, message.framesFolder),
          message.file,
        );
        return;
      case 'save-frame':
        await this.saveFrame(
          this.files.outputFolder(notebook, message.framesFolder),
          message.file,
          message.suggestedName,
        );
        return;
      case 'save-made':
        await saveMadeAs({
          dataUrl: message.dataUrl,
          folder: path.dirname(this.files.framesFolder(notebook)),
          suggestedName: message.suggestedName,
        });
        return;
      case 'stop':
        await this.kernel.interrupt(notebook);
        return;
      case 'working': {
        const { requestId } = message;
        const answer: ExtensionToRenderer = { type: 'working', requestId, working: this.kernel.isWorking(notebook) };
        await this.messaging.postMessage(answer, editor);
        return;
      }
      case 'regions':
      case 'region':
        await this.moved.handle(message, editor);
        return;
    }
  }

  private async sendFrame(
    editor: vscode.NotebookEditor,
    requestId: number,
    folder: string | undefined,
    file: string,
  ): Promise<void> {
    let dataUrl: string | undefined;
    try {
      if (folder !== undefined) dataUrl = await readFrame(folder, file);
    } finally {
      // Also when reading failed: every request is answered, and a frame that cannot be read counts as gone.
      const answer: ExtensionToRenderer = { type: 'frame', requestId, dataUrl };
      await this.messaging.postMessage(answer, editor);
    }
  }

  private async saveFrame(folder: string | undefined, file: string, suggestedName: string): Promise<void> {
    const source = folder === undefined ? undefined : await findFrame(folder, file);
    if (folder === undefined || source === undefined) {
      throw new RestorationError(
        'missing-file',
        vscode.l10n.t('The full frame is no longer in the folder of frames beside the notebook.'),
        vscode.l10n.t('Run the cell again.'),
      );
    }
    await saveFrameAs({ source, folder: path.dirname(folder), suggestedName });
  }

  dispose(): void {
    this.subscription.dispose();
    this.moved.dispose();
  }
}
