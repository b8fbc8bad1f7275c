import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeOnnxModel, type GraphSpec } from '../../../src/restoration/models/onnx-writer';

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const image = (dims: (number | string)[], name: string) => ({ name, dims });
const scalar = (name: string, value: number, dims: number[] = [1]) => ({ name, dims, data: Float32Array.of(value) });
/** A further input of the noise network. */
const NOISE = { name: 'noise', dims: [1] };

/** Small networks with a known answer, in the conventions that are found in the wild. */
export const NETWORKS = {
  /** The picture as it is. */
  identity: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'h', 'w'], 'y')],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  },
  /** Every pixel four times. */
  twice: {
    inputs: [image(['n', 3, 'h', 'w'], 'x')],
    outputs: [image(['n', 3, 'h2', 'w2'], 'y')],
    nodes: [{ op: 'Resize', inputs: ['x', '', 'factors'], outputs: ['y'] }],
    initialisers: [{ name: 'factors', dims: [4], data: Float32Array.of(1, 1, 2, 2) }],
  },
  /** Adds 0.25 to the first channel: blue of a BGR tensor. */
  first: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'h', 'w'], 'y')],
    nodes: [{ op: 'Add', inputs: ['x', 'bump'], outputs: ['y'] }],
    initialisers: [{ name: 'bump', dims: [1, 3, 1, 1], data: Float32Array.of(0.25, 0, 0) }],
  },
  /** The same in NHWC, in steps of 255. */
  last: {
    inputs: [image(['n', 'h', 'w', 3], 'x')],
    outputs: [image(['n', 'h', 'w', 3], 'y')],
    nodes: [{ op: 'Add', inputs: ['x', 'bump'], outputs: ['y'] }],
    initialisers: [{ name: 'bump', dims: [3], data: Float32Array.of(64, 0, 0) }],
  },
  /** Halfway to white, for luma alone. */
  luma: {
    inputs: [image([1, 1, 'h', 'w'], 'x')],
    outputs: [image([1, 1, 'h', 'w'], 'y')],
    nodes: [
      { op: 'Mul', inputs: ['x', 'half'], outputs: ['z'] },
      { op: 'Add', inputs: ['z', 'half'], outputs: ['y'] },
    ],
    initialisers: [scalar('half', 0.5)],
  },
  /** A box blur of 9 x 9 at one size only: without what surrounds a tile it would show a seam. */
  fixed: {
    inputs: [image([1, 3, 48, 64], 'x')],
    outputs: [image([1, 3, 48, 64], 'y')],
    nodes: [
      {
        op: 'AveragePool',
        inputs: ['x'],
        outputs: ['y'],
        attributes: { kernel_shape: [9, 9], pads: [4, 4, 4, 4], strides: [1, 1] },
      },
    ],
  },
  /** A blur of 5 x 5 that cuts two pixels from each side. */
  valid: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'oh', 'ow'], 'y')],
    nodes: [
      { op: 'AveragePool', inputs: ['x'], outputs: ['y'], attributes: { kernel_shape: [5, 5], strides: [1, 1] } },
    ],
  },
  /** Adds a second input. */
  noise: {
    inputs: [image([1, 3, 'h', 'w'], 'x'), NOISE],
    outputs: [image([1, 3, 'h', 'w'], 'y')],
    nodes: [{ op: 'Add', inputs: ['x', 'noise'], outputs: ['y'] }],
  },
  /** No numbers at all. */
  nan: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'h', 'w'], 'y')],
    nodes: [
      { op: 'Sub', inputs: ['x', 'two'], outputs: ['negative'] },
      { op: 'Sqrt', inputs: ['negative'], outputs: ['y'] },
    ],
    initialisers: [scalar('two', 2)],
  },
  /** Not the promised size. */
  half: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'oh', 'ow'], 'y')],
    nodes: [
      { op: 'AveragePool', inputs: ['x'], outputs: ['y'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    ],
  },
  /** An operator that needs a plug-in. */
  custom: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'h', 'w'], 'y')],
    nodes: [{ op: 'Deform', domain: 'my.plugin', inputs: ['x'], outputs: ['y'] }],
  },
  /** Eight-bit values in and out. */
  bytes: {
    inputs: [{ name: 'x', dims: [1, 3, 'h', 'w'], type: 'int64' }],
    outputs: [{ name: 'y', dims: [1, 3, 'h', 'w'], type: 'int64' }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  },
  /** Weights beside the model: adds what the file says. */
  external: {
    inputs: [image([1, 3, 'h', 'w'], 'x')],
    outputs: [image([1, 3, 'h', 'w'], 'y')],
    nodes: [{ op: 'Add', inputs: ['x', 'bump'], outputs: ['y'] }],
    initialisers: [{ name: 'bump', dims: [1], external: { location: 'weights.bin', bytes: 4 } }],
  },
} satisfies Record<string, GraphSpec>;

export type NetworkName = keyof typeof NETWORKS;

export interface TestNetworkOptions {
  /** Fields of the manifest, in place of the usual ones. */
  manifest?: Record<string, unknown>;
  /** Further files of the model. */
  files?: Record<string, Uint8Array>;
}

/** The JSON of a manifest for a network's bytes. */
export function networkManifest(
  bytes: Uint8Array,
  { manifest = {}, files = {} }: TestNetworkOptions = {},
): Record<string, unknown> {
  const entries: [string, string, Uint8Array][] = [
    ['network', 'network.onnx', bytes],
    ...Object.entries(files).map(([name, content], i): [string, string, Uint8Array] => [`extra${i}`, name, content]),
  ];
  return {
    schema: 1,
    id: 'test-network',
    name: 'A small network',
    version: '1.0.0',
    license: 'CC0-1.0',
    kind: 'network',
    tasks: ['deblurring', 'low-light'],
    files: Object.fromEntries(
      entries.map(([key, file, content]) => [key, { path: file, sha256: sha256(content), bytes: content.length }]),
    ),
    input: {},
    ...manifest,
  };
}

/** Writes a real network with its manifest into a folder and returns the folder. */
export async function writeTestNetwork(
  folder: string,
  name: NetworkName,
  options: TestNetworkOptions = {},
): Promise<string> {
  const bytes = writeOnnxModel(NETWORKS[name]);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'network.onnx'), bytes);
  for (const [file, content] of Object.entries(options.files ?? {})) await writeFile(path.join(folder, file), content);
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(networkManifest(bytes, options)));
  return folder;
}
