import path from 'node:path';
import * as vscode from 'vscode';
import {
  formatOfName,
  PICTURE_EXTENSIONS,
  PICTURE_FORMATS,
  type PictureFormat,
  type RestoreWish,
  type RunView,
  type SavedPicture,
} from '../../protocol';
import type { PictureRestorer } from '../panel/picture-restorer';
import { asSignal, nonDecreasing } from '../progress';

export interface SavedRun {
  /** Absolute path of the picture that was restored. */
  input: string;
  view: RunView;
  wish: RestoreWish;
  framesFolder: string;
  /** 0 = fully restored. */
  severity: number;
}

/** `lion.jpg` gives `lion.restored.jpg`, or `lion.restored-63.jpg` for 63 % of the way. */
export function suggestedResultName(input: string, severity: number): string {
  const { name, ext } = path.parse(input);
  const percent = Math.round(100 * (1 - severity));
  return `${name}.restored${percent === 100 ? '' : `-${percent}`}${formatOfName(input) === undefined ? '.png' : ext}`;
}

/**
 * Asks for a name and writes the result there at full size, with profile, depth and EXIF of its source. The input is never
 * overwritten. Resolves to undefined when the user closed the dialog or stopped the saving.
 */
export async function saveResultAs(restorer: PictureRestorer, run: SavedRun): Promise<SavedPicture | undefined> {
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Save Restored Picture'),
    defaultUri: vscode.Uri.file(path.join(path.dirname(run.input), suggestedResultName(run.input, run.severity))),
    filters: filters(formatOfName(run.input) ?? 'png'),
  });
  if (target === undefined) return undefined;
  const name = path.basename(target.fsPath);
  const saved = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Saving {0}', name),
      cancellable: true,
    },
    async (progress, token) => {
      const { signal, dispose } = asSignal(token);
      const report = nonDecreasing(progress);
      try {
        return await restorer.save({ ...run, output: target.fsPath, signal, onProgress: report });
      } catch (error) {
        if (token.isCancellationRequested) return undefined;
        throw error;
      } finally {
        dispose();
      }
    },
  );
  if (saved !== undefined) void tell(saved);
  return saved;
}

/** The format of the input first: it keeps most of what the picture carries. */
function filters(first: PictureFormat): Record<string, string[]> {
  const formats = [first, ...PICTURE_FORMATS.filter((format) => format !== first)];
  return Object.fromEntries(
    formats.map((format) => [format.toUpperCase(), PICTURE_EXTENSIONS[format].map((ending) => ending.slice(1))]),
  );
}

async function tell({ file, width, height, depth, notes }: SavedPicture): Promise<void> {
  const open = vscode.l10n.t('Open');
  const what = vscode.l10n.t('Saved {0}: {1} x {2} pixels, {3} bits.', path.basename(file), width, height, depth);
  const choice = await vscode.window.showInformationMessage([what, ...notes].join(' '), open);
  if (choice === open) await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file));
}
