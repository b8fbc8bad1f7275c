import path from 'node:path';
import { RestorationError, type MetricProtocol } from '../../protocol';
import { clipRule } from './clips';
import { composeComparison, type ComparisonReport, type MeasuredFolder, type PictureMetrics } from './compare';
import { listPictures } from './list-pictures';
import { matchNames, type AmbiguousMatch } from './match-names';

/** A folder of result pictures and what to call its method. */
export interface ResultFolder {
  name: string;
  folder: string;
}

/** Most folders that are compared: every two of them are. */
export const MOST_FOLDERS = 50;
/** How many names an error lists. */
const NAMED = 3;

/**
 * Labels for folders: the base name, with as many of the folders around it as it takes to tell them apart.
 * `NAME=FOLDER` gives a label.
 *
 * @param isFolder whether a whole argument is a folder, which then is taken as it stands
 */
export function labelFolders(words: readonly string[], isFolder: (word: string) => boolean): ResultFolder[] {
  const folders = words.map((word) => {
    const sign = isFolder(word) ? -1 : word.indexOf('=');
    const name = sign > 0 ? word.slice(0, sign).trim() : '';
    return { name, folder: path.resolve(sign > 0 ? word.slice(sign + 1) : word) };
  });
  const parts = folders.map(({ folder }) => folder.split(/[\\/]/).filter((part) => part !== ''));
  const longest = Math.max(0, ...parts.map((list) => list.length));
  const labels = folders.map(({ name }, i) => name || parts[i]!.at(-1) || folders[i]!.folder);
  for (let depth = 2; depth <= longest; depth++) {
    const repeated = labels.map((label) => labels.filter((other) => other === label).length > 1);
    folders.forEach(({ name }, i) => {
      if (name === '' && repeated[i]) labels[i] = parts[i]!.slice(-depth).join('/');
    });
  }
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined) {
    throw new RestorationError(
      'bad-argument',
      `Two result folders are called ${JSON.stringify(twice)}.`,
      'Name each folder once; NAME=FOLDER gives it another name.',
    );
  }
  return folders.map(({ folder }, i) => ({ name: labels[i]!, folder }));
}

/** What to measure: pictures of a data set and where each method's version lies. */
export interface ResultPlan {
  folders: Array<ResultFolder & { missing: string[]; unmatched: string[] }>;
  pictures: Array<{ name: string; reference: string; results: Array<string | undefined> }>;
}

/**
 * Lists the folders and finds every reference's results.
 *
 * @throws RestorationError `missing-file` for a folder that cannot be read, holds no picture, or shares no name with the
 *   references; `bad-argument` for no folder or too many, and for names that stand for more than one picture, with all
 *   candidates
 */
export async function planResults(folders: readonly ResultFolder[], reference: string): Promise<ResultPlan> {
  if (folders.length < 1 || folders.length > MOST_FOLDERS) {
    throw new RestorationError(
      'bad-argument',
      `Between 1 and ${MOST_FOLDERS} result folders can be evaluated, but ${folders.length} came.`,
      'Name the folders of the methods to compare.',
    );
  }
  const references = await listPictures(reference);
  const names = references.map(({ name }) => name);
  assertDistinct(names, reference);
  const pictures: ResultPlan['pictures'] = references.map(({ name, file }) => ({ name, reference: file, results: [] }));
  const planned: ResultPlan['folders'] = [];
  for (const { name, folder } of folders) {
    const results = await listPictures(folder);
    const resultNames = results.map((picture) => picture.name);
    const matches = matchNames(resultNames, names, path.basename(folder));
    if (matches.ambiguous.length > 0) throw ambiguousError(folder, matches.ambiguous);
    if (matches.missing.length === names.length) {
      throw new RestorationError(
        'missing-file',
        `No picture in ${folder} has the name of one in ${reference} (${listed(resultNames)} against ${listed(names)}).`,
        'Give a result the name of its reference; a suffix that all results share may follow.',
      );
    }
    matches.resultOf.forEach((place, i) =>
      pictures[i]!.results.push(place === undefined ? undefined : results[place]!.file),
    );
    planned.push({ name, folder, missing: matches.missing, unmatched: matches.unmatched });
  }
  return { folders: planned, pictures };
}

function assertDistinct(names: readonly string[], folder: string): void {
  const twice = names.find((name, i) => names[i - 1] === name);
  if (twice === undefined) return;
  throw new RestorationError(
    'bad-argument',
    `${folder} holds more than one picture called ${JSON.stringify(twice)}, so that it is unclear which one is meant.`,
    'Keep one of them.',
  );
}

