import path from 'node:path';
import {
  ADAPTER_NAME,
  CHANNEL_KINDS,
  DEVICES,
  GUIDANCE_KINDS,
  INSPECT_QUESTIONS,
  MAXIMUM_ADAPTER_SCALE,
  MAXIMUM_FRAMES,
  MAXIMUM_GUIDANCE,
  MAXIMUM_SEED,
  MAXIMUM_STEPS,
  METRICS,
  METRIC_PROTOCOLS,
  MOST_ADAPTERS,
  PICTURE_FORMATS,
  PRECISIONS,
  RestorationError,
  SCHEDULERS,
  TASKS,
  WISHES,
  isAdapterScale,
  isDegradation,
  isGuidanceScale,
  isPreviewCount,
  isRegion,
  isRunRecord,
  isRunView,
  isStepCount,
  type AdapterWish,
  type CheckRequest,
  type Degradation,
  type DegradationWishes,
  type DegradeRequest,
  type DescribeRequest,
  type DiffusionWish,
  type DrawRequest,
  type PackRequest,
  type FigureRequest,
  type InspectRequest,
  type LookRequest,
  type MeasureRequest,
  type Metric,
  type RequestKind,
  type Requests,
  type RestoreRequest,
  type SampleRequest,
  type SaveRequest,
  type StripRequest,
  type Task,
} from '../protocol';
import { isCount, isFiniteNumber, isObject } from '../protocol/checks';
import { MODEL_ID } from '../restoration/models/manifest';

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

function adapters(value: unknown): AdapterWish[] {
  if (!Array.isArray(value) || value.length > MOST_ADAPTERS) {
    throw bad(`Adapters have to be a list of at most ${MOST_ADAPTERS}, not ${shown(value)}.`, 'Name fewer.');
  }
  return value.map((wish: unknown) => {
    const { file, scale } = isObject(wish) ? wish : ({} as Untrusted);
    if (!isAdapterScale(scale)) {
      throw bad(
        `The scale of an adapter has to be a number from -${MAXIMUM_ADAPTER_SCALE} to ${MAXIMUM_ADAPTER_SCALE}, not ${shown(scale)}.`,
        'The usual scale is 1.',
      );
    }
    const named = typeof file === 'string' && ADAPTER_NAME.test(file);
    return { file: named ? file : absolutePath(file, 'adapter'), scale };
  });
}

function severities(value: unknown): number[] {
  const list: unknown[] = Array.isArray(value) ? value : [];
  const valid = list.filter((v): v is number => typeof v === 'number' && v >= 0 && v <= 1);
  if (list.length >= 1 && list.length <= MAXIMUM_FRAMES && valid.length === list.length) return valid;
  throw bad(
    `Severities are 1 to ${MAXIMUM_FRAMES} numbers from 0 (restored) to 1 (as it came), not ${shown(value)}.`,
    'For example [0.5, 0].',
  );
}

function diffusion(value: unknown): DiffusionWish {
  if (!isObject(value)) throw bad(`The wishes for a diffusion model have to be an object, not ${shown(value)}.`, '');
  const wish: DiffusionWish = {
    steps: optional(value.steps, (v) => {
      if (isStepCount(v)) return v;
      throw bad(
        `Steps have to be a whole number from 1 to ${MAXIMUM_STEPS}, not ${shown(v)}.`,
        'The usual number is 50.',
      );
    }),
    seed: optional(value.seed, seed),
    scheduler: optional(value.scheduler, (v) => oneOf(v, SCHEDULERS, 'scheduler')),
    guidance: optional(value.guidance, (v) => {
      if (isGuidanceScale(v)) return v;
      throw bad(`Guidance has to be a number from 0 to ${MAXIMUM_GUIDANCE}, not ${shown(v)}.`, 'The usual one is 6.');
    }),
    guidanceKind: optional(value.guidanceKind, (v) => oneOf(v, GUIDANCE_KINDS, 'kind of guidance')),
    noise: optional(value.noise, (v) => absolutePath(v, 'noise')),
    previews: optional(value.previews, (v) => {
      if (isPreviewCount(v)) return v;
      throw bad(`Previews have to be a whole number from 0 to 64, not ${shown(v)}.`, 'The usual number is 4.');
    }),
  };
  // What was not given is not there: a model that knows no steps is told only of what somebody asked.
  return Object.fromEntries(Object.entries(wish).filter(([, wanted]) => wanted !== undefined));
}

