import { RestorationError } from '../../protocol';
import { isObject, isText } from '../../protocol/checks';
import { sceneSentence } from './scene-sentence';

/** A server with OpenAI's chat interface (OpenAI, Ollama, llama.cpp, vLLM, LM Studio) and a model on it that sees pictures. */
export interface DescriptionEndpoint {
  /** Up to and with `/v1`: `http://127.0.0.1:11434/v1`. */
  baseUrl: string;
  model: string;
  /** Sent as a bearer token; never over plain http to another machine. */
  key?: string;
  /** Milliseconds until the call fails; 60,000 unless said otherwise. */
  timeout?: number;
}

/** Names of the environment variables that an endpoint is read from. */
export const ENDPOINT_VARIABLES = {
  baseUrl: 'PROGRESSIVE_RESTORATION_ENDPOINT',
  model: 'PROGRESSIVE_RESTORATION_ENDPOINT_MODEL',
  key: 'PROGRESSIVE_RESTORATION_ENDPOINT_KEY',
} as const;

const DEFAULT_TIMEOUT = 60_000;
const LONGEST_TIMEOUT = 600_000;
/** Bytes of an answer that are read: a sentence with its wrapping, and the thoughts of a model that shows them. */
const MAXIMUM_ANSWER = 1 << 18;

/** What a model that sees is asked, wherever it runs. */
export const SCENE_INSTRUCTION =
  'Describe what this photograph shows in one plain English sentence of at most 30 words: subjects, place, colours, light. ' +
  'The picture may be small, blurred or dark: describe the scene, not its faults, and do not guess what cannot be seen. ' +
  'Answer with the sentence only.';