function ambiguousError(folder: string, ambiguous: readonly AmbiguousMatch[]): RestorationError {
  const [first] = ambiguous;
  const more = ambiguous.length - 1;
  return new RestorationError(
    'bad-argument',
    `It is unclear which picture in ${folder} is meant by ${JSON.stringify(first!.name)}: ` +
      `${first!.candidates.map((name) => JSON.stringify(name)).join(' or ')}` +
      `${more > 0 ? ` (and ${more} more such ${more === 1 ? 'name' : 'names'})` : ''}.`,
    'Keep one of them in the folder, or give it exactly the name of its reference alone.',
  );
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return `${names.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** One picture of one folder. */
export interface ResultPair {
  /** Place of the folder in the plan. */
  folder: number;
  name: string;
  result: string;
  reference: string;
}

export interface ResultsOptions {
  protocol: MetricProtocol;
  /** Border that `sr` crops. */
  scale: number;
  /** Where the references lie, for the report. */
  reference: string;
  /** Regular expression for clips; see `clipRule`. */
  clips?: string;
  /** Seed of the resampling. */
  seed: number;
  /** Most pictures of the data set, from the beginning. */
  limit?: number;
  measure: (pair: ResultPair, signal: AbortSignal) => Promise<PictureMetrics>;
  /** What an earlier evaluation measured. */
  known?: (pair: ResultPair) => PictureMetrics | undefined;
  /** Called with every new row before the next one is begun. */
  onRow?: (pair: ResultPair, row: { result: PictureMetrics } | { error: string }) => Promise<void>;
  /** Sentences for the report. */
  warnings?: readonly string[];
  signal: AbortSignal;
  now?: () => number;
}

export interface ResultsProgress {
  /** Folder and picture. */
  name: string;
  done: number;
  total: number;
  secondsLeft: number;
  error?: string;
}

/**
 * Measures result folders picture by picture, all folders' versions of a picture one after the other. A picture that
 * fails is listed and the next one is taken. Only numbers are kept: memory does not grow with the pictures' sizes.
 *
 * @throws RestorationError `cancelled` when `signal` aborts; `bad-argument` for a clip pattern that is none
 */
export async function* evaluateResults(
  plan: ResultPlan,
  options: ResultsOptions,
): AsyncGenerator<ResultsProgress, ComparisonReport, void> {
  const { measure, known, onRow, signal, now = () => performance.now() / 1000 } = options;
  const clips = clipRule(options.clips);
  const pictures = plan.pictures.slice(0, options.limit);
  const names = new Set(pictures.map(({ name }) => name));
  const pairs = pictures.flatMap(({ name, reference, results }) =>
    results.flatMap((result, folder): ResultPair[] =>
      result === undefined ? [] : [{ folder, name, result, reference }],
    ),
  );
  const metrics = plan.folders.map(() => new Map<string, PictureMetrics>());
  const failures: MeasuredFolder['failures'][] = plan.folders.map(() => []);
  const before = new Map(known ? pairs.flatMap((pair) => (known(pair) ? [[pair, known(pair)!]] : [])) : []);
  const toMeasure = pairs.length - before.size;
  const start = now();
  let measured = 0;
  for (const [i, pair] of pairs.entries()) {
    throwIfAborted(signal);
    const earlier = before.get(pair);
    if (earlier) {
      metrics[pair.folder]!.set(pair.name, earlier);
      continue;
    }
    let error: string | undefined;
    let result: PictureMetrics | undefined;
    try {
      result = await measure(pair, signal);
      metrics[pair.folder]!.set(pair.name, result);
    } catch (thrown) {
      throwIfAborted(signal);
      const failure = RestorationError.from(thrown);
      if (failure.code === 'bad-model' || failure.code === 'cancelled') throw failure;
      error = failure.message.trim();
      failures[pair.folder]!.push({ name: pair.name, error });
    }
    await onRow?.(pair, result ? { result } : { error: error ?? '' });
    measured++;
    yield {
      name: `${plan.folders[pair.folder]!.name}: ${pair.name}`,
      done: i + 1,
      total: pairs.length,
      secondsLeft: ((now() - start) / measured) * (toMeasure - measured),
      ...(error === undefined ? {} : { error }),
    };
  }
  return composeComparison(
    {
      protocol: options.protocol,
      scale: options.scale,
      reference: options.reference,
      clips,
      seed: options.seed,
      warnings: options.warnings ?? [],
      ...(measured > 0 ? { secondsPerPicture: (now() - start) / measured } : {}),
    },
    plan.folders.map(({ name, folder, missing, unmatched }, i) => ({
      name,
      folder,
      metrics: metrics[i]!,
      failures: failures[i]!,
      missing: missing.filter((picture) => names.has(picture)),
      unmatched,
    })),
  );
}

function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new RestorationError(
    'cancelled',
    'The evaluation was cancelled.',
    'Start it again to measure all pictures; with an output folder, --resume goes on where it stopped.',
  );
}
