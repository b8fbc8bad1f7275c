import * as vscode from 'vscode';
import type { ModelEntry } from '../../api/models';
import { RestorationError } from '../../protocol';
import { USUAL_MODEL, readSettings } from '../configuration';
import { MODELS_VIEW, SETTINGS, SETTINGS_SECTION } from '../ids';
import { useModel, type ModelServices } from './add-model';
import { amount } from './amounts';
import { isModelNode } from './model-tree';

/** The model that a command is about: the one of the view's line, else one that the user picks. */
async function chosenModel(
  { library }: ModelServices,
  node: unknown,
  placeHolder: string,
  wanted: (entry: ModelEntry) => boolean,
): Promise<ModelEntry | undefined> {
  if (isModelNode(node)) return node.entry;
  const entries = (await library.list()).filter(wanted);
  if (entries.length === 0) {
    throw new RestorationError(
      'unknown-model',
      vscode.l10n.t('There is no model for this command.'),
      vscode.l10n.t('Add one with "Add ONNX Model..." first.'),
    );
  }
  const items = entries.map((entry) => ({
    label: entry.id,
    description: amount(entry.bytes),
    detail: entry.problem,
    entry,
  }));
  return (await vscode.window.showQuickPick(items, { placeHolder, matchOnDetail: true }))?.entry;
}

/** Use Model: new runs of the panel and of the commands use it. */
export async function useChosenModel(services: ModelServices, node: unknown): Promise<void> {
  const entry = await chosenModel(
    services,
    node,
    vscode.l10n.t('Model that restores pictures from now on'),
    ({ problem }) => problem === undefined,
  );
  if (entry === undefined) return;
  await useModel(entry.id);
  services.tree.refresh();
}

/** Remove Model...: asks, deletes the files, and goes back to the model that ships inside when it was in use. */
export async function removeModel(services: ModelServices, node: unknown): Promise<void> {
  const entry = await chosenModel(services, node, vscode.l10n.t('Model to remove'), ({ origin }) => origin === 'added');
  if (entry === undefined) return;
  const inUse = readSettings().model === entry.id;
  const lines = [vscode.l10n.t('{0} in {1} will be deleted.', amount(entry.bytes), entry.folder)];
  if (inUse) lines.push(vscode.l10n.t('It is in use: the setting goes back to "{0}".', USUAL_MODEL));
  const remove = vscode.l10n.t('Remove');
  const choice = await vscode.window.showWarningMessage(
    vscode.l10n.t('Remove the model {0}?', entry.id),
    { modal: true, detail: lines.join('\n') },
    remove,
  );
  if (choice !== remove) return;
  await services.library.remove(entry.id);
  if (inUse) {
    await vscode.workspace
      .getConfiguration(SETTINGS_SECTION)
      .update(SETTINGS.model, undefined, vscode.ConfigurationTarget.Global);
  }
  services.tree.forget(entry.id);
}

/** Verify Model: compares the files of one model, or of all, with sizes and hashes in their manifests. */
export async function verifyModels(services: ModelServices, node: unknown): Promise<void> {
  const { library, tree, log } = services;
  const id = isModelNode(node) ? node.entry.id : undefined;
  const checks = await vscode.window.withProgress({ location: { viewId: MODELS_VIEW } }, () => library.verify(id));
  tree.show(checks);
  const damaged = checks.filter(({ ok }) => !ok);
  for (const check of damaged) {
    for (const { problem } of check.files) if (problem !== undefined) log.info(`${check.id}: ${problem}`);
  }
  const [first] = damaged;
  await tree.reveal(first?.id ?? id);
  if (first === undefined) return;
  const problem = first.files.find(({ ok }) => !ok)?.problem ?? '';
  throw new RestorationError(
    'bad-model',
    vscode.l10n.t('{0} cannot be used. {1}', damaged.map((check) => check.id).join(', '), problem),
    vscode.l10n.t('Remove it and add it again.'),
  );
}
