import { RestorationError } from '../../protocol';
import { block, integer, rewritten, text as textField } from './onnx-encode';
import { Malformed, fieldsOf } from './onnx-graph';

/**
 * Weights of an ONNX model: read by name, and written back changed. Only weights that stand as raw data in the model's own
 * bytes, or in files beside it that are given, are reached (every exporter writes them so); all else is copied as it is. Field
 * numbers are those of onnx.proto (ONNX 1.16).
 */

const FLOAT = 1;
const FLOAT16 = 10;
const BFLOAT16 = 16;

/** A weight as it stands in the model. */
export interface StoredWeight {
  dims: readonly number[];
  type: 'float32' | 'float16' | 'bfloat16';
  /** Little-endian; a view of the model's bytes or of the file beside it. */
  raw: Uint8Array;
  /** A matrix of [in, out], as MatMul takes it, where [out, in] is usual. */
  transposed: boolean;
}

interface Tensor {
  name: string;
  dims: number[];
  type: number;
  raw: Uint8Array | undefined;
}

interface Node {
  operator: string;
  inputs: string[];
  outputs: string[];
  transposesB: boolean;
}

function text(bytes: Uint8Array | undefined): string {
  if (!bytes) throw new Malformed();
  return new TextDecoder().decode(bytes);
}

/** A packed list of varints, or one that is not packed. */
function dimsOf(value: number, bytes: Uint8Array | undefined): number[] {
  if (!bytes) return [value];
  const dims: number[] = [];
  for (let at = 0; at < bytes.length;) {
    let dim = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || factor > 2 ** 49) throw new Malformed();
      dim += (byte & 127) * factor;
      if (byte < 128) break;
    }
    dims.push(dim);
  }
  return dims;
}

/** Where the values of a tensor lie in the files beside the model: external_data = 13 { key = 1, value = 2 }. */
function externalRaw(
  entries: ReadonlyMap<string, string>,
  files: ReadonlyMap<string, Uint8Array>,
): Uint8Array | undefined {
  const file = files.get(entries.get('location') ?? '');
  if (!file) return undefined;
  const start = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? file.length - start);
  if (![start, length].every((value) => Number.isSafeInteger(value) && value >= 0) || start + length > file.length) {
    throw new Malformed();
  }
  return file.subarray(start, start + length);
}

/** TensorProto: dims = 1, data_type = 2, name = 8, raw_data = 9, external_data = 13. */
function tensorOf(message: Uint8Array, files: ReadonlyMap<string, Uint8Array> = new Map()): Tensor {
  const tensor: Tensor = { name: '', dims: [], type: 0, raw: undefined };
  const external = new Map<string, string>();
  for (const { number, value, bytes } of fieldsOf(message)) {
    if (number === 1) tensor.dims.push(...dimsOf(value, bytes));
    if (number === 2) tensor.type = value;
    if (number === 8) tensor.name = text(bytes);
    if (number === 9) tensor.raw = bytes;
    if (number !== 13 || !bytes) continue;
    const entry = ['', ''];
    for (const part of fieldsOf(bytes))
      if (part.number === 1 || part.number === 2) entry[part.number - 1] = text(part.bytes);
    external.set(entry[0] as string, entry[1] as string);
  }
  if (external.size > 0) tensor.raw = externalRaw(external, files);
  return tensor;
}

/** NodeProto: input = 1, output = 2, op_type = 4, attribute = 5 { name = 1, i = 3 }. */
function nodeOf(message: Uint8Array): Node {
  const node: Node = { operator: '', inputs: [], outputs: [], transposesB: false };
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) node.inputs.push(text(bytes));
    if (number === 2) node.outputs.push(text(bytes));
    if (number === 4) node.operator = text(bytes);
    if (number !== 5 || !bytes) continue;
    let name = '';
    let whole = 0;
    for (const part of fieldsOf(bytes)) {
      if (part.number === 1) name = text(part.bytes);
      if (part.number === 3) whole = part.value;
    }
    if (name === 'transB') node.transposesB = whole !== 0;
  }
  return node;
}

/** The graph of a model: ModelProto { graph = 7 { node = 1, initializer = 5 } }. */
function graphOf(model: Uint8Array): Uint8Array {
  for (const { number, bytes } of fieldsOf(model)) if (number === 7 && bytes) return bytes;
  throw new Malformed();
}

function reading<T>(label: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new RestorationError('bad-model', `The weights of ${label} could not be read.`, 'Install the model again.', {
      cause: error,
    });
  }
}

/** The weights of a model by the names under which its nodes use them. */
export class OnnxWeights {
  private readonly tensors = new Map<string, Tensor>();
  /** Nodes that take a value, by its name. */
  private readonly consumers = new Map<string, { node: Node; place: number }[]>();
  /** Half-precision weights are stored under another name and converted: name that is used -> name that is stored. */
  private readonly casts = new Map<string, string>();

