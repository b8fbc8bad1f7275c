import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { RestorationError } from '../../protocol';

const MOST_REDIRECTS = 5;

/** A failure that another try may cure: a lost connection, a silent server, a server error. */
export class TransientFailure extends RestorationError {}

export interface RequestOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Gives up when nothing has come for so long. */
  idleMilliseconds: number;
  env?: NodeJS.ProcessEnv | undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}

function failed(problem: string, remedy: string, cause?: unknown): RestorationError {
  return new RestorationError('download-failed', problem, remedy, { cause });
}

/** A URL as a message shows it: without a query, which may hold a signature. */
export function shownUrl(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`.slice(0, 300);
}

/**
 * Checks an address to download from.
 *
 * @throws RestorationError `bad-argument` unless it is https, or http on this machine, without a password in it
 */
export function checkUrl(address: string): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch (error) {
    throw new RestorationError(
      'bad-argument',
      `${JSON.stringify(address.slice(0, 200))} is not a URL.`,
      'Give an address that begins with https://.',
      { cause: error },
    );
  }
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  if (!secure || url.username !== '' || url.password !== '') {
    throw new RestorationError(
      'bad-argument',
      `${shownUrl(url)} is not downloaded from: only https:// without a user name is (and http:// on this machine).`,
      'Give an address that begins with https://.',
    );
  }
  return url;
}

/**
 * Sends a GET and follows redirects, to https only. The caller reads or destroys the response.
 *
 * @throws TransientFailure when another try may help
 * @throws RestorationError `download-failed`, or `cancelled`
 */
export async function get(address: string, options: RequestOptions): Promise<IncomingMessage> {
  let url = checkUrl(address);
  for (let redirects = 0; ; redirects++) {
    const response = await send(url, options);
    const { statusCode = 0 } = response;
    const { location } = response.headers;
    if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return response;
    response.destroy();
    if (redirects === MOST_REDIRECTS) {
      throw failed(`${shownUrl(address)} was redirected more than ${MOST_REDIRECTS} times.`, 'Check the address.');
    }
    const next = new URL(location, url);
    // A server elsewhere has no business with services on this machine.
    if (next.protocol !== 'https:' && !(isLoopback(url.hostname) && isLoopback(next.hostname))) {
      throw failed(
        `${shownUrl(url)} redirects to ${shownUrl(next)}, which is not https.`,
        'Ask whoever publishes the model for an https address.',
      );
    }
    url = checkUrl(next.href);
  }
}

async function send(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  const { signal, idleMilliseconds } = options;
  if (signal?.aborted) throw cancelled();
  const proxy = url.protocol === 'https:' ? proxyFor(url, options.env ?? process.env) : undefined;
  try {
    const socket = proxy ? await tunnel(url, proxy, options) : undefined;
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const request = (url.protocol === 'https:' ? https : http).get(
        url,
        {
          headers: { 'user-agent': 'progressive-restoration', 'accept-encoding': 'identity', ...options.headers },
          agent: false,
          ...(signal ? { signal } : {}),
          ...(socket ? { createConnection: () => socket } : {}),
        },
        resolve,
      );
      request.setTimeout(idleMilliseconds, () => request.destroy(silent(url, idleMilliseconds)));
      request.once('error', reject);
    });
  } catch (error) {
    throw connectionFailure(url, error, signal);
  }
}

function silent(url: URL, milliseconds: number): TransientFailure {
  return new TransientFailure(
    'download-failed',
    `${url.host} sent nothing for ${Math.round(milliseconds / 1000)} seconds.`,
    'Try again; what has come so far is kept.',
  );
}

export function cancelled(): RestorationError {
  return new RestorationError('cancelled', 'The download was cancelled; what has come so far is kept.', '');
}

/** What went wrong on the way, in words. */
export function connectionFailure(url: URL, error: unknown, signal: AbortSignal | undefined): RestorationError {
  if (signal?.aborted) return cancelled();
  if (error instanceof RestorationError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return failed(`There is no way to ${url.host} (${code}).`, 'Check the address and the network.', error);
  }
  return new TransientFailure(
    'download-failed',
    `The connection to ${url.host} failed (${code}).`,
    'Check the network and try again; what has come so far is kept.',
    { cause: error },
  );
}

/** The proxy that the environment names for https, unless it excludes the host. */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const address = env.https_proxy || env.HTTPS_PROXY;
  if (!address || isLoopback(url.hostname)) return undefined;
  const excluded = (env.no_proxy || env.NO_PROXY || '').split(',').map((entry) => entry.trim().replace(/^\*?\./, ''));
  const host = url.hostname;
  if (excluded.some((name) => name === '*' || (name !== '' && (host === name || host.endsWith(`.${name}`))))) {
    return undefined;
  }
  return new URL(/^[a-z]+:\/\//i.test(address) ? address : `http://${address}`);
}

/** An encrypted connection through a proxy (RFC 9110, CONNECT): the proxy sees the host's name, nothing else. */
async function tunnel(url: URL, proxy: URL, { signal, idleMilliseconds }: RequestOptions): Promise<tls.TLSSocket> {
  const port = url.port || '443';
  const authorization = proxy.username
    ? {
        'proxy-authorization': `Basic ${Buffer.from(
          `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`,
        ).toString('base64')}`,
      }
    : {};
  const plain = await new Promise<NonNullable<http.IncomingMessage['socket']>>((resolve, reject) => {
    const request = (proxy.protocol === 'https:' ? https : http).request({
      host: proxy.hostname,
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: `${url.hostname}:${port}`,
      headers: { host: `${url.hostname}:${port}`, ...authorization },
      agent: false,
      ...(signal ? { signal } : {}),
    });
    request.setTimeout(idleMilliseconds, () => request.destroy(silent(proxy, idleMilliseconds)));
    request.once('error', reject);
    request.once('connect', (response, socket) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(
        failed(
          `The proxy ${proxy.host} did not let the connection to ${url.host} through (${response.statusCode}).`,
          'Check HTTPS_PROXY and NO_PROXY.',
        ),
      );
    });
    request.end();
  });
  return new Promise((resolve, reject) => {
    const secure: tls.TLSSocket = tls.connect({ socket: plain, servername: url.hostname }, () => resolve(secure));
    secure.once('error', reject);
  });
}
