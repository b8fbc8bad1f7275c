import path from 'node:path';
import * as vscode from 'vscode';
import { LiveView } from '../../api/live-view';
import type { InferenceClient, Progress } from '../../inference/client';
import {
  isRunView,
  RestorationError,
  RUN_MIME,
  type MimeBundle,
  type Region,
  type RestoreRequest,
  type RestoreWish,
  type RunView,
  type SavedPicture,
  type Strength,
} from '../../protocol';
import { mimeBundle } from '../../restoration/report/mime';
import { readSettings } from '../configuration';
import type { Activity } from '../status/activity';

/** Share of the work that is done, in [0,1], and what is being done. */
export type OnProgress = (share: number, activity: string) => void;

export interface RestoreJob {
  /** Absolute path of the picture. */
  input: string;
  wish: RestoreWish;
  /** Part of the picture that is shown at 1:1; absent = where frames differ most. */
  region?: Region;
  /** Absolute path of the folder for full frames. */
  framesFolder: string;
  signal: AbortSignal;
  onProgress?: OnProgress;
  /** The run as far as it has come; at most four times a second. */
  onView?: (view: RunView) => void;
}

export interface SaveJob {
  view: RunView;
  input: string;
  framesFolder: string;
  wish: Pick<RestoreWish, 'model' | 'device'>;
  severity: number;
  /** Absolute path; its ending says the format. */
  output: string;
  priority?: 'interactive' | 'batch';
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

/** Restores pictures through the window's inference service. */
export class PictureRestorer {
  constructor(
    private readonly client: InferenceClient,
    private readonly activity: Activity,
  ) {}

  /** Resolves to the finished run; rejects with a RestorationError, `cancelled` when `signal` was aborted. */
  async restore(job: RestoreJob): Promise<RunView> {
    const name = path.basename(job.input);
    const request: RestoreRequest = {
      ...basicRequest(job),
      ...(job.region === undefined ? {} : { region: job.region }),
      frames: readSettings(vscode.Uri.file(job.input)).frames,
      priority: 'interactive',
    };
    const live = new LiveView(
      {
        framesFolder: job.framesFolder,
        signal: job.signal,
        show: (_id, bundle) => {
          const view = bundle[RUN_MIME];
          if (isRunView(view)) job.onView?.(view);
        },
      },
      name,
      request,
      name,
    );
    const busy = this.activity.begin(vscode.l10n.t('Restoring {0}', name));
    try {
      return await this.client.restore(request, {
        signal: job.signal,
        onProgress: (progress) => {
          live.onProgress(progress);
          job.onProgress?.(shareOf(progress), describe(progress));
        },
        onStart: (start) => live.onStart(start),
        onFrame: (frame) => live.onFrame(frame),
      });
    } finally {
      live.stop();
      busy.dispose();
    }
  }

  /** The picture as it came and fully restored, and nothing between: for many pictures. Without a task each one's own. */
  async restoreEnds(
    job: Omit<RestoreJob, 'wish' | 'region' | 'onView'> & { wish: Omit<RestoreWish, 'task'> & Partial<RestoreWish> },
  ): Promise<RunView> {
    const request: RestoreRequest = { ...basicRequest(job), frames: 2, severities: [1, 0], priority: 'batch' };
    return this.client.restore(request, {
      signal: job.signal,
      onProgress: (progress) => job.onProgress?.(shareOf(progress), describe(progress)),
    });
  }

  /** One frame at `severity`. Quick when the picture was restored just before: the larger part of the work is remembered. */
  async at(job: Omit<RestoreJob, 'onView'>, severity: number): Promise<Strength> {
    const request: RestoreRequest = {
      ...basicRequest(job),
      ...(job.region === undefined ? {} : { region: job.region }),
      frames: 1,
      severities: [severity],
      priority: 'interactive',
    };
    const { record } = await this.client.restore(request, { signal: job.signal });
    const [frame] = record.frames;
    if (frame === undefined) {
      throw new RestorationError(
        'bad-output',
        vscode.l10n.t('The model gave no frame.'),
        vscode.l10n.t('Restore the picture again.'),
      );
    }
    return { severity, file: frame.file };
  }

  /** Saves a result at full size with everything of its source put back: profile, depth, opacity, EXIF. */
  async save(job: SaveJob): Promise<SavedPicture> {
    return this.client.save(
      {
        record: job.view.record,
        framesFolder: job.framesFolder,
        input: job.input,
        severity: job.severity,
        output: job.output,
        model: job.wish.model,
        device: job.wish.device,
        priority: job.priority ?? 'interactive',
      },
      {
        ...(job.signal === undefined ? {} : { signal: job.signal }),
        onProgress: (progress) => job.onProgress?.(shareOf(progress), describe(progress)),
      },
    );
  }

  /** A finished run as a notebook output: the run itself, its strip as a picture, and its table as text. */
  async bundle(run: { view: RunView; framesFolder: string }): Promise<MimeBundle> {
    const { view, framesFolder } = run;
    const [packed, strip] = await Promise.all([
      this.client.pack(view),
      this.client.draw({ record: view.record, framesFolder, small: true }),
    ]);
    return mimeBundle(packed, strip);
  }
}

function basicRequest(job: {
  input: string;
  framesFolder: string;
  wish: Omit<RestoreWish, 'task'> & Partial<RestoreWish>;
}): Omit<RestoreRequest, 'frames' | 'priority'> {
  const { task, prompt, promptSource, model, device } = job.wish;
  return {
    input: job.input,
    ...(task === undefined ? {} : { task }),
    ...(prompt === '' ? {} : { prompt }),
    ...(prompt === '' || promptSource === undefined ? {} : { promptSource }),
    model,
    device,
    framesFolder: job.framesFolder,
  };
}

/** Nearly all time is the network's; the other stages are seconds at most. */
function shareOf({ stage, done, total }: Progress): number {
  if (stage === 'queued' || stage === 'decode') return 0;
  return total > 0 && stage === 'network' ? done / total : 1;
}

function describe({ stage, secondsLeft }: Progress): string {
  switch (stage) {
    case 'queued':
      return vscode.l10n.t('waiting');
    case 'decode':
      return vscode.l10n.t('reading');
    case 'network':
      return secondsLeft === undefined
        ? vscode.l10n.t('restoring')
        : vscode.l10n.t('{0} s left', Math.max(1, Math.round(secondsLeft)));
    case 'metrics':
      return vscode.l10n.t('measuring');
    case 'encode':
      return vscode.l10n.t('writing frames');
  }
}
