import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  MAXIMUM_RUNS,
  MIME_BUNDLE,
  RestorationError,
  RUN_MIME,
  type Displayable,
  type MimeBundle,
  type Region,
  type RunView,
} from '../protocol';
import { cropFileDataUrl } from '../restoration/image/encode';
import { frameTable } from '../restoration/report/table';
import { packed } from './packed';
import { Run } from './run';

export interface CompareOptions {
  /** A name for each run, in order; by default what each was made with. */
  labels?: readonly string[];
  /** The region that all runs are shown in; that of the first run unless said otherwise. */
  region?: Region;
}

/** Several runs in one view: a strip a row, the same region and columns, the curves over each other. */
export class Comparison implements Displayable {
  readonly displayId = randomUUID();

  /** @internal */
  constructor(
    readonly runs: readonly Run[],
    private readonly view: RunView,
  ) {}

  /** The tables of all runs, one under the other. */
  toString(): string {
    return [this.view, ...(this.view.others ?? [])]
      .map(({ label = '', record }) => `${label}\n${frameTable(record)}`)
      .join('\n');
  }

  async [MIME_BUNDLE](): Promise<MimeBundle> {
    return { [RUN_MIME]: await packed(this.view), 'text/plain': this.toString() };
  }
}

/**
 * Shows runs together, such as two models or two prompts on one picture, or results made elsewhere (`strip`) beside our own.
 *
 * @param runs two to eight; frames of the first run's size are shown in its region, others in their own
 * @throws RestorationError `bad-argument`, or `missing-file` when a frame that has to be cut was removed
 * @example await compare([await restore('a.jpg'), await strip(['other/0.png', 'other/1.png'])], { labels: ['ours', 'theirs'] })
 */
export async function compare(runs: readonly Run[], options: CompareOptions = {}): Promise<Comparison> {
  if (
    !Array.isArray(runs) ||
    runs.length < 2 ||
    runs.length > MAXIMUM_RUNS ||
    !runs.every((run) => run instanceof Run)
  ) {
    throw new RestorationError(
      'bad-argument',
      `compare shows two to ${MAXIMUM_RUNS} runs.`,
      'Pass a list of what restore or strip returned: compare([a, b]).',
    );
  }
  const { labels } = options;
  if (labels !== undefined && labels.length !== runs.length) {
    throw new RestorationError(
      'bad-argument',
      `There are ${runs.length} runs and ${labels.length} labels.`,
      'Give one label a run, in order.',
    );
  }
  const region = options.region ?? runs[0]?.record.region;
  const views: RunView[] = [];
  for (const [at, run] of runs.entries()) {
    const label = labels?.[at];
    views.push({ ...(await inRegion(run, region)), ...(label === undefined ? {} : { label: label.slice(0, 256) }) });
  }
  const [first, ...others] = views;
  return new Comparison(runs, { ...(first as RunView), others });
}

/** The run with the crops of `region`, cut from its full frames, where it lies in them. */
async function inRegion(run: Run, region: Region | undefined): Promise<RunView> {
  const { view, folder, reference } = run.shown;
  const own = view.record.region;
  const [frame] = view.record.frames;
  const isOwn =
    own?.x === region?.x && own?.y === region?.y && own?.width === region?.width && own?.height === region?.height;
  if (region === undefined || frame === undefined || isOwn) return view;
  if (region.x + region.width > frame.width || region.y + region.height > frame.height) return view;
  const pictures: RunView['pictures'] = [];
  for (const picture of view.pictures) {
    const file = run.frames.find(({ index }) => index === picture.index)?.file;
    pictures.push(file === undefined ? picture : { ...picture, crop: await cut(file, region) });
  }
  const shown = view.reference;
  const file = shown?.file === undefined ? reference : path.join(folder, shown.file);
  return {
    ...view,
    record: { ...view.record, region },
    pictures,
    ...(shown && file !== undefined ? { reference: { ...shown, crop: await cut(file, region) } } : {}),
  };
}

async function cut(file: string, region: Region): Promise<string> {
  if (!existsSync(file)) {
    throw new RestorationError(
      'missing-file',
      `${file} is gone, so it cannot be shown in the region of the other runs.`,
      'Run the restoration again.',
    );
  }
  return cropFileDataUrl(file, region);
}
