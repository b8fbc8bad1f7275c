import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../image/files';
import { packageRoot } from '../models/locations';
import { RowLog, type Configuration } from './row-log';
import { fingerprintOf, resultsByName, type Fingerprint } from './rows';

/** The finished report's name in an output folder. */
export const REPORT_FILE = 'report.json';

export interface RowStoreOptions<T> {
  folder: string;
  configuration: Configuration;
  resume: boolean;
  isResult: (value: unknown) => value is T;
}

/**
 * Rows of an evaluation on the disk. Results that are there already count as long as the files they were measured from
 * are the same.
 */
export class RowStore<T> {
  private constructor(
    private readonly folder: string,
    private readonly log: RowLog,
    private readonly results: ReadonlyMap<string, { files: Fingerprint; result: T }>,
  ) {}

  /** @throws RestorationError as `RowLog.open` */
  static async open<T>({ folder, configuration, resume, isResult }: RowStoreOptions<T>): Promise<RowStore<T>> {
    const complete = { ...configuration, version: packageVersion() };
    const log = await RowLog.open({ folder, configuration: complete, resume });
    return new RowStore(folder, log, resultsByName(log.rows, isResult));
  }

  /** True when an earlier process was stopped while it wrote a row; that picture is measured again. */
  get torn(): boolean {
    return this.log.torn;
  }

  /** The result of an earlier evaluation, if the files have not changed since. */
  async known(name: string, files: readonly string[]): Promise<T | undefined> {
    const earlier = this.results.get(name);
    return earlier && earlier.files === (await fingerprintOf(files)) ? earlier.result : undefined;
  }

  async add(name: string, files: readonly string[], row: { result: T } | { error: string }): Promise<void> {
    await this.log.append({ name, files: await fingerprintOf(files), ...row });
  }

  /** Writes the finished report beside the rows. */
  async finish(report: unknown): Promise<void> {
    await writeFileAtomically(path.join(this.folder, REPORT_FILE), `${JSON.stringify(report, null, 2)}\n`);
  }

  close(): Promise<void> {
    return this.log.close();
  }
}

/** Rows of different versions are not mixed: a metric may have been corrected. */
function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
