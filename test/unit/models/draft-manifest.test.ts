import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RestorationError, TASKS, type NetworkHints } from '../../../src/protocol';
import { writeOnnxModel, type GraphSpec } from '../../../src/restoration/models/onnx-writer';
import { draftManifest } from '../../../src/restoration/network/draft-manifest';
import { NETWORKS, sha256 } from './test-network';

const image = (dims: (number | string)[], name: string) => ({ name, dims });

/** Networks that only a run tells apart. */
const MORE = {
  /** Shrinks by four and enlarges again: only sides divisible by 4 come back as they were. */
  pyramid: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'oh', 'ow'], 'y')],
    nodes: [
      { op: 'AveragePool', inputs: ['x'], outputs: ['s'], attributes: { kernel_shape: [4, 4], strides: [4, 4] } },
      { op: 'Resize', inputs: ['s', '', 'factors'], outputs: ['y'] },
    ],
    initialisers: [{ name: 'factors', dims: [4], data: Float32Array.of(1, 1, 4, 4) }],
  },
  /** Clips to 0 to 255 after adding 8: nonsense for values up to 1. */
  levels: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'h', 'w'], 'y')],
    nodes: [{ op: 'Add', inputs: ['x', 'bump'], outputs: ['y'] }],
    initialisers: [{ name: 'bump', dims: [1], data: Float32Array.of(8) }],
  },
  /** Enlarges twice, then cuts four pixels from each side. */
  cutting: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'oh', 'ow'], 'y')],
    nodes: [
      { op: 'Resize', inputs: ['x', '', 'factors'], outputs: ['large'] },
      { op: 'AveragePool', inputs: ['large'], outputs: ['y'], attributes: { kernel_shape: [9, 9], strides: [1, 1] } },
    ],
    initialisers: [{ name: 'factors', dims: [4], data: Float32Array.of(1, 1, 2, 2) }],
  },
  /** A vector is no picture. */
  classifier: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3], 'y')],
    nodes: [{ op: 'ReduceMean', inputs: ['x'], outputs: ['y'], attributes: { axes: [2, 3], keepdims: 0 } }],
  },
} satisfies Record<string, GraphSpec>;

interface Draft {
  tasks: string[];
  scale?: number;
  files: Record<string, { path: string; sha256: string; bytes: number }>;
  input: Record<string, unknown>;
  output: Record<string, unknown>;
  constants?: unknown[];
}

