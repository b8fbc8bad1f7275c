import * as vscode from 'vscode';
import {
  endingOfMade,
  isFolderName,
  isFrameFile,
  isRendererToExtension,
  type ExtensionToRenderer,
} from '../../protocol';
import { RENDERER_ID } from '../ids';
import { MovedRegions } from '../notebook/moved-regions';

/** Largest frame that is handed to a webview, in bytes of its file. */
const FRAME_LIMIT = 64 * 1024 * 1024;

const TYPES: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', webp: 'image/webp' };

/** Serves saved strips in a browser: full frames from the folder beside the notebook, saving one of them, and regions that were moved. */
export class SavedStrips implements vscode.Disposable {
  private readonly messaging = vscode.notebooks.createRendererMessaging(RENDERER_ID);
  private readonly moved = new MovedRegions((message, editor) => this.messaging.postMessage(message, editor));
  private readonly subscription: vscode.Disposable;

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.subscription = this.messaging.onDidReceiveMessage(({ editor, message }) => {
      this.answer(editor, message as unknown).catch(async (error: unknown) => {
        this.log.error(error instanceof Error ? error : String(error));
        await vscode.window.showErrorMessage(
          vscode.l10n.t(
            'The notebook output could not be served: {0}',
            error instanceof Error ? error.message : String(error),
          ),
        );
      });
    });
  }

  private async answer(editor: vscode.NotebookEditor, message: unknown): Promise<void> {
    if (!isRendererToExtension(message)) {
      this.log.info('A message of a notebook output was ignored: it has not the expected shape.');
      return;
    }
    const { notebook } = editor;
    switch (message.type) {
      case 'frame': {
        const frame = frameUri(notebook, message.framesFolder, message.file);
        const dataUrl = frame === undefined ? undefined : await readFrame(frame);
        await this.send(editor, { type: 'frame', requestId: message.requestId, dataUrl });
        return;
      }
      case 'save-frame': {
        const frame = frameUri(notebook, message.framesFolder, message.file);
        if (frame === undefined || !(await isPlainFile(frame))) {
          throw new Error(vscode.l10n.t('it is no longer in the folder of frames beside the notebook.'));
        }
        const target = await askTarget(notebook, message.suggestedName, 'png');
        // The dialog has asked before it hands out the name of a file that exists.
        if (target !== undefined) await vscode.workspace.fs.copy(frame, target, { overwrite: true });
        return;
      }
      case 'save-made': {
        const target = await askTarget(notebook, message.suggestedName, endingOfMade(message.dataUrl));
        if (target !== undefined) await vscode.workspace.fs.writeFile(target, bytesOf(message.dataUrl));
        return;
      }
      case 'stop':
        return;
      case 'working':
        // Cells of this window are another extension's, if any runs.
        await this.send(editor, { type: 'working', requestId: message.requestId });
        return;
      case 'regions':
      case 'region':
        await this.moved.handle(message, editor);
        return;
    }
  }

  private async send(editor: vscode.NotebookEditor, answer: ExtensionToRenderer): Promise<void> {
    await this.messaging.postMessage(answer, editor);
  }

  dispose(): void {
    this.subscription.dispose();
    this.moved.dispose();
  }
}

/** Where an output's frame lies; undefined for names that may not be looked at. Outputs are untrusted. */
function frameUri(notebook: vscode.NotebookDocument, folder: string, file: string): vscode.Uri | undefined {
  if (notebook.isUntitled || !isFolderName(folder) || !folder.endsWith('.frames') || !isFrameFile(file))
    return undefined;
  return vscode.Uri.joinPath(notebook.uri, '..', folder, file);
}

/** True for a file of a size that can be shown which, like its folder, is no link: a notebook must not point elsewhere. */
async function isPlainFile(uri: vscode.Uri): Promise<boolean> {
  try {
    const folder = await vscode.workspace.fs.stat(vscode.Uri.joinPath(uri, '..'));
    const file = await vscode.workspace.fs.stat(uri);
    return folder.type === vscode.FileType.Directory && file.type === vscode.FileType.File && file.size <= FRAME_LIMIT;
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') return false;
    throw error;
  }
}

async function readFrame(uri: vscode.Uri): Promise<string | undefined> {
  const type = TYPES[uri.path.split('.').pop()?.toLowerCase() ?? ''];
  if (type === undefined || !(await isPlainFile(uri))) return undefined;
  return `data:${type};base64,${base64(await vscode.workspace.fs.readFile(uri))}`;
}

/** Base64 in pieces: a whole frame would be too many arguments for one call. */
function base64(bytes: Uint8Array): string {
  const PIECE = 0x8000;
  let text = '';
  for (let start = 0; start < bytes.length; start += PIECE) {
    text += String.fromCharCode(...bytes.subarray(start, start + PIECE));
  }
  return btoa(text);
}

function bytesOf(dataUrl: string): Uint8Array {
  return Uint8Array.from(atob(dataUrl.slice(dataUrl.indexOf(',') + 1)), (character) => character.charCodeAt(0));
}

/** Asks under which name to save, beside the notebook unless it was never saved. */
async function askTarget(
  notebook: vscode.NotebookDocument,
  suggestedName: string,
  ending: string,
): Promise<vscode.Uri | undefined> {
  return vscode.window.showSaveDialog({
    title: vscode.l10n.t('Save'),
    ...(notebook.isUntitled ? {} : { defaultUri: vscode.Uri.joinPath(notebook.uri, '..', suggestedName) }),
    filters: { [ending.toUpperCase()]: [ending] },
  });
}