function restore(value: Untrusted): RestoreRequest {
  const wanted = optional(value.severities, severities);
  return {
    input: absolutePath(value.input, 'picture'),
    task: optional(value.task, (v) => oneOf(v, TASKS, 'task')),
    prompt: optional(value.prompt, (v) => text(v, 'prompt', MAXIMUM_PROMPT)),
    promptSource: optional(value.promptSource, (v) => oneOf(v, ['described', 'endpoint'] as const, 'prompt source')),
    reference: optional(value.reference, (v) => absolutePath(v, 'reference')),
    frames: wanted?.length ?? frames(value.frames),
    severities: wanted,
    scale: optional(value.scale, scale),
    model: model(value.model),
    adapters: optional(value.adapters, adapters),
    device: oneOf(value.device, DEVICES, 'device'),
    precision: optional(value.precision, (v) => oneOf(v, PRECISIONS, 'precision')),
    diffusion: optional(value.diffusion, diffusion),
    protocol: optional(value.protocol, (v) => oneOf(v, METRIC_PROTOCOLS, 'metric protocol')),
    metrics: optional(value.metrics, metrics),
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
    metrics: optional(value.metrics, metrics),
    scale: scale(value.scale),
    prompt: optional(value.prompt, (v) => text(v, 'prompt', MAXIMUM_PROMPT)),
    model: optional(value.model, (v) => text(v, 'model name', 256)),
    region: optional(value.region, region),
    framesFolder: absolutePath(value.framesFolder, 'frames folder'),
    priority: oneOf(value.priority, ['interactive', 'batch'] as const, 'priority'),
  };
}

function metrics(value: unknown): Metric[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw bad(`Metrics have to be a list of names, not ${shown(value)}.`, `Choose from ${METRICS.join(', ')}.`);
  }
  return [...new Set(value.map((name) => oneOf(name, METRICS, 'metric')))];
}