  private constructor(private readonly label: string) {}

  /**
   * @param files contents of the files beside the model, by the names under which it knows them
   * @throws RestorationError `bad-model` when the bytes are no ONNX model
   */
  static read(model: Uint8Array, label: string, files: ReadonlyMap<string, Uint8Array> = new Map()): OnnxWeights {
    const weights = new OnnxWeights(label);
    return reading(label, () => {
      for (const { number, bytes } of fieldsOf(graphOf(model))) {
        if (number === 1 && bytes) weights.addNode(nodeOf(bytes));
        if (number === 5 && bytes) {
          const tensor = tensorOf(bytes, files);
          weights.tensors.set(tensor.name, tensor);
        }
      }
      return weights;
    });
  }

  private addNode(node: Node): void {
    node.inputs.forEach((input, place) => {
      const list = this.consumers.get(input) ?? [];
      list.push({ node, place });
      this.consumers.set(input, list);
    });
    const [output] = node.outputs;
    const [input] = node.inputs;
    if (node.operator === 'Cast' && input !== undefined && output !== undefined) this.casts.set(output, input);
  }

  /** Names of all weights, as nodes use them. */
  get names(): string[] {
    const converted = new Map([...this.casts].map(([used, stored]) => [stored, used]));
    return [...this.tensors.keys()].map((name) => converted.get(name) ?? name);
  }

  /** Under which name a weight is stored. */
  storedName(name: string): string | undefined {
    if (this.tensors.has(name)) return name;
    const stored = this.casts.get(name);
    return stored !== undefined && this.tensors.has(stored) ? stored : undefined;
  }

  /**
   * A weight, or undefined when the model has none of that name.
   *
   * @throws RestorationError `bad-model` when it is no list of floating-point numbers in the bytes that were given, or when
   *   several nodes share it, so that it could not be changed for one of them
   */
  get(name: string): StoredWeight | undefined {
    const stored = this.storedName(name);
    const tensor = stored === undefined ? undefined : this.tensors.get(stored);
    if (!tensor || stored === undefined) return undefined;
    const types: Record<number, StoredWeight['type']> = {
      [FLOAT]: 'float32',
      [FLOAT16]: 'float16',
      [BFLOAT16]: 'bfloat16',
    };
    const type = types[tensor.type];
    const count = tensor.dims.reduce((product, side) => product * side, 1);
    if (!type || !tensor.raw || tensor.raw.length !== count * (type === 'float32' ? 4 : 2)) {
      throw this.unsuitable(name, 'it is not stored as floating-point numbers in the model or beside it');
    }
    let users = this.consumers.get(name) ?? [];
    // A weight in half precision may be asked for by the name under which it is stored: the node behind its conversion counts.
    while (users.length === 1 && users[0]?.node.operator === 'Cast') {
      users = this.consumers.get(users[0].node.outputs[0] ?? '') ?? [];
    }
    const others = stored === name ? [] : (this.consumers.get(stored) ?? []).slice(1);
    if (users.length !== 1 || others.length > 0) throw this.unsuitable(name, 'several layers share it');
    const { node, place } = users[0] as (typeof users)[number];
    const transposed = place === 1 && (node.operator === 'MatMul' || (node.operator === 'Gemm' && !node.transposesB));
    return { dims: tensor.dims, type, raw: tensor.raw, transposed };
  }

  private unsuitable(name: string, problem: string): RestorationError {
    return new RestorationError(
      'bad-model',
      `Weight ${name} of ${this.label} cannot be adapted: ${problem}.`,
      'Export the model with a weight of its own for every layer.',
    );
  }
}

/**
 * The model with other values for some weights, as float32. A conversion from half precision that followed stays, and does
 * nothing any more.
 *
 * @param changes new values by the name under which a weight is stored, as many as it has
 */
export function withWeights(model: Uint8Array, changes: ReadonlyMap<string, Float32Array>, label: string): Uint8Array {
  return reading(label, () =>
    rewritten(model, (field, graph) =>
      field !== 7
        ? undefined
        : block(
            7,
            rewritten(graph, (part, bytes) => {
              if (part !== 5) return undefined;
              const { name, dims } = tensorOf(bytes);
              const values = changes.get(name);
              return values ? block(5, floatTensor(name, dims, values)) : undefined;
            }),
          ),
    ),
  );
}

function floatTensor(name: string, dims: readonly number[], values: Float32Array): Uint8Array {
  const raw = new Uint8Array(values.length * 4);
  const view = new DataView(raw.buffer);
  values.forEach((value, i) => view.setFloat32(i * 4, value, true));
  return Buffer.concat([...dims.map((dim) => integer(1, dim)), integer(2, FLOAT), textField(8, name), block(9, raw)]);
}
