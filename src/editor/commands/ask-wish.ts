import * as vscode from 'vscode';
import type { InferenceClient } from '../../inference/client';
import { TASKS, type DegradationGuess, type Task } from '../../protocol';
import type { PanelModels } from '../panel/models';
import type { Scene, ScenePrompts } from '../prompts/scene-prompts';

export interface WishServices {
  client: InferenceClient;
  models: PanelModels;
  prompts: ScenePrompts;
}

export interface WishQuestion {
  title: string;
  /** The one picture that is looked at; absent for many, which are each looked at in their turn. */
  picture?: string;
  model: string;
}

/** What the user chose. Without a task each picture's own is detected. */
export interface WishAnswer {
  task?: Task;
  /** Empty for the model's uniform sentence. */
  prompt: string;
  promptSource?: Scene['source'];
}

/** Longest that the choice waits for the look at the picture, in milliseconds: another run may be in its way. */
const LOOK_PATIENCE = 5_000;

type Row = vscode.QuickPickItem & ({ answer: { task?: Task } } | { answer: 'prompt' } | { answer?: undefined });

/**
 * Asks what is to be done: one list with the detected degradation first, whose first row is right most of the time. The prompt
 * is a row of its own that leads to a text and back; whoever leaves it alone gets the uniform sentence.
 *
 * @returns undefined when the user went away
 * @throws RestorationError when the picture cannot be read
 */
export async function askWish(services: WishServices, question: WishQuestion): Promise<WishAnswer | undefined> {
  const guess = question.picture === undefined ? undefined : await look(services.client, question.picture);
  let written: Pick<WishAnswer, 'prompt' | 'promptSource'> = { prompt: '' };
  for (;;) {
    const choice = await vscode.window.showQuickPick(rows(guess, question.picture === undefined, written.prompt), {
      title: question.title,
      placeHolder: vscode.l10n.t('What is wrong with the picture?'),
      matchOnDescription: true,
    });
    if (choice?.answer === undefined) return undefined;
    if (choice.answer !== 'prompt') return { ...choice.answer, ...written };
    const uniform = guess === undefined ? '' : await services.models.uniformPrompt(question.model, guess.task);
    written = (await askPrompt(services.prompts, question, written, uniform)) ?? written;
  }
}

/** What seems to be wrong; undefined when that takes too long. */
async function look(client: InferenceClient, picture: string): Promise<DegradationGuess | undefined> {
  const patience = AbortSignal.timeout(LOOK_PATIENCE);
  const looked = client.look({ picture, priority: 'interactive' });
  const late = new Promise<undefined>((resolve) => patience.addEventListener('abort', () => resolve(undefined)));
  // The answer that comes too late is nobody's, and neither is its failure: the run will say it again.
  looked.catch(() => undefined);
  return (await Promise.race([looked, late]))?.guess;
}

function rows(guess: DegradationGuess | undefined, many: boolean, prompt: string): Row[] {
  const names: Record<Task, { label: string; description: string }> = {
    'super-resolution': {
      label: vscode.l10n.t('Super-Resolution'),
      description: vscode.l10n.t('a small picture becomes four times as wide and high'),
    },
    deblurring: { label: vscode.l10n.t('Deblurring'), description: vscode.l10n.t('motion or focus blur') },
    'low-light': { label: vscode.l10n.t('Low Light'), description: vscode.l10n.t('dark and noisy') },
  };
  const tasks = TASKS.map((task): Row => ({ ...names[task], answer: { task } }));
  const order = guess ? [...TASKS].sort((a, b) => guess.shares[b] - guess.shares[a]) : [];
  const ranked = order.map((task): Row => {
    if (guess === undefined || task !== guess.task) return { ...names[task], answer: { task } };
    return {
      label: names[task].label,
      description: vscode.l10n.t('detected, {0} % sure', Math.round(100 * guess.confidence)),
      detail: guess.evidence.join(', '),
      answer: { task },
    };
  });
  const detect: Row = {
    label: vscode.l10n.t('Detect for Each Picture'),
    description: vscode.l10n.t('what each one needs'),
    answer: {},
  };
  return [
    ...(many ? [detect] : []),
    ...(guess ? ranked : tasks),
    { label: vscode.l10n.t('with'), kind: vscode.QuickPickItemKind.Separator },
    {
      label: vscode.l10n.t('$(edit) Prompt...'),
      description: prompt === '' ? vscode.l10n.t('the sentence that fits every picture') : prompt,
      answer: 'prompt',
    },
  ];
}

/** The text of the prompt, prefilled. A button has the scene described; what comes out is put into the text, to be edited. */
async function askPrompt(
  prompts: ScenePrompts,
  { title, picture }: WishQuestion,
  before: Pick<WishAnswer, 'prompt' | 'promptSource'>,
  uniform: string,
): Promise<Pick<WishAnswer, 'prompt' | 'promptSource'> | undefined> {
  let scene: Scene | undefined;
  let value = before.prompt === '' ? uniform : before.prompt;
  for (;;) {
    const answer = await askText(title, value, picture !== undefined);
    if (answer === undefined) return undefined;
    if (answer.kind === 'describe' && picture !== undefined) {
      scene = (await prompts.describe(picture)) ?? scene;
      value = scene?.text ?? answer.text;
      continue;
    }
    const text = answer.text.trim();
    if (text === '' || text === uniform) return { prompt: '' };
    if (text === before.prompt) return before;
    return { prompt: text, ...(scene !== undefined && text === scene.text ? { promptSource: scene.source } : {}) };
  }
}

type TextAnswer = { kind: 'text' | 'describe'; text: string };

async function askText(title: string, value: string, canDescribe: boolean): Promise<TextAnswer | undefined> {
  const box = vscode.window.createInputBox();
  box.title = title;
  box.value = value;
  box.ignoreFocusOut = true;
  box.prompt = vscode.l10n.t('Describe the picture, or keep the sentence that fits every picture.');
  if (canDescribe) {
    box.buttons = [{ iconPath: new vscode.ThemeIcon('eye'), tooltip: vscode.l10n.t('Describe the Picture') }];
  }
  try {
    return await new Promise<TextAnswer | undefined>((resolve) => {
      box.onDidAccept(() => resolve({ kind: 'text', text: box.value }));
      box.onDidTriggerButton(() => resolve({ kind: 'describe', text: box.value }));
      box.onDidHide(() => resolve(undefined));
      box.show();
    });
  } finally {
    box.dispose();
  }
}
