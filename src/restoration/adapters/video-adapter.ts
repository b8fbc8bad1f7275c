import type { AdapterRecord, AdapterWish } from '../../protocol';
import { isFiniteNumber, isObject } from '../../protocol/checks';
import { MatrixProduct } from '../models/matrix-product';
import { OnnxWeights, type StoredWeight } from '../models/onnx-weights';
import { brainFloatBits, floatsOfBrainFloats, floatsOfHalves, floatsOfSingles, halfBits } from './half';
import { readLowRankFile, refusedAdapter, type LowRankLayer } from './lora';

/** Before a layer's name in files of diffusers and of PEFT. */
const PREFIXES = ['base_model.model.transformer.', 'base_model.model.', 'transformer.'];
/** Where diffusers keeps the settings of an adapter, as JSON. */
const SETTINGS = 'lora_adapter_metadata';

/** A LoRA adapter of a video transformer. It acts whatever the task is. */
export interface VideoAdapter {
  kind: 'video';
  record: AdapterRecord;
  label: string;
  task?: undefined;
  /** Strength of a layer: scale * alpha / rank. */
  layers: (LowRankLayer & { strength: number })[];
  /** Said in the record: the file does not tell how strong it is. */
  note?: string;
}

/** What an adapter's file says about its strength. */
interface Strength {
  alpha?: number;
  /** alpha / sqrt(rank), rank-stabilised LoRA (Kalajdzievski, arXiv 2312.03732). */
  stabilised: boolean;
}

function positiveNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return isFiniteNumber(number) && number > 0 ? number : undefined;
}

function parsedObject(json: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** `lora_alpha` from the metadata themselves, or from the JSON of diffusers, whose keys begin with the part's name. */
function strengthOf(metadata: ReadonlyMap<string, string>, label: string): Strength {
  let settings: Record<string, unknown> = Object.fromEntries(metadata);
  const json = metadata.get(SETTINGS);
  if (json !== undefined) {
    const parsed = parsedObject(json);
    if (!parsed) throw refusedAdapter(label, `its "${SETTINGS}" is not a JSON object`, 'Save the adapter again.');
    settings = { ...settings, ...parsed };
  }
  const read = (name: string): unknown => settings[name] ?? settings[`transformer.${name}`];
  const patterns = read('alpha_pattern');
  if (isObject(patterns) && Object.keys(patterns).length > 0) {
    throw refusedAdapter(label, 'it has another alpha for some layers', 'Train it with one alpha for all layers.');
  }
  const alpha = positiveNumber(read('lora_alpha'));
  return {
    ...(alpha === undefined ? {} : { alpha }),
    stabilised: read('use_rslora') === true || read('use_rslora') === 'true',
  };
}

/**
 * Reads a LoRA adapter as diffusers and PEFT save it. alpha / rank comes from its metadata or from alpha tensors; without
 * either it acts with the caller's scale alone, and a note says so.
 *
 * @throws RestorationError `missing-file`, or `bad-adapter` when it is no such adapter
 */
export async function readVideoAdapter({ file, scale }: AdapterWish): Promise<VideoAdapter> {
  const { label, sha256, layers, alphas, metadata } = await readLowRankFile(file, PREFIXES);
  const { alpha, stabilised } = strengthOf(metadata, label);
  let unsaid = false;
  const strong = layers.map((layer) => {
    const own = alphas.get(layer.name) ?? alpha;
    if (own === undefined) unsaid = true;
    const factor = own === undefined ? 1 : own / (stabilised ? Math.sqrt(layer.rank) : layer.rank);
    return { ...layer, strength: scale * factor };
  });
  return {
    kind: 'video',
    record: { file: label, sha256, scale },
    label,
    layers: strong,
    ...(unsaid
      ? { note: `Adapter ${label} does not say its alpha; it acted with the scale ${scale} in place of alpha / rank.` }
      : {}),
  };
}

const CODECS = {
  float32: { read: floatsOfSingles, write: undefined },
  float16: { read: floatsOfHalves, write: halfBits },
  bfloat16: { read: floatsOfBrainFloats, write: brainFloatBits },
} as const;

/** W += change, in place and in the weight's own precision. Both are matrices of the same layout. */
function addInPlace({ raw, type }: StoredWeight, change: Float32Array): void {
  const { read, write } = CODECS[type];
  const values = read(raw);
  const bytes = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  for (let i = 0; i < values.length; i++) {
    const sum = (values[i] as number) + (change[i] as number);
    if (write) bytes.setUint16(i * 2, write(sum), true);
    else bytes.setFloat32(i * 4, sum, true);
  }
}

/** r x in turned to in x r, or any matrix. */
function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = data[row * columns + column] as number;
  }
  return result;
}

/**
 * Merges adapters into a transformer while it is loaded: W + strength * B A for every layer they name. Weights that lie in
 * files beside the model are changed in memory, in the buffers that the runtime is given in place of the files, and keep
 * their precision; nothing is written to the disk.
 *
 * @param model bytes of an ONNX model whose weights are called `LAYER.weight` ([out, in], or [in, out] where a MatMul takes
 *   them) or `LAYER.weight_t`
 * @param beside contents of the files beside it, changed in place
 * @returns the model; a copy when its own bytes had to be changed
 * @throws RestorationError `bad-adapter` when a layer is not there or has another shape
 */
export async function mergeVideoAdapters(
  model: Uint8Array,
  beside: ReadonlyMap<string, Uint8Array>,
  adapters: readonly VideoAdapter[],
  label: string,
): Promise<Uint8Array> {
  if (adapters.length === 0) return model;
  const bytes = Uint8Array.from(model);
  const weights = OnnxWeights.read(bytes, label, beside);
  const product = new MatrixProduct();
  // Everything is checked before anything is changed.
  const found = adapters.flatMap(({ layers, label: adapter }) =>
    layers.map((layer) => ({ layer, weight: weightOf(weights, layer, adapter, label) })),
  );
  try {
    for (const { layer, weight } of found) {
      if (layer.strength === 0) continue;
      const [out, into] = [layer.b.shape[0] as number, layer.a.shape[1] as number];
      const { rank, strength } = layer;
      const b = layer.b.data.map((value) => value * strength);
      const change = weight.transposed
        ? await product.multiply(
            { data: transpose(layer.a.data, rank, into), shape: [into, rank] },
            { data: transpose(b, out, rank), shape: [rank, out] },
          )
        : await product.multiply({ data: b, shape: [out, rank] }, { data: layer.a.data, shape: [rank, into] });
      addInPlace(weight, change);
    }
  } finally {
    await product.release();
  }
  return bytes;
}

function weightOf(weights: OnnxWeights, layer: LowRankLayer, adapter: string, label: string): StoredWeight {
  const weight = weights.get(`${layer.name}.weight`) ?? weights.get(`${layer.name}.weight_t`);
  if (!weight)
    throw refusedAdapter(adapter, `${label} has no layer ${layer.name}`, 'Choose the model it was made for.');
  const { dims, transposed } = weight;
  const usual = transposed ? [dims[1], dims[0]] : dims;
  const product = [layer.b.shape[0], ...layer.a.shape.slice(1)];
  if (product.length !== 2 || usual.length !== 2 || product.some((side, i) => side !== usual[i])) {
    throw refusedAdapter(
      adapter,
      `its change of ${layer.name} is [${product.join(', ')}], the weight is [${usual.join(', ')}]`,
      'Choose the model it was made for.',
    );
  }
  return weight;
}
