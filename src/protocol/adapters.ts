import { isFiniteNumber, isObject, isText } from './checks';

/** An adapter that is to act on a model. */
export interface AdapterWish {
  /** Absolute path of a safetensors file, or the name of one that ships with the model. */
  file: string;
  /** 1 as it was trained, 0 not at all. */
  scale: number;
}

/** An adapter that acted, as the record names it. */
export interface AdapterRecord {
  /** File name without folders. */
  file: string;
  sha256: string;
  scale: number;
}

/** Beyond it networks give nothing of use. Negative scales take away what an adapter learned. */
export const MAXIMUM_ADAPTER_SCALE = 10;
export const MOST_ADAPTERS = 8;

/** The name of an adapter that ships with a model, and so no path. */
export const ADAPTER_NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;

export function isAdapterScale(value: unknown): value is number {
  return isFiniteNumber(value) && Math.abs(value) <= MAXIMUM_ADAPTER_SCALE;
}

export function isAdapterRecord(value: unknown): value is AdapterRecord {
  return isObject(value) && isText(value.file, 1024) && isText(value.sha256, 64) && isFiniteNumber(value.scale);
}

/** `adapter` of a record: one, or several; records that were made elsewhere may have a mere name. */
export type AdapterField = AdapterRecord | AdapterRecord[] | string;

export function isAdapterField(value: unknown): value is AdapterField {
  if (Array.isArray(value)) return value.length <= MOST_ADAPTERS && value.every(isAdapterRecord);
  return isText(value, 1024) || isAdapterRecord(value);
}

/** One adapter stands alone, several as a list; undefined when there are none. */
export function adapterField(records: readonly AdapterRecord[]): AdapterField | undefined {
  return records.length > 1 ? [...records] : records[0];
}

/** Adapters for people: file names without folders, with the scale where it is not 1. Empty when there are none. */
export function adapterNames(field: AdapterField | undefined): string[] {
  const list = field === undefined ? [] : Array.isArray(field) ? field : [field];
  return list.map((adapter) => {
    const { file, scale } = typeof adapter === 'string' ? { file: adapter, scale: 1 } : adapter;
    const name = file.split(/[\\/]/).pop() ?? file;
    return scale === 1 ? name : `${name} × ${Number(scale.toFixed(3))}`;
  });
}
