import path from 'node:path';
import * as vscode from 'vscode';
import { TASKS, type Task } from '../../protocol';
import { readSettings } from '../configuration';
import type { RestorePanel, RunOutcome } from '../panel/restore-panel';
import type { RestorePanels } from '../panel/restore-panels';
import { assertTrusted, diskPath } from '../preconditions';
import type { Log } from '../status/log';
import type { UniformPrompts } from '../uniform-prompts';

export interface RestoreImageServices {
  panels: RestorePanels;
  prompts: UniformPrompts;
  log: Log;
}

const PICTURE = /\.(?:png|jpe?g|webp|avif|tiff?)$/i;

/**
 * Restore Image...: asks for the task and the prompt, then restores the pictures one after the other, a panel a picture.
 * The explorer hands over the file under the pointer and all selected ones; the palette hands over nothing.
 */
export async function restoreImage(services: RestoreImageServices, first: unknown, selected: unknown): Promise<void> {
  assertTrusted();
  const pictures = (await chosenPictures(first, selected)).map(diskPath);
  const [picture] = pictures;
  if (picture === undefined) return;
  const title =
    pictures.length === 1
      ? vscode.l10n.t('Restore {0}', path.basename(picture))
      : vscode.l10n.t('Restore {0} Pictures', pictures.length);
  const task = await pickTask(title);
  if (task === undefined) return;
  const prompt = await askPrompt(title, task, services.prompts);
  if (prompt === undefined) return;
  await restoreAll(services, pictures, task, prompt);
}

async function chosenPictures(first: unknown, selected: unknown): Promise<vscode.Uri[]> {
  const candidates = Array.isArray(selected) && selected.length > 0 ? (selected as unknown[]) : [first];
  const pictures = candidates.filter((one): one is vscode.Uri => one instanceof vscode.Uri && PICTURE.test(one.path));
  if (pictures.length > 0) return pictures;
  const shown = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (shown instanceof vscode.TabInputCustom && PICTURE.test(shown.uri.path)) return [shown.uri];
  const opened = await vscode.window.showOpenDialog({
    title: vscode.l10n.t('Restore Image'),
    openLabel: vscode.l10n.t('Restore'),
    canSelectMany: true,
    filters: { [vscode.l10n.t('Pictures')]: ['png', 'jpg', 'jpeg', 'webp', 'avif', 'tif', 'tiff'] },
  });
  return opened ?? [];
}

async function pickTask(title: string): Promise<Task | undefined> {
  const names: Record<Task, { label: string; description: string }> = {
    'super-resolution': {
      label: vscode.l10n.t('Super-Resolution'),
      description: vscode.l10n.t('a small picture becomes four times as wide and high'),
    },
    deblurring: { label: vscode.l10n.t('Deblurring'), description: vscode.l10n.t('motion or focus blur') },
    'low-light': { label: vscode.l10n.t('Low Light'), description: vscode.l10n.t('dark and noisy') },
  };
  const items = TASKS.map((task) => ({ task, ...names[task] }));
  const choice = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: vscode.l10n.t('What is wrong with the picture?'),
    matchOnDescription: true,
  });
  return choice?.task;
}

/** Resolves to the prompt, empty for the model's uniform sentence, or to undefined when the user went away. */
async function askPrompt(title: string, task: Task, prompts: UniformPrompts): Promise<string | undefined> {
  const uniform = await prompts.of(readSettings().model, task);
  const answer = await vscode.window.showInputBox({
    title,
    value: uniform,
    prompt: vscode.l10n.t('Describe the picture, or keep the sentence that fits every picture.'),
  });
  if (answer === undefined) return undefined;
  return answer.trim() === uniform ? '' : answer.trim();
}

/** How far one notification has come over several pictures. */
class SharedProgress {
  private reported = 0;

  constructor(
    private readonly progress: vscode.Progress<{ message?: string; increment?: number }>,
    private readonly count: number,
  ) {}

  /** @param share of picture `index` (0-based), in [0,1]. */
  report(index: number, share: number, message: string): void {
    const percent = (100 * (index + Math.min(1, Math.max(0, share)))) / this.count;
    const increment = Math.max(0, percent - this.reported);
    this.reported += increment;
    this.progress.report({ message, increment });
  }
}

async function restoreAll(
  { panels, log }: RestoreImageServices,
  pictures: string[],
  task: Task,
  prompt: string,
): Promise<void> {
  const several = pictures.length > 1;
  const failures: string[] = [];
  await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Restoring'),
      cancellable: true,
    },
    async (progress, token) => {
      const shared = new SharedProgress(progress, pictures.length);
      for (const [index, picture] of pictures.entries()) {
        if (token.isCancellationRequested) return;
        const name = path.basename(picture);
        const label = several ? vscode.l10n.t('{0} ({1} of {2})', name, index + 1, pictures.length) : name;
        shared.report(index, 0, label);
        const panel = panels.open(picture, task, prompt, { focus: index === 0 });
        const outcome = await runCancellable(panel, token, (share, activity) => {
          shared.report(index, share, `${label}: ${activity}`);
        });
        shared.report(index, 1, label);
        if (outcome.kind === 'failed') failures.push(`${name}: ${outcome.reason}`);
      }
    },
  );
  // One picture shows its failure in its own panel; of several, most panels lie behind the first.
  if (several && failures.length > 0) {
    for (const line of failures) log.info(line);
    const show = vscode.l10n.t('Show Log');
    const choice = await vscode.window.showErrorMessage(
      vscode.l10n.t(
        '{0} of {1} pictures could not be restored. {2}',
        failures.length,
        pictures.length,
        failures[0] ?? '',
      ),
      show,
    );
    if (choice === show) log.show();
  }
}

async function runCancellable(
  panel: RestorePanel,
  token: vscode.CancellationToken,
  onProgress: (share: number, activity: string) => void,
): Promise<RunOutcome> {
  const subscription = token.onCancellationRequested(() => panel.cancel());
  try {
    return await panel.run({ onProgress });
  } finally {
    subscription.dispose();
  }
}
