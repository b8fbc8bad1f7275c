import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import type { ModelTrial } from '../../api/models';
import type { InferenceClient } from '../../inference/client';
import type { MetricValue, Task } from '../../protocol';

/** Shows what a model made of the sample as pictures in the editor: the strip of each task. Disposing closes them. */
export async function showTrials(
  client: InferenceClient,
  trials: readonly ModelTrial[],
  name: string,
): Promise<vscode.Disposable> {
  const shown: vscode.Uri[] = [];
  for (const { task, view, framesFolder, reference } of trials) {
    const png = await client.draw({ record: view.record, framesFolder, reference });
    const file = path.join(framesFolder, `${name}-${task}.png`);
    await writeFile(file, png);
    shown.push(vscode.Uri.file(file));
  }
  for (const uri of shown) {
    await vscode.commands.executeCommand('vscode.open', uri, { preview: false, preserveFocus: true });
  }
  return new vscode.Disposable(() => void close(shown));
}

async function close(uris: readonly vscode.Uri[]): Promise<void> {
  const wanted = new Set(uris.map(String));
  const tabs = vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .filter(({ input }) => input instanceof vscode.TabInputCustom && wanted.has(String(input.uri)));
  await vscode.window.tabGroups.close(tabs, true);
}

/** What the trials say in numbers, a sentence a task. */
export function describeTrials(trials: readonly ModelTrial[]): string {
  return trials.map(describe).join('  ');
}

function describe({ task, view: { record } }: ModelTrial): string {
  const first = record.frames[0];
  const last = record.frames.at(-1);
  const seconds = record.seconds.network.toFixed(2);
  return vscode.l10n.t(
    '{0}: PSNR {1} to {2} dB, LPIPS {3} to {4}, {5} s on {6}.',
    taskName(task),
    decibel(first?.psnr),
    decibel(last?.psnr),
    first?.lpips?.toFixed(3) ?? '–',
    last?.lpips?.toFixed(3) ?? '–',
    seconds,
    record.device.used,
  );
}

/** Loss of PSNR, in dB, that no restoration should show on a sample degraded as it expects. */
const SUSPICIOUS_DECIBEL = 3;

/** Whether a result is so much further from the original than the input that the network was probably fed wrongly. */
export function looksWrong(trials: readonly ModelTrial[]): boolean {
  return trials.some(({ view: { record } }) => {
    const [first, last] = [record.frames[0]?.psnr, record.frames.at(-1)?.psnr];
    return typeof first === 'number' && typeof last === 'number' && last < first - SUSPICIOUS_DECIBEL;
  });
}

function decibel(value: MetricValue | undefined): string {
  if (value === undefined) return '–';
  return value === 'Infinity' ? '∞' : value.toFixed(2);
}

export function taskName(task: Task): string {
  const names: Record<Task, string> = {
    'super-resolution': vscode.l10n.t('Super-Resolution'),
    deblurring: vscode.l10n.t('Deblurring'),
    'low-light': vscode.l10n.t('Low Light'),
  };
  return names[task];
}
