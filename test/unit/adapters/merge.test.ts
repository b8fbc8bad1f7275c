import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError } from '../../../src/protocol';
import type { LowRankLayer } from '../../../src/restoration/adapters/lora';
import { readAdapter } from '../../../src/restoration/adapters/lora';
import { mergeAdapters, type NetworkChange } from '../../../src/restoration/adapters/merge';
import { SafetensorsFile } from '../../../src/restoration/adapters/safetensors';
import type { InstalledModel, Manifest } from '../../../src/restoration/models/manifest';
import { writeOnnxModel, type GraphSpec } from '../../../src/restoration/models/onnx-writer';
import { Network, type TensorData } from '../../../src/restoration/models/sessions';
import { factors, safetensorsBytes } from './write-safetensors';

/** Numbers that are no multiples of each other. */
function numbers(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));
}

const CONV = { name: 'conv.weight', dims: [4, 3, 3, 3], data: numbers(108, 1) };
const GEMM = { name: 'gemm.weight', dims: [5, 4], data: numbers(20, 2) };
const MATMUL = { name: 'matmul.weight', dims: [4, 5], data: numbers(20, 3) };
/** A convolution, a matrix as Gemm takes it and a transposed one as MatMul does; nothing is shared but `twice`. */
const GRAPH: GraphSpec = {
  inputs: [
    { name: 'image', dims: [1, 3, 6, 7] },
    { name: 'row', dims: [1, 4] },
  ],
  outputs: [
    { name: 'map', dims: [1, 4, 6, 7] },
    { name: 'gemmed', dims: [1, 5] },
    { name: 'multiplied', dims: [1, 5] },
  ],
  nodes: [
    {
      op: 'Conv',
      inputs: ['image', 'conv.weight'],
      outputs: ['map'],
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    },
    { op: 'Gemm', inputs: ['row', 'gemm.weight'], outputs: ['gemmed'], attributes: { transB: 1 } },
    { op: 'MatMul', inputs: ['row', 'matmul.weight'], outputs: ['first'] },
    { op: 'Add', inputs: ['first', 'twice.weight'], outputs: ['second'] },
    { op: 'Add', inputs: ['second', 'twice.weight'], outputs: ['multiplied'] },
  ],
  initialisers: [CONV, GEMM, MATMUL, { name: 'twice.weight', dims: [1, 5], data: new Float32Array(5) }],
};

function layer(name: string, rank: number, outside: number, inside: readonly number[], seed = 5): LowRankLayer {
  const columns = inside.reduce((product, side) => product * side, 1);
  return {
    name,
    rank,
    a: { shape: [rank, ...inside], data: numbers(rank * columns, seed) },
    b: { shape: inside.length > 1 ? [outside, rank, 1, 1] : [outside, rank], data: numbers(outside * rank, seed + 1) },
  };
}

/** W + strength B A, written out. */
function summed(weight: { data: Float32Array }, strength: number, { a, b, rank }: LowRankLayer): Float32Array {
  const columns = a.data.length / rank;
  return weight.data.map((value, i) => {
    let change = 0;
    for (let r = 0; r < rank; r++) {
      change +=
        (b.data[Math.floor(i / columns) * rank + r] as number) * (a.data[r * columns + (i % columns)] as number);
    }
    return value + strength * change;
  });
}

const change = (strength: number, ...layers: LowRankLayer[]): NetworkChange => ({ label: 'test', strength, layers });

