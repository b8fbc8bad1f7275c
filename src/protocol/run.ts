import { isAdapterField, type AdapterField } from './adapters';
import { isDiffusionRecord, type DiffusionRecord } from './diffusion';
import type { ConcretePrecision } from './precision';
import { isFiniteNumber, isObject, isOneOf, isText } from './checks';
import {
  TASKS,
  METRIC_PROTOCOLS,
  DEVICES,
  type Task,
  type MetricProtocol,
  type Device,
  type ConcreteDevice,
} from './tasks';

/** Version 1 of the run record. Frozen: later versions get a new name, and readers keep reading this one. */
export const RUN_SCHEMA = 'progressive-restoration/run@1';
/** MIME type of a `RunView` in a notebook output. */
export const RUN_MIME = 'application/vnd.progressive-restoration.run.v1+json';

/** A metric as it stands in JSON: infinity (identical pictures) is the string "Infinity". */
export type MetricValue = number | 'Infinity';

export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface FrameRecord {
  /** 1-based. */
  index: number;
  /** 1 = degraded input, 0 = clean. */
  severity: number;
  /** File name (never a path out of its folder): `<sha256>.png` in a frames folder, `NAME.frame-K.png` in a saved run. */
  file: string;
  /** What the picture is called, for pictures that are compared and not frames of one restoration: its file's name. */
  name?: string;
  width: number;
  height: number;
  /** dB, in the record's protocol. */
  psnr?: MetricValue;
  ssim?: number;
  lpips?: number;
  flip?: number;
  /** Mean absolute difference to the frame before, in 8-bit levels; 0 for the first. */
  change?: number;
}

/** Who may have written a prompt. */
export const PROMPT_SOURCES = ['user', 'uniform', 'scene', 'described', 'endpoint'] as const;
export type PromptSource = (typeof PROMPT_SOURCES)[number];

export interface RunRecord {
  schema: typeof RUN_SCHEMA;
  task: Task;
  taskSource: 'user' | 'prompt' | 'detected';
  /** Probability of the task, in (0, 1], when the prompt or a look at the picture decided it. */
  taskConfidence?: number;
  /** `described`: by the built-in describer; `endpoint`: by a multimodal model that the user named. */
  prompt: { text: string; source: PromptSource };
  /** `expert` = the task whose networks acted, where a model has networks of their own for each. */
  /** `precision`: how the convolutions of a model that has a choice were computed. */
  model: { id: string; sha256: string; adapter?: AdapterField; expert?: Task; precision?: ConcretePrecision };
  device: { requested: Device; used: ConcreteDevice };
  input: { file: string; sha256: string; width: number; height: number };
  reference?: { file: string; sha256: string };
  /** Protocol of psnr and ssim in `frames`; `scale` is the cropped border of `sr`. Present when a reference was given. */
  protocol?: { name: MetricProtocol; scale: number };
  /** Enlargement of super-resolution. */
  scale?: number;
  region?: Region;
  frames: FrameRecord[];
  /** Index (1-based) of the best frame by each metric: an oracle, shown beside the last frame, which is the headline. */
  best?: { psnr: number; ssim: number; lpips?: number };
  /** Seconds of wall clock. */
  seconds: { decode: number; network: number; metrics: number; encode: number; total: number };
  /** How the picture went through the networks: a trunk that did not run was remembered from a run before. */
  work?: { tiles: number; trunkRuns: number; headRuns: number };
  /** How a diffusion model came to its frames. */
  diffusion?: DiffusionRecord;
  /** Highest memory of the process that computed, up to the end of this run. */
  peakMemoryMiB?: number;
  versions: Record<string, string>;
  /** Plain sentences about what the reader should know: a device fallback, a metric that could not be computed. */
  warnings?: string[];
}

/** What a run has decided before its first frame is there: the part of the record that no longer changes. */
export type RunStart = Pick<RunRecord, 'task' | 'taskSource' | 'taskConfidence' | 'prompt' | 'model' | 'device'>;

