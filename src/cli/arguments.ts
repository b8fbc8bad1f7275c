import { parseArgs } from 'node:util';
import {
  CHANNEL_KINDS,
  DEVICES,
  GUIDANCE_KINDS,
  METRICS,
  METRIC_PROTOCOLS,
  PICTURE_FORMATS,
  PRECISIONS,
  RestorationError,
  SCHEDULERS,
  TASKS,
  type ChannelKind,
  type DegradationWishes,
  type Device,
  type DiffusionWish,
  type Metric,
  type MetricProtocol,
  type PictureDepth,
  type PictureFormat,
  type Precision,
  type Region,
  type Task,
} from '../protocol';
import { isObject } from '../protocol/checks';

const OPTIONS = {
  task: { type: 'string' },
  prompt: { type: 'string' },
  describe: { type: 'string' },
  reference: { type: 'string' },
  frames: { type: 'string' },
  severity: { type: 'string' },
  scale: { type: 'string' },
  model: { type: 'string' },
  adapter: { type: 'string', multiple: true },
  device: { type: 'string' },
  precision: { type: 'string' },
  steps: { type: 'string' },
  scheduler: { type: 'string' },
  guidance: { type: 'string' },
  'guidance-kind': { type: 'string' },
  noise: { type: 'string' },
  previews: { type: 'string' },
  protocol: { type: 'string' },
  metrics: { type: 'string' },
  maps: { type: 'string' },
  limit: { type: 'string' },
  results: { type: 'string', multiple: true },
  clips: { type: 'string' },
  seed: { type: 'string' },
  resume: { type: 'boolean' },
  table: { type: 'string', multiple: true },
  check: { type: 'boolean' },
  claimed: { type: 'string', multiple: true },
  input: { type: 'string' },
  region: { type: 'string' },
  picture: { type: 'string' },
  columns: { type: 'string' },
  'no-note': { type: 'boolean' },
  out: { type: 'string' },
  save: { type: 'string' },
  format: { type: 'string' },
  depth: { type: 'string' },
  quality: { type: 'string' },
  'allow-errors': { type: 'boolean' },
  yes: { type: 'boolean' },
  id: { type: 'string' },
  channels: { type: 'string' },
  license: { type: 'string' },
  size: { type: 'string' },
  prompts: { type: 'string' },
  clip: { type: 'string' },
  small: { type: 'boolean' },
  pairs: { type: 'boolean' },
  'per-picture': { type: 'string' },
  parameters: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

export type OptionName = keyof typeof OPTIONS;

/** The words of a call, checked as far as that goes without looking at files. */
export interface Call {
  words: string[];
  json: boolean;
  allowErrors: boolean;
  help: boolean;
  version: boolean;
  given: ReadonlySet<OptionName>;
  task: Task | undefined;
  protocol: MetricProtocol | undefined;
  metrics: Metric[] | undefined;
  /** A folder for maps. */
  maps: string | undefined;
  device: Device;
  precision: Precision | undefined;
  /** For diffusion models; undefined when nothing is asked of them. */
  diffusion: DiffusionWish | undefined;
  prompt: string | undefined;
  /** An endpoint is to describe the scene. */
  describe: 'endpoint' | undefined;
  reference: string | undefined;
  model: string | undefined;
  /** Adapters with their scales. */
  adapters: { file: string; scale: number }[];
  out: string | undefined;
  /** A file or a folder for the result at full size. */
  save: string | undefined;
  format: PictureFormat | undefined;
  depth: PictureDepth | undefined;
  quality: number | undefined;
  frames: number | undefined;
  /** Each in [0, 1]. */
  severities: number[] | undefined;
  scale: number | undefined;
  limit: number | undefined;
  /** Result folders; words that follow are more of them. */
  results: string[];
  clips: string | undefined;
  seed: number | undefined;
  resume: boolean;
  /** Files for tables. */
  tables: string[];
  check: boolean;
  /** Claims such as psnr=32.1. */
  claimed: string[];
  input: string | undefined;
  region: Region | undefined;
  /** Name of a picture in folders. */
  picture: string | undefined;
  columns: number | undefined;
  note: boolean;
  /** Consent to what a command would do. */
  yes: boolean;
  /** Of a model that is added. */
  id: string | undefined;
  channels: ChannelKind | undefined;
  license: string | undefined;
  /** `--task all`, which only a data set knows. */
  allTasks: boolean;
  /** Side of a sample in pixels. */
  size: number | { width: number; height: number } | undefined;
  prompts: string | undefined;
  clip: 'mp4' | 'none' | undefined;
  small: boolean;
  pairs: boolean;
  perPicture: number | undefined;
  /** Of a degradation; the inference process checks them. */
  parameters: DegradationWishes | undefined;
}

function wrong(problem: string, remedy = 'Call progressive-restoration --help for the usage.'): RestorationError {
  return new RestorationError('bad-argument', problem, remedy);
}

function choice<T extends string>(value: string | undefined, list: readonly T[], option: string): T | undefined {
  if (value === undefined) return undefined;
  if ((list as readonly string[]).includes(value)) return value as T;
  throw wrong(`--${option} cannot be ${JSON.stringify(value)}.`, `Choose one of ${list.join(', ')}.`);
}

function number(value: string | undefined, option: string, whole: boolean): number | undefined {
  if (value === undefined) return undefined;
  const result = Number(value);
  if (value.trim() === '' || !Number.isFinite(result) || result <= 0 || (whole && !Number.isInteger(result))) {
    throw wrong(`--${option} has to be a ${whole ? 'whole ' : ''}number above 0, not ${JSON.stringify(value)}.`);
  }
  return result;
}

function seed(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw wrong(`--seed has to be a whole number from 0, not ${JSON.stringify(value)}.`);
}

function notNegative(value: string | undefined, option: string): number | undefined {
  if (value === undefined) return undefined;
  const result = value.trim() === '' ? Number.NaN : Number(value);
  if (result >= 0 && Number.isFinite(result)) return result;
  throw wrong(`--${option} has to be a number from 0, not ${JSON.stringify(value)}.`);
}

/** What is asked of a diffusion model; the inference process checks the ranges. */
function diffusion(values: Partial<Record<OptionName, unknown>>): DiffusionWish | undefined {
  const text = (name: OptionName): string | undefined => values[name] as string | undefined;
  const wish: DiffusionWish = {
    steps: number(text('steps'), 'steps', true),
    seed: seed(text('seed')),
    scheduler: choice(text('scheduler'), SCHEDULERS, 'scheduler'),
    guidance: notNegative(text('guidance'), 'guidance'),
    guidanceKind: choice(text('guidance-kind'), GUIDANCE_KINDS, 'guidance-kind'),
    noise: text('noise'),
    previews: notNegative(text('previews'), 'previews'),
  };
  const asked = Object.entries(wish).filter(([, value]) => value !== undefined);
  return asked.length === 0 ? undefined : Object.fromEntries(asked);
}

/** `FILE` or `FILE:0.5`; a drive letter's colon is no scale. */
function adapter(value: string): { file: string; scale: number } {
  const { file, scale } = /^(?<file>.+?)(?::(?<scale>[-+]?(?:\d+\.?\d*|\.\d+)))?$/su.exec(value)?.groups ?? {};
  if (file === undefined) throw wrong('--adapter needs a file.', 'For example --adapter mine.safetensors:0.5.');
  return { file, scale: scale === undefined ? 1 : Number(scale) };
}

/** `psnr,flip`. */
function metricList(value: string | undefined): Metric[] | undefined {
  if (value === undefined) return undefined;
  return value.split(',').map((name) => {
    if ((METRICS as readonly string[]).includes(name.trim())) return name.trim() as Metric;
    throw wrong(`--metrics cannot hold ${JSON.stringify(name)}.`, `Choose from ${METRICS.join(',')}.`);
  });
}

function region(value: string | undefined): Region | undefined {
  if (value === undefined) return undefined;
  const match = /^(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})$/.exec(value);
  const [x, y, width, height] = (match ?? []).slice(1).map(Number);
  if (x !== undefined && y !== undefined && width && height) return { x, y, width, height };
  throw wrong(
    `--region has to be X,Y,WIDTH,HEIGHT in pixels, not ${JSON.stringify(value)}.`,
    'For example --region 120,80,96,72.',
  );
}

