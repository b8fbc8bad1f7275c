import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256 } from './test-network';

/** How the server treats one path; what is left out is the behaviour of an ordinary server. */
export interface Served {
  body: Uint8Array | string;
  status?: number;
  headers?: Record<string, string>;
  /** Cuts the connection after so many bytes of an answer, this many times. */
  cut?: { after: number; times: number };
  /** Without ranges the whole file is sent again. */
  ranges?: boolean;
  etag?: string | null;
  /** False: the answer does not say how long it is. */
  length?: boolean;
  /** Bytes a millisecond. */
  slow?: number;
  /** Sends the head and nothing more. */
  silent?: boolean;
}

export interface Seen {
  path: string;
  range: string | undefined;
  ifRange: string | undefined;
}

/** A real HTTP server on this machine that misbehaves on demand. */
export class FileServer {
  readonly seen: Seen[] = [];
  readonly files = new Map<string, Served>();

  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async start(): Promise<FileServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const files = new FileServer(server, `http://127.0.0.1:${port}`);
    server.on('request', (request, response) => void files.answer(request, response));
    return files;
  }

  serve(path: string, served: Served): string {
    this.files.set(path, served);
    return this.origin + path;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const range = request.headers.range;
    const ifRange = request.headers['if-range'] as string | undefined;
    this.seen.push({ path, range, ifRange });
    const served = this.files.get(path);
    if (!served) return void response.writeHead(404).end('nothing here');
    const body = Buffer.from(served.body);
    if (served.status !== undefined) return void response.writeHead(served.status, served.headers).end();
    const etag = served.etag === null ? undefined : (served.etag ?? `"${sha256(body).slice(0, 16)}"`);
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const partial =
      range !== undefined &&
      served.ranges !== false &&
      start < body.length &&
      (ifRange === undefined || ifRange === etag);
    const part = partial ? body.subarray(start) : body;
    response.writeHead(partial ? 206 : 200, {
      ...(served.length === false ? {} : { 'content-length': String(part.length) }),
      ...(etag === undefined ? {} : { etag }),
      ...(partial ? { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` } : {}),
      ...served.headers,
    });
    if (served.silent) return void response.write(part.subarray(0, 1));
    const { cut } = served;
    if (cut && cut.times > 0) {
      cut.times--;
      response.write(part.subarray(0, cut.after), () => setTimeout(() => response.destroy(), 20));
      return;
    }
    const step = served.slow === undefined ? part.length : served.slow * 10;
    for (let at = 0; at < part.length && !response.destroyed; at += step) {
      response.write(part.subarray(at, at + step));
      if (served.slow !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    response.end();
  }
}