/** A frame's pictures inside a notebook: always `data:image/(png|jpeg|webp);base64,...`. */
export interface FramePicture {
  /** 1-based, as in `FrameRecord`. */
  index: number;
  /** Whole frame, lossy, long side at most 256. Absent only in a saved run, where `between` stands for it. */
  thumbnail?: string;
  /**
   * Saved runs only, instead of a thumbnail that follows from those at the ends: how much of the first and of the last
   * thumbnail it is, in 1/256 (see `mixOf`).
   */
  between?: readonly [first: number, last: number];
  /** The record's region at 1:1, lossless. Absent in a saved run whose crops lie in its `cropSheet`. */
  crop?: string;
}

/**
 * The crops of a run in one lossless WebP, as they are saved: as wide as the record's region, one crop under the other. The
 * frames of a run are nearly alike, so a crop after the first frame's holds the difference to the crop above it, modulo 256
 * in every sample (see `fromDifferences`). That is half of what the crops take one by one.
 */
export interface CropSheet {
  picture: string;
  /** Indices of the frames whose crops lie in it, from top to bottom. */
  frames: readonly number[];
  /** The reference's crop lies under them, as it is. */
  reference?: true;
}

export type RunState =
  | {
      kind: 'running';
      stage: Stage;
      done: number;
      total: number;
      secondsLeft?: number;
      /** Frames that the run will have: a strip reserves their places. */
      frames?: number;
    }
  | { kind: 'done' }
  | { kind: 'interrupted' }
  /** `message` is empty where the cell's own error below the strip says why. */
  | { kind: 'failed'; message: string };

/** Stages of a run, in order. */
export const STAGES = ['queued', 'decode', 'network', 'metrics', 'encode'] as const;
export type Stage = (typeof STAGES)[number];

/** What a strip shows: the record, pictures that make it readable without any file, and how far the run has come. */
export interface RunView {
  record: RunRecord;
  state: RunState;
  pictures: FramePicture[];
  /** Saved runs only: the crops of all frames, instead of those in `pictures`. */
  cropSheet?: CropSheet;
  /** The sharp reference, shown beside the frames when there is one; `file` is its copy in the frames folder, as `<sha256>.png`. */
  reference?: { thumbnail: string; crop?: string; file?: string };
  /** Name of the folder beside the notebook that holds the full frames, e.g. `quickstart.frames`. */
  framesFolder?: string;
  /** What tells this run from others in one view, e.g. the model's name. */
  label?: string;
  /**
   * Further runs to be shown with this one: a row each, same columns, same region, curves over each other. They have no `others`
   * of their own. A reader that does not know this field shows the first run alone.
   */
  others?: RunView[];
}

/** Most runs that one view shows. */
export const MAXIMUM_RUNS = 8;

const DATA_URL = /^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$/;
/** Longest data URL taken from a saved output (a 512x512 lossless crop stays far below). */
const DATA_URL_LIMIT = 4_000_000;
const FRAME_FILE = /^[0-9a-f]{64}\.(?:png|jpg|jpeg|webp)$/;
/** Most frames a view may hold. */
export const MAXIMUM_FRAMES = 257;

/** True for the only picture addresses accepted from a saved notebook output: embedded PNG, JPEG or WebP. */
export function isPictureDataUrl(value: unknown): value is string {
  return typeof value === 'string' && value.length <= DATA_URL_LIMIT && DATA_URL.test(value);
}

/** True for `<sha256>.<ext>`: the only file names that may be asked from a frames folder. */
export function isFrameFile(value: unknown): value is string {
  return typeof value === 'string' && FRAME_FILE.test(value);
}

/**
 * True for the name of one folder: never a path, never hidden, never `.` or `..`. A frames folder out of a saved output is joined
 * to the notebook's folder, so nothing else may pass.
 */
export function isFolderName(value: unknown): value is string {
  // Control characters are excluded by code point: they would make a file name that no one can see.
  return isText(value, 255) && /^[^.\p{Cc}\\/:*?"<>|][^\p{Cc}\\/:*?"<>|]*$/u.test(value);
}

function isSide(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1_000_000;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0;
}

function isMetric(value: unknown): boolean {
  return value === undefined || value === 'Infinity' || isFiniteNumber(value);
}

