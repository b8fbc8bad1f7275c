import path from 'node:path';
import {
  DEVICES,
  INSPECT_QUESTIONS,
  MAXIMUM_FRAMES,
  METRIC_PROTOCOLS,
  RestorationError,
  TASKS,
  isRegion,
  isRunRecord,
  type DrawRequest,
  type FigureRequest,
  type InspectRequest,
  type MeasureRequest,
  type RequestKind,
  type Requests,
  type RestoreRequest,
  type StripRequest,
} from '../protocol';

/** Enlargements that the super-resolution path is defined for. */
export const SCALE_RANGE = { minimum: 1, maximum: 8 } as const;
const PRIORITIES = ['interactive', 'batch'] as const;
/** Most methods in one figure: more would not be told apart on a page. */
export const MOST_FIGURE_METHODS = 16;
/** Longest prompt, in characters. */
const MAXIMUM_PROMPT = 10_000;

type Untrusted = Record<string, unknown>;

function bad(problem: string, remedy: string): RestorationError {
  return new RestorationError('bad-argument', problem, remedy);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function oneOf<T extends string>(value: unknown, list: readonly T[], what: string): T {
  if (typeof value === 'string' && (list as readonly string[]).includes(value)) return value as T;
  throw bad(`There is no ${what} ${shown(value)}.`, `Choose one of ${list.join(', ')}.`);
}

function optional<T>(value: unknown, check: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : check(value);
}

function absolutePath(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '' && !value.includes('\0') && path.isAbsolute(value)) return value;
  throw bad(`The ${what} has to be the path of a file, not ${shown(value)}.`, 'Name a file.');
}

function text(value: unknown, what: string, limit: number): string {
  if (typeof value === 'string' && value.length <= limit) return value;
  throw bad(`The ${what} has to be a text of at most ${limit} characters, not ${shown(value)}.`, 'Shorten it.');
}

function frames(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 2 && value <= MAXIMUM_FRAMES) return value;
  throw bad(
    `The number of frames has to be a whole number from 2 to ${MAXIMUM_FRAMES}, not ${shown(value)}.`,
    'The usual number is 9.',
  );
}

function scale(value: unknown): number {
  const { minimum, maximum } = SCALE_RANGE;
  if (typeof value === 'number' && value >= minimum && value <= maximum) return value;
  throw bad(
    `The scale has to be a number from ${minimum} to ${maximum}, not ${shown(value)}.`,
    'The usual scale is 4.',
  );
}

function region(value: unknown): RestoreRequest['region'] {
  if (isRegion(value)) return { x: value.x, y: value.y, width: value.width, height: value.height };
  throw bad(`A region has whole numbers x, y, width and height, unlike ${shown(value)}.`, 'Correct the region.');
}

function model(value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= 4096) return value;
  throw bad(`The model has to be an id or the path of a folder, not ${shown(value)}.`, 'The usual model is "compact".');
}

function restore(value: Untrusted): RestoreRequest {
  return {
    input: absolutePath(value.input, 'picture'),
    task: optional(value.task, (v) => oneOf(v, TASKS, 'task')),
    prompt: optional(value.prompt, (v) => text(v, 'prompt', MAXIMUM_PROMPT)),
    reference: optional(value.reference, (v) => absolutePath(v, 'reference')),
    frames: frames(value.frames),
    scale: optional(value.scale, scale),
    model: model(value.model),
    device: oneOf(value.device, DEVICES, 'device'),
    protocol: optional(value.protocol, (v) => oneOf(v, METRIC_PROTOCOLS, 'metric protocol')),
    region: optional(value.region, region),
    framesFolder: optional(value.framesFolder, (v) => absolutePath(v, 'frames folder')),
    priority: oneOf(value.priority, ['interactive', 'batch'] as const, 'priority'),
  };
}

