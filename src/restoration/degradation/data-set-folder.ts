import { createReadStream, createWriteStream } from 'node:fs';
import { access, appendFile, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RestorationError, isDegradation, type Degradation, type SampleCrop, type Task } from '../../protocol';
import { isCount, isFiniteNumber, isObject, isText } from '../../protocol/checks';
import { writeFileAtomically } from '../image/files';
import { dataSetCard } from './data-set-card';
import { CLIP_FILE, frameFile } from './make-sample';

/** `samples/NUMBER.json`: everything about a sample; with the picture it gives the same frames again. */
export interface SampleRecord {
  /** Number of the sample in the data set. */
  sample: number;
  task: Task;
  prompt: { text: string; source: 'uniform' | 'scene' | 'user' };
  seed: number;
  /** Name below the folder of pictures, without ending; sides before cropping. */
  source: { name: string; sha256: string; width: number; height: number };
  crop: SampleCrop;
  degradation: Degradation;
  /** Of the frames in order. */
  severities: number[];
}

const SETTINGS = 'data-set.json';
const SCHEMA = 'progressive-restoration/progression@1';
const METADATA = 'metadata.jsonl';
/** Prefix of folders that hold an unfinished sample. */
const STAGING = '.unfinished-';

/**
 * A progression data set on disk. A sample is there when its record is: frames and clip are moved to their places first, the
 * record last, each by a rename, so a kill at any moment leaves whole samples and at most a folder to clear away.
 */
export class DataSetFolder {
  private readonly finished = new Set<number>();

  private constructor(
    private readonly folder: string,
    private readonly settings: Record<string, unknown>,
  ) {}