function measure(value: Untrusted): MeasureRequest {
  return {
    a: absolutePath(value.a, 'first picture'),
    b: absolutePath(value.b, 'second picture'),
    protocol: oneOf(value.protocol, METRIC_PROTOCOLS, 'metric protocol'),
    scale: scale(value.scale),
    device: oneOf(value.device, DEVICES, 'device'),
    metrics: optional(value.metrics, metrics),
    region: optional(value.region, region),
    mapsFolder: optional(value.mapsFolder, (v) => absolutePath(v, 'folder of maps')),
    alignment: value.alignment !== false,
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

function look(value: Untrusted): LookRequest {
  return {
    picture: absolutePath(value.picture, 'picture'),
    jpegSide: optional(value.jpegSide, (v) => {
      if (typeof v === 'number' && Number.isInteger(v) && v >= 16 && v <= 2048) return v;
      throw bad(`The side of a small copy has to be from 16 to 2048 pixels, not ${shown(v)}.`, '');
    }),
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

function save(value: Untrusted): SaveRequest {
  if (!isRunRecord(value.record)) throw bad('The run record is not valid.', 'Run the restoration again.');
  const { severity, quality, depth } = value;
  if (!isFiniteNumber(severity) || severity < 0 || severity > 1) {
    throw bad(`A severity has to be a number from 0 (restored) to 1 (the input), not ${shown(severity)}.`, '');
  }
  if (quality !== undefined && !(isFiniteNumber(quality) && quality >= 1 && quality <= 100)) {
    throw bad(`The quality has to be a number from 1 to 100, not ${shown(quality)}.`, 'The usual one is 95.');
  }
  if (depth !== undefined && depth !== 8 && depth !== 16) {
    throw bad(`The depth has to be 8 or 16 bits, not ${shown(depth)}.`, 'Leave it out to keep that of the input.');
  }
  return {
    record: value.record,
    framesFolder: absolutePath(value.framesFolder, 'frames folder'),
    input: absolutePath(value.input, 'picture'),
    reference: optional(value.reference, (v) => absolutePath(v, 'reference')),
    severity,
    output: absolutePath(value.output, 'output'),
    format: optional(value.format, (v) => oneOf(v, PICTURE_FORMATS, 'picture format')),
    depth,
    quality: quality === undefined ? undefined : Math.round(quality),
    model: optional(value.model, model),
    adapters: optional(value.adapters, adapters),
    device: oneOf(value.device, DEVICES, 'device'),
    priority: oneOf(value.priority, PRIORITIES, 'priority'),
  };
}

function draw(value: Untrusted): DrawRequest {
  if (!isRunRecord(value.record)) throw bad('The run record is not valid.', 'Run the restoration again.');
  return {
    record: value.record,
    framesFolder: absolutePath(value.framesFolder, 'frames folder'),
    reference: optional(value.reference, (v) => absolutePath(v, 'reference')),
    small: value.small === true,
  };
}

function pack(value: Untrusted): PackRequest {
  if (!isRunView(value.view)) throw bad('The run is not valid.', 'Run the restoration again.');
  return { view: value.view };
}

/** Sides of a sample: the embedded and the published networks halve a picture up to four times. */
const SAMPLE_MULTIPLE = 16;
const MAXIMUM_SAMPLE_SIDE = 4096;

function seed(value: unknown): number {
  if (isCount(value) && value <= MAXIMUM_SEED) return value;
  throw bad(`The seed has to be a whole number from 0 to 2^53 - 1, not ${shown(value)}.`, 'Any such number will do.');
}

function wishes(value: unknown, task: Task): DegradationWishes {
  if (!isObject(value)) throw bad(`The parameters of a degradation have to be an object, not ${shown(value)}.`, '');
  const result: Record<string, unknown> = {};
  for (const [name, wish] of Object.entries(value)) {
    if (wish === undefined) continue;
    if (!Object.hasOwn(WISHES, name)) {
      throw bad(`A degradation has no parameter ${shown(name)}.`, `There are ${Object.keys(WISHES).join(', ')}.`);
    }
    const { task: owner, says, accepts } = WISHES[name as keyof DegradationWishes];
    if (owner !== task) throw bad(`${name} is a parameter of ${owner}, not of ${task}.`, 'Leave it out.');
    if (!accepts(wish)) throw bad(`${name} has to be ${says}, not ${shown(wish)}.`, 'Leave it out to have it drawn.');
    result[name] = wish;
  }
  return result;
}

function pathSeverities(value: unknown): number[] {
  const valid = Array.isArray(value) && value.length > 0 && value.length <= MAXIMUM_FRAMES;
  if (valid && value.every((v) => isFiniteNumber(v) && v >= 0 && v <= 1)) return value as number[];
  throw bad(
    `A severity has to be a number from 0 (clean) to 1 (degraded), not ${shown(value)}.`,
    'The usual one is 1.',
  );
}

function degradationFor(value: unknown, task: Task): Degradation {
  if (!isDegradation(value)) {
    throw bad(`These are not the parameters of a degradation: ${shown(value)}.`, 'Take those of an earlier result.');
  }
  if (value.task !== task) throw bad(`These are parameters of ${value.task}, not of ${task}.`, 'Name that task.');
  return value;
}

function partner(value: Untrusted, task: Task): string | undefined {
  const file = optional(value.partner, (v) => absolutePath(v, 'degraded picture of the pair'));
  if (file === undefined || task === 'low-light') return file;
  throw bad(`The path between a real pair is defined for low-light, not for ${task}.`, 'Leave the pair out.');
}

function degrade(value: Untrusted): DegradeRequest {
  const task = oneOf(value.task, TASKS, 'task');
  const form = oneOf(value.form, ['full', 'small'] as const, 'form');
  if (form === 'small' && task !== 'super-resolution') {
    throw bad(`Only super-resolution has a small picture, ${task} has not.`, 'Leave that option out.');
  }
  return {
    input: absolutePath(value.input, 'picture'),
    partner: partner(value, task),
    task,
    severities: pathSeverities(value.severities),
    seed: seed(value.seed),
    wishes: wishes(value.wishes, task),
    degradation: optional(value.degradation, (v) => degradationFor(v, task)),
    form,
    framesFolder: absolutePath(value.framesFolder, 'frames folder'),
    priority: oneOf(value.priority, ['interactive', 'batch'] as const, 'priority'),
  };
}

function sampleSize(value: unknown): SampleRequest['size'] {
  const sides = isObject(value) ? [value.width, value.height] : [];
  const valid = (side: unknown): side is number =>
    isCount(side) && side >= SAMPLE_MULTIPLE && side <= MAXIMUM_SAMPLE_SIDE && side % SAMPLE_MULTIPLE === 0;
  const [width, height] = sides;
  if (valid(width) && valid(height)) return { width, height };
  throw bad(
    `The sides of a sample have to be multiples of ${SAMPLE_MULTIPLE} from ${SAMPLE_MULTIPLE} to ${MAXIMUM_SAMPLE_SIDE}, not ${shown(value)}.`,
    'The usual size is 512.',
  );
}

function sample(value: Untrusted): SampleRequest {
  const task = oneOf(value.task, TASKS, 'task');
  if (typeof value.clip !== 'boolean') throw bad(`clip has to be true or false, not ${shown(value.clip)}.`, '');
  if (!isCount(value.stream) || value.stream >= 2 ** 32) {
    throw bad(`The number of a sample has to be a whole number below 2^32, not ${shown(value.stream)}.`, '');
  }
  return {
    input: absolutePath(value.input, 'picture'),
    partner: partner(value, task),
    task,
    frames: frames(value.frames),
    seed: seed(value.seed),
    stream: value.stream,
    size: sampleSize(value.size),
    wishes: wishes(value.wishes, task),
    folder: absolutePath(value.folder, 'folder of the sample'),
    clip: value.clip,
    priority: oneOf(value.priority, ['interactive', 'batch'] as const, 'priority'),
  };
}

function describe(value: Untrusted): DescribeRequest {
  if (!isObject(value.hints))
    throw bad(`The hints about a network have to be an object, not ${shown(value.hints)}.`, '');
  const { id, tasks, license, channels, range } = value.hints;
  return {
    file: absolutePath(value.file, 'network'),
    hints: {
      id: optional(id, modelId),
      tasks: optional(tasks, taskList),
      license: optional(license, (v) => text(v, 'licence', 1000)),
      channels: optional(channels, (v) => oneOf(v, CHANNEL_KINDS, 'order of channels')),
      range: optional(range, blackAndWhite),
    },
  };
}

function check(value: Untrusted): CheckRequest {
  return {
    device: oneOf(value.device, DEVICES, 'device'),
    model: model(value.model),
    priority: oneOf(value.priority, PRIORITIES, 'priority'),
  };
}

function modelId(value: unknown): string {
  if (typeof value === 'string' && MODEL_ID.test(value)) return value;
  throw bad(`The id of a model may hold a-z, 0-9, dot and hyphen only, unlike ${shown(value)}.`, 'Choose another id.');
}

function taskList(value: unknown): Task[] {
  if (Array.isArray(value) && value.length > 0) return value.map((task) => oneOf(task, TASKS, 'task'));
  throw bad(`Tasks have to be a list, not ${shown(value)}.`, `Name some of ${TASKS.join(', ')}.`);
}

function blackAndWhite(value: unknown): [number, number] {
  if (Array.isArray(value) && value.length === 2 && value.every(isFiniteNumber) && value[0] !== value[1]) {
    return [value[0] as number, value[1] as number];
  }
  throw bad(`A range has the values of black and white, unlike ${shown(value)}.`, 'The usual range is 0 to 1.');
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
    pack,
    inspect,
    look,
    figure,
    degrade,
    sample,
    describe,
    save,
    devices: () => ({}),
    check,
  };
  return checks[kind](value as Untrusted);
}

const KINDS = [
  'restore',
  'strip',
  'measure',
  'draw',
  'pack',
  'inspect',
  'look',
  'figure',
  'degrade',
  'sample',
  'describe',
  'save',
  'devices',
  'check',
] as const satisfies readonly RequestKind[];

export function isRequestKind(value: unknown): value is RequestKind {
  return typeof value === 'string' && (KINDS as readonly string[]).includes(value);
}
