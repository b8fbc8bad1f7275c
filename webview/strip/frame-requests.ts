import { isFullFrameDataUrl } from '../../src/protocol';
import { Requests } from './requests';

/** How long an answer may take: a frame of a large picture over a remote connection is some megabytes. */
const PATIENCE = 30_000;

/** Requests for full frames; anything but an embedded picture counts as "gone". */
export class FrameRequests {
  private readonly requests = new Requests<string>(PATIENCE);

  /** `send` posts one request with its number. */
  ask(send: (requestId: number) => void): Promise<string | undefined> {
    return this.requests.ask(send);
  }

  settle(requestId: number, dataUrl: string | undefined): void {
    this.requests.settle(requestId, isFullFrameDataUrl(dataUrl) ? dataUrl : undefined);
  }

  dispose(): void {
    this.requests.dispose();
  }
}
