import path from 'node:path';
import * as vscode from 'vscode';
import { LiveView } from '../../api/live-view';
import type { InferenceClient, Progress } from '../../inference/client';
import { isRunView, RUN_MIME, type MimeBundle, type RestoreRequest, type RunView, type Task } from '../../protocol';
import { mimeBundle } from '../../restoration/report/mime';
import { readSettings } from '../configuration';
import type { Activity } from '../status/activity';

/** Enlargement of super-resolution in the panel. */
const SCALE = 4;

export interface RestoreJob {
  /** Absolute path of the picture. */
  input: string;
  task: Task;
  /** Absent for the model's uniform sentence. */
  prompt?: string;
  /** Absolute path of the folder for full frames. */
  framesFolder: string;
  signal: AbortSignal;
  /** Share of the work that is done, in [0,1], and what is being done. */
  onProgress?: (share: number, activity: string) => void;
  /** The run as far as it has come; at most four times a second. */
  onView?: (view: RunView) => void;
}

/** Restores single pictures with the settings of the window. */
export class PictureRestorer {
  constructor(
    private readonly client: InferenceClient,
    private readonly activity: Activity,
  ) {}

  /** Resolves to the finished run; rejects with a RestorationError, `cancelled` when `signal` was aborted. */
  async restore(job: RestoreJob): Promise<RunView> {
    const name = path.basename(job.input);
    const settings = readSettings(vscode.Uri.file(job.input));
    const request: RestoreRequest = {
      input: job.input,
      task: job.task,
      ...(job.prompt === undefined ? {} : { prompt: job.prompt }),
      frames: settings.frames,
      scale: SCALE,
      model: settings.model,
      device: settings.device,
      framesFolder: job.framesFolder,
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

  /** A finished run as a notebook output: the run itself, its strip as a picture, and its table as text. */
  async bundle(run: { view: RunView; framesFolder: string }): Promise<MimeBundle> {
    const strip = await this.client.draw({ record: run.view.record, framesFolder: run.framesFolder });
    return mimeBundle(run.view, strip);
  }
}

/** Nearly all time is the network's; the other stages are seconds at most. */
function shareOf({ stage, done, total }: Progress): number {
  if (stage === 'queued' || stage === 'decode') return 0;
  return total > 0 && stage === 'network' ? done / total : 1;
}

function describe({ stage, secondsLeft }: Progress): string {
  switch (stage) {
    case 'queued':
      return vscode.l10n.t('waiting for another run');
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
