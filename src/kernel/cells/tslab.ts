import { createRequire } from 'node:module';
import type ts from '@tslab/typescript-for-tslab';
import type { Converter } from 'tslab/dist/converter';
import type { CodeMetadata } from 'tslab/dist/metadata';

/** The compiler that tslab brings along: TypeScript 5.0.4 with a few additions. */
export type Compiler = typeof ts;

/** The parts of tslab that are used: its converter of cells, not its executor and its Jupyter connection. */
export interface Tslab {
  compiler: Compiler;
  createConverter(): Converter;
  getCodeMetadata(code: string): CodeMetadata;
  /** Absolute path of what `import 'tslab'` means in a cell. */
  main: string;
  /** Where tslab's `display` puts what it shows. */
  displaySink: DisplaySink;
}

interface DisplaySink {
  lastWriteDisplayData: ((content: DisplayContent, update?: boolean) => void) | null;
}

export interface DisplayContent {
  data: Record<string, unknown>;
  transient?: { display_id?: string };
}

/**
 * Loads tslab with a compiler in which `adapt` has replaced some functions. tslab fixes the compiler's options inside its
 * converter, so they can only be changed where it calls the compiler. zeromq is never loaded: tslab does so on connecting.
 */
export function loadTslab(adapt: (compiler: Compiler) => Partial<Compiler>): Tslab {
  const require = createRequire(__filename);
  const converterPath = require.resolve('tslab/dist/converter');
  const compilerPath = createRequire(converterPath).resolve('@tslab/typescript-for-tslab');
  const compiler = require(compilerPath) as Compiler;
  const loaded = require.cache[compilerPath];
  if (!loaded) throw new Error('The compiler is not in the module cache.');
  const replacements: Record<string, unknown> = { __esModule: true, ...adapt(compiler) };
  const adapted: unknown = Object.create(
    compiler,
    Object.fromEntries(Object.entries(replacements).map(([name, value]) => [name, { value, writable: true }])),
  );
  try {
    loaded.exports = adapted;
    const converter = require(converterPath) as { createConverter(): Converter };
    const metadata = require('tslab/dist/metadata') as { getCodeMetadata(code: string): CodeMetadata };
    return {
      compiler,
      createConverter: () => converter.createConverter(),
      getCodeMetadata: (code) => metadata.getCodeMetadata(code),
      main: require.resolve('tslab'),
      displaySink: require('tslab/dist/jupyter') as DisplaySink,
    };
  } finally {
    loaded.exports = compiler;
  }
}
