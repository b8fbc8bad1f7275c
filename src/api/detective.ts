import path from 'node:path';
import { RestorationError, type InspectQuestion } from '../protocol';
import { concludeFolder, type Examined, type Finding, type FolderRole } from '../restoration/evaluation/detective';
import { judgeClaim, parseClaim, type Claim, type ClaimVerdict } from '../restoration/evaluation/claims';
import { findPairs, labelFolders, planResults } from '../restoration/evaluation';
import { isFolder } from './evaluate-results';
import { anySignal } from './restore';
import { displayHost, inferenceClient } from './session';

export interface DetectiveOptions {
  /** A test set instead of the three folders below: it holds `input/` and `reference/`, as for `evaluate`. */
  testSet?: string;
  /** Result folders, or `NAME=PATH`. */
  results?: readonly string[];
  /** Folder of degraded or low-resolution inputs. */
  input?: string;
  /** Folder of the reference pictures; needed unless a test set is given. */
  reference?: string;
  /** Enlargement of super-resolution, by which protocols crop; 4 unless said otherwise. */
  scale?: number;
  /** Figures that were published or printed for the results, such as `psnr=32.1`. */
  claimed?: readonly string[];
  /** Most pictures to look at, spread evenly over the folder; 24 unless said otherwise. Claims take all pictures. */
  limit?: number;
  signal?: AbortSignal;
  onProgress?: (progress: { name: string; done: number; total: number }) => void;
}

/** What was found in one folder. */
export interface FolderFindings {
  name: string;
  folder: string;
  role: FolderRole;
  /** Pictures that were looked at, and how many there are. */
  examined: number;
  count: number;
  findings: Finding[];
  claims: ClaimVerdict[];
}

/** What `detective --json` prints. */
export interface DetectiveReport {
  reference: string;
  folders: FolderFindings[];
}

/** Pictures looked at unless said otherwise. */
const EXAMINED = 24;

interface Folder {
  name: string;
  folder: string;
  role: FolderRole;
  pairs: Array<{ name: string; picture: string; reference: string }>;
}

/**
 * Looks for what makes figures incomparable: low-resolution inputs made by another resizer than MATLAB's bicubic, pictures that
 * are shifted, cut, filled up, turned or of mixed sizes, copies of the references, and claimed figures that follow another
 * protocol (channel, border, window, mean).
 *
 * @throws RestorationError for folders that cannot be read or share no names; a picture that cannot be read is a finding
 * @example
 * const { folders } = await detective({ input: 'Set14/LR', reference: 'Set14/HR', scale: 4 });
 * folders[0].findings[0].statement;
 */
export async function detective(options: DetectiveOptions): Promise<DetectiveReport> {
  const { scale = 4, limit = EXAMINED, onProgress } = options;
  if (!Number.isInteger(limit) || limit < 1) {
    throw new RestorationError(
      'bad-argument',
      `The limit must be a whole number of at least 1, but ${limit} came.`,
      '',
    );
  }
  const claims = (options.claimed ?? []).map(parseClaim);
  const folders = await foldersOf(options);
  if (claims.length > 0 && folders.every(({ role }) => role === 'input')) {
    throw new RestorationError(
      'bad-argument',
      'A claimed figure belongs to results, but no result folder came.',
      'Name the folder of the results: --results DIR (results).',
    );
  }
  const signal = anySignal([options.signal, displayHost()?.signal]);
  const report: DetectiveReport = { reference: referenceOf(options), folders: [] };
  for (const folder of folders) {
    report.folders.push(
      await examine(folder, {
        scale,
        limit,
        claims: folder.role === 'result' ? claims : [],
        ...(signal ? { signal } : {}),
        ...(onProgress ? { onProgress } : {}),
      }),
    );
  }
  return report;
}

function referenceOf({ testSet, reference }: DetectiveOptions): string {
  if (testSet !== undefined) return path.resolve(testSet, 'reference');
  if (reference !== undefined) return path.resolve(reference);
  throw new RestorationError(
    'bad-argument',
    'Nothing can be said about pictures without their references.',
    'Name the folder of the references: --reference DIR (reference).',
  );
}

