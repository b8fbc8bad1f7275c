import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readSafetensors, type FloatTensor } from '../../../src/restoration/adapters/safetensors';
import { findModel, type CogVideoXManifest, type InstalledModel } from '../../../src/restoration/models/manifest';

/** Tiny models of every configuration and what diffusers makes of them (models/recipes/cogvideox/make_fixtures.py). */
export const FIXTURES = path.resolve(__dirname, '../../fixtures/cogvideox');
export const VARIANTS = ['5b-i2v', '5b', '2b', '1.5-5b-i2v'] as const;
/** The variant that comes with its text encoder. */
export const WHOLE = '5b-i2v';
/** Models of longer clips, with their frames. */
export const LONGER = { '5b-25': 25, '1.5-5b-i2v-17': 17 } as const;

export interface ReferenceRun {
  name: string;
  scheduler: 'ddim' | 'dpm';
  guidance: { kind: 'fixed' | 'oscillating'; scale: number };
  steps: number;
  lora: boolean;
  task: 'deblurring';
  picture: string;
  noise: string;
  /** File with `latents`, and `frames` in [0, 1]. */
  result: string;
  /** 0-based numbers of the frames that are kept. */
  frames: number[];
}

export function json<T>(...names: string[]): T {
  return JSON.parse(readFileSync(path.join(FIXTURES, ...names), 'utf8')) as T;
}

/** The tensors of a file by their names. */
export function tensors(...names: string[]): { (name: string): FloatTensor; has: (name: string) => boolean } {
  const all = readSafetensors(readFileSync(path.join(FIXTURES, ...names)), names.join('/'));
  const named = (name: string): FloatTensor => {
    const tensor = all.get(name);
    if (!tensor) throw new Error(`${names.join('/')} has no ${name}, only ${[...all.keys()].join(', ')}`);
    return tensor;
  };
  return Object.assign(named, { has: (name: string) => all.has(name) });
}

let assembled: string | undefined;

/**
 * Folder of a model that has everything its manifest names: a file that is the same in several models lies in one of their
 * folders only.
 */
export function tinyFolder(variant: string): string {
  if (assembled === undefined) {
    const made = mkdtempSync(path.join(os.tmpdir(), 'pir-cogvideox-models-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    assembled = made;
  }
  const folder = path.join(assembled, variant);
  if (existsSync(folder)) return folder;
  cpSync(path.join(FIXTURES, variant), folder, { recursive: true });
  const { files } = json<{ files: Record<string, { path: string; sha256: string }> }>(variant, 'manifest.json');
  for (const { path: name, sha256 } of Object.values(files)) {
    if (existsSync(path.join(folder, name))) continue;
    const others = readdirSync(FIXTURES).map((other) => path.join(FIXTURES, other, name));
    const same = others.find((file) => existsSync(file) && hashOf(file) === sha256);
    if (same === undefined) throw new Error(`no fixture has the ${name} of ${variant}`);
    copyFileSync(same, path.join(folder, name));
  }
  return folder;
}

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

export async function tinyModel(variant: string): Promise<InstalledModel<CogVideoXManifest>> {
  const { folder, manifest, sha256 } = await findModel(tinyFolder(variant));
  if (manifest.kind !== 'cogvideox') throw new Error(`${variant} is no CogVideoX model`);
  return { folder, manifest, sha256 };
}

/** Largest difference of two lists of numbers; infinite when one is longer. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] as number) - (b[i] as number));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
