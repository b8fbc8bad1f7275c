import path from 'node:path';
import * as vscode from 'vscode';
import type { RestoreWish } from '../../protocol';
import { readSettings } from '../configuration';
import type { BatchPanel, BatchRecord } from '../panel/batch-panel';
import type { PanelRegistry } from '../panel/panel-registry';
import type { RestorePanel, RestoreRecord } from '../panel/restore-panel';
import { assertTrusted } from '../preconditions';
import { asSignal, nonDecreasing } from '../progress';
import { askWish, type WishServices } from './ask-wish';
import { chosenPictures, type Selection } from './pictures';

export type RestorePanels = PanelRegistry<RestoreRecord, RestorePanel>;
export type BatchPanels = PanelRegistry<BatchRecord, BatchPanel>;

export interface RestoreImageServices extends WishServices {
  panels: RestorePanels;
  batches: BatchPanels;
}

/**
 * Restore Image...: asks what is wrong, then restores one picture in a panel with all its frames, or many with a row each. The
 * explorer hands over what is under the pointer and all that is selected, folders as well.
 */
export async function restoreImage(services: RestoreImageServices, first: unknown, selected: unknown): Promise<void> {
  assertTrusted();
  const selection = await chosenPictures(first, selected, vscode.l10n.t('Restore Image'));
  const [picture] = selection.pictures;
  if (picture === undefined) return;
  if (selection.pictures.length > 1 || selection.hasFolder) await restoreMany(services, selection);
  else await restoreOne(services, picture);
}

async function restoreOne(services: RestoreImageServices, picture: string): Promise<void> {
  const { model, device } = readSettings(vscode.Uri.file(picture));
  const title = vscode.l10n.t('Restore {0}', path.basename(picture));
  const answer = await askWish(services, { title, picture, model });
  if (answer?.task === undefined) return;
  await restoreInPanel(services.panels, picture, { ...answer, task: answer.task, model, device });
}

/** Opens a panel for a picture and restores it there, with a notification that can be cancelled. */
export async function restoreInPanel(panels: RestorePanels, picture: string, wish: RestoreWish): Promise<void> {
  const name = path.basename(picture);
  const panel = panels.open({ input: picture, wish, results: [] }, vscode.l10n.t('Restore {0}', name));
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Restoring {0}', name), cancellable: true },
    async (progress, token) => {
      const { signal, dispose } = asSignal(token);
      signal.addEventListener('abort', () => panel.cancel());
      try {
        // A failure is told in the panel, where the user is looking.
        await panel.run(wish, { onProgress: nonDecreasing(progress) });
      } finally {
        dispose();
      }
    },
  );
}

async function restoreMany(services: RestoreImageServices, { pictures, root }: Selection): Promise<void> {
  const { model, device } = readSettings(vscode.Uri.file(root));
  const title = vscode.l10n.t('Restore {0} Pictures', pictures.length);
  const answer = await askWish(services, { title, model });
  if (answer === undefined) return;
  const rows = pictures.map((picture, index) => ({
    index,
    name: path.relative(root, picture),
    state: 'waiting' as const,
  }));
  await services.batches.open({ root, wish: { ...answer, model, device }, rows }, title).run();
}