async function foldersOf(options: DetectiveOptions): Promise<Folder[]> {
  if (options.testSet !== undefined) return [await testSetFolder(path.resolve(options.testSet))];
  const words = [...(options.input === undefined ? [] : [options.input]), ...(options.results ?? [])];
  if (words.length === 0) {
    throw new RestorationError(
      'bad-argument',
      'There is nothing to look at: neither results nor inputs came.',
      'Name result folders (--results) or the folder of the inputs (--input).',
    );
  }
  const plan = await planResults(labelFolders(words, isFolder), referenceOf(options));
  return plan.folders.map(({ name, folder }, i) => ({
    name,
    folder,
    role: options.input !== undefined && i === 0 ? 'input' : 'result',
    pairs: plan.pictures.flatMap(({ name: picture, reference, results }) => {
      const file = results[i];
      return file === undefined ? [] : [{ name: picture, picture: file, reference }];
    }),
  }));
}

async function testSetFolder(folder: string): Promise<Folder> {
  const { pairs } = await findPairs(folder);
  return {
    name: path.basename(folder),
    folder: path.join(folder, 'input'),
    role: 'input',
    pairs: pairs.map(({ name, input, reference }) => ({ name, picture: input, reference })),
  };
}

interface ExamineOptions {
  scale: number;
  limit: number;
  claims: readonly Claim[];
  signal?: AbortSignal;
  onProgress?: DetectiveOptions['onProgress'];
}

async function examine(folder: Folder, options: ExamineOptions): Promise<FolderFindings> {
  const { scale, limit, claims, signal, onProgress } = options;
  const looked = new Set(spread(folder.pairs, limit));
  const pairs = claims.length > 0 ? folder.pairs : folder.pairs.filter((pair) => looked.has(pair));
  const examined: Examined[] = [];
  const unreadable: Array<{ name: string; error: string }> = [];
  for (const [i, pair] of pairs.entries()) {
    const questions: InspectQuestion[] = [
      ...(looked.has(pair) ? (folder.role === 'input' ? (['shift', 'resizer'] as const) : (['shift'] as const)) : []),
      ...(claims.length > 0 ? (['variants'] as const) : []),
    ];
    try {
      const inspection = await inferenceClient().inspect(
        { picture: pair.picture, reference: pair.reference, scale, questions, priority: 'batch' },
        signal ? { signal } : {},
      );
      examined.push({ name: pair.name, inspection });
    } catch (error) {
      const failure = RestorationError.from(error);
      if (failure.code === 'cancelled' || failure.code === 'service-died') throw failure;
      unreadable.push({ name: pair.name, error: failure.problem });
    }
    onProgress?.({ name: `${folder.name}: ${pair.name}`, done: i + 1, total: pairs.length });
  }
  const variants = examined.flatMap(({ inspection: { variants: found } }) => (found ? [found] : []));
  return {
    name: folder.name,
    folder: folder.folder,
    role: folder.role,
    examined: pairs.length,
    count: folder.pairs.length,
    findings: [
      ...concludeFolder(folder.role, examined),
      ...unreadable.map(({ name, error }): Finding => ({
        kind: 'unreadable',
        level: 'warning',
        statement: error,
        pictures: [name],
      })),
    ],
    claims: claims.map((claim) => judgeClaim(claim, variants)),
  };
}

/** At most `count` of a list, evenly spread, with the first and the last. */
function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  if (count === 1) return list.slice(0, 1);
  return Array.from({ length: count }, (_, i) => list[Math.round((i * (list.length - 1)) / (count - 1))]!);
}

/** @internal A folder's findings that a reader of its figures should know, as sentences. */
export function warningsOf({ folders }: DetectiveReport): string[] {
  return folders.flatMap(({ name, findings }) =>
    findings.filter(({ level }) => level === 'warning').map(({ statement }) => `${name}: ${statement}`),
  );
}