describe('manifests of networks in one file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'pir-draft-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function draft(spec: GraphSpec, hints?: NetworkHints): Promise<Draft & { notes: string }> {
    const file = path.join(folder, 'My_Network v2.onnx');
    await writeFile(file, writeOnnxModel(spec));
    const { manifest, notes } = await draftManifest(file, 'cpu', hints);
    assert.equal(manifest.id, hints?.id ?? 'my-network-v2');
    return { ...(manifest as unknown as Draft), notes: notes.join(' ') };
  }

  it('name files, tensors and tasks', async () => {
    const bytes = writeOnnxModel(NETWORKS.identity);
    const { files, input, output, tasks, notes } = await draft(NETWORKS.identity);
    assert.deepEqual(files, {
      network: { path: 'My_Network v2.onnx', sha256: sha256(bytes), bytes: bytes.length },
    });
    assert.deepEqual(input, { name: 'x', layout: 'NCHW', channels: 'RGB', range: [0, 1] });
    assert.equal(output.name, 'y');
    assert.deepEqual(tasks, [...TASKS]);
    assert.match(notes, /taken as RGB; if the colours of the result are wrong, it is BGR/);
    assert.match(notes, /Values were taken as 0 to 1/);
  });

  it('find the scale, the layout and the fixed size', async () => {
    const twice = await draft(NETWORKS.twice);
    assert.deepEqual([twice.scale, twice.tasks], [2, ['super-resolution']]);
    assert.equal((await draft(NETWORKS.last)).input.layout, 'NHWC');
    assert.equal((await draft(NETWORKS.luma)).input.channels, 'Y');
    assert.deepEqual((await draft(NETWORKS.fixed)).input.size, { width: 64, height: 48 });
  });

  it('find what sides have to be divisible by, and what is cut', async () => {
    assert.equal((await draft(MORE.pyramid)).input.multiple, 4);
    const valid = await draft(NETWORKS.valid);
    assert.deepEqual([valid.input.border, valid.output.cropped], [2, 2]);
    const cutting = await draft(MORE.cutting);
    assert.deepEqual([cutting.scale, cutting.input.border, cutting.output.cropped], [2, 2, 4]);
  });

  it('find the range by a run', async () => {
    const levels = await draft(MORE.levels);
    assert.deepEqual(
      [levels.input.range, levels.output.range],
      [
        [0, 255],
        [0, 255],
      ],
    );
    assert.match(levels.notes, /Values were taken as 0 to 255, by a run/);
  });

  it('give further inputs a value to look at', async () => {
    const noise = await draft(NETWORKS.noise);
    assert.deepEqual(noise.constants, [{ name: 'noise', type: 'float32', dims: [1], values: [0] }]);
    assert.match(noise.notes, /further input noise was set to 0/);
  });

  it('take hints', async () => {
    const hinted = await draft(NETWORKS.identity, {
      id: 'other',
      tasks: ['low-light'],
      license: 'MIT',
      channels: 'BGR',
      range: [-1, 1],
    });
    assert.deepEqual([hinted.tasks, hinted.input.channels, hinted.input.range], [['low-light'], 'BGR', [-1, 1]]);
    assert.equal(hinted.notes, '');
  });

  it('list the weights beside the network, and none from elsewhere', async () => {
    await writeFile(path.join(folder, 'weights.bin'), new Uint8Array(4));
    const { files } = await draft(NETWORKS.external);
    assert.deepEqual(
      Object.values(files).map((entry) => entry.path),
      ['My_Network v2.onnx', 'weights.bin'],
    );
    await rm(path.join(folder, 'weights.bin'));
    await assert.rejects(draft(NETWORKS.external), /its weights "weights\.bin" are not beside it/);
    await symlink('/etc/hostname', path.join(folder, 'weights.bin'));
    await assert.rejects(draft(NETWORKS.external), /its weights "weights\.bin" lie outside of its folder/);
  });

  const refused: [string, GraphSpec, RegExp][] = [
    ['a classifier', MORE.classifier, /none of its outputs could be a picture: y \(float32 \[1, 3\]\)/],
    ['values that are not float32', NETWORKS.bytes, /none of its inputs could be a picture: x \(int64/],
    ['a custom operator', NETWORKS.custom, /custom operator my\.plugin\.Deform/],
    ['a result of half the size', NETWORKS.half, /another size than one to eight times the input/],
  ];
  for (const [what, spec, message] of refused) {
    it(`are not made for ${what}`, async () => {
      const error = await draft(spec).then(
        () => assert.fail('it was accepted'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof RestorationError && error.code === 'bad-model', String(error));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /undefined|\[object/);
    });
  }

  const broken: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /is not an ONNX model/],
    ['a text', Buffer.from('these are not weights'), /is not an ONNX model/],
    ['half a model', writeOnnxModel(NETWORKS.identity).subarray(0, 40), /is not an ONNX model/],
  ];
  for (const [what, bytes, message] of broken) {
    it(`are not made for ${what}`, async () => {
      const file = path.join(folder, 'a.onnx');
      await writeFile(file, bytes);
      await assert.rejects(draftManifest(file, 'cpu'), message);
    });
  }

  it('are not made for nothing', async () => {
    await assert.rejects(draftManifest(path.join(folder, 'none.onnx'), 'cpu'), /does not exist or is not a file/);
    await assert.rejects(draftManifest(folder, 'cpu'), /does not exist or is not a file/);
  });
});
