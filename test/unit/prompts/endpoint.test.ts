import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { RestorationError } from '../../../src/protocol';
import { describe as describePicture, shutdown } from '../../../src/api';
import {
  checkEndpoint,
  describeByEndpoint,
  endpointFromEnvironment,
  ENDPOINT_VARIABLES,
} from '../../../src/restoration/prompts/endpoint';

const PICTURE = 'data:image/jpeg;base64,/9j/2Q==';

interface Received {
  path: string | undefined;
  authorization: string | undefined;
  body: string;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

function completion(content: unknown): string {
  return JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] });
}

const json =
  (body: string, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };

describe('description by an endpoint', () => {
  let server: Server;
  let baseUrl: string;
  let answer: Answer;
  let received: Received[];

  before(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (part: string) => (body += part));
      request.on('end', () => {
        received.push({ path: request.url, authorization: request.headers.authorization, body });
        answer(response, request);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  });

  beforeEach(() => {
    received = [];
    answer = json(completion('A red bus in a wet street.'));
  });

  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await shutdown();
  });

  it('sends model, key and picture, and takes the sentence of the answer', async () => {
    const text = await describeByEndpoint(PICTURE, { baseUrl: `${baseUrl}/`, model: 'llava', key: 'secret-1' });
    assert.equal(text, 'A red bus in a wet street.');
    const [call] = received;
    assert.equal(call?.path, '/v1/chat/completions');
    assert.equal(call?.authorization, 'Bearer secret-1');
    const body = JSON.parse(call?.body ?? '') as {
      model: string;
      messages: { content: { type: string; image_url?: { url: string } }[] }[];
    };
    assert.equal(body.model, 'llava');
    assert.equal(body.messages[0]?.content.find((part) => part.type === 'image_url')?.image_url?.url, PICTURE);
  });

  it('sends no key that it was not given', async () => {
    await describeByEndpoint(PICTURE, { baseUrl, model: 'llava' });
    assert.equal(received[0]?.authorization, undefined);
  });

  it('reads a list of parts', async () => {
    answer = json(
      completion([
        { type: 'text', text: 'Two boats' },
        { type: 'text', text: 'on a lake.' },
      ]),
    );
    assert.equal(await describeByEndpoint(PICTURE, { baseUrl, model: 'm' }), 'Two boats on a lake.');
  });

  it('describes a picture file on request only, as a small JPEG', async () => {
    const picture = path.resolve(__dirname, '../../fixtures/pictures/card.png');
    const plain = await describePicture(picture);
    assert.equal(plain.source, 'described');
    assert.match(plain.text, /^A .+ picture .+\.$/);
    assert.equal(received.length, 0, 'the built-in describer sends nothing');
    const seen = await describePicture(picture, { endpoint: { baseUrl, model: 'm' } });
    assert.deepEqual(seen, { text: 'A red bus in a wet street.', source: 'endpoint' });
    assert.match(received[0]?.body ?? '', /"url":"data:image\/jpeg;base64,\/9j\//);
  });

  const failures: [string, Answer, RegExp][] = [
    ['a refused key', json('{"error":{"message":"bad\\u0007 key"}}', 401), /status 401: bad key\. Check the key/],
    ['an unknown model', json('{"error":"model not found"}', 404), /status 404: model not found\. Check the address/],
    ['a model without eyes', json('{"error":{"message":"no images"}}', 400), /Choose a model that sees pictures/],
    ['too many calls', json('{}', 429), /status 429\. Wait/],
    ['an error page', json('<html>oops</html>', 502), /status 502\. Try again/],
    ['no JSON', json('hello'), /form of a chat completion/],
    ['no choices', json('{"choices":[]}'), /form of a chat completion/],
    ['choices of another type', json('{"choices":{"0":{"message":{"content":"x"}}}}'), /form of a chat completion/],
    ['a content that is a number', json(completion(7)), /form of a chat completion/],
    ['an empty sentence', json(completion(' \u202e\u0000 ')), /without a description/],
    ['an endless answer', json(completion('a'.repeat(400_000))), /more than 256 KiB/],
    [
      'a redirect',
      (response) => response.writeHead(307, { location: 'http://127.0.0.1:9/elsewhere' }).end(),
      /cannot be reached|status 307/,
    ],
    ['a broken connection', (response) => response.destroy(), /cannot be reached/],
  ];
  for (const [name, wanted, message] of failures) {
    it(`fails clearly on ${name}`, async () => {
      answer = wanted;
      await assert.rejects(describeByEndpoint(PICTURE, { baseUrl, model: 'm', key: 'secret-2' }), (error: unknown) => {
        assert.ok(error instanceof RestorationError);
        assert.equal(error.code, 'endpoint-failed');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret-2/, 'the key stays out of messages');
        return true;
      });
    });
  }

  it('gives up after its time', async () => {
    answer = () => undefined;
    await assert.rejects(describeByEndpoint(PICTURE, { baseUrl, model: 'm', timeout: 150 }), /within 0\.15 s/);
  });

  it('gives up when the answer stops half way', async () => {
    answer = (response) => response.writeHead(200).write('{"choices":[');
    await assert.rejects(describeByEndpoint(PICTURE, { baseUrl, model: 'm', timeout: 200 }), /within 0\.2 s/);
  });

  it('can be cancelled', async () => {
    answer = () => undefined;
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    await assert.rejects(
      describeByEndpoint(PICTURE, { baseUrl, model: 'm' }, controller.signal),
      (error: unknown) => error instanceof RestorationError && error.code === 'cancelled',
    );
  });

  it('says that nobody listens', async () => {
    await assert.rejects(
      describeByEndpoint(PICTURE, { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' }),
      /cannot be reached \(.+\)\. Check its address/,
    );
  });

  const wrong: [string, unknown, RegExp][] = [
    ['nothing', undefined, /is an object/],
    ['no address', { model: 'm' }, /not a URL/],
    ['an address without a scheme', { baseUrl: 'localhost', model: 'm' }, /not a URL/],
    ['a file address', { baseUrl: 'file:///etc/passwd', model: 'm' }, /not http/],
    ['a secret in the address', { baseUrl: 'https://me:pw@host/v1', model: 'm' }, /user name or password/],
    ['a query', { baseUrl: 'https://host/v1?key=1', model: 'm' }, /query/],
    ['no model', { baseUrl: 'https://host/v1' }, /name of a model/],
    ['a model of two lines', { baseUrl: 'https://host/v1', model: 'a\nb' }, /name of a model/],
    ['a key of two lines', { baseUrl: 'https://host/v1', model: 'm', key: 'a\r\nx: y' }, /key of the endpoint/],
    ['a key over plain http', { baseUrl: 'http://example.org/v1', model: 'm', key: 'k' }, /without encryption/],
    ['a negative timeout', { baseUrl: 'https://host/v1', model: 'm', timeout: -1 }, /timeout/],
    ['a timeout that is no number', { baseUrl: 'https://host/v1', model: 'm', timeout: Number.NaN }, /timeout/],
  ];
  for (const [name, value, message] of wrong) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => checkEndpoint(value),
        (error: unknown) =>
          error instanceof RestorationError && error.code === 'bad-argument' && message.test(error.message),
      );
    });
  }

  it('is read from the environment', () => {
    const environment = { [ENDPOINT_VARIABLES.baseUrl]: baseUrl, [ENDPOINT_VARIABLES.model]: 'llava' };
    assert.deepEqual(endpointFromEnvironment(environment), { baseUrl, model: 'llava' });
    assert.deepEqual(endpointFromEnvironment({ ...environment, [ENDPOINT_VARIABLES.key]: 'k' }).key, 'k');
    assert.throws(() => endpointFromEnvironment({}), /No endpoint is set/);
  });
});
