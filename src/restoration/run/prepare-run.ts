import {
  RestorationError,
  adapterField,
  type ConcretePrecision,
  type Precision,
  type RestoreRequest,
  type RunRecord,
  type RunStart,
  type Task,
} from '../../protocol';
import { throwIfCancelled } from '../compact/compact-model';
import { choosePrecision, type PrecisionCircumstances } from '../compact/precision';
import { decodeSource, type SourcePicture } from '../image/decode';
import { toEightBits, type AnyPixels } from '../image/pixels';
import type { DeviceChoice } from '../models/devices';
import type { RestorationManifest } from '../models/manifest';
import { composePrompt } from '../prompts/compose';
import { describeMeasures } from '../prompts/describe';
import { detectByMeasures } from '../prompts/detect';
import { measurePicture, type PictureMeasures } from '../prompts/picture-measures';
import type { ModelAdapter } from './load-adapters';
import type { ModelPool } from './model-pool';
import { networkInput, pictureKey } from './network-input';
import { resolveTask } from './resolve-task';
import type { RestorationModel, RestorationRequest } from './restoration-model';
import type { Stopwatch } from './stopwatch';

/** The part of a request that says what is to be computed; how it is shown or saved is another matter. */
export type ComputeRequest = Pick<
  RestoreRequest,
  | 'input'
  | 'task'
  | 'prompt'
  | 'promptSource'
  | 'model'
  | 'adapters'
  | 'device'
  | 'precision'
  | 'diffusion'
  | 'scale'
  | 'priority'
>;

/** Everything that is known before a network runs. */
export interface PreparedRun {
  source: SourcePicture;
  model: RestorationModel;
  choice: DeviceChoice;
  /** Enlargement, meaningful for super-resolution only. */
  scale: number;
  /** The source at the size of the frames, in its own depth. */
  picture: AnyPixels;
  /** The part of the record that no longer changes. */
  start: RunStart;
  /** What the model is asked, but for the severities and whom to tell. */
  question: Pick<
    RestorationRequest,
    'picture' | 'source' | 'task' | 'prompt' | 'pictureKey' | 'precision' | 'diffusion'
  >;
}

/**
 * Reads the picture, finds the model and decides on task and prompt.
 *
 * @throws RestorationError whatever is wrong with the picture, the model or the wish
 */
export async function prepareRun(
  request: ComputeRequest,
  pool: ModelPool,
  watch: Stopwatch<'decode' | 'network' | 'metrics' | 'encode'>,
  signal: AbortSignal,
): Promise<PreparedRun> {
  const source = await watch.time('decode', () => decodeSource(request.input));
  throwIfCancelled(signal);
  const { model, choice, adapters } = await watch.time('network', () =>
    pool.restoration(request.model, request.device, request.adapters),
  );
  const { manifest } = model.installed;
  // Detection and description look at the same measures; most runs need neither.
  let measured: PictureMeasures | undefined;
  const measures = (): PictureMeasures => (measured ??= measurePicture(toEightBits(source.pixels)));
  const { task, taskSource, confidence } = await watch.time('network', () =>
    resolveTask(
      { ...request, task: request.task ?? adapterTask(request, adapters) ?? onlyTask(manifest) },
      {
        fromPrompt: (prompt) => model.taskOf(prompt),
        fromPicture: () => detectByMeasures(measures()),
      },
    ),
  );
  if (!manifest.tasks.includes(task)) {
    throw new RestorationError(
      'bad-argument',
      `Model ${manifest.id} does not do ${task}; it does ${manifest.tasks.join(', ')}.`,
      'Choose one of these tasks or another model.',
    );
  }
  refuseIdleWishes(manifest, request.diffusion);
  const acting = adaptersFor(adapters, task);
  const [idle] = acting.length === 0 ? adapters : [];
  if (idle?.kind === 'expert') throw idleAdapter(idle, task, taskSource);
  const adapter = adapterField(acting.map(({ record }) => record));
  const precision = precisionOf(manifest, request.precision ?? 'auto', {
    task,
    device: choice.used,
    adapted: acting.length > 0,
  });
  const scale = request.scale ?? usualScale(manifest);
  const picture = await watch.time('decode', () => networkInput(source, task, scale, request.input));
  // A prompt that decided the task stands for itself; a task that was given is said first, in the model's own sentence.
  const prompt: RunRecord['prompt'] =
    taskSource === 'prompt'
      ? { text: (request.prompt as string).trim(), source: 'user' }
      : composePrompt(
          manifest.uniformPrompts[task],
          request.prompt ?? (request.promptSource === 'described' ? describeMeasures(measures()) : undefined),
          request.promptSource,
        );
  return {
    source,
    model,
    choice,
    scale,
    picture,
    start: {
      task,
      taskSource,
      ...(confidence === undefined ? {} : { taskConfidence: confidence }),
      prompt,
      model: {
        id: manifest.id,
        sha256: model.installed.sha256,
        ...(adapter === undefined ? {} : { adapter }),
        ...(manifest.experts ? { expert: task } : {}),
        ...(precision === undefined ? {} : { precision }),
      },
      device: { requested: request.device, used: choice.used },
    },
    question: {
      picture,
      source: source.pixels,
      task,
      prompt: prompt.text,
      ...(precision === undefined ? {} : { precision }),
      ...(request.diffusion === undefined ? {} : { diffusion: request.diffusion }),
      // Pictures of a batch do not come back: keeping their features would only cost.
      ...(request.priority === 'interactive' ? { pictureKey: pictureKey(source, picture) } : {}),
    },
  };
}

