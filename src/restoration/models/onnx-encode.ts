import { fieldsOf } from './onnx-graph';

/** Protocol-buffer fields as bytes: how models are changed without reading more of them than the change needs. */

export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

/** A field that holds a whole number from 0. */
export function integer(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8), ...varint(value)]);
}

/** A field that holds bytes, such as a message in a message. */
export function block(field: number, ...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(length)]), ...parts]);
}

export function text(field: number, value: string): Uint8Array {
  return block(field, new TextEncoder().encode(value));
}

/** A message with some of its fields replaced. */
export function rewritten(
  message: Uint8Array,
  change: (field: number, bytes: Uint8Array) => Uint8Array | undefined,
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { number, start, end, bytes } of fieldsOf(message)) {
    parts.push((bytes && change(number, bytes)) ?? message.subarray(start, end));
  }
  return Buffer.concat(parts);
}
