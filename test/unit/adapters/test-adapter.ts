import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Task } from '../../../src/protocol';
import { factors, safetensorsBytes } from './write-safetensors';

export interface TestAdapterOptions {
  /** How much of red's step green gets in addition. */
  strength?: number;
  layer?: string;
  /** Metadata in place of the right ones. */
  edit?: Record<string, string>;
}

/** Writes an adapter for a test model with `mixed` heads: it changes the mixing convolution's [1, 0]. Returns the file. */
export async function writeTestAdapter(
  file: string,
  model: string,
  task: Task,
  { strength = 1, layer = 'head.mix', edit = {} }: TestAdapterOptions = {},
): Promise<string> {
  const manifest = JSON.parse(await readFile(path.join(model, 'manifest.json'), 'utf8')) as {
    id: string;
    files: Record<string, { sha256: string }>;
  };
  const tensors = factors(
    layer,
    { shape: [1, 3, 1, 1], data: Float32Array.of(1, 0, 0) },
    { shape: [3, 1, 1, 1], data: Float32Array.of(0, strength, 0) },
  );
  const metadata = {
    r: '1',
    lora_alpha: '1',
    base_model_name_or_path: manifest.id,
    task,
    trunk_sha256: manifest.files[`${task}-trunk`]!.sha256,
    head_sha256: manifest.files[`${task}-head`]!.sha256,
    ...edit,
  };
  await writeFile(file, safetensorsBytes(tensors, metadata));
  return file;
}
