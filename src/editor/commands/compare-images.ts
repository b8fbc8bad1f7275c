import path from 'node:path';
import * as vscode from 'vscode';
import { MAXIMUM_FRAMES, RestorationError } from '../../protocol';
import type { ComparePanel, CompareRecord } from '../panel/compare-panel';
import type { PanelRegistry } from '../panel/panel-registry';
import { assertTrusted, diskPath } from '../preconditions';
import { chosenPictures } from './pictures';

export type ComparePanels = PanelRegistry<CompareRecord, ComparePanel>;

/**
 * Compare Images...: two or more pictures of one size as a strip, in the order of their names, measured against a reference
 * where there is one.
 */
export async function compareImages(panels: ComparePanels, first: unknown, selected: unknown): Promise<void> {
  assertTrusted();
  const { pictures } = await chosenPictures(first, selected, vscode.l10n.t('Compare Images'));
  if (pictures.length === 0) return;
  if (pictures.length < 2 || pictures.length > MAXIMUM_FRAMES) {
    throw new RestorationError(
      'bad-argument',
      vscode.l10n.t('Expected 2 to {0} pictures to compare; got {1}.', MAXIMUM_FRAMES, pictures.length),
      vscode.l10n.t('Select several pictures in the explorer, then choose "Compare Images...".'),
    );
  }
  const reference = await askReference(pictures);
  if (reference === undefined) return;
  const compared = pictures.filter((picture) => picture !== reference.picture);
  const names = compared.map((picture) => path.basename(picture)).join(', ');
  const record = { pictures: compared, ...(reference.picture === undefined ? {} : { reference: reference.picture }) };
  await panels.open(record, vscode.l10n.t('Compare {0}', names)).run();
}

type Row = vscode.QuickPickItem & { choice?: 'none' | 'browse' | { picture: string } };

/** What the pictures are measured against: nothing, one of them (when two others remain), or another file. */
async function askReference(pictures: readonly string[]): Promise<{ picture?: string } | undefined> {
  const own: Row[] =
    pictures.length < 3
      ? []
      : pictures.map((picture) => ({
          label: path.basename(picture),
          description: path.dirname(picture),
          choice: { picture },
        }));
  const items: Row[] = [
    {
      label: vscode.l10n.t('No Reference'),
      description: vscode.l10n.t('shows how the pictures differ'),
      choice: 'none',
    },
    ...own,
    { label: vscode.l10n.t('Choose a File...'), choice: 'browse' },
  ];
  const row = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Compare {0} Pictures', pictures.length),
    placeHolder: vscode.l10n.t('Which picture are they measured against?'),
  });
  if (row?.choice === undefined) return undefined;
  if (row.choice === 'none') return {};
  if (row.choice !== 'browse') return row.choice;
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Reference'),
      openLabel: vscode.l10n.t('Measure Against It'),
      defaultUri: vscode.Uri.file(path.dirname(pictures[0] ?? '')),
      filters: { [vscode.l10n.t('Pictures')]: ['png', 'jpg', 'jpeg', 'webp', 'avif', 'tif', 'tiff'] },
    })) ?? [];
  return file === undefined ? undefined : { picture: diskPath(file) };
}
