import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { RestorationError } from '../../../src/protocol';
import { SafetensorsFile } from '../../../src/restoration/adapters/safetensors';
import { safetensorsBytes, withHeader } from './write-safetensors';

describe('safetensors', () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-safetensors-'));
    file = path.join(folder, 'a.safetensors');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Opens bytes as a file, and closes it afterwards. */
  async function opened<T>(bytes: Uint8Array, use: (file: SafetensorsFile) => Promise<T> | T): Promise<T> {
    await writeFile(file, bytes);
    const read = await SafetensorsFile.open(file);
    try {
      return await use(read);
    } finally {
      await read.close();
    }
  }

  async function refuses(bytes: Uint8Array, problem: RegExp): Promise<void> {
    await assert.rejects(
      opened(bytes, () => undefined),
      (error) => error instanceof RestorationError && error.code === 'bad-adapter' && problem.test(error.message),
    );
  }

  const pair = {
    first: { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-20, 6) },
    second: { shape: [], data: Float32Array.of(7) },
  };

  it('gives metadata, shapes and values', async () => {
    const bytes = safetensorsBytes(pair, { r: '4', format: 'pt' });
    await opened(bytes, async (read) => {
      assert.deepEqual(
        [...read.header.metadata],
        [
          ['r', '4'],
          ['format', 'pt'],
        ],
      );
      assert.deepEqual([...read.header.tensors.keys()], ['first', 'second']);
      assert.deepEqual(await read.floats('first'), { shape: [2, 3], data: pair.first.data });
      assert.deepEqual(await read.floats('second'), { shape: [], data: pair.second.data });
      assert.equal(await read.sha256(), createHash('sha256').update(bytes).digest('hex'));
    });
  });

  it('reads half precision and bfloat16', async () => {
    const halves = Uint8Array.from([0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b, 0x55, 0x35, 0x00, 0x7c]);
    const brains = Uint8Array.from([0x80, 0x3f, 0x49, 0xc0]);
    const tensors = {
      half: { shape: [6], data: halves, dtype: 'F16' },
      brain: { shape: [2], data: brains, dtype: 'BF16' },
      whole: { shape: [1], data: new Uint8Array(8), dtype: 'I64' },
    };
    await opened(safetensorsBytes(tensors), async (read) => {
      const { data } = await read.floats('half');
      assert.deepEqual([...data], [1, -2, 2 ** -24, 65504, 0.333251953125, Infinity]);
      assert.deepEqual([...(await read.floats('brain')).data], [1, -3.140625]);
      await assert.rejects(read.floats('whole'), /whole" is I64; F16, BF16 or F32 was expected/);
      await assert.rejects(read.floats('none'), /no tensor "none"/);
    });
  });

  it('takes spaces behind the header and tensors without values', async () => {
    const header = '{"empty":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]}}    ';
    const { data } = await opened(withHeader(header, new Uint8Array(0)), (read) => read.floats('empty'));
    assert.equal(data.length, 0);
  });

  const one = (entry: object): string =>
    JSON.stringify({ t: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...entry } });
  const eight = new Uint8Array(8);
  const bad: [name: string, bytes: () => Uint8Array, problem: RegExp][] = [
    ['an empty file', () => new Uint8Array(0), /too short/],
    ['a header longer than the file', () => Buffer.from('ffffff0000000000', 'hex'), /said to have 16777215 bytes/],
    ['a header of 2^63 bytes', () => Buffer.from('0000000000000080', 'hex'), /said to have 9223372036854775808/],
    ['a header that is no JSON', () => withHeader('{"t":', eight), /header is not JSON/],
    ['a header that is no UTF-8', () => withHeader('{}', eight).fill(0xff, 9, 10), /header is not JSON/],
    ['spaces in front of the header', () => withHeader(' {}', new Uint8Array(0)), /header is not JSON/],
    ['a header that is a list', () => withHeader('[]', new Uint8Array(0)), /header is not JSON/],
    ['metadata with a number', () => withHeader('{"__metadata__":{"r":4}}', new Uint8Array(0)), /at "r"/],
    ['an unknown type', () => withHeader(one({ dtype: 'F3' }), eight), /unknown type "F3"/],
    ['a type out of the prototype', () => withHeader(one({ dtype: 'toString' }), eight), /unknown type/],
    ['a negative side', () => withHeader(one({ shape: [-2] }), eight), /not a list of lengths/],
    ['a fraction as a side', () => withHeader(one({ shape: [1.5] }), eight), /not a list of lengths/],
    ['a shape that overflows', () => withHeader(one({ shape: [2 ** 40, 2 ** 40] }), eight), /takes .* bytes, not 8/],
    ['a shape of other size', () => withHeader(one({ shape: [3] }), eight), /takes 12 bytes, not 8/],
    ['offsets in the wrong order', () => withHeader(one({ data_offsets: [8, 0] }), eight), /takes 8 bytes, not -8/],
    ['negative offsets', () => withHeader(one({ data_offsets: [-8, 0] }), eight), /not two positions/],
    ['a tensor behind the end', () => withHeader(one({}), new Uint8Array(6)), /ends 2 bytes behind/],
    ['bytes that nobody owns', () => withHeader(one({}), new Uint8Array(9)), /1 bytes at its end/],
    ['a gap', () => withHeader(one({ data_offsets: [4, 12] }), new Uint8Array(12)), /owns the bytes before/],
    [
      'tensors on each other',
      () =>
        withHeader(
          '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
          eight,
        ),
      /"b" lies on another/,
    ],
    [
      'a name given twice',
      () =>
        withHeader(
          '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
          eight,
        ),
      /owns the bytes before/,
    ],
  ];
  for (const [name, bytes, problem] of bad) it(`refuses ${name}`, () => refuses(bytes(), problem));

  it('refuses a file that is not there, a folder and one that is too large', async () => {
    await assert.rejects(SafetensorsFile.open(path.join(folder, 'none')), { code: 'missing-file' });
    await assert.rejects(SafetensorsFile.open(folder), RestorationError);
    await writeFile(file, safetensorsBytes(pair));
    await assert.rejects(SafetensorsFile.open(file, 100), /at most 100 are accepted/);
  });

  it('answers any change of any bytes with an error or with a file that fits together', async () => {
    const whole = safetensorsBytes(pair, { r: '4' });
    const change = fc.record({ at: fc.nat(whole.length - 1), by: fc.integer({ min: 0, max: 255 }) });
    const changes = fc.array(change, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(changes, fc.integer({ min: -12, max: 12 }), async (list, more) => {
        const longer = Buffer.concat([whole, Buffer.alloc(Math.max(0, more))]);
        const bytes = Buffer.from(more < 0 ? whole.subarray(0, more) : longer);
        for (const { at, by } of list) if (at < bytes.length) bytes[at] = by;
        try {
          await opened(bytes, async (read) => {
            for (const [name, { dtype, shape, begin, end }] of read.header.tensors) {
              assert.ok(begin >= 0 && begin <= end && end <= bytes.length);
              const count = shape.reduce((product, side) => product * side, 1);
              if (['F16', 'BF16', 'F32'].includes(dtype)) assert.equal((await read.floats(name)).data.length, count);
              else await assert.rejects(read.floats(name), RestorationError);
            }
          });
        } catch (error) {
          assert.ok(error instanceof RestorationError, String(error));
        }
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});
