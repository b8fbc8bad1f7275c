import * as ort from 'onnxruntime-node';
import { RestorationError, type ConcreteDevice } from '../../protocol';
import { readVerified, type InstalledModel } from './manifest';
import { castToFloat32, type CastModel } from './onnx-cast';
import { checkOnnxGraph, readOnnxGraph, type OnnxGraph } from './onnx-graph';

/** A tensor as it stands outside onnxruntime. */
export type TensorData =
  | { type: 'float32'; data: Float32Array; dims: readonly number[] }
  | { type: 'int64'; data: BigInt64Array; dims: readonly number[] };

const PROVIDERS: Record<ConcreteDevice, string> = {
  tensorrt: 'tensorrt',
  cuda: 'cuda',
  webgpu: 'webgpu',
  dml: 'dml',
  coreml: 'coreml',
  cpu: 'cpu',
};

/** Options for one device. A single provider is named: with a list, onnxruntime either throws or falls back silently. */
export function sessionOptions(device: ConcreteDevice): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [PROVIDERS[device]],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    // Spinning threads would take the cores from decoding, metrics and everybody else.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}

/** Changes a model between its check and its loading. */
export type NetworkChange = (
  bytes: Uint8Array,
  label: string,
  beside: ReadonlyMap<string, Uint8Array>,
) => Uint8Array | Promise<Uint8Array>;

/** One network on one device, with tensors checked on the way in and named on the way out. */
export class Network {
  private constructor(
    private readonly session: ort.InferenceSession,
    private readonly label: string,
    private readonly cast: CastModel,
  ) {}

  /** What the model file says of itself; values that are converted at its border stand there as float32. */
  get graph(): OnnxGraph {
    return this.cast.graph;
  }

  /**
   * @param key name of the file in the model's manifest
   * @param change what becomes of the model's bytes between their check and their loading; the contents of the files beside
   *   it, by the names under which it knows them, may be changed in place
   * @throws RestorationError `bad-model` when the file is not the one of the manifest or not a network
   */
  static async load(
    model: InstalledModel,
    key: string,
    device: ConcreteDevice,
    change: NetworkChange = (bytes) => bytes,
  ): Promise<Network> {
    const label = `${model.manifest.id}/${key}`;
    const original = await readVerified(model, key);
    const { externalData: locations, ...graph } = readOnnxGraph(original, label);
    const files = Object.entries(model.manifest.files);
    checkOnnxGraph(
      { ...graph, externalData: locations },
      label,
      files.map(([, file]) => file.path),
    );
    const beside = new Map<string, Uint8Array>();
    for (const location of locations) {
      const [file] = files.find(([, { path }]) => path === location) as (typeof files)[number];
      beside.set(location, await readVerified(model, file));
    }
    const cast = castToFloat32(await change(original, label, beside), label);
    const externalData = [...beside].map(([path, data]) => ({ path, data }));
    try {
      const options = { ...sessionOptions(device), ...(externalData.length > 0 ? { externalData } : {}) };
      return new Network(await ort.InferenceSession.create(cast.bytes, options), label, cast);
    } catch (error) {
      throw new RestorationError(
        'bad-model',
        `The network ${label} could not be loaded on ${device}: ${shortMessage(error)}.`,
        'Install the model again, or choose another device.',
        { cause: error },
      );
    }
  }

  get outputNames(): readonly string[] {
    return this.session.outputNames.map((name) => this.cast.originals.get(name) ?? name);
  }

  /** Runs the network. Blocks this process' event loop while it computes: see the service for why that is harmless. */
  async run(
    inputs: Record<string, TensorData>,
  ): Promise<Record<string, { data: Float32Array; dims: readonly number[] }>> {
    const feeds: Record<string, ort.Tensor> = {};
    for (const [name, tensor] of Object.entries(inputs)) {
      feeds[this.cast.names.get(name) ?? name] =
        tensor.type === 'float32'
          ? new ort.Tensor('float32', tensor.data, tensor.dims)
          : new ort.Tensor('int64', tensor.data, tensor.dims);
    }
    let outputs: ort.InferenceSession.OnnxValueMapType;
    try {
      outputs = await this.session.run(feeds);
    } catch (error) {
      throw new RestorationError(
        'bad-output',
        `The network ${this.label} failed: ${shortMessage(error)}.`,
        'Try the cpu device, or a smaller picture.',
        { cause: error },
      );
    }
    const result: Record<string, { data: Float32Array; dims: readonly number[] }> = {};
    for (const [name, value] of Object.entries(outputs)) {
      const tensor = value;
      if (!(tensor.data instanceof Float32Array)) {
        throw new RestorationError(
          'bad-model',
          `Output ${name} of ${this.label} is ${tensor.type}; float32 was expected.`,
          'Export the network with float32 outputs.',
        );
      }
      result[this.cast.originals.get(name) ?? name] = { data: tensor.data, dims: tensor.dims };
    }
    return result;
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}

function shortMessage(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? text).trim().replace(/\.$/, '').slice(0, 300);
}

/** Version of onnxruntime, for run records. */
export function runtimeVersion(): string {
  return ort.env.versions.node ?? ort.env.versions.common;
}
