import { createConnection, type Socket } from 'node:net';
import {
  RestorationError,
  type CheckRequest,
  type ClientMessage,
  type DegradeRequest,
  type DegradeResult,
  type DeviceReport,
  type DescribeRequest,
  type DrawRequest,
  type Failure,
  type FigureDrawing,
  type FigureRequest,
  type FramePicture,
  type FrameRecord,
  type InspectRequest,
  type Inspection,
  type InstallationReport,
  type Look,
  type LookRequest,
  type ManifestDraft,
  type Measurement,
  type MeasureRequest,
  type RequestKind,
  type Requests,
  type RestoreRequest,
  type RunStart,
  type RunView,
  type SampleRequest,
  type SampleResult,
  type SavedPicture,
  type SaveRequest,
  type ServiceAddress,
  type ServiceMessage,
  type Stage,
  type StripRequest,
} from '../protocol';
import { checkRequest } from './check-request';
import { MessageReader, encodeMessage } from './framing';

export interface Progress {
  stage: Stage;
  done: number;
  total: number;
  secondsLeft?: number;
}

export interface RequestOptions {
  signal?: AbortSignal;
  /** What the run has decided, before its first frame. */
  onStart?: (start: RunStart) => void;
  onProgress?: (progress: Progress) => void;
  onFrame?: (frame: { record: FrameRecord; picture?: FramePicture }) => void;
}

export interface InferenceClientOptions {
  /** Called when a cancelled request does not end: the owner of the service ends the process. */
  forceCancel?: () => void;
  /** Milliseconds between asking a request to stop and forcing it. */
  graceMilliseconds?: number;
}

interface Pending {
  id: number;
  kind: RequestKind;
  request: unknown;
  options: RequestOptions;
  resolve: (result: never) => void;
  reject: (error: RestorationError) => void;
  /** True once the service has begun: such a request is not repeated when the process dies. */
  begun: boolean;
  timer?: NodeJS.Timeout;
  onAbort?: () => void;
}

/** Times a request that was still queued is sent again after the service died under it. */
const RECONNECTIONS = 3;
const RECONNECTION_MILLISECONDS = 200;

/**
 * Talks to an inference service, wherever it runs. Every request settles: with its result, with the service's failure,
 * or with `service-died` when the process went away while it ran. Requests that were still queued are sent again.
 */
export class InferenceClient {
  private readonly pending = new Map<number, Pending>();
  private readonly attempts = new Map<number, number>();
  private socket: Promise<Socket> | undefined;
  private live: Socket | undefined;
  private lastId = 0;
  private closed = false;

  /** @param locate where the service listens; called again after a connection was lost, and then starts a new service */
  constructor(
    private readonly locate: () => Promise<ServiceAddress>,
    private readonly settings: InferenceClientOptions = {},
  ) {}

  restore(request: RestoreRequest, options?: RequestOptions): Promise<RunView> {
    return this.request('restore', request, options);
  }

  strip(request: StripRequest, options?: RequestOptions): Promise<RunView> {
    return this.request('strip', request, options);
  }

  measure(request: MeasureRequest, options?: RequestOptions): Promise<Measurement> {
    return this.request('measure', request, options);
  }

  inspect(request: InspectRequest, options?: RequestOptions): Promise<Inspection> {
    return this.request('inspect', request, options);
  }

  /** The likeliest degradation of a picture, and a description of it. */
  look(request: LookRequest, options?: RequestOptions): Promise<Look> {
    return this.request('look', request, options);
  }

  figure(request: FigureRequest, options?: RequestOptions): Promise<FigureDrawing> {
    return this.request('figure', request, options);
  }

  /** @returns the strip: bytes of a PNG, or of a JPEG when it is to be small */
  async draw(request: DrawRequest, options?: RequestOptions): Promise<Buffer> {
    const { picture } = await this.request('draw', request, options);
    return Buffer.from(picture, 'base64');
  }

  /** A finished run in the compact form for documents. */
  pack(view: RunView, options?: RequestOptions): Promise<RunView> {
    return this.request('pack', { view }, options);
  }

  degrade(request: DegradeRequest, options?: RequestOptions): Promise<DegradeResult> {
    return this.request('degrade', request, options);
  }

  /** Writes one sample of a progression data set into the folder that the request names. */
  sample(request: SampleRequest, options?: RequestOptions): Promise<SampleResult> {
    return this.request('sample', request, options);
  }

  /** The manifest of a network in a file, after a look at it and a run on a small picture. */
  describe(request: DescribeRequest, options?: RequestOptions): Promise<ManifestDraft> {
    return this.request('describe', request, options);
  }

  save(request: SaveRequest, options?: RequestOptions): Promise<SavedPicture> {
    return this.request('save', request, options);
  }

  devices(options?: RequestOptions): Promise<DeviceReport[]> {
    return this.request('devices', {}, options);
  }

  /** Tries pictures, a network and metrics. */
  check(request: CheckRequest, options?: RequestOptions): Promise<InstallationReport> {
    return this.request('check', request, options);
  }

  /** Whether any request waits for its answer. */
  get busy(): boolean {
    return this.pending.size > 0;
  }

  /** Gives up all requests and the connection. */
  close(): void {
    this.closed = true;
    for (const pending of [...this.pending.values()]) {
      this.settle(pending, () => pending.reject(new RestorationError('cancelled', 'The client was closed.', '')));
    }
    this.live?.destroy();
  }