function strip(value: Untrusted): StripRequest {
  if (!Array.isArray(value.frames) || value.frames.length > MAXIMUM_FRAMES) {
    throw bad(`A strip takes a list of 2 to ${MAXIMUM_FRAMES} frames.`, 'Name the frames in order.');
  }
  return {
    frames: value.frames.map((frame) => absolutePath(frame, 'frame')),
    task: oneOf(value.task, TASKS, 'task'),
    reference: optional(value.reference, (v) => absolutePath(v, 'reference')),
    protocol: optional(value.protocol, (v) => oneOf(v, METRIC_PROTOCOLS, 'metric protocol')),
    scale: scale(value.scale),
    prompt: optional(value.prompt, (v) => text(v, 'prompt', MAXIMUM_PROMPT)),
    model: optional(value.model, (v) => text(v, 'model name', 256)),
    region: optional(value.region, region),
    framesFolder: absolutePath(value.framesFolder, 'frames folder'),
    priority: oneOf(value.priority, ['interactive', 'batch'] as const, 'priority'),
  };
}

function measure(value: Untrusted): MeasureRequest {
  return {
    a: absolutePath(value.a, 'first picture'),
    b: absolutePath(value.b, 'second picture'),
    protocol: oneOf(value.protocol, METRIC_PROTOCOLS, 'metric protocol'),
    scale: scale(value.scale),
    device: oneOf(value.device, DEVICES, 'device'),
    priority: oneOf(value.priority ?? 'interactive', PRIORITIES, 'priority'),
  };
}

function inspect(value: Untrusted): InspectRequest {
  if (!Array.isArray(value.questions)) throw bad('An inspection takes a list of questions.', 'Name what to look at.');
  return {
    picture: absolutePath(value.picture, 'picture'),
    reference: absolutePath(value.reference, 'reference'),
    scale: scale(value.scale),
    questions: value.questions.map((question) => oneOf(question, INSPECT_QUESTIONS, 'question')),
    priority: oneOf(value.priority, PRIORITIES, 'priority'),
  };
}

function figure(value: Untrusted): FigureRequest {
  const { methods } = value;
  if (!Array.isArray(methods) || methods.length < 1 || methods.length > MOST_FIGURE_METHODS) {
    throw bad(`A figure takes a list of 1 to ${MOST_FIGURE_METHODS} methods.`, 'Name the pictures in order.');
  }
  return {
    methods: methods.map((method: unknown) => {
      const { file, label } = (method ?? {}) as Untrusted;
      return { file: absolutePath(file, 'picture'), label: text(label, 'label', 64) };
    }),
    reference: absolutePath(value.reference, 'reference'),
    input: optional(value.input, (v) => absolutePath(v, 'input')),
    region: optional(value.region, region),
    protocol: oneOf(value.protocol, METRIC_PROTOCOLS, 'metric protocol'),
    scale: scale(value.scale),
    columns: optional(value.columns, columns),
    note: value.note !== false,
    priority: oneOf(value.priority, PRIORITIES, 'priority'),
  };
}

function columns(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST_FIGURE_METHODS) return value;
  throw bad(`The columns have to be a whole number from 1 to ${MOST_FIGURE_METHODS}, not ${shown(value)}.`, '');
}

function draw(value: Untrusted): DrawRequest {
  if (!isRunRecord(value.record)) throw bad('The run record is not valid.', 'Run the restoration again.');
  return {
    record: value.record,
    framesFolder: absolutePath(value.framesFolder, 'frames folder'),
    reference: optional(value.reference, (v) => absolutePath(v, 'reference')),
  };
}

/**
 * A request as it came from outside, checked field by field. Both ends use it: the client, so that a mistake is named
 * before anything starts, and the service, which trusts nobody.
 *
 * @throws RestorationError `bad-argument` that names the field, what was expected and what came
 */
export function checkRequest<K extends RequestKind>(kind: K, value: unknown): Requests[K]['request'] {
  if (typeof value !== 'object' || value === null) throw bad(`A ${kind} request has to be an object.`, '');
  const checks: { [P in RequestKind]: (value: Untrusted) => Requests[P]['request'] } = {
    restore,
    strip,
    measure,
    draw,
    inspect,
    figure,
    devices: () => ({}),
  };
  return checks[kind](value as Untrusted);
}

const KINDS = [
  'restore',
  'strip',
  'measure',
  'draw',
  'inspect',
  'figure',
  'devices',
] as const satisfies readonly RequestKind[];

export function isRequestKind(value: unknown): value is RequestKind {
  return typeof value === 'string' && (KINDS as readonly string[]).includes(value);
}
