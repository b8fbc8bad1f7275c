import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { brainFloatBits, floatsOfBrainFloats, floatsOfHalves, halfBits } from '../../../src/restoration/adapters/half';
import { mergeVideoAdapters, readVideoAdapter } from '../../../src/restoration/adapters/video-adapter';
import { block, integer, text } from '../../../src/restoration/models/onnx-encode';
import { safetensorsBytes } from '../adapters/write-safetensors';

function bytesOf(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 2);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint16(i * 2, word, true));
  return bytes;
}

const half = (bits: number): number => floatsOfHalves(bytesOf([bits]))[0] as number;
const brain = (bits: number): number => floatsOfBrainFloats(bytesOf([bits]))[0] as number;

describe('writing half precision', () => {
  it('gives back the bits of every half and every bfloat16 that is a number', () => {
    for (let bits = 0; bits < 65536; bits++) {
      if (!Number.isNaN(half(bits))) assert.equal(halfBits(half(bits)), bits);
      else assert.ok(Number.isNaN(half(halfBits(Number.NaN))));
      if (!Number.isNaN(brain(bits))) assert.equal(brainFloatBits(brain(bits)), bits);
    }
  });

  it('rounds to the nearest, halfway cases to even', () => {
    const value = fc.double({ min: -65504, max: 65504, noNaN: true }).map(Math.fround);
    fc.assert(
      fc.property(value, (x) => {
        const bits = halfBits(x);
        const error = Math.abs(half(bits) - x);
        for (const other of [bits - 1, bits + 1]) {
          if (other < 0 || other > 65535 || !Number.isFinite(half(other))) continue;
          const distance = Math.abs(half(other) - x);
          assert.ok(error < distance || (error === distance && bits % 2 === 0), `${x}`);
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
    assert.equal(half(halfBits(65519)), 65504);
    assert.equal(half(halfBits(65520)), Number.POSITIVE_INFINITY);
    assert.equal(half(halfBits(2 ** -25)), 0);
    assert.equal(half(halfBits(3 * 2 ** -25)), 2 ** -23);
    assert.equal(brain(brainFloatBits(1 + 2 ** -8)), 1);
    assert.equal(brain(brainFloatBits(1 + 3 * 2 ** -8)), 1 + 2 ** -6);
  });
});

const OUT = 5;
const IN = 3;

/** A model of one MatMul with its weight [in, out] in half precision in a file beside it, behind 64 bytes of something else. */
function model(type: number): Uint8Array {
  const entry = (key: string, value: string): Uint8Array => block(13, text(1, key), text(2, value));
  const tensor = block(
    5,
    integer(1, IN),
    integer(1, OUT),
    integer(2, type),
    text(8, 'blocks.0.to_q.weight_t'),
    entry('location', 'weights.0'),
    entry('offset', '64'),
    entry('length', String(OUT * IN * 2)),
    integer(14, 1),
  );
  const node = block(1, text(1, 'x'), text(1, 'blocks.0.to_q.weight_t'), text(2, 'y'), text(4, 'MatMul'));
  return block(7, node, tensor);
}

describe('merging into half precision beside a model', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-half-'));
  });
  after(() => rm(folder, { recursive: true }));

  const a = Float32Array.of(1, -2, 0.5, 0.25, 3, -1);
  const b = Float32Array.from({ length: OUT * 2 }, (_, i) => (i - 4) / 8);
  const write = async (name: string, metadata: Record<string, string>, extra = {}): Promise<string> => {
    const file = path.join(folder, name);
    const layer = 'transformer.blocks.0.to_q';
    const tensors = {
      [`${layer}.lora_A.weight`]: { shape: [2, IN], data: a },
      [`${layer}.lora_B.weight`]: { shape: [OUT, 2], data: b },
      ...extra,
    };
    await writeFile(file, safetensorsBytes(tensors, metadata));
    return file;
  };

  it('adds alpha / rank times B A in place, transposed where a MatMul takes it so, and touches nothing else', async () => {
    const settings = JSON.stringify({ 'transformer.r': 2, 'transformer.lora_alpha': 6 });
    const file = await write('peft.safetensors', { lora_adapter_metadata: settings });
    for (const [type, encode, decode] of [
      [10, halfBits, half],
      [16, brainFloatBits, brain],
    ] as const) {
      const weight = Array.from({ length: OUT * IN }, (_, i) => decode(encode((i - 7) / 3)));
      const beside = new Uint8Array(64 + OUT * IN * 2 + 8).fill(9);
      beside.set(bytesOf(weight.map(encode)), 64);
      const adapters = [await readVideoAdapter({ file, scale: 0.5 })];
      const before = model(type);
      const merged = await mergeVideoAdapters(before, new Map([['weights.0', beside]]), adapters, 'tiny');
      assert.ok(Buffer.from(before).equals(merged));
      const words = new DataView(beside.buffer);
      for (let into = 0; into < IN; into++) {
        for (let out = 0; out < OUT; out++) {
          // 0.5 of the user's, 6 / 2 of the file's.
          const change =
            1.5 *
            ((b[out * 2] as number) * (a[into] as number) + (b[out * 2 + 1] as number) * (a[IN + into] as number));
          const at = into * OUT + out;
          assert.equal(words.getUint16(64 + at * 2, true), encode((weight[at] as number) + change), `${into}, ${out}`);
        }
      }
      assert.ok([...beside.subarray(0, 64), ...beside.subarray(64 + OUT * IN * 2)].every((value) => value === 9));
    }
  });

  it('takes alpha from tensors, from rank-stabilised settings, or nothing but the scale, and says so', async () => {
    const strength = async (file: string): Promise<[number | undefined, boolean]> => {
      const { layers, note } = await readVideoAdapter({ file, scale: 2 });
      return [layers[0]?.strength, note !== undefined];
    };
    const alpha = { 'transformer.blocks.0.to_q.alpha': { shape: [], data: Float32Array.of(8) } };
    assert.deepEqual(await strength(await write('alpha.safetensors', {}, alpha)), [8, false]);
    const stable = { r: '2', lora_alpha: '8', use_rslora: 'true' };
    assert.deepEqual(await strength(await write('rs.safetensors', stable)), [16 / Math.sqrt(2), false]);
    assert.deepEqual(await strength(await write('bare.safetensors', {})), [2, true]);
  });

  it('refuses weights that lie outside of their file', async () => {
    const file = await write('plain.safetensors', { r: '2', lora_alpha: '2' });
    const adapters = [await readVideoAdapter({ file, scale: 1 })];
    for (const beside of [new Map<string, Uint8Array>(), new Map([['weights.0', new Uint8Array(70)]])]) {
      await assert.rejects(
        mergeVideoAdapters(model(10), beside, adapters, 'tiny'),
        /tiny (cannot be adapted|could not be read)/,
      );
    }
  });
});