  private request<K extends RequestKind>(
    kind: K,
    request: Requests[K]['request'],
    options: RequestOptions = {},
  ): Promise<Requests[K]['result']> {
    return new Promise((resolve, reject) => {
      const checked = checkRequest(kind, request);
      if (options.signal?.aborted) throw cancelled();
      const pending: Pending = { id: ++this.lastId, kind, request: checked, options, resolve, reject, begun: false };
      this.pending.set(pending.id, pending);
      if (options.signal) {
        pending.onAbort = () => this.cancel(pending);
        options.signal.addEventListener('abort', pending.onAbort, { once: true });
      }
      this.live?.ref();
      void this.transmit(pending);
    });
  }

  private async transmit(pending: Pending): Promise<void> {
    try {
      const socket = await this.connect();
      if (!this.pending.has(pending.id)) return;
      send(socket, {
        type: 'request',
        id: pending.id,
        kind: pending.kind,
        request: pending.request,
      } as ClientMessage);
    } catch (error) {
      const attempts = this.countAttempt(pending);
      if (attempts <= RECONNECTIONS && !this.closed && !pending.options.signal?.aborted) {
        // A process that was just killed may still seem to be there: its owner learns of the exit a moment later.
        setTimeout(() => void this.transmit(pending), RECONNECTION_MILLISECONDS);
        return;
      }
      this.settle(pending, () => pending.reject(RestorationError.from(error)));
    }
  }

  private countAttempt(pending: Pending): number {
    const attempts = (this.attempts.get(pending.id) ?? 0) + 1;
    this.attempts.set(pending.id, attempts);
    return attempts;
  }

  private cancel(pending: Pending): void {
    if (!this.live) {
      this.settle(pending, () => pending.reject(cancelled()));
      return;
    }
    send(this.live, { type: 'cancel', id: pending.id });
    const { forceCancel, graceMilliseconds = 8_000 } = this.settings;
    pending.timer = setTimeout(() => {
      this.settle(pending, () => pending.reject(cancelled()));
      forceCancel?.();
    }, graceMilliseconds);
  }

  private connect(): Promise<Socket> {
    if (this.closed) return Promise.reject(new RestorationError('service-died', 'The client was closed.', ''));
    this.socket ??= this.open().catch((error: unknown) => {
      this.socket = undefined;
      throw error;
    });
    return this.socket;
  }

  private async open(): Promise<Socket> {
    const { path, token } = await this.locate();
    const socket = createConnection(path);
    const reader = new MessageReader();
    return new Promise((resolve, reject) => {
      let welcome = false;
      socket.on('connect', () => send(socket, { type: 'hello', token }));
      socket.on('data', (chunk: Buffer) => {
        try {
          for (const message of reader.push(chunk) as ServiceMessage[]) {
            if (message.type === 'welcome') {
              welcome = true;
              this.live = socket;
              if (this.pending.size === 0) socket.unref();
              resolve(socket);
            } else {
              this.receive(message);
            }
          }
        } catch (error) {
          socket.destroy(error instanceof Error ? error : new Error(String(error)));
        }
      });
      // `close` follows every error and is where requests are settled.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.live = undefined;
        this.socket = undefined;
        if (welcome) this.lost();
        else reject(died());
      });
    });
  }

  private receive(message: Exclude<ServiceMessage, { type: 'welcome' }>): void {
    const pending = this.pending.get(message.id);
    if (!pending) return;
    switch (message.type) {
      case 'progress': {
        const { stage, done, total, secondsLeft } = message;
        if (stage !== 'queued') pending.begun = true;
        pending.options.onProgress?.({ stage, done, total, ...(secondsLeft === undefined ? {} : { secondsLeft }) });
        return;
      }
      case 'start':
        pending.begun = true;
        pending.options.onStart?.(message.start);
        return;
      case 'frame':
        pending.begun = true;
        pending.options.onFrame?.({
          record: message.record,
          ...(message.picture ? { picture: message.picture } : {}),
        });
        return;
      case 'result':
        this.settle(pending, () => pending.resolve(message.result as never));
        return;
      case 'failure':
        this.settle(pending, () => pending.reject(RestorationError.fromFailure(message.failure satisfies Failure)));
        return;
    }
  }

  /** The connection is gone: what ran has failed, what waited is sent again. */
  private lost(): void {
    for (const pending of [...this.pending.values()]) {
      const attempts = this.countAttempt(pending);
      if (pending.options.signal?.aborted) {
        this.settle(pending, () => pending.reject(cancelled()));
      } else if (pending.begun || attempts > RECONNECTIONS || this.closed) {
        this.settle(pending, () => pending.reject(died()));
      } else {
        void this.transmit(pending);
      }
    }
  }

  private settle(pending: Pending, finish: () => void): void {
    if (!this.pending.delete(pending.id)) return;
    this.attempts.delete(pending.id);
    clearTimeout(pending.timer);
    if (pending.onAbort) pending.options.signal?.removeEventListener('abort', pending.onAbort);
    // An idle connection does not keep the process alive.
    if (this.pending.size === 0) this.live?.unref();
    finish();
  }
}

function send(socket: Socket, message: ClientMessage): void {
  socket.write(encodeMessage(message));
}

function cancelled(): RestorationError {
  return new RestorationError('cancelled', 'The run was cancelled.', '');
}

function died(): RestorationError {
  return new RestorationError(
    'service-died',
    'The inference process ended while it worked (killed, or out of memory).',
    'Run it again: a new process starts by itself; for a very large picture, free some memory first.',
  );
}
