import path from 'node:path';
import { RestorationError } from '../../protocol';

export const MANIFEST = 'manifest.json';

/** The complaint about a manifest; `folder` is where it lies or was found. */
export function badManifest(folder: string, problem: string): RestorationError {
  const place = /^https?:/.test(folder) ? folder : path.join(folder, MANIFEST);
  return new RestorationError(
    'bad-model',
    `The model manifest ${place} is not valid: ${problem}.`,
    'Install the model again, or correct its manifest.',
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a complaint shows it: never longer than a line, whatever a hostile manifest holds. */
export function shownValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Reads numbers and texts out of untrusted JSON, with the field's name in every complaint. */
export class Fields {
  constructor(
    private readonly value: Record<string, unknown>,
    private readonly folder: string,
    private readonly prefix = '',
  ) {}

  text(name: string, limit = 1000): string {
    const value = this.raw(name);
    if (typeof value !== 'string' || value === '' || value.length > limit) {
      throw badManifest(this.folder, `"${this.label(name)}" has to be a text`);
    }
    return value;
  }

  integer(name: string, minimum: number, maximum: number): number {
    const value = this.raw(name);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
      throw badManifest(this.folder, `"${this.label(name)}" has to be a whole number from ${minimum} to ${maximum}`);
    }
    return value;
  }

  oneOf<T extends string>(name: string, list: readonly T[]): T {
    const value = this.raw(name);
    if (typeof value === 'string' && (list as readonly string[]).includes(value)) return value as T;
    throw badManifest(
      this.folder,
      `"${this.label(name)}" has to be one of ${list.join(', ')}, not ${shownValue(value)}`,
    );
  }

  /** A list of finite numbers with the lengths that are allowed. */
  numbers(name: string, lengths: readonly number[], minimum: number, maximum: number): number[] {
    const value = this.raw(name);
    const valid =
      Array.isArray(value) &&
      lengths.includes(value.length) &&
      value.every((v) => typeof v === 'number' && v >= minimum && v <= maximum);
    if (!valid) {
      throw badManifest(
        this.folder,
        `"${this.label(name)}" has to be a list of ${lengths.join(' or ')} numbers from ${minimum} to ${maximum}`,
      );
    }
    return [...(value as number[])];
  }

  object(name: string): Fields {
    const value = this.raw(name);
    if (!isObject(value)) throw badManifest(this.folder, `"${this.label(name)}" has to be an object`);
    return new Fields(value, this.folder, `${this.label(name)}.`);
  }

  /** A list of objects. */
  objects(name: string, most: number): Fields[] {
    const value = this.raw(name);
    if (!Array.isArray(value) || value.length > most || !value.every(isObject)) {
      throw badManifest(this.folder, `"${this.label(name)}" has to be a list of at most ${most} objects`);
    }
    return value.map((entry, i) => new Fields(entry, this.folder, `${this.label(name)}[${i}].`));
  }

  /** The field's name as complaints say it. */
  label(name: string): string {
    return `${this.prefix}${name}`;
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  keys(): string[] {
    return Object.keys(this.value);
  }

  /** The field as it stands there; never something inherited, such as `constructor`. */
  raw(name: string): unknown {
    return Object.hasOwn(this.value, name) ? this.value[name] : undefined;
  }

  fail(name: string, problem: string): RestorationError {
    return badManifest(this.folder, `"${this.label(name)}" ${problem}`);
  }
}