describe('merging adapters', () => {
  let folder: string;
  const model = writeOnnxModel(GRAPH);
  const inputs: Record<string, TensorData> = {
    image: { type: 'float32', data: numbers(126, 8), dims: [1, 3, 6, 7] },
    row: { type: 'float32', data: numbers(4, 9), dims: [1, 4] },
  };
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-merge-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function outputs(bytes: Uint8Array): Promise<Record<string, number[]>> {
    await writeFile(path.join(folder, 'n.onnx'), bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const files = { n: { path: 'n.onnx', sha256, bytes: bytes.length } };
    const network = await Network.load({ folder, sha256, manifest: { id: 't', files } as never }, 'n', 'cpu');
    try {
      const result = await network.run(inputs);
      return Object.fromEntries(Object.entries(result).map(([name, { data }]) => [name, [...data]]));
    } finally {
      await network.release();
    }
  }

  function near(a: Record<string, number[]>, b: Record<string, number[]>, tolerance = 1e-5): void {
    assert.deepEqual(Object.keys(a), Object.keys(b));
    for (const name of Object.keys(a)) {
      a[name]!.forEach((value, i) => assert.ok(Math.abs(value - b[name]![i]!) <= tolerance, `${name}[${i}]`));
    }
  }

  it('gives the network that has the sums as its weights', async () => {
    const conv = layer('conv', 2, 4, [3, 3, 3]);
    const gemm = layer('gemm', 3, 5, [4], 6);
    const expected = await outputs(
      writeOnnxModel({
        ...GRAPH,
        initialisers: [
          { ...CONV, data: summed(CONV, 0.7, conv) },
          { ...GEMM, data: summed(GEMM, 0.7, gemm) },
          ...GRAPH.initialisers!.slice(2),
        ],
      }),
    );
    const merged = await outputs(mergeAdapters(model, [change(0.7, conv, gemm)], 'n'));
    near(merged, expected);
    assert.notDeepEqual(merged.map, (await outputs(model)).map);
  });

  it('finds out that MatMul takes its matrix the other way round', async () => {
    const matmul = layer('matmul', 2, 5, [4]);
    const { multiplied } = await outputs(mergeAdapters(model, [change(2, matmul)], 'n'));
    const row = inputs.row!.data as Float32Array;
    const expected = Array.from({ length: 5 }, (_, out) => {
      let sum = 0;
      for (let k = 0; k < 4; k++) {
        let delta = 0;
        for (let r = 0; r < 2; r++) delta += matmul.b.data[out * 2 + r]! * matmul.a.data[r * 4 + k]!;
        sum += row[k]! * (MATMUL.data[k * 5 + out]! + 2 * delta);
      }
      return sum;
    });
    near({ multiplied: multiplied! }, { multiplied: expected });
  });

  it('changes nothing at scale 0, adds several up, and takes one away again', async () => {
    const a = layer('conv', 2, 4, [3, 3, 3]);
    const b = layer('conv', 1, 4, [3, 3, 3], 20);
    const plain = await outputs(model);
    assert.deepEqual(await outputs(mergeAdapters(model, [change(0, a)], 'n')), plain);
    assert.equal(mergeAdapters(model, [], 'n'), model);
    const both = await outputs(mergeAdapters(model, [change(1, a), change(0.5, b)], 'n'));
    const byTurns = mergeAdapters(mergeAdapters(model, [change(1, a)], 'n'), [change(0.5, b)], 'n');
    near(both, await outputs(byTurns));
    near(await outputs(mergeAdapters(byTurns, [change(-1, a), change(-0.5, b)], 'n')), plain);
  });

  const refusals: [name: string, layer: LowRankLayer, problem: RegExp][] = [
    ['a layer that is not there', layer('other', 1, 4, [3, 3, 3]), /n has no layer other/],
    [
      'more outputs than the weight has',
      layer('conv', 1, 5, [3, 3, 3]),
      /is \[5, 3, 3, 3\], the weight is \[4, 3, 3, 3\]/,
    ],
    ['another kernel', layer('conv', 1, 4, [3, 1, 1]), /is \[4, 3, 1, 1\]/],
    ['a matrix for a convolution', layer('conv', 1, 4, [27]), /is \[4, 27\]/],
    ['a weight that two nodes share', layer('twice', 1, 1, [5]), /several layers share it/],
  ];
  for (const [name, wrong, problem] of refusals) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => mergeAdapters(model, [change(1, wrong)], 'n'),
        (error) => error instanceof RestorationError && problem.test(error.message),
      );
    });
  }

  it('refuses what is no network', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(255, 255, 255), model.subarray(0, 100)]) {
      assert.throws(() => mergeAdapters(bytes, [change(1, layer('conv', 1, 4, [3, 3, 3]))], 'n'), {
        code: 'bad-model',
      });
    }
  });

  describe('of the recipe', () => {
    const fixture = path.resolve(__dirname, '../../fixtures/adapter');
    let expected: SafetensorsFile;
    let installed: InstalledModel;
    before(async () => {
      expected = await SafetensorsFile.open(path.join(fixture, 'expected.safetensors'));
      const manifest = JSON.parse(await readFile(path.join(fixture, 'manifest.json'), 'utf8')) as Manifest;
      installed = { folder: fixture, manifest, sha256: '' };
    });
    after(() => expected.close());

    async function tensor(name: string): Promise<TensorData & { type: 'float32' }> {
      const { shape, data } = await expected.floats(name);
      return { type: 'float32', data, dims: shape };
    }

    for (const [name, scales] of [
      ['base', []],
      ['adapted', [1]],
      ['half', [0.5]],
      ['two', [1, -0.5]],
    ] as const) {
      it(`gives the frames of PyTorch: ${name}`, async () => {
        const adapters = await Promise.all(
          scales.map((scale) => readAdapter({ file: path.join(fixture, 'adapter.safetensors'), scale })),
        );
        const part = (which: 'trunk' | 'head'): Promise<Network> =>
          Network.load(installed, `deblurring-${which}`, 'cpu', (bytes, label) =>
            mergeAdapters(
              bytes,
              adapters.map((adapter) => ({
                ...adapter,
                layers: adapter.layers
                  .filter((each) => each.name.startsWith(`${which}.`))
                  .map((each) => ({ ...each, name: each.name.slice(which.length + 1) })),
              })),
              label,
            ),
          );
        const [trunk, head] = await Promise.all([part('trunk'), part('head')]);
        const [image, thumbnail, prompt, frame, plain] = await Promise.all(
          ['image', 'thumbnail', 'prompt', `frame.${name}`, 'frame.base'].map(tensor),
        );
        const { features } = await trunk.run({ image: image!, thumbnail: thumbnail!, prompt: prompt! });
        const severity = { type: 'float32' as const, data: Float32Array.of(0.25), dims: [1, 1] };
        const result = await head.run({
          image: image!,
          features: { type: 'float32', ...features! },
          prompt: prompt!,
          severity,
        });
        const worst = (a: Float32Array, b: Float32Array): number =>
          a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);
        assert.ok(worst(result.frame!.data, frame!.data) < 1e-4, `${worst(result.frame!.data, frame!.data)}`);
        // The adapter is strong enough for a mistake to show.
        if (scales.length > 0) assert.ok(worst(frame!.data, plain!.data) > 0.005, `${worst(frame!.data, plain!.data)}`);
        await Promise.all([trunk.release(), head.release()]);
      });
    }
  });

  describe('files', () => {
    const metadata = { r: '2', lora_alpha: '4' };
    const a = { shape: [2, 3, 3, 3], data: numbers(54, 1) };
    const b = { shape: [4, 2, 1, 1], data: numbers(8, 2) };

    async function read(bytes: Uint8Array, scale = 1): ReturnType<typeof readAdapter> {
      const file = path.join(folder, 'mine.safetensors');
      await writeFile(file, bytes);
      return readAdapter({ file, scale });
    }

    it('are read in the layout of PEFT, with and without the name of the adapter', async () => {
      const { layers, strength, record } = await read(safetensorsBytes(factors('trunk.last', a, b), metadata), 0.25);
      assert.equal(strength, 0.5);
      assert.equal(record.file, 'mine.safetensors');
      assert.deepEqual(layers, [{ name: 'trunk.last', rank: 2, a, b }]);
      const named = { 'trunk.last.lora_A.default.weight': a, 'trunk.last.lora_B.default.weight': b };
      assert.deepEqual((await read(safetensorsBytes(named, metadata))).layers, layers);
    });

    const wrong: [name: string, bytes: () => Uint8Array, problem: RegExp][] = [
      ['no adapter at all', () => Buffer.from('PK\u0003\u0004 a zip archive'), /not a valid safetensors file/],
      ['nothing', () => safetensorsBytes({}, metadata), /it is empty/],
      [
        'other tensors',
        () => safetensorsBytes({ 'trunk.last.weight': a }, metadata),
        /trunk\.last\.weight, which is no part/,
      ],
      ['half a pair', () => safetensorsBytes({ 'trunk.last.lora_A.weight': a }, metadata), /has no lora_B/],
      [
        'a layer twice',
        () => safetensorsBytes({ ...factors('last', a, b), 'last.lora_A.weight': a }, metadata),
        /last more than once/,
      ],
      ['no rank', () => safetensorsBytes(factors('last', a, b), { lora_alpha: '4' }), /do not say "r"/],
      ['a rank of 0', () => safetensorsBytes(factors('last', a, b), { r: '0', lora_alpha: '4' }), /do not say "r"/],
      [
        'factors of different rank',
        () => safetensorsBytes(factors('last', a, { shape: [8, 1, 1, 1], data: b.data }), metadata),
        /do not belong together/,
      ],
      [
        'infinite values',
        () => safetensorsBytes(factors('last', a, { ...b, data: b.data.map(() => Infinity) }), metadata),
        /not finite/,
      ],
    ];
    for (const [name, bytes, problem] of wrong) {
      it(`are refused with ${name}`, () =>
        assert.rejects(
          read(bytes()),
          (error) => error instanceof RestorationError && error.code === 'bad-adapter' && problem.test(error.message),
        ));
    }
  });
});
