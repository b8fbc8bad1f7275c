import { timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import {
  RestorationError,
  type ClientMessage,
  type RequestKind,
  type Requests,
  type ServiceAddress,
  type ServiceMessage,
} from '../protocol';
import { inspectPictures } from '../restoration/evaluation/inspect-pictures';
import { drawFigure } from '../restoration/report/draw-figure';
import { degradePicture } from '../restoration/degradation/degrade-picture';
import { makeSample } from '../restoration/degradation/make-sample';
import { draftManifest } from '../restoration/network/draft-manifest';
import { assembleStrip } from '../restoration/run/assemble-strip';
import { drawRecord } from '../restoration/run/draw-record';
import { packRun } from '../restoration/run/pack-run';
import { lookAtPicture } from '../restoration/run/look-at-picture';
import type { RunEvents } from '../restoration/run/events';
import { measurePictures } from '../restoration/run/measure-pictures';
import { ModelPool } from '../restoration/run/model-pool';
import { restorePicture } from '../restoration/run/restore-picture';
import { saveResult } from '../restoration/run/save-result';
import { checkInstallation } from '../restoration/run/check-installation';
import { versions } from '../restoration/run/versions';
import { checkRequest, isRequestKind } from './check-request';
import { DeviceLock } from './device-lock';
import { MessageReader, encodeMessage } from './framing';
import { checkPictures, needsDevice } from './preflight';
import { RunQueue } from './queue';

/** Progress is told at most this often a request. */
const PROGRESS_MILLISECONDS = 100;
/** Longest message before a client has shown the token. */
const GREETING_BYTES = 4096;

/** What a client may do, answered one request at a time. */
class Connection {
  private readonly reader = new MessageReader();
  private readonly controllers = new Map<number, AbortController>();
  private welcome = false;

  constructor(
    private readonly socket: Socket,
    private readonly token: string,
    private readonly work: Work,
  ) {
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    // A client that is gone needs no results.
    socket.on('close', () => this.abandon());
    socket.on('error', () => this.abandon());
  }

  private read(chunk: Buffer): void {
    try {
      for (const message of this.reader.push(chunk, this.welcome ? undefined : GREETING_BYTES)) this.handle(message);
    } catch {
      this.socket.destroy();
    }
  }

  private handle(message: unknown): void {
    const { type, id, kind, request, token } = message as Partial<
      Record<'type' | 'id' | 'kind' | 'request' | 'token', unknown>
    >;
    if (!this.welcome) {
      if (type !== 'hello' || typeof token !== 'string' || !this.matches(token)) {
        this.socket.destroy();
        return;
      }
      this.welcome = true;
      this.send({ type: 'welcome', pid: process.pid, versions: versions() });
      return;
    }
    if (typeof id !== 'number') throw new Error('a message without an id');
    switch (type as ClientMessage['type']) {
      case 'request':
        if (!isRequestKind(kind)) throw new Error('an unknown kind of request');
        this.start(id, kind, request);
        return;
      case 'cancel':
        this.controllers.get(id)?.abort();
        return;
      case 'hello':
        return;
      default:
        throw new Error('an unknown message');
    }
  }

  private matches(token: string): boolean {
    const given = Buffer.from(token);
    const expected = Buffer.from(this.token);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  private start(id: number, kind: RequestKind, request: unknown): void {
    const controller = new AbortController();
    this.controllers.set(id, controller);
    let told = 0;
    let stage = '';
    const events: RunEvents = {
      onProgress: (next, done, total, secondsLeft) => {
        const now = performance.now();
        if (next === stage && done < total && now - told < PROGRESS_MILLISECONDS) return;
        stage = next;
        told = now;
        this.send({
          type: 'progress',
          id,
          stage: next,
          done,
          total,
          ...(secondsLeft === undefined ? {} : { secondsLeft }),
        });
      },
      onStart: (start) => this.send({ type: 'start', id, start }),
      onFrame: (record, picture) => this.send({ type: 'frame', id, record, ...(picture ? { picture } : {}) }),
    };
    this.work
      .submit(kind, request, events, controller.signal)
      .then((result) => this.send({ type: 'result', id, result }))
      .catch((error: unknown) => this.send({ type: 'failure', id, failure: RestorationError.from(error).toFailure() }))
      .finally(() => this.controllers.delete(id));
  }

  private send(message: ServiceMessage): void {
    if (!this.socket.destroyed) this.socket.write(encodeMessage(message));
  }

  private abandon(): void {
    for (const controller of this.controllers.values()) controller.abort();
  }
}

/** The work itself: one run at a time, in this process. */
class Work {
  private readonly queue = new RunQueue();
  private readonly pool = new ModelPool();
  private readonly lock = new DeviceLock('compute');
  /** Pictures of requests that wait are read one after the other. */
  private checking: Promise<void> = Promise.resolve();

  submit(kind: RequestKind, untrusted: unknown, events: RunEvents, signal: AbortSignal): Promise<unknown> {
    const request = (): Requests[RequestKind]['request'] => checkRequest(kind, untrusted);
    return new Promise((resolve, reject) => {
      let checked: Requests[RequestKind]['request'];
      try {
        checked = request();
      } catch (error) {
        reject(RestorationError.from(error));
        return;
      }
      const priority = ('priority' in checked ? checked.priority : undefined) ?? 'interactive';
      const fail = (error: unknown): void => reject(RestorationError.from(error));
      events.onProgress('queued', 0, 1);
      // Whoever has to wait learns of a broken picture now. A batch would read all its pictures twice for that.
      let broken = false;
      if (this.queue.busy && priority === 'interactive') {
        this.checking = this.checking
          .then(() => checkPictures(kind, checked))
          .catch((error: unknown) => {
            broken = true;
            fail(error);
          });
      }
      this.queue.add(priority, async () => {
        if (broken) return;
        try {
          resolve(await this.exclusively(kind, checked, events, signal));
        } catch (error) {
          fail(error);
        }
      });
    });
  }

  private async exclusively(
    kind: RequestKind,
    request: Requests[RequestKind]['request'],
    events: RunEvents,
    signal: AbortSignal,
  ): Promise<unknown> {
    // Looking at pictures and drawing a figure take no device: they need not wait for other programs.
    if (!needsDevice(kind, request)) return this.perform(kind, request, events, signal);
    const release = await this.lock.acquire(signal, () => {
      events.onProgress('queued', 0, 1);
      return checkPictures(kind, request);
    });
    try {
      await this.pool.wake();
      return await this.perform(kind, request, events, signal);
    } finally {
      this.pool.rest();
      await release();
    }
  }

  private async perform(
    kind: RequestKind,
    request: Requests[RequestKind]['request'],
    events: RunEvents,
    signal: AbortSignal,
  ): Promise<unknown> {
    switch (kind) {
      case 'restore':
        return restorePicture(request as Requests['restore']['request'], this.pool, events, signal);
      case 'strip':
        return assembleStrip(request as Requests['strip']['request'], this.pool, events, signal);
      case 'measure':
        return measurePictures(request as Requests['measure']['request'], this.pool);
      case 'draw':
        return drawRecord(request as Requests['draw']['request']);
      case 'pack':
        return packRun((request as Requests['pack']['request']).view);
      case 'inspect':
        return inspectPictures(request as Requests['inspect']['request']);
      case 'look':
        return lookAtPicture(request as Requests['look']['request']);
      case 'figure':
        return drawFigure(request as Requests['figure']['request']);
      case 'degrade':
        return degradePicture(request as Requests['degrade']['request'], events, signal);
      case 'sample':
        return makeSample(request as Requests['sample']['request'], events, signal);
      case 'describe': {
        const { file, hints } = request as Requests['describe']['request'];
        return draftManifest(file, 'cpu', hints);
      }
      case 'save':
        return saveResult(request as Requests['save']['request'], this.pool, events, signal);
      case 'devices':
        return this.pool.devices.report();
      case 'check':
        return checkInstallation(request as Requests['check']['request'], this.pool, events, signal);
    }
  }
}

/**
 * Listens for clients that know the token. Networks run in this process and block its event loop while they compute;
 * that delays a cancel by one network run at most, and nobody else lives here.
 */
export function listen({ path, token }: ServiceAddress): Promise<Server> {
  const work = new Work();
  const server = createServer((socket) => {
    new Connection(socket, token, work);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}