  /**
   * Opens a data set to be continued, or begins one in a folder that is empty or not there.
   *
   * @throws RestorationError `bad-argument` when the folder holds something else, or a data set with other settings;
   *   `unwritable`
   */
  static async open(folder: string, settings: Record<string, unknown>): Promise<DataSetFolder> {
    const set = new DataSetFolder(folder, settings);
    const text = await readFile(path.join(folder, SETTINGS), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw unusable(folder, error.code ?? 'unknown error');
    });
    const wanted = JSON.stringify({ schema: SCHEMA, ...settings }, null, 2);
    if (text === undefined) {
      await set.begin(wanted);
    } else {
      refuseOtherSettings(folder, text, wanted);
      await set.tidy();
    }
    return set;
  }

  has(number: number): boolean {
    return this.finished.has(number);
  }

  /** The record and the files of a sample that is there. */
  async read(number: number): Promise<SampleRecord & { frameFiles: string[]; clipFile?: string }> {
    const record = await this.record(number);
    if (!record) {
      throw new RestorationError(
        'missing-file',
        `The record of sample ${number} in ${this.folder} is gone.`,
        'Start again: the sample is made again.',
      );
    }
    return this.located(record);
  }

  /** An empty folder to make a sample in. */
  async stage(number: number): Promise<string> {
    const staging = path.join(this.folder, `${STAGING}${label(number)}`);
    await rm(staging, { recursive: true, force: true });
    await this.writing(mkdir(staging, { recursive: true }));
    return staging;
  }

  async discard(staging: string): Promise<void> {
    await rm(staging, { recursive: true, force: true });
  }

  /** Moves a finished sample to its place and adds its row. */
  async commit(
    number: number,
    staging: string,
    record: SampleRecord,
  ): Promise<SampleRecord & { frameFiles: string[]; clipFile?: string }> {
    const located = this.located(record);
    const frames = this.framesFolder(number);
    // What a kill between two renames left of this sample.
    await rm(frames, { recursive: true, force: true });
    if (located.clipFile) await this.writing(rename(path.join(staging, CLIP_FILE), located.clipFile));
    await this.writing(rename(staging, frames));
    await writeFileAtomically(this.recordFile(number), `${JSON.stringify(record, null, 1)}\n`);
    this.finished.add(number);
    await this.writing(appendFile(path.join(this.folder, METADATA), this.row(record)));
    return located;
  }

  /** Writes the lists that training scripts read. Returns the number of samples. */
  async finish(failures: readonly { file: string; error: string }[]): Promise<number> {
    await this.writeRows();
    if (this.hasClips) {
      await this.derive('prompts.txt', ({ text }) => text);
      await this.derive('videos.txt', ({ file_name }) => file_name);
    }
    const lines = failures.map((failure) => `${JSON.stringify(failure)}\n`).join('');
    if (lines === '') await rm(path.join(this.folder, 'failures.jsonl'), { force: true });
    else await writeFileAtomically(path.join(this.folder, 'failures.jsonl'), lines);
    await writeFileAtomically(path.join(this.folder, 'README.md'), dataSetCard(this.settings, this.finished.size));
    return this.finished.size;
  }

  private get hasClips(): boolean {
    return this.settings.clip !== 'none';
  }

  private async begin(settings: string): Promise<void> {
    const entries = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw unusable(this.folder, error.code ?? 'unknown error');
    });
    // A kill may have left the settings half written, and nothing else.
    const foreign = entries.filter((entry) => !isLeftover(entry));
    if (foreign.length > 0) {
      throw new RestorationError(
        'bad-argument',
        `${this.folder} is not empty and holds no data set.`,
        'Name a new folder for the data set.',
      );
    }
    await writeFileAtomically(path.join(this.folder, SETTINGS), `${settings}\n`);
    await this.tidy();
  }

  /** Finds what is finished, clears away what is not, and makes the rows agree with it. */
  private async tidy(): Promise<void> {
    for (const entry of await readdir(this.folder)) {
      if (entry.startsWith(STAGING) || isLeftover(entry)) {
        await rm(path.join(this.folder, entry), { recursive: true, force: true });
      }
    }
    for (const part of ['frames', 'samples', ...(this.hasClips ? ['videos'] : [])]) {
      await this.writing(mkdir(path.join(this.folder, part), { recursive: true }));
    }
    for (const entry of await readdir(path.join(this.folder, 'samples'))) {
      const match = /^(\d+)\.json$/.exec(entry);
      if (match) {
        const number = Number(match[1]);
        if (await this.isWhole(number)) this.finished.add(number);
      } else if (entry.endsWith('.part')) {
        await rm(path.join(this.folder, 'samples', entry), { force: true });
      }
    }
    await this.writeRows();
  }

  private async isWhole(number: number): Promise<boolean> {
    const record = await this.record(number);
    if (!record) return false;
    const { frameFiles, clipFile } = this.located(record);
    const files = [...frameFiles, ...(clipFile === undefined ? [] : [clipFile])];
    const there = await Promise.all(
      files.map((file) =>
        access(file).then(
          () => true,
          () => false,
        ),
      ),
    );
    return there.every(Boolean);
  }

  private async record(number: number): Promise<SampleRecord | undefined> {
    try {
      const value: unknown = JSON.parse(await readFile(this.recordFile(number), 'utf8'));
      return isSampleRecord(value) && value.sample === number ? value : undefined;
    } catch {
      // A record that cannot be read is none: the sample is made again.
      return undefined;
    }
  }

  private located(record: SampleRecord): SampleRecord & { frameFiles: string[]; clipFile?: string } {
    const folder = this.framesFolder(record.sample);
    return {
      ...record,
      frameFiles: record.severities.map((_, i) => path.join(folder, frameFile(i + 1))),
      ...(this.hasClips ? { clipFile: path.join(this.folder, 'videos', `${label(record.sample)}.mp4`) } : {}),
    };
  }

  private framesFolder(number: number): string {
    return path.join(this.folder, 'frames', label(number));
  }

  private recordFile(number: number): string {
    return path.join(this.folder, 'samples', `${label(number)}.json`);
  }

  private row({ sample, prompt, task, source }: SampleRecord): string {
    const frames = `frames/${label(sample)}`;
    const file_name = this.hasClips ? `videos/${label(sample)}.mp4` : `${frames}/${frameFile(1)}`;
    // The prompt twice: diffusers and `datasets` call it text, finetrainers caption.
    const { text } = prompt;
    return `${JSON.stringify({ file_name, text, caption: text, task, frames, source: source.name })}\n`;
  }

  /** `metadata.jsonl` in the order of the samples, written beside its place and renamed. */
  private async writeRows(): Promise<void> {
    const numbers = [...this.finished].sort((a, b) => a - b);
    const rows = async function* (this: DataSetFolder): AsyncGenerator<string> {
      for (const number of numbers) yield this.row(await this.read(number));
    };
    await this.stream(METADATA, rows.call(this));
  }

  /** A file with one line for each row of `metadata.jsonl`. */
  private async derive(name: string, lineOf: (row: { text: string; file_name: string }) => string): Promise<void> {
    const input = createReadStream(path.join(this.folder, METADATA), 'utf8');
    const lines = async function* (): AsyncGenerator<string> {
      for await (const line of createInterface({ input, crlfDelay: Infinity })) {
        yield `${lineOf(JSON.parse(line) as { text: string; file_name: string })}\n`;
      }
    };
    await this.stream(name, lines());
  }

  private async stream(name: string, lines: AsyncIterable<string>): Promise<void> {
    const temporary = path.join(this.folder, `.${name}.part`);
    await this.writing(pipeline(Readable.from(lines), createWriteStream(temporary)));
    await this.writing(rename(temporary, path.join(this.folder, name)));
  }

  private async writing<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof RestorationError) throw error;
      throw unusable(this.folder, (error as NodeJS.ErrnoException).code ?? 'unknown error');
    }
  }
}

