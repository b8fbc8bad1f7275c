import path from 'node:path';
import { RestorationError, TASKS, type AdapterRecord, type AdapterWish, type Task } from '../../protocol';
import { isOneOf } from '../../protocol/checks';
import { SafetensorsFile } from './safetensors';

/** Adapters are small; the largest for the embedded model has under a megabyte, one for five billion parameters 300 MB. */
const LARGEST_FILE = 2 * 1024 ** 3;
const PREFIX = 'base_model.model.';
/** Where some trainers keep a layer's alpha. */
const ALPHA = '.alpha';
/** `base_model.model.trunk.middle.blocks.0.first.lora_A.weight`; `default` is the name that PEFT gives inside a program. */
const KEY = /^(?<layer>.+)\.lora_(?<factor>[AB])(?:\.default)?\.weight$/;

/** The two factors of one layer: the change of its weight is scale * alpha / r * B A. */
export interface LowRankLayer {
  /** Such as `trunk.middle.blocks.0.first`. */
  name: string;
  /** r x in, or r x in x k x k. */
  a: { shape: readonly number[]; data: Float32Array };
  /** out x r, or out x r x 1 x 1. */
  b: { shape: readonly number[]; data: Float32Array };
  rank: number;
}

/** A LoRA adapter as it was read, before it is known to fit a model. */
export interface Adapter {
  /** How messages call it. */
  label: string;
  record: AdapterRecord;
  /** alpha / r times the scale that was asked for. */
  strength: number;
  layers: LowRankLayer[];
  /** What the file says it was made for; checked by `expertAdapter`. */
  metadata: ReadonlyMap<string, string>;
}

/** Refuses an adapter in one sentence. */
export function refusedAdapter(label: string, problem: string, remedy: string): RestorationError {
  return new RestorationError('bad-adapter', `Adapter ${label} cannot be used: ${problem}.`, remedy);
}

const ANOTHER_FILE = 'Give an adapter that was saved in the layout of PEFT.';

function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

function positive(metadata: ReadonlyMap<string, string>, name: string, label: string): number {
  const value = Number(metadata.get(name) ?? Number.NaN);
  if (Number.isFinite(value) && value > 0) return value;
  throw refusedAdapter(
    label,
    `its metadata do not say "${name}"`,
    'Train it with lora.py, or add r and lora_alpha to its metadata.',
  );
}

/** What a file of low-rank factors holds, whatever it was made for. */
export interface LowRankFile {
  label: string;
  sha256: string;
  layers: LowRankLayer[];
  /** The alpha of a layer, where the file says it in a tensor of its own (`LAYER.alpha`). */
  alphas: ReadonlyMap<string, number>;
  metadata: ReadonlyMap<string, string>;
}

/**
 * Reads all factors of a LoRA adapter: a safetensors file in PEFT's key layout.
 *
 * @param prefixes of which the first that a layer's name begins with is cut off
 * @throws RestorationError `missing-file`; `bad-adapter` when it is no safetensors file, holds other tensors than pairs of
 *   lora_A and lora_B (and alphas), or numbers that are not finite
 */
export async function readLowRankFile(file: string, prefixes: readonly string[] = [PREFIX]): Promise<LowRankFile> {
  const label = path.basename(file);
  const opened = await SafetensorsFile.open(file, LARGEST_FILE);
  const plain = (layer: string): string =>
    layer.slice((prefixes.find((prefix) => layer.startsWith(prefix)) ?? '').length);
  try {
    const { metadata, tensors } = opened.header;
    const pairs = new Map<string, { A?: string; B?: string }>();
    const alphas = new Map<string, number>();
    for (const key of tensors.keys()) {
      if (key.endsWith(ALPHA)) {
        const { data } = await opened.floats(key);
        if (data.length !== 1 || !Number.isFinite(data[0])) {
          throw refusedAdapter(label, `${shown(key)} is not one finite number`, ANOTHER_FILE);
        }
        alphas.set(plain(key.slice(0, -ALPHA.length)), data[0] as number);
        continue;
      }
      const { layer, factor } = KEY.exec(key)?.groups ?? {};
      if (layer === undefined || factor === undefined) {
        throw refusedAdapter(label, `it holds ${shown(key)}, which is no part of a LoRA adapter`, ANOTHER_FILE);
      }
      const name = plain(layer);
      const pair = pairs.get(name) ?? {};
      if (pair[factor as 'A' | 'B'] !== undefined) {
        throw refusedAdapter(label, `it holds ${shown(name)} more than once`, ANOTHER_FILE);
      }
      pairs.set(name, { ...pair, [factor]: key });
    }
    if (pairs.size === 0) throw refusedAdapter(label, 'it is empty', ANOTHER_FILE);
    const layers: LowRankLayer[] = [];
    for (const [name, { A, B }] of pairs) {
      if (A === undefined || B === undefined) {
        throw refusedAdapter(label, `${shown(name)} has no lora_${A === undefined ? 'A' : 'B'}`, ANOTHER_FILE);
      }
      layers.push(layerOf(name, await opened.floats(A), await opened.floats(B), label));
    }
    return { label, sha256: await opened.sha256(), layers, alphas, metadata };
  } finally {
    await opened.close();
  }
}

