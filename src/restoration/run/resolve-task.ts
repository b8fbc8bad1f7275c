import { RestorationError, TASKS, type RestoreRequest, type RunRecord, type Task } from '../../protocol';
import type { PromptTask } from '../compact/compact-model';

export interface ResolvedTask {
  task: Task;
  taskSource: RunRecord['taskSource'];
  /** How sure the decision is, in (0, 1]; absent when the caller decided. */
  confidence?: number;
}

/** What can decide when the caller does not; a model or a detector that cannot is left out. */
export interface TaskDeciders {
  /** Reads the task out of the wording. */
  fromPrompt?: (prompt: string) => Promise<PromptTask>;
  /** Looks at the degraded picture. */
  fromPicture?: () => Promise<PromptTask> | PromptTask;
}

/**
 * The task of a run: the one that was given, otherwise the one that the prompt asks for, otherwise the one that a look at
 * the picture suggests.
 *
 * @throws RestorationError `bad-argument` when nothing decides
 */
export async function resolveTask(
  { task, prompt, promptSource }: Pick<RestoreRequest, 'task' | 'prompt' | 'promptSource'>,
  { fromPrompt, fromPicture }: TaskDeciders,
): Promise<ResolvedTask> {
  if (task !== undefined) return { task, taskSource: 'user' };
  // A description of the scene, by whatever machine, is no wish.
  const wish = promptSource === undefined ? (prompt?.trim() ?? '') : '';
  if (wish !== '' && fromPrompt) return { ...(await fromPrompt(wish)), taskSource: 'prompt' };
  if (fromPicture) return { ...(await fromPicture()), taskSource: 'detected' };
  throw new RestorationError(
    'bad-argument',
    'Neither a task nor a prompt says what is wrong with the picture.',
    `Give a task (${TASKS.join(', ')}) or say in a prompt what to do.`,
  );
}