/** Temporary neighbours of files that were being written. */
function isLeftover(entry: string): boolean {
  return /^\..*\.part$/.test(entry);
}

function label(number: number): string {
  return String(number).padStart(6, '0');
}

function unusable(folder: string, code: string): RestorationError {
  return new RestorationError(
    'unwritable',
    `${folder} could not be written (${code}).`,
    code === 'ENOSPC'
      ? 'Free some disk space and start again: the data set goes on where it stopped.'
      : 'Choose a folder that can be written to.',
  );
}

/** Names the first setting that differs. */
function refuseOtherSettings(folder: string, found: string, wanted: string): void {
  let there: unknown;
  try {
    there = JSON.parse(found);
  } catch {
    there = undefined;
  }
  if (!isObject(there) || there.schema !== SCHEMA) {
    throw new RestorationError(
      'bad-argument',
      `The ${SETTINGS} in ${folder} is not that of a progression data set.`,
      'Name a new folder for the data set.',
    );
  }
  const asked = JSON.parse(wanted) as Record<string, unknown>;
  const present = there;
  const differing = Object.keys(asked).find((key) => JSON.stringify(asked[key]) !== JSON.stringify(present[key]));
  if (differing === undefined) return;
  throw new RestorationError(
    'bad-argument',
    `${folder} holds a data set with other settings: ${differing} is ${short(present[differing])}, not ${short(asked[differing])}.`,
    'Continue it with the same pictures and settings, or name a new folder.',
  );
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function isSampleRecord(value: unknown): value is SampleRecord {
  return (
    isObject(value) &&
    isCount(value.sample) &&
    isObject(value.prompt) &&
    isText(value.prompt.text, 20_000) &&
    isObject(value.source) &&
    isText(value.source.name, 4096) &&
    isObject(value.crop) &&
    isDegradation(value.degradation) &&
    value.degradation.task === value.task &&
    Array.isArray(value.severities) &&
    value.severities.length >= 2 &&
    value.severities.every(isFiniteNumber)
  );
}
