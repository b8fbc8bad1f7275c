import { OnnxWeights, withWeights, type StoredWeight } from '../models/onnx-weights';
import { floatsOfBrainFloats, floatsOfHalves, floatsOfSingles } from './half';
import { refusedAdapter, type LowRankLayer } from './lora';

/** What one adapter adds to one network. */
export interface NetworkChange {
  label: string;
  strength: number;
  layers: readonly LowRankLayer[];
}

const READ = { float32: floatsOfSingles, float16: floatsOfHalves, bfloat16: floatsOfBrainFloats };

/**
 * A network with adapters merged: W + sum of strength * B A for every layer they name, computed and kept in float32 (Hu et
 * al., LoRA, arXiv 2106.09685). Nothing is written to the disk; a strength of 0 changes nothing.
 *
 * @param model bytes of an ONNX model whose weights have their layer's name and `.weight`
 * @throws RestorationError `bad-adapter` when a layer is not there or has another shape, `bad-model` when a weight cannot be
 *   changed
 */
export function mergeAdapters(model: Uint8Array, changes: readonly NetworkChange[], label: string): Uint8Array {
  const weights = OnnxWeights.read(model, label);
  const merged = new Map<string, Float32Array>();
  for (const { layers, strength, label: adapter } of changes) {
    for (const layer of layers) {
      const name = `${layer.name}.weight`;
      const weight = weights.get(name);
      const stored = weights.storedName(name);
      if (!weight || stored === undefined) {
        throw refusedAdapter(adapter, `${label} has no layer ${layer.name}`, 'Choose the model it was made for.');
      }
      refuseOtherShape(layer, weight, adapter);
      const values = merged.get(stored) ?? READ[weight.type](weight.raw);
      merged.set(stored, values);
      addLowRank(values, layer, strength, weight.transposed);
    }
  }
  return merged.size === 0 ? model : withWeights(model, merged, label);
}

/** [out, in (, k, k)] of a weight: what the factors have to multiply to. */
function refuseOtherShape({ name, a, b }: LowRankLayer, { dims, transposed }: StoredWeight, adapter: string): void {
  const usual = transposed && dims.length === 2 ? [dims[1], dims[0]] : dims;
  const product = [b.shape[0], ...a.shape.slice(1)];
  if (product.length === usual.length && product.every((side, i) => side === usual[i])) return;
  throw refusedAdapter(
    adapter,
    `its change of ${name} is [${product.join(', ')}], the weight is [${usual.join(', ')}]`,
    'Choose the model it was made for.',
  );
}

/** weight += strength * B A, both seen as matrices of [out, in * k * k]. */
function addLowRank(weight: Float32Array, { a, b, rank }: LowRankLayer, strength: number, transposed: boolean): void {
  const rows = b.shape[0] as number;
  const columns = a.data.length / rank;
  const row = new Float64Array(columns);
  for (let out = 0; out < rows; out++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = strength * (b.data[out * rank + r] as number);
      if (factor === 0) continue;
      const from = r * columns;
      for (let i = 0; i < columns; i++) row[i] = (row[i] as number) + factor * (a.data[from + i] as number);
    }
    for (let i = 0; i < columns; i++) {
      const at = transposed ? i * rows + out : out * columns + i;
      weight[at] = (weight[at] as number) + (row[i] as number);
    }
  }
}
