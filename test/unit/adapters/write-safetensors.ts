/** A tensor by its values, or by its bytes with the type they have. */
export interface TensorSpec {
  shape: readonly number[];
  data: Float32Array | Uint8Array;
  dtype?: string;
}

/** The bytes of a safetensors file. */
export function safetensorsBytes(
  tensors: Readonly<Record<string, TensorSpec>>,
  metadata?: Readonly<Record<string, string>>,
): Buffer {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  const parts: Uint8Array[] = [];
  let position = 0;
  for (const [name, { shape, data, dtype = 'F32' }] of Object.entries(tensors)) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    header[name] = { dtype, shape, data_offsets: [position, position + bytes.length] };
    position += bytes.length;
    parts.push(bytes);
  }
  return withHeader(JSON.stringify(header), Buffer.concat(parts));
}

/** A file with any header. */
export function withHeader(header: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), data]);
}

/** Factors of a layer under PEFT's names; `a` is r x in (x k x k), `b` out x r. */
export function factors(
  layer: string,
  a: { shape: readonly number[]; data: Float32Array },
  b: { shape: readonly number[]; data: Float32Array },
): Record<string, TensorSpec> {
  return { [`base_model.model.${layer}.lora_A.weight`]: a, [`base_model.model.${layer}.lora_B.weight`]: b };
}