export function isRegion(value: unknown): value is Region {
  return (
    isObject(value) &&
    [value.x, value.y].every((v) => Number.isInteger(v) && (v as number) >= 0) &&
    isSide(value.width) &&
    isSide(value.height)
  );
}

function isFrameRecord(value: unknown): value is FrameRecord {
  return (
    isObject(value) &&
    Number.isInteger(value.index) &&
    (value.index as number) >= 1 &&
    isFiniteNumber(value.severity) &&
    value.severity >= 0 &&
    value.severity <= 1 &&
    isText(value.file, 1024) &&
    (value.name === undefined || isText(value.name, 255)) &&
    isSide(value.width) &&
    isSide(value.height) &&
    isMetric(value.psnr) &&
    [value.ssim, value.lpips, value.flip, value.change].every((v) => v === undefined || isFiniteNumber(v))
  );
}

/** Guard of version 1. Extra fields are allowed, so that a reader of today shows a record of tomorrow's minor additions. */
export function isRunRecord(value: unknown): value is RunRecord {
  if (!isObject(value) || value.schema !== RUN_SCHEMA) return false;
  const { prompt, model, device, input, reference, protocol, region, frames, best, seconds, work, versions, warnings } =
    value;
  return (
    isOneOf(TASKS, value.task) &&
    isOneOf(['user', 'prompt', 'detected'] as const, value.taskSource) &&
    (value.taskConfidence === undefined || isFiniteNumber(value.taskConfidence)) &&
    isObject(prompt) &&
    isText(prompt.text) &&
    isOneOf(PROMPT_SOURCES, prompt.source) &&
    isObject(model) &&
    isText(model.id, 256) &&
    isText(model.sha256, 64) &&
    (model.adapter === undefined || isAdapterField(model.adapter)) &&
    (model.expert === undefined || isOneOf(TASKS, model.expert)) &&
    (model.precision === undefined || isOneOf(['fp32', 'int8'] as const, model.precision)) &&
    isObject(device) &&
    isOneOf(DEVICES, device.requested) &&
    isOneOf(DEVICES, device.used) &&
    device.used !== 'auto' &&
    isObject(input) &&
    isText(input.file, 4096) &&
    isText(input.sha256, 64) &&
    isSide(input.width) &&
    isSide(input.height) &&
    (reference === undefined ||
      (isObject(reference) && isText(reference.file, 4096) && isText(reference.sha256, 64))) &&
    (protocol === undefined ||
      (isObject(protocol) && isOneOf(METRIC_PROTOCOLS, protocol.name) && isFiniteNumber(protocol.scale))) &&
    (value.scale === undefined || isFiniteNumber(value.scale)) &&
    (region === undefined || isRegion(region)) &&
    Array.isArray(frames) &&
    frames.length <= MAXIMUM_FRAMES &&
    frames.every(isFrameRecord) &&
    (best === undefined ||
      (isObject(best) && isSide(best.psnr) && isSide(best.ssim) && (best.lpips === undefined || isSide(best.lpips)))) &&
    isObject(seconds) &&
    ['decode', 'network', 'metrics', 'encode', 'total'].every((key) => isFiniteNumber(seconds[key])) &&
    (work === undefined || (isObject(work) && ['tiles', 'trunkRuns', 'headRuns'].every((key) => isCount(work[key])))) &&
    (value.diffusion === undefined || isDiffusionRecord(value.diffusion)) &&
    (value.peakMemoryMiB === undefined || isFiniteNumber(value.peakMemoryMiB)) &&
    isObject(versions) &&
    Object.values(versions).every((v) => isText(v, 256)) &&
    (warnings === undefined || (Array.isArray(warnings) && warnings.every((v) => isText(v))))
  );
}

function isRunState(value: unknown): value is RunState {
  if (!isObject(value)) return false;
  switch (value.kind) {
    case 'running':
      return (
        isOneOf(STAGES, value.stage) &&
        isFiniteNumber(value.done) &&
        isFiniteNumber(value.total) &&
        (value.secondsLeft === undefined || isFiniteNumber(value.secondsLeft)) &&
        (value.frames === undefined || (isSide(value.frames) && value.frames <= MAXIMUM_FRAMES))
      );
    case 'done':
    case 'interrupted':
      return true;
    case 'failed':
      return isText(value.message);
    default:
      return false;
  }
}