function wrong(problem: string, remedy: string): RestorationError {
  return new RestorationError('bad-argument', problem, remedy);
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * The endpoint that the environment names.
 *
 * @throws RestorationError `bad-argument` when it names none
 */
export function endpointFromEnvironment(environment: NodeJS.ProcessEnv = process.env): DescriptionEndpoint {
  const { [ENDPOINT_VARIABLES.baseUrl]: baseUrl, [ENDPOINT_VARIABLES.model]: model } = environment;
  const key = environment[ENDPOINT_VARIABLES.key];
  if (!baseUrl || !model) {
    throw wrong(
      'No endpoint is set that could describe pictures.',
      `Set ${ENDPOINT_VARIABLES.baseUrl} and ${ENDPOINT_VARIABLES.model}, for example to http://127.0.0.1:11434/v1 and llava.`,
    );
  }
  return { baseUrl, model, ...(key ? { key } : {}) };
}

/**
 * Checks an endpoint as a caller or a setting gave it.
 *
 * @returns the address that chat requests go to
 * @throws RestorationError `bad-argument`
 */
export function checkEndpoint(value: unknown): { url: URL; model: string; key?: string; timeout: number } {
  if (!isObject(value)) throw wrong('An endpoint is an object.', 'Give { baseUrl, model }.');
  const { baseUrl, model, key, timeout = DEFAULT_TIMEOUT } = value;
  if (!isText(baseUrl, 2048) || !URL.canParse(baseUrl)) {
    throw wrong('The address of the endpoint is not a URL.', 'Give one such as http://127.0.0.1:11434/v1.');
  }
  const url = new URL(baseUrl);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw wrong(`The endpoint's address begins with ${url.protocol}, not http: or https:.`, 'Give a web address.');
  }
  if (url.username !== '' || url.password !== '') {
    throw wrong('The endpoint’s address holds a user name or password.', 'Give the secret as the key instead.');
  }
  if (url.search !== '' || url.hash !== '') {
    throw wrong('The endpoint’s address has a query or a fragment.', 'Give it up to and with /v1.');
  }
  if (!isText(model, 256) || model.trim() === '' || /\p{Cc}/u.test(model)) {
    throw wrong('The endpoint needs the name of a model.', 'Name one that sees pictures, such as llava.');
  }
  if (key !== undefined && (!isText(key, 4096) || !/^[\x21-\x7e]+$/.test(key))) {
    throw wrong('The key of the endpoint is not a line of visible ASCII characters.', 'Copy it again.');
  }
  if (key !== undefined && url.protocol === 'http:' && !isLocal(url.hostname)) {
    throw wrong('The key would travel to another machine without encryption.', 'Use an https address, or no key.');
  }
  if (typeof timeout !== 'number' || !(timeout >= 1 && timeout <= LONGEST_TIMEOUT)) {
    throw wrong(
      `The endpoint's timeout has to be from 1 to ${LONGEST_TIMEOUT} milliseconds.`,
      'Leave it out for 60000.',
    );
  }
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`;
  return { url, model: model.trim(), ...(key === undefined ? {} : { key }), timeout };
}

/**
 * Has a multimodal model describe a picture in one sentence. The picture leaves this machine if the endpoint is not on
 * it: call this only when the user has asked for it.
 *
 * @param picture a data URL of the degraded picture, small
 * @throws RestorationError `endpoint-failed` (unreachable, refused, too slow, no usable answer), `cancelled`, `bad-argument`
 */
export async function describeByEndpoint(
  picture: string,
  endpoint: DescriptionEndpoint,
  signal?: AbortSignal,
): Promise<string> {
  const { url, model, key, timeout } = checkEndpoint(endpoint);
  const clock = AbortSignal.timeout(timeout);
  const failed = (problem: string, remedy: string, cause?: unknown): RestorationError => {
    if (signal?.aborted) return new RestorationError('cancelled', 'The description was cancelled.', '');
    if (clock.aborted) {
      return new RestorationError(
        'endpoint-failed',
        `The endpoint ${url.host} gave no description within ${timeout / 1000} s.`,
        'Give it more time, a smaller model, or use the built-in describer (prompt "auto").',
      );
    }
    return new RestorationError('endpoint-failed', problem, remedy, { cause });
  };
  let body: string;
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({
        model,
        max_tokens: 400,
        temperature: 0,
        stream: false,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: SCENE_INSTRUCTION },
              { type: 'image_url', image_url: { url: picture } },
            ],
          },
        ],
      }),
      // A redirect would carry the picture to a place that nobody has agreed to.
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, clock]) : clock,
    });
    body = await limitedText(response);
  } catch (error) {
    if (error instanceof RestorationError) throw error;
    throw failed(
      `The endpoint ${url.host} cannot be reached (${reason(error)}).`,
      'Check its address and whether it runs.',
      error,
    );
  }
  if (!response.ok)
    throw failed(`The endpoint ${url.host} answered ${statusLine(response, body)}.`, remedyOf(response));
  return sceneSentence(answerOf(body, url.host));
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = isObject(cause) || cause instanceof Error ? (cause as { code?: unknown }).code : undefined;
  if (typeof code === 'string' && code !== '') return code;
  return cause instanceof Error ? plain(cause.message, 120) : 'no answer';
}

/** Text of a server for an error message: one line of printable characters. */
function plain(text: string, limit: number): string {
  return [...text.replace(/[\p{C}\s]+/gu, ' ').trim()].slice(0, limit).join('');
}

function statusLine(response: Response, body: string): string {
  let detail = '';
  try {
    const parsed: unknown = JSON.parse(body);
    const error = isObject(parsed) ? parsed.error : undefined;
    const message = isObject(error) ? error.message : error;
    if (typeof message === 'string') detail = plain(message, 200).replace(/\.$/, '');
  } catch {
    // An error page of some proxy: the status has to do.
  }
  return detail === '' ? `with status ${response.status}` : `with status ${response.status}: ${detail}`;
}

function remedyOf({ status }: Response): string {
  if (status === 401 || status === 403) return 'Check the key.';
  if (status === 404) return 'Check the address (up to /v1) and the name of the model.';
  if (status === 429) return 'Wait a while, or use another endpoint.';
  if (status === 400 || status === 415 || status === 422) return 'Choose a model that sees pictures.';
  return 'Try again later, or use another endpoint.';
}

async function limitedText(response: Response): Promise<string> {
  if (!response.body) return '';
  const reader: ReadableStreamDefaultReader<Uint8Array> = (response.body as ReadableStream<Uint8Array>).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts).toString('utf8');
    size += value.byteLength;
    if (size > MAXIMUM_ANSWER) {
      await reader.cancel();
      throw new RestorationError(
        'endpoint-failed',
        `The endpoint answered with more than ${MAXIMUM_ANSWER / 1024} KiB.`,
        'Check that the address is that of a chat endpoint.',
      );
    }
    parts.push(value);
  }
}

/** The text of the first choice: a string, or a list of parts as some servers send it. */
function answerOf(body: string, host: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  const choices = isObject(parsed) ? parsed.choices : undefined;
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const message = isObject(first) ? first.message : undefined;
  const content = isObject(message) ? message.content : undefined;
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) {
    const texts = content.map((part: unknown) => (isObject(part) && typeof part.text === 'string' ? part.text : ''));
    if (texts.some((text) => text !== '')) return texts.join(' ');
  }
  throw new RestorationError(
    'endpoint-failed',
    `The endpoint ${host} did not answer in the form of a chat completion.`,
    'Check its address (up to /v1).',
  );
}