/**
 * Reads a LoRA adapter of a trajectory model, whose metadata hold `r` and `lora_alpha`.
 *
 * @param wish a file, and how strongly it acts
 * @throws RestorationError what `readLowRankFile` throws; `bad-adapter` when the metadata do not say how strong it is
 */
export async function readAdapter({ file, scale }: AdapterWish): Promise<Adapter> {
  const { label, sha256, layers, alphas, metadata } = await readLowRankFile(file);
  const [other] = alphas.keys();
  if (other !== undefined) {
    throw refusedAdapter(label, `it holds ${shown(other + ALPHA)}, which is no part of a LoRA adapter`, ANOTHER_FILE);
  }
  const strength = (scale * positive(metadata, 'lora_alpha', label)) / positive(metadata, 'r', label);
  return { label, record: { file: label, sha256, scale }, strength, layers, metadata };
}

function layerOf(name: string, a: LowRankLayer['a'], b: LowRankLayer['b'], label: string): LowRankLayer {
  const rank = a.shape[0] ?? 0;
  const fits =
    (a.shape.length === 2 || a.shape.length === 4) &&
    b.shape.length === a.shape.length &&
    rank > 0 &&
    b.shape[1] === rank &&
    b.shape.slice(2).every((side) => side === 1);
  if (!fits) {
    throw refusedAdapter(
      label,
      `lora_A [${a.shape.join(', ')}] and lora_B [${b.shape.join(', ')}] of ${shown(name)} do not belong together`,
      'Expected are r x in (x k x k) and out x r (x 1 x 1).',
    );
  }
  if (![a, b].every(({ data }) => data.every(Number.isFinite))) {
    throw refusedAdapter(
      label,
      `${shown(name)} holds values that are not finite numbers`,
      'Train it again with a lower rate.',
    );
  }
  return { name, a, b, rank };
}

/** An adapter that fits an expert of a trajectory model: for which task, and what it changes in each of the two networks. */
export interface ExpertAdapter {
  kind: 'expert';
  record: AdapterRecord;
  label: string;
  task: Task;
  strength: number;
  trunk: LowRankLayer[];
  head: LowRankLayer[];
}

/** The networks of an expert, by the hashes of their files. */
export interface ExpertNetworks {
  trunk: string;
  head: string;
}

/**
 * Checks that an adapter was made for this model, and for which expert.
 *
 * @param networks the hashes of the networks that serve a task
 * @throws RestorationError `bad-adapter` when it was made for another model, for other weights of this model, or names parts
 *   that such a model does not have
 */
export function expertAdapter(
  { label, record, strength, layers, metadata }: Adapter,
  model: { id: string; tasks: readonly Task[] },
  networks: (task: Task) => ExpertNetworks,
): ExpertAdapter {
  const base = metadata.get('base_model_name_or_path');
  if (base !== model.id) {
    throw refusedAdapter(
      label,
      `it was made for model ${base === undefined ? 'unknown' : shown(base)}, not for ${model.id}`,
      'Choose the model it was made for.',
    );
  }
  const task = metadata.get('task');
  if (!isOneOf(TASKS, task) || !model.tasks.includes(task)) {
    throw refusedAdapter(
      label,
      `its metadata name ${task === undefined ? 'no task' : `the task ${shown(task)}`}`,
      `Expected is one of ${model.tasks.join(', ')}.`,
    );
  }
  const expected = networks(task);
  for (const part of ['trunk', 'head'] as const) {
    if (metadata.get(`${part}_sha256`) === expected[part]) continue;
    throw refusedAdapter(
      label,
      `it was made for other ${task} weights than those of ${model.id} here`,
      'Train it again on these weights, or install the version that it was made for.',
    );
  }
  const parts: Pick<ExpertAdapter, 'trunk' | 'head'> = { trunk: [], head: [] };
  for (const layer of layers) {
    const part = (['trunk', 'head'] as const).find((each) => layer.name.startsWith(`${each}.`));
    if (!part)
      throw refusedAdapter(
        label,
        `it changes ${shown(layer.name)}, and ${model.id} has only trunk and head`,
        ANOTHER_FILE,
      );
    parts[part].push({ ...layer, name: layer.name.slice(part.length + 1) });
  }
  return { kind: 'expert', record, label, task, strength, ...parts };
}