/** Whoever names adapters that do one thing, and no more, has said what is to be done; a prompt is heard first. */
function adapterTask({ prompt, promptSource }: ComputeRequest, adapters: readonly ModelAdapter[]): Task | undefined {
  const [first, ...more] = adapters;
  const wish = promptSource === undefined ? (prompt?.trim() ?? '') : '';
  return wish === '' && first && more.every(({ task }) => task === first.task) ? first.task : undefined;
}

/** Of a model's adapters, those that act on a task: those of a video transformer do whatever the task is. */
export function adaptersFor(adapters: readonly ModelAdapter[], task: Task): ModelAdapter[] {
  return adapters.filter((adapter) => adapter.kind === 'video' || adapter.task === task);
}

/** Steps, seeds and guidance mean nothing to a model that does not go from noise to a picture. */
function refuseIdleWishes(manifest: RestorationManifest, wish: RestoreRequest['diffusion']): void {
  const [name] = Object.keys(wish ?? {});
  if (manifest.kind === 'cogvideox' || name === undefined) return;
  throw new RestorationError(
    'bad-argument',
    `Model ${manifest.id} is no diffusion model: ${name} means nothing to it.`,
    'Leave it out, or choose a CogVideoX model.',
  );
}

function idleAdapter(
  adapter: Extract<ModelAdapter, { kind: 'expert' }>,
  task: Task,
  source: RunRecord['taskSource'],
): RestorationError {
  const why = { user: `the task is ${task}`, prompt: `the prompt asks for ${task}`, detected: `${task} was detected` };
  return new RestorationError(
    'bad-argument',
    `Adapter ${adapter.label} is for ${adapter.task}, but ${why[source]}.`,
    `Leave the adapter out, or give the task ${adapter.task}.`,
  );
}

/** Whoever names a model that does one thing, and reads no wish out of a prompt, has said what is to be done. */
function onlyTask(manifest: RestorationManifest): Task | undefined {
  return manifest.kind !== 'trajectory' && manifest.tasks.length === 1 ? manifest.tasks[0] : undefined;
}

function precisionOf(
  manifest: RestorationManifest,
  wish: Precision,
  circumstances: PrecisionCircumstances,
): ConcretePrecision | undefined {
  if (manifest.kind === 'trajectory') return choosePrecision(manifest, wish, circumstances);
  if (wish !== 'int8') return undefined;
  const what = manifest.kind === 'cogvideox' ? 'has no int8 networks' : "is a network of its author's making";
  throw new RestorationError(
    'bad-argument',
    `Precision int8 is not possible: model ${manifest.id} ${what}.`,
    'Leave the precision out.',
  );
}

/** What super-resolution usually means: the scale of a network that enlarges, otherwise 4. */
function usualScale(manifest: RestorationManifest): number {
  return manifest.kind === 'network' && manifest.scale > 1 ? manifest.scale : 4;
}
