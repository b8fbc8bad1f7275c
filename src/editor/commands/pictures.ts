import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { formatOfName, MOST_ROWS, RestorationError } from '../../protocol';
import { OUTPUT_FOLDER } from '../frames/output-folder';
import { diskPath } from '../preconditions';

/** Pictures that the user chose, and the folder that their names are told from. */
export interface Selection {
  /** Absolute paths, in natural order. */
  pictures: string[];
  /** Absolute path of the folder that holds all of them. */
  root: string;
  /** True when a folder was chosen, so that one picture in it still counts as many. */
  hasFolder: boolean;
}

const isPicture = (name: string): boolean => formatOfName(name) !== undefined;

/**
 * The pictures behind a command: the explorer hands over what is under the pointer and all that is selected, folders
 * included; an editor hands over its file; the palette hands over nothing, and the picture that is shown is meant, or the user
 * is asked. Folders are searched to the bottom, but for hidden ones, `node_modules`, frames of notebooks and earlier results.
 */
export async function chosenPictures(first: unknown, selected: unknown, question: string): Promise<Selection> {
  const places = (await chosenPlaces(first, selected, question)).map(diskPath);
  const pictures = new Set<string>();
  let hasFolder = false;
  for (const place of places) {
    if (!(await isFolder(place))) {
      if (isPicture(place)) pictures.add(place);
      continue;
    }
    hasFolder = true;
    for await (const picture of picturesIn(place)) {
      pictures.add(picture);
      if (pictures.size > MOST_ROWS) throw tooMany();
    }
  }
  const natural = new Intl.Collator(undefined, { numeric: true });
  const sorted = [...pictures].sort((a, b) => natural.compare(a, b));
  if (sorted.length === 0 && places.length > 0) throw noPictures(places);
  return { pictures: sorted, root: commonFolder(sorted), hasFolder };
}

async function chosenPlaces(first: unknown, selected: unknown, question: string): Promise<vscode.Uri[]> {
  const candidates = Array.isArray(selected) && selected.length > 0 ? (selected as unknown[]) : [first];
  const places = candidates.filter((one): one is vscode.Uri => one instanceof vscode.Uri);
  if (places.length > 0) return places;
  const shown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (shown instanceof vscode.TabInputCustom && isPicture(shown.uri.path)) return [shown.uri];
  const opened = await vscode.window.showOpenDialog({
    title: question,
    openLabel: vscode.l10n.t('Choose'),
    canSelectMany: true,
    filters: { [vscode.l10n.t('Pictures')]: ['png', 'jpg', 'jpeg', 'webp', 'avif', 'tif', 'tiff'] },
  });
  return opened ?? [];
}

async function isFolder(place: string): Promise<boolean> {
  return stat(place).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

async function* picturesIn(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const place = path.join(folder, entry.name);
    // Links are left alone: they could lead in circles.
    if (entry.isFile() && isPicture(entry.name) && !entry.name.startsWith('.')) yield place;
    if (entry.isDirectory() && isSearched(entry.name)) yield* picturesIn(place);
  }
}

function isSearched(name: string): boolean {
  return !name.startsWith('.') && name !== 'node_modules' && !name.endsWith('.frames') && !OUTPUT_FOLDER.test(name);
}

/** The deepest folder that holds all of `files`. */
function commonFolder(files: readonly string[]): string {
  const [first = '', ...others] = files.map((file) => path.dirname(file));
  let common = first;
  for (const folder of others) {
    while (folder !== common && !folder.startsWith(common.endsWith(path.sep) ? common : `${common}${path.sep}`)) {
      const parent = path.dirname(common);
      if (parent === common) return common;
      common = parent;
    }
  }
  return common;
}

function noPictures(places: readonly string[]): RestorationError {
  const names = places.map((place) => `"${path.basename(place)}"`).join(', ');
  return new RestorationError(
    'bad-argument',
    vscode.l10n.t('Expected pictures (PNG, JPEG, WebP, AVIF or TIFF); there is none in {0}.', names),
    vscode.l10n.t('Choose pictures, or a folder that holds some.'),
  );
}

function tooMany(): RestorationError {
  return new RestorationError(
    'bad-argument',
    vscode.l10n.t('Expected at most {0} pictures; there are more.', MOST_ROWS),
    vscode.l10n.t('Choose fewer, or use the command line.'),
  );
}
