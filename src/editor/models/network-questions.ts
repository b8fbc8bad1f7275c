import * as vscode from 'vscode';
import type { ModelPreview } from '../../api/models';
import { CHANNEL_KINDS, TASKS, type ChannelKind, type NetworkHints, type Task } from '../../protocol';
import { isObject } from '../../protocol/checks';
import { MODEL_ID } from '../../restoration/models/manifest';
import { taskName } from './trial-pictures';

/** Values of black and white of networks in the wild, the most usual first. */
const RANGES: readonly [number, number][] = [
  [0, 1],
  [0, 255],
  [-1, 1],
];

interface Draft {
  channels: ChannelKind;
  input: readonly unknown[];
  output: readonly unknown[];
  scale: number;
}

/** The parts of a drafted manifest that a person is asked about. */
function draftOf({ manifest }: ModelPreview): Draft {
  const input = isObject(manifest.input) ? manifest.input : {};
  const output = isObject(manifest.output) ? manifest.output : {};
  return {
    channels: CHANNEL_KINDS.find((kind) => kind === input.channels) ?? 'RGB',
    input: Array.isArray(input.range) ? input.range : [],
    output: Array.isArray(output.range) ? output.range : [],
    scale: typeof manifest.scale === 'number' ? manifest.scale : 1,
  };
}

/**
 * Asks what cannot be read out of a network's file, with what was found by running it as the first choice.
 *
 * @param taken ids that are in use
 * @returns undefined when the user went away
 */
export async function askAboutNetwork(
  preview: ModelPreview,
  taken: ReadonlySet<string>,
): Promise<NetworkHints | undefined> {
  const title = vscode.l10n.t('Add {0}', preview.offer.name);
  const draft = draftOf(preview);
  const tasks = draft.scale > 1 ? undefined : await askTasks(title);
  if (draft.scale === 1 && tasks === undefined) return undefined;
  const channels = await askChannels(title, draft.channels);
  if (channels === undefined) return undefined;
  const range = await askRange(title, draft);
  if (range === undefined) return undefined;
  const license = await vscode.window.showInputBox({
    title,
    ignoreFocusOut: true,
    value: preview.offer.license,
    prompt: vscode.l10n.t('License of the network, as its author names it.'),
    validateInput: (text) => (text.trim() === '' ? vscode.l10n.t('Enter a license, or "unknown".') : undefined),
  });
  if (license === undefined) return undefined;
  const id = await vscode.window.showInputBox({
    title,
    ignoreFocusOut: true,
    value: preview.offer.id,
    prompt: vscode.l10n.t('Name under which the model is used.'),
    validateInput: (text) => {
      if (!MODEL_ID.test(text))
        return vscode.l10n.t('Use a-z, 0-9, dot and hyphen; begin and end with a letter or digit.');
      return taken.has(text) ? vscode.l10n.t('There is a model of this name already.') : undefined;
    },
  });
  if (id === undefined) return undefined;
  return {
    ...(tasks === undefined ? {} : { tasks }),
    ...(channels === draft.channels ? {} : { channels }),
    ...(range === 'found' ? {} : { range }),
    license: license.trim(),
    id,
  };
}

async function askTasks(title: string): Promise<Task[] | undefined> {
  const items = TASKS.map((task) => ({ label: taskName(task), task }));
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    ignoreFocusOut: true,
    canPickMany: true,
    placeHolder: vscode.l10n.t('What does the network restore? Choose one or more.'),
  });
  return chosen === undefined || chosen.length === 0 ? undefined : chosen.map(({ task }) => task);
}

/** Three channels may be in either order, and one channel may be luma of either kind or grey: no run can tell. */
async function askChannels(title: string, found: ChannelKind): Promise<ChannelKind | undefined> {
  const details: Record<ChannelKind, string> = {
    RGB: vscode.l10n.t('red first, as most networks expect'),
    BGR: vscode.l10n.t('blue first, as OpenCV reads pictures'),
    Y: vscode.l10n.t('brightness from 0 to 1; the colors of the picture are kept'),
    'Y-studio': vscode.l10n.t("brightness as MATLAB's rgb2ycbcr gives it; the colors of the picture are kept"),
    grey: vscode.l10n.t('grey; the result has no colors'),
  };
  const kinds: ChannelKind[] = found === 'RGB' || found === 'BGR' ? ['RGB', 'BGR'] : ['Y', 'Y-studio', 'grey'];
  const sorted = [found, ...kinds.filter((kind) => kind !== found)];
  const items = sorted.map((kind) => ({ label: kind, description: details[kind], channels: kind }));
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    ignoreFocusOut: true,
    placeHolder: vscode.l10n.t('What do the channels of the network hold?'),
  });
  return chosen?.channels;
}

/** A network without biases takes any range and is right in one only: the run on a sample may have met another. */
async function askRange(title: string, { input, output }: Draft): Promise<[number, number] | 'found' | undefined> {
  const text = (range: readonly unknown[]): string => vscode.l10n.t('{0} to {1}', String(range[0]), String(range[1]));
  const same = text(input) === text(output);
  const found = same ? text(input) : vscode.l10n.t('{0}, results {1}', text(input), text(output));
  const others = RANGES.filter((range) => !same || text(range) !== text(input));
  const items: (vscode.QuickPickItem & { range: [number, number] | 'found' })[] = [
    { label: found, description: vscode.l10n.t('found by a run on a sample picture'), range: 'found' },
    ...others.map((range) => ({ label: text(range), description: vscode.l10n.t('for input and result'), range })),
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    ignoreFocusOut: true,
    placeHolder: vscode.l10n.t('Which values stand for black and white?'),
  });
  return chosen?.range;
}