/** `0.3` or `1,0.5,0`. */
function severities(value: string | undefined): number[] | undefined {
  if (value === undefined) return undefined;
  const list = value.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (list.every((severity) => severity >= 0 && severity <= 1)) return list;
  throw wrong(`--severity has to be numbers from 0 (restored) to 1 (as it came), not ${JSON.stringify(value)}.`);
}

function parameters(value: string | undefined): DegradationWishes | undefined {
  if (value === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    if (isObject(parsed)) return parsed;
  } catch {
    // Said below.
  }
  throw wrong(`--parameters has to be a JSON object, not ${JSON.stringify(value)}.`, `For example '{"gain": 0.05}'.`);
}

/** `512`, or `720x480`. */
function sampleSize(value: string | undefined): Call['size'] {
  const sides = /^(\d+)x(\d+)$/.exec(value ?? '');
  if (sides) return { width: Number(sides[1]), height: Number(sides[2]) };
  return number(value, 'size', true);
}

function depth(value: string | undefined): PictureDepth | undefined {
  const found = choice(value, ['8', '16'] as const, 'depth');
  return found === undefined ? undefined : (Number(found) as PictureDepth);
}

/** @throws RestorationError `bad-argument`: exit code 2 */
export function parseCall(words: string[]): Call {
  let parsed;
  try {
    parsed = parseArgs({ args: words, options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw wrong(`${(error instanceof Error ? error.message : String(error)).split('. ')[0]?.replace(/\.$/, '')}.`);
  }
  const { values, positionals } = parsed;
  const allTasks = values.task === 'all' && positionals[0] === 'dataset';
  return {
    words: positionals,
    json: values.json === true,
    allowErrors: values['allow-errors'] === true,
    help: values.help === true,
    version: values.version === true,
    given: new Set(Object.keys(values) as OptionName[]),
    yes: values.yes === true,
    id: values.id,
    channels: choice(values.channels, CHANNEL_KINDS, 'channels'),
    license: values.license,
    task: allTasks ? undefined : choice(values.task, TASKS, 'task'),
    allTasks,
    size: sampleSize(values.size),
    prompts: values.prompts,
    clip: choice(values.clip, ['mp4', 'none'] as const, 'clip'),
    small: values.small === true,
    pairs: values.pairs === true,
    perPicture: number(values['per-picture'], 'per-picture', true),
    parameters: parameters(values.parameters),
    protocol: choice(values.protocol, METRIC_PROTOCOLS, 'protocol'),
    metrics: metricList(values.metrics),
    maps: values.maps,
    device: choice(values.device, DEVICES, 'device') ?? 'auto',
    precision: choice(values.precision, PRECISIONS, 'precision'),
    diffusion: diffusion(values),
    prompt: values.prompt,
    describe: choice(values.describe, ['endpoint'] as const, 'describe'),
    reference: values.reference,
    model: values.model,
    adapters: (values.adapter ?? []).map(adapter),
    out: values.out,
    save: values.save,
    format: choice(values.format, PICTURE_FORMATS, 'format'),
    depth: depth(values.depth),
    quality: number(values.quality, 'quality', true),
    frames: number(values.frames, 'frames', true),
    severities: severities(values.severity),
    scale: number(values.scale, 'scale', false),
    limit: number(values.limit, 'limit', true),
    results: values.results ?? [],
    clips: values.clips,
    seed: seed(values.seed),
    resume: values.resume === true,
    tables: values.table ?? [],
    check: values.check === true,
    claimed: values.claimed ?? [],
    input: values.input,
    region: region(values.region),
    picture: values.picture,
    columns: number(values.columns, 'columns', true),
    note: values['no-note'] !== true,
  };
}

/** Refuses options that a command does not know: a typo or a misunderstanding should not pass in silence. */
export function allowOnly(call: Call, command: string, allowed: readonly OptionName[]): void {
  for (const option of call.given) {
    if (!allowed.includes(option) && option !== 'json') throw wrong(`${command} has no option --${option}.`);
  }
}

export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw wrong(`${what} is missing.`);
  return value;
}
