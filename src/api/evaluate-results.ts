import { statSync } from 'node:fs';
import path from 'node:path';
import { METRICS, RestorationError, type Metric, type MetricProtocol } from '../protocol';
import {
  RowStore,
  evaluateResults as measureFolders,
  isFrameMetrics,
  labelFolders,
  planResults,
  type ComparisonReport,
  type PictureMetrics,
  type ResultPair,
  type ResultsProgress,
} from '../restoration/evaluation';
import { resumeWithoutFolder } from './evaluate';
import { finishEvaluation } from './finish-evaluation';
import { anySignal } from './restore';
import { displayHost, inferenceClient } from './session';

/** Seed of the resampling unless another is given: the same numbers on every machine. */
export const DEFAULT_SEED = 1;

export interface EvaluateResultsOptions {
  /** Folder of the reference pictures. */
  reference: string;
  /** `sr`: Y channel, border of `scale` pixels cropped; `rgb`: all channels, no crop. */
  protocol: MetricProtocol;
  /** What to measure; everything unless said otherwise. */
  metrics?: readonly Metric[];
  /** Border that `sr` crops; 4 unless said otherwise. */
  scale?: number;
  /**
   * Regular expression that finds the clip in a reference's name (its first group, or the whole match). Unless said
   * otherwise `CLIP_00000013`, `CLIP-000001` and `CLIP/00000013` are frames of clips and all others single pictures.
   */
  clips?: string;
  /** Seed of the bootstrap, a whole number; 1 unless said otherwise. */
  seed?: number;
  /** Most pictures of the data set, in the order of their names. */
  limit?: number;
  /** Folder for the rows and the finished report, as in `evaluate`. */
  out?: string;
  /** Go on with the rows in `out`. */
  resume?: boolean;
  /** Sentences that stand in the report: what is known about the folders. */
  warnings?: readonly string[];
  signal?: AbortSignal;
  /** Called after every picture of a folder. */
  onProgress?: (progress: ResultsProgress) => void;
}

/**
 * Measures folders of finished pictures, from whatever method, against their references, and says how far their
 * differences go beyond chance: paired on the same pictures, with bootstrap intervals over clips.
 *
 * @param folders paths of folders, or `NAME=PATH`; a picture belongs to the reference with the same name, where common
 *   additions (`_x4`, `_out`, the method's name) do not count
 * @returns means for each folder over the pictures that all have, the difference of every two folders, every picture's
 *   figures, what is missing and what failed; the fields are those of `evaluate --results --json`
 * @throws RestorationError for folders that cannot be read, names that stand for two pictures, or when cancelled; a picture
 *   that fails is listed instead
 * @example
 * const report = await evaluateResults(['out/EDSR', 'out/ours'], { reference: 'Set14/HR', protocol: 'sr' });
 * report.differences[0].statement;
 */
export async function evaluateResults(
  folders: readonly string[],
  options: EvaluateResultsOptions,
): Promise<ComparisonReport> {
  if (!Array.isArray(folders) || options?.reference === undefined || options.protocol === undefined) {
    throw new RestorationError(
      'bad-argument',
      'evaluateResults needs a list of folders, a reference folder and a protocol.',
      "Call evaluateResults(['A', 'B'], { reference: 'GT', protocol: 'rgb' }).",
    );
  }
  const { protocol, scale = 4, clips, seed = DEFAULT_SEED, limit, out, resume, onProgress } = options;
  if (!Number.isSafeInteger(seed)) {
    throw new RestorationError(
      'bad-argument',
      `The seed has to be a whole number, not ${seed}.`,
      'The usual seed is 1.',
    );
  }
  if (out === undefined && resume) throw resumeWithoutFolder();
  const reference = path.resolve(options.reference);
  const measured = options.metrics ?? METRICS;
  const plan = await planResults(labelFolders(folders, isFolder), reference);
  const signal = anySignal([options.signal, displayHost()?.signal]) ?? new AbortController().signal;
  const client = inferenceClient();
  const store =
    out === undefined
      ? undefined
      : await RowStore.open<PictureMetrics>({
          folder: path.resolve(out),
          configuration: {
            kind: 'results',
            protocol,
            scale: protocol === 'sr' ? scale : null,
            metrics: METRICS.filter((metric) => measured.includes(metric)).join(','),
            folders: JSON.stringify(plan.folders.map(({ name }) => name)),
          },
          resume: resume === true,
          isResult: (value): value is PictureMetrics =>
            typeof value === 'object' && value !== null && isFrameMetrics({ index: 1, ...value }),
        });
  try {
    const known = store && (await knownRows(store, plan.pictures));
    const progress = measureFolders(plan, {
      protocol,
      scale,
      reference,
      ...(clips === undefined ? {} : { clips }),
      seed,
      ...(limit === undefined ? {} : { limit }),
      warnings: options.warnings ?? [],
      ...(known ? { known: (pair) => known.get(rowName(pair)) } : {}),
      ...(store ? { onRow: (pair, row) => store.add(rowName(pair), [pair.result, pair.reference], row) } : {}),
      signal,
      measure: async (pair, itemSignal) => {
        const request = { a: pair.result, b: pair.reference, protocol, scale, device: 'cpu' as const };
        const { psnr, ssim, lpips, flip } = await client.measure(
          { ...request, metrics: [...measured], alignment: false, priority: 'batch' },
          { signal: itemSignal },
        );
        return {
          ...(psnr === undefined ? {} : { psnr }),
          ...(ssim === undefined ? {} : { ssim }),
          ...(lpips === undefined ? {} : { lpips }),
          ...(flip === undefined ? {} : { flip }),
        };
      },
    });
    return await finishEvaluation(progress, store, onProgress, ({ results }) => ({
      failures: results.flatMap(({ failures }) => failures),
      measured: results.some(({ items }) => items.length > 0),
    }));
  } finally {
    await store?.close();
  }
}

/** A row's name in the log: labels may hold any character, places only digits. */
function rowName({ folder, name }: Pick<ResultPair, 'folder' | 'name'>): string {
  return `${folder}:${name}`;
}

async function knownRows(
  store: RowStore<PictureMetrics>,
  pictures: ReadonlyArray<{ name: string; reference: string; results: ReadonlyArray<string | undefined> }>,
): Promise<Map<string, PictureMetrics>> {
  const known = new Map<string, PictureMetrics>();
  for (const { name, reference, results } of pictures) {
    for (const [folder, result] of results.entries()) {
      if (result === undefined) continue;
      const row = rowName({ folder, name });
      const metrics = await store.known(row, [result, reference]);
      if (metrics) known.set(row, metrics);
    }
  }
  return known;
}

/** @internal */
export function isFolder(word: string): boolean {
  return statSync(word, { throwIfNoEntry: false })?.isDirectory() === true;
}