/** Largest share of a thumbnail in another one, in 1/256: a dark first frame may have to become much brighter. */
export const MOST_SHARE = 16 * 256;

function isFramePicture(value: unknown): value is FramePicture {
  return (
    isObject(value) &&
    Number.isInteger(value.index) &&
    (value.thumbnail === undefined
      ? Array.isArray(value.between) && value.between.length === 2 && value.between.every(isShare)
      : isPictureDataUrl(value.thumbnail)) &&
    (value.crop === undefined || isPictureDataUrl(value.crop))
  );
}

function isShare(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= MOST_SHARE;
}

/** Thumbnails between the ends follow from those at the ends, which therefore are there. */
function haveEnds(pictures: FramePicture[]): boolean {
  return (
    pictures.every(({ thumbnail }) => thumbnail !== undefined) ||
    (pictures[0]?.thumbnail !== undefined && pictures.at(-1)?.thumbnail !== undefined)
  );
}

/** Longest side of a WebP, in pixels. */
const MOST_SHEET_SIDE = 16_383;
/** Most pixels of a sheet: ten crops of 512 x 512 stay below, and a browser decodes them in no time. */
const MOST_SHEET_PIXELS = 4_000_000;

/** Whether so many crops of a region fit into one sheet. */
export function fitsSheet({ width, height }: Region, count: number): boolean {
  return width <= MOST_SHEET_SIDE && height * count <= MOST_SHEET_SIDE && width * height * count <= MOST_SHEET_PIXELS;
}

function isCropSheet(value: unknown, record: RunRecord, hasReference: boolean): value is CropSheet {
  const { region } = record;
  if (!isObject(value) || region === undefined) return false;
  const { picture, frames, reference } = value;
  return (
    isPictureDataUrl(picture) &&
    picture.startsWith('data:image/webp;') &&
    Array.isArray(frames) &&
    frames.length >= 1 &&
    frames.length <= MAXIMUM_FRAMES &&
    frames.every((index) => Number.isInteger(index) && record.frames.some((frame) => frame.index === index)) &&
    new Set(frames).size === frames.length &&
    (reference === undefined || (reference === true && hasReference)) &&
    fitsSheet(region, frames.length + (reference === true ? 1 : 0))
  );
}

/** Guard for what a renderer receives: saved outputs are untrusted, also in Restricted Mode. */
export function isRunView(value: unknown): value is RunView {
  return (
    isSingleRun(value) &&
    (value.others === undefined ||
      (Array.isArray(value.others) &&
        value.others.length < MAXIMUM_RUNS &&
        value.others.every((other) => isSingleRun(other) && other.others === undefined)))
  );
}

function isSingleRun(value: unknown): value is Record<string, unknown> {
  return (
    isObject(value) &&
    isRunRecord(value.record) &&
    isRunState(value.state) &&
    Array.isArray(value.pictures) &&
    value.pictures.length <= MAXIMUM_FRAMES &&
    value.pictures.every(isFramePicture) &&
    haveEnds(value.pictures) &&
    (value.cropSheet === undefined || isCropSheet(value.cropSheet, value.record, value.reference !== undefined)) &&
    (value.reference === undefined ||
      (isObject(value.reference) &&
        isPictureDataUrl(value.reference.thumbnail) &&
        (value.reference.crop === undefined || isPictureDataUrl(value.reference.crop)) &&
        (value.reference.file === undefined || isText(value.reference.file, 1024)))) &&
    (value.framesFolder === undefined || isFolderName(value.framesFolder)) &&
    (value.label === undefined || isText(value.label, 256))
  );
}

/** A metric for arithmetic: "Infinity" becomes the number. */
export function metricNumber(value: MetricValue | undefined): number | undefined {
  return value === 'Infinity' ? Number.POSITIVE_INFINITY : value;
}

/** A metric for JSON. */
export function metricValue(value: number): MetricValue {
  return value === Number.POSITIVE_INFINITY ? 'Infinity' : value;
}
