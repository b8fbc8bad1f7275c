import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readSafetensors, type FloatTensor } from '../../../src/restoration/adapters/safetensors';
import { findModel, type CogVideoXManifest, type InstalledModel } from '../../../src/restoration/models/manifest';

/** Tiny models of every configuration and what diffusers makes of them (models/recipes/cogvideox/make_fixtures.py). */
export const FIXTURES = path.resolve(__dirname, '../../fixtures/cogvideox');
export const VARIANTS = ['5b-i2v', '5b', '2b', '1.5-5b-i2v'] as const;
/** The variant that comes with its text encoder. */
export const WHOLE = '5b-i2v';

export interface ReferenceRun {
  name: string;
  scheduler: 'ddim' | 'dpm';
  guidance: { kind: 'fixed' | 'oscillating'; scale: number };
  steps: number;
  lora: boolean;
  task: 'deblurring';
  picture: string;
  noise: string;
  frames: string;
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

export async function tinyModel(variant: string): Promise<InstalledModel<CogVideoXManifest>> {
  const { folder, manifest, sha256 } = await findModel(path.join(FIXTURES, variant));
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
