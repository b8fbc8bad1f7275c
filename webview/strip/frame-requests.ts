import { isFullFrameDataUrl } from '../../src/protocol';

/** How long an answer may take: a frame of a large picture over a remote connection is some megabytes. */
const PATIENCE = 30_000;

/** Requests for full frames on a message channel. Every request settles: by its answer, after a while, or when the view ends. */
export class FrameRequests {
  private readonly open = new Map<number, (dataUrl: string | undefined) => void>();
  private next = 0;

  /** `send` posts one request with its number. */
  ask(send: (requestId: number) => void): Promise<string | undefined> {
    const requestId = this.next++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(requestId, undefined), PATIENCE);
      this.open.set(requestId, (dataUrl) => {
        clearTimeout(timer);
        resolve(dataUrl);
      });
      send(requestId);
    });
  }

  /** The answer to a request; anything but an embedded picture counts as "gone". */
  settle(requestId: number, dataUrl: string | undefined): void {
    const resolve = this.open.get(requestId);
    this.open.delete(requestId);
    resolve?.(isFullFrameDataUrl(dataUrl) ? dataUrl : undefined);
  }

  dispose(): void {
    for (const requestId of [...this.open.keys()]) this.settle(requestId, undefined);
  }
}
