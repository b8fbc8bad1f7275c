import type { ConcreteDevice, Device, MetricProtocol, Task } from './tasks';
import type { AdapterWish } from './adapters';
import type { DiffusionWish } from './diffusion';
import type { Precision } from './precision';
import type { DegradeRequest, DegradeResult, SampleRequest, SampleResult } from './degradation-requests';
import type { Failure } from './errors';
import type { MeasureRequest, Measurement, Metric } from './metrics';
import type { SavedPicture, SaveRequest } from './pictures';
import type { CheckRequest, InstallationReport } from './installation';
import type { DescribeRequest, ManifestDraft } from './model-requests';
import type { FigureDrawing, FigureRequest, InspectRequest, Inspection } from './inspection';
import type { Look, LookRequest } from './look';
import type { FramePicture, FrameRecord, Region, RunRecord, RunStart, RunView, Stage } from './run';

/** Where an inference service listens (a Unix socket or a named pipe) and the secret that opens it. */
export interface ServiceAddress {
  path: string;
  token: string;
}

export type Priority = 'interactive' | 'batch';

/** Paths are absolute. Pictures never travel: paths go in; content-addressed files, thumbnails and numbers come out. */
export interface RestoreRequest {
  input: string;
  /** Absent = the prompt decides; without a prompt, a look at the picture. */
  task?: Task;
  /** Scene or free wording; absent = the model's uniform sentence for the task. */
  prompt?: string;
  /**
   * Who wrote the prompt when it was not the user: it then describes the scene and does not decide the task. `described`
   * without a prompt has the built-in describer write one.
   */
  promptSource?: 'described' | 'endpoint';
  reference?: string;
  frames: number;
  /** Severities of the frames, each in [0, 1]; absent = `frames` of them, evenly from 1 to 0. */
  severities?: number[];
  /** Enlargement, super-resolution only; absent = what the model enlarges. */
  scale?: number;
  model: string;
  /** Adapters that act on the model; those of other experts than the task's do nothing. */
  adapters?: AdapterWish[];
  device: Device;
  /** Absent = auto. */
  precision?: Precision;
  /** For diffusion models; absent = the model's own. */
  diffusion?: DiffusionWish;
  /** Metric protocol; absent = the task's usual one. */
  protocol?: MetricProtocol;
  /** What is measured against the reference; absent = PSNR, SSIM and LPIPS. */
  metrics?: Metric[];
  region?: Region;
  /** Folder for `<sha256>.png` frames; absent = measured only, nothing is encoded (evaluation). */
  framesFolder?: string;
  priority: Priority;
}

/** Frames that already exist (anyone's), first = degraded, last = restored. */
export interface StripRequest {
  frames: string[];
  task: Task;
  reference?: string;
  protocol?: MetricProtocol;
  metrics?: Metric[];
  scale: number;
  prompt?: string;
  model?: string;
  region?: Region;
  framesFolder: string;
  priority: Priority;
}

/** Draw the strip of a finished run as a PNG. */
export interface DrawRequest {
  record: RunRecord;
  framesFolder: string;
  reference?: string;
  /** At half the size and as a JPEG: a tenth of the bytes, for documents that hold many. */
  small?: boolean;
}

/** Bring a finished run into the compact form in which documents hold it. */
export interface PackRequest {
  view: RunView;
}

export interface DeviceReport {
  device: ConcreteDevice;
  available: boolean;
  /** Why not, or what it is. */
  detail: string;
  /** The one that `auto` stands for. */
  automatic?: true;
}

/** Requests by kind: what goes in and what comes out at the end. */
export interface Requests {
  restore: { request: RestoreRequest; result: RunView };
  strip: { request: StripRequest; result: RunView };
  measure: { request: MeasureRequest; result: Measurement };
  draw: {
    request: DrawRequest;
    result: { /** base64: PNG, or JPEG when small */ picture: string; width: number; height: number };
  };
  pack: { request: PackRequest; result: RunView };
  inspect: { request: InspectRequest; result: Inspection };
  look: { request: LookRequest; result: Look };
  figure: { request: FigureRequest; result: FigureDrawing };
  degrade: { request: DegradeRequest; result: DegradeResult };
  sample: { request: SampleRequest; result: SampleResult };
  describe: { request: DescribeRequest; result: ManifestDraft };
  save: { request: SaveRequest; result: SavedPicture };
  devices: { request: Record<string, never>; result: DeviceReport[] };
  check: { request: CheckRequest; result: InstallationReport };
}
export type RequestKind = keyof Requests;

export type ClientMessage =
  | { type: 'hello'; token: string }
  | { [K in RequestKind]: { type: 'request'; id: number; kind: K; request: Requests[K]['request'] } }[RequestKind]
  | { type: 'cancel'; id: number };

export type ServiceMessage =
  | { type: 'welcome'; pid: number; versions: Record<string, string> }
  | { type: 'progress'; id: number; stage: Stage; done: number; total: number; secondsLeft?: number }
  | { type: 'start'; id: number; start: RunStart }
  | { type: 'frame'; id: number; record: FrameRecord; picture?: FramePicture }
  | { type: 'result'; id: number; result: unknown }
  | { type: 'failure'; id: number; failure: Failure };
