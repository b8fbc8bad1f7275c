import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { AddModelOptions, ModelEntry, ModelLibrary, ModelPreview, ModelTrial } from '../../api/models';
import type { InferenceClient } from '../../inference/client';
import { RestorationError, type NetworkHints } from '../../protocol';
import { readSettings } from '../configuration';
import { SETTINGS, SETTINGS_SECTION } from '../ids';
import { assertTrusted } from '../preconditions';
import type { Activity } from '../status/activity';
import type { Log } from '../status/log';
import { ByteProgress, amount } from './amounts';
import { withCancellableProgress } from './cancellable-progress';
import type { ModelTree } from './model-tree';
import { askAboutNetwork } from './network-questions';
import { describeTrials, looksWrong, showTrials } from './trial-pictures';

export interface ModelServices {
  library: ModelLibrary;
  client: InferenceClient;
  tree: ModelTree;
  activity: Activity;
  log: Log;
}

/** What the user decided when the model had been tried. */
type Verdict = 'add' | 'ask-again' | 'leave';

/** Add ONNX Model...: a network in a file, or a manifest with its files; tried on a sample before it is added. */
export async function addOnnxModel(services: ModelServices): Promise<void> {
  assertTrusted();
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Add ONNX Model'),
      // The folder of what is shown may be the one of a trial, which is gone.
      defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file(os.homedir()),
      openLabel: vscode.l10n.t('Look at It'),
      filters: { [vscode.l10n.t('ONNX Networks and Manifests')]: ['onnx', 'json'] },
    })) ?? [];
  if (file === undefined) return;
  if (path.extname(file.fsPath).toLowerCase() !== '.onnx') return addManifest(services, file.fsPath);
  await addNetwork(services, file.fsPath);
}

/** Download Model...: a manifest at an address, its files after consent, tried on a sample before it is added. */
export async function downloadModel(services: ModelServices): Promise<void> {
  assertTrusted();
  const address = await vscode.window.showInputBox({
    title: vscode.l10n.t('Download Model'),
    ignoreFocusOut: true,
    prompt: vscode.l10n.t(
      "Address of the model's manifest. Nothing else is downloaded before you have seen what it is.",
    ),
    placeHolder: 'https://example.org/models/sharp/manifest.json',
    validateInput: (text) =>
      /^https?:\/\/\S+$/.test(text.trim()) ? undefined : vscode.l10n.t('Enter an address that begins with https://.'),
  });
  if (address !== undefined) await addManifest(services, address.trim());
}

async function addNetwork(services: ModelServices, file: string): Promise<void> {
  const { library } = services;
  const name = path.basename(file);
  const draft = await withCancellableProgress(services.activity, vscode.l10n.t('Looking at {0}', name), (signal) =>
    library.preview(file, { signal }),
  );
  for (const note of draft.notes) services.log.info(`${name}: ${note}`);
  const taken = new Set((await library.list()).map(({ id }) => id));
  for (;;) {
    const hints = await askAboutNetwork(draft, taken);
    if (hints === undefined) return;
    if (await add(services, file, hints, () => true)) return;
  }
}

async function addManifest(services: ModelServices, source: string): Promise<void> {
  const retry = vscode.l10n.t('Try Again');
  for (;;) {
    try {
      await add(services, source, undefined, askConsent);
      return;
    } catch (error) {
      const failure = services.log.failure(error);
      if (failure.code === 'cancelled') return;
      // What has come so far is kept: another try goes on from there.
      if (failure.code !== 'download-failed') throw error;
      const choice = await vscode.window.showErrorMessage(failure.message, retry);
      if (choice !== retry) return;
    }
  }
}

/** Shows what would be added, and from where; nothing is fetched before the user agrees. */
async function askConsent({ offer }: ModelPreview): Promise<boolean> {
  const lines = [
    vscode.l10n.t('Name: {0} {1}', offer.name, offer.version),
    vscode.l10n.t('License: {0}', offer.license),
    vscode.l10n.t('Tasks: {0}', offer.tasks.join(', ')),
    vscode.l10n.t('Size: {0} in {1} file(s)', amount(offer.bytes), offer.files.length),
  ];
  if (offer.downloadBytes > 0) {
    lines.push(vscode.l10n.t('Download: {0} from {1}', amount(offer.downloadBytes), offer.hosts.join(', ')));
  }
  lines.push(vscode.l10n.t('Every file is compared with the SHA-256 in the manifest.'));
  const agree = offer.downloadBytes > 0 ? vscode.l10n.t('Download') : vscode.l10n.t('Try It');
  const question =
    offer.downloadBytes > 0 ? vscode.l10n.t('Download {0}?', offer.id) : vscode.l10n.t('Try {0}?', offer.id);
  const choice = await vscode.window.showInformationMessage(question, { modal: true, detail: lines.join('\n') }, agree);
  return choice === agree;
}

/** Fetches, tries and adds. False when the user wants to answer the questions about the network again. */
async function add(
  services: ModelServices,
  source: string,
  hints: NetworkHints | undefined,
  consent: NonNullable<Exclude<AddModelOptions['consent'], boolean>>,
): Promise<boolean> {
  let agreed = false;
  let verdict = 'leave' as Verdict;
  const title = vscode.l10n.t('Adding {0}', hints?.id ?? path.basename(source));
  let entry: ModelEntry;
  try {
    entry = await withCancellableProgress(services.activity, title, (signal, progress) => {
      const bytes = new ByteProgress(progress);
      return services.library.add(source, {
        ...(hints === undefined ? {} : { hints }),
        device: readSettings().device,
        signal,
        consent: async (preview) => (agreed = await consent(preview)),
        onProgress: ({ stage, done, total, file }) => {
          if (stage === 'fetch') bytes.report(done, total, file ?? '');
          else progress.report({ message: vscode.l10n.t('trying it on a sample picture') });
        },
        accept: async (trials, preview) => {
          progress.report({ message: vscode.l10n.t('waiting for your decision') });
          verdict = await judge(services, trials, preview, hints !== undefined);
          return verdict === 'add';
        },
      });
    });
  } catch (error) {
    const { code } = RestorationError.from(error);
    if (code === 'cancelled') {
      services.log.failure(error);
      return true;
    }
    // Whoever says no knows it.
    if (code === 'no-consent' && (!agreed || verdict !== 'add')) return verdict !== 'ask-again';
    throw error;
  }
  services.tree.forget(entry.id);
  void offerUse(entry, services.log);
  return true;
}

/** Shows the result of the trial, and asks whether the model is to be added. */
async function judge(
  { client }: ModelServices,
  trials: ModelTrial[],
  { offer }: ModelPreview,
  asked: boolean,
): Promise<Verdict> {
  const pictures = await showTrials(client, trials, offer.id);
  const doubt = looksWrong(trials);
  const add: vscode.QuickPickItem & { verdict: Verdict } = {
    label: vscode.l10n.t('$(add) Add {0}', offer.id),
    detail: describeTrials(trials),
    verdict: 'add',
  };
  const again: typeof add = {
    label: vscode.l10n.t('$(edit) Change the Answers'),
    detail: vscode.l10n.t('If colors or brightness of the result are wrong: other channels, another range of values.'),
    verdict: 'ask-again',
  };
  const leave: typeof add = { label: vscode.l10n.t('$(close) Do Not Add'), verdict: 'leave' };
  const items = asked ? (doubt ? [again, add, leave] : [add, again, leave]) : [add, leave];
  try {
    const choice = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Result on a Sample Picture'),
      ignoreFocusOut: true,
      placeHolder: doubt
        ? vscode.l10n.t('The result is much further from the original than the input: was the network fed correctly?')
        : vscode.l10n.t('The picture behind shows the input, the result and their figures.'),
    });
    return choice?.verdict ?? 'leave';
  } finally {
    pictures.dispose();
  }
}

async function offerUse({ id }: ModelEntry, log: Log): Promise<void> {
  const use = vscode.l10n.t('Use It');
  const choice = await vscode.window.showInformationMessage(vscode.l10n.t('The model {0} was added.', id), use);
  if (choice === use) await useModel(id).catch((error: unknown) => log.report(error));
}

/** Makes a model the one that new runs use. */
export async function useModel(id: string): Promise<void> {
  await vscode.workspace
    .getConfiguration(SETTINGS_SECTION)
    .update(SETTINGS.model, id, vscode.ConfigurationTarget.Global);
}
