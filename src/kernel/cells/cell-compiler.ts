import { existsSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import type ts from '@tslab/typescript-for-tslab';
import type { Converter, Diagnostic } from 'tslab/dist/converter';
import type { CellError } from '../../protocol';
import { FileWatch } from './file-watch';
import { Origin } from './positions';
import { loadTslab, type Compiler, type Tslab } from './tslab';
import { yieldAwaits } from './yield-awaits';

/** A local module beside the notebook, compiled to CommonJS. */
export interface CompiledModule {
  /** Absolute path of the JavaScript file that it would be; there is none. */
  path: string;
  code: string;
  origin: Origin | undefined;
}

export interface CompiledCell {
  /** CommonJS; with awaits, the body of a generator that yields `[line, column, awaited value]`. */
  code: string;
  origin: Origin | undefined;
  hasAwait: boolean;
  /** Names that the cell declares. */
  declares: string[];
  /** Property of `exports` that holds the value of the last expression. */
  lastExpression: string | undefined;
  /** Local modules that are new or were edited. */
  modules: CompiledModule[];
  /** Declarations that cells below see, once this one has succeeded. */
  declarations: string;
}

/** Where the parts of this package that cells use are. */
export interface OwnPackage {
  name: string;
  /** Absolute path of the bundle that `import` gives. */
  main: string;
  /** Absolute path of its declarations. */
  types: string;
}

/** A cell in the program of the compiler, on top of what the cells above declare. */
export interface OpenCell {
  compiler: Compiler;
  program: ts.Program;
  file: ts.SourceFile;
  /** Characters that stand before the cell's text in `file`. */
  prefix: number;
  /** Name under which cells import this package. */
  library: string;
}

/** What the compiler says about a cell that is not run. */
export interface Verdict {
  /** Empty for a cell that the kernel would run. */
  problems: Diagnostic[];
  /** What the cells below see of this one and of those above. */
  declarations: string;
  /** False when the same question may get another answer later: something that it imports is missing. */
  final: boolean;
}

export class CompileError extends Error {
  constructor(readonly cellError: CellError) {
    super(cellError.message);
    this.name = 'CompileError';
  }
}

/** What the second step of a compilation leaves besides its text. */
interface Translation {
  first: string | undefined;
  second: string | undefined;
  exported: string[];
  awaits: boolean;
}

const INLINE_MAP = /\n?\/\/# sourceMappingURL=data:application\/json;base64,([A-Za-z0-9+/=]+)\s*$/;
const MAP_COMMENT = /\n?\/\/# sourceMappingURL=\S*\s*$/;
/** The converter puts `export {};` before every cell. */
const CELL_PREFIX_LINES = 1;
/** Where the converter pretends that the cell and the declarations above it are, below the notebook's folder. */
const CELL_FILE = '__tslab__.ts';
const DECLARATIONS_FILE = '__prev__.d.ts';
const IS_MISSING = new Set([2307, 2792, 7016]);

/** Compiles the cells of one notebook, each on top of the declarations of those that ran before. */
export class CellCompiler {
  private readonly tslab: Tslab;
  private readonly converter: Converter;
  private readonly watch = new FileWatch();
  private readonly translations = new Map<string, Translation>();
  /** Files that import something that was not there. */
  private readonly unresolved = new Set<string>();
  private declarations = '';
  private watchProgram: (() => ts.Program) | undefined;

  /** Compiles for the process's working directory, which must be the notebook's folder. Takes about a second. */
  constructor(private readonly own: OwnPackage) {
    this.tslab = loadTslab((compiler) => ({
      sys: this.adaptSystem(compiler),
      createWatchCompilerHost: this.adaptHost(compiler),
      createWatchProgram: this.adaptProgram(compiler),
      transpileModule: this.adaptTranspile(compiler),
    }));
    this.converter = this.tslab.createConverter();
  }

  get versions(): Record<string, string> {
    return { typescript: this.tslab.compiler.version, node: process.version.replace(/^v/, '') };
  }

  /** Name under which cells import this package. */
  get ownName(): string {
    return this.own.name;
  }

  /** What `import 'tslab'` gives, and where its `display` is caught. */
  get library(): Pick<Tslab, 'main' | 'displaySink'> {
    return this.tslab;
  }

  /** Throws a CompileError with the position in the cell. */
  compile(code: string): CompiledCell {
    this.pollFiles();
    this.translations.clear();
    const metadata = this.tslab.getCodeMetadata(code);
    if (metadata.mode === 'browser') throw compileError(BROWSER_CELL);
    if (metadata.module) {
      this.check(this.converter.addModule(metadata.module, code, metadata));
      return { ...EMPTY_CELL, declarations: this.declarations };
    }
    const converted = this.convert(this.declarations, code);
    this.check(converted.diagnostics);
    const translation = converted.output === undefined ? undefined : this.translations.get(converted.output);
    return {
      code: converted.output ?? '',
      origin: originOf(translation, CELL_PREFIX_LINES),
      hasAwait: translation?.awaits ?? false,
      declares: translation?.exported ?? [],
      lastExpression: converted.lastExpressionVar,
      modules: (converted.sideOutputs ?? []).map(({ path: file, data }) => ({
        path: file,
        code: data,
        origin: originOf(this.translations.get(data), 0),
      })),
      declarations: converted.declOutput ?? '',
    };
  }

  /** Makes the declarations of a cell that has succeeded visible to the next ones. */
  accept(cell: CompiledCell): void {
    this.declarations = cell.declarations;
  }

  /** Looks at the files that cells import; true when one changed since the last time. */
  pollFiles(): boolean {
    return this.watch.poll(this.tslab.compiler.FileWatcherEventKind);
  }

  /** What `compile` would say about a cell on top of `declarations`; nothing is kept. */
  judge(declarations: string, code: string): Verdict {
    const metadata = this.tslab.getCodeMetadata(code);
    if (metadata.mode === 'browser') {
      return { problems: [wholeCell(code, BROWSER_CELL)], declarations, final: true };
    }
    if (metadata.module) {
      return { problems: this.converter.addModule(metadata.module, code, metadata), declarations, final: false };
    }
    try {
      const { diagnostics, declOutput } = this.convert(declarations, code);
      const problems = joinChains(diagnostics);
      const final = !problems.some((problem) => IS_MISSING.has(problem.code));
      if (problems.length === 0) return { problems, declarations: declOutput ?? '', final };
      return { problems, declarations: declarations + this.unknownDeclarations(), final };
    } catch (error) {
      if (!(error instanceof CompileError)) throw error;
      return { problems: [wholeCell(code, error.message)], declarations, final: false };
    }
  }

  /** Brings a cell on top of `declarations` into the compiler's program. */
  open(declarations: string, code: string): OpenCell {
    this.converter.inspect(declarations, code, 0);
    const { program, cell } = this.files();
    return {
      compiler: this.tslab.compiler,
      program,
      file: cell,
      prefix: cell.text.length - code.length,
      library: this.own.name,
    };
  }

  /** A cell with errors declares its names all the same, as anything: else every cell below had errors, too. */
  private unknownDeclarations(): string {
    const { cell, declarations } = this.files();
    const names = [...localsOf(cell)].filter((name) => !localsOf(declarations).has(name));
    return names.map((name) => `declare let ${name}: any;\ntype ${name} = any;\n`).join('');
  }

  private files(): { program: ts.Program; cell: ts.SourceFile; declarations: ts.SourceFile } {
    const folder = slashes(process.cwd());
    const program = this.watchProgram?.();
    const cell = program?.getSourceFile(path.posix.join(folder, CELL_FILE));
    const declarations = program?.getSourceFile(path.posix.join(folder, DECLARATIONS_FILE));
    if (!program || !cell || !declarations) throw new Error('The cell is not in the program of the compiler.');
    return { program, cell, declarations };
  }

  private convert(declarations: string, code: string): ReturnType<Converter['convert']> {
    try {
      return this.converter.convert(declarations, code);
    } catch (error) {
      const outside = /^unexpected emit path: (.*)$/.exec(error instanceof Error ? error.message : '');
      if (!outside) throw error;
      throw compileError(
        'A module outside the notebook’s folder was imported as source. ' +
          'Move it into the folder of the notebook, or compile it to JavaScript and install it as a package.',
      );
    }
  }

  private check(diagnostics: readonly Diagnostic[]): void {
    const errors = joinChains(diagnostics);
    const [first, ...others] = errors;
    if (!first) return;
    const lines = [describe(first), ...others.map((error) => `${placeOf(error)} ${describe(error)}`)];
    const position = first.fileName ? {} : { line: first.start.line + 1, column: first.start.character + 1 };
    throw new CompileError({
      name: 'CompileError',
      message: `${first.fileName ? `${placeOf(first)} ` : ''}${lines.join('\n')}`,
      stack: '',
      ...position,
    });
  }

  private adaptSystem(compiler: Compiler): ts.System {
    const system = Object.create(compiler.sys) as ts.System;
    system.watchFile = this.watch.watchFile;
    system.watchDirectory = this.watch.watchDirectory;
    return system;
  }

  /** Keeps hold of the program: the converter does not give it away. */
  private adaptProgram(compiler: Compiler): Compiler['createWatchProgram'] {
    const create = (
      host: ts.WatchCompilerHostOfFilesAndCompilerOptions<ts.EmitAndSemanticDiagnosticsBuilderProgram>,
    ) => {
      const watch = compiler.createWatchProgram(host);
      this.watchProgram = () => watch.getProgram().getProgram();
      return watch;
    };
    return create as Compiler['createWatchProgram'];
  }

  /** Adds source maps, the package's own name, Node's types and packages that only declare `exports`. */
  private adaptHost(compiler: Compiler): Compiler['createWatchCompilerHost'] {
    const create = (files: string[], options: ts.CompilerOptions, system: ts.System, ...rest: never[]): object => {
      options.inlineSourceMap = true;
      options.types = ['node'];
      options.typeRoots = nodeTypeRoots(system.getCurrentDirectory(), options.typeRoots ?? []);
      const original = compiler.createWatchCompilerHost as unknown as (
        ...all: unknown[]
      ) => ts.WatchCompilerHost<never>;
      const host = original(files, options, system, ...rest);
      host.resolveModuleNameLiterals = (literals, containing, redirected, settings) => {
        const found = literals.map(({ text }) =>
          this.resolve(compiler, system, text, containing, settings, redirected),
        );
        const missing = found.some(
          ({ resolvedModule }, index) => !resolvedModule && !isBuiltin(literals[index]?.text ?? ''),
        );
        if (missing) this.unresolved.add(containing);
        else this.unresolved.delete(containing);
        return found;
      };
      // What could not be found is looked for again with every cell; all else would make every cell slow.
      host.hasInvalidatedResolutions = (file) => this.unresolved.has(file);
      return host;
    };
    return create as unknown as Compiler['createWatchCompilerHost'];
  }

  private resolve(
    compiler: Compiler,
    host: ts.ModuleResolutionHost,
    name: string,
    containing: string,
    options: ts.CompilerOptions,
    redirected: ts.ResolvedProjectReference | undefined,
  ): ts.ResolvedModuleWithFailedLookupLocations {
    // Node's own modules win at run time too; Node's types declare them without a file.
    if (isBuiltin(name)) return { resolvedModule: undefined };
    const known = name === this.own.name ? this.own.types : name === 'tslab' ? publicTypes(this.tslab) : undefined;
    if (known !== undefined && existsSync(known)) {
      return {
        resolvedModule: {
          resolvedFileName: slashes(known),
          extension: compiler.Extension.Dts,
          isExternalLibraryImport: true,
        },
      };
    }
    const classic = compiler.resolveModuleName(name, containing, options, host, undefined, redirected);
    if (classic.resolvedModule && isTyped(classic.resolvedModule)) return classic;
    // Packages that declare themselves by `exports` only are invisible to the resolution that the converter asks for.
    const modern = compiler.resolveModuleName(
      name,
      containing,
      { ...options, moduleResolution: compiler.ModuleResolutionKind.Bundler },
      host,
      undefined,
      redirected,
    );
    return modern.resolvedModule && (isTyped(modern.resolvedModule) || !classic.resolvedModule) ? modern : classic;
  }

  /** The second step, ES module -> CommonJS: keeps its source map, and turns awaits of a cell into yields. */
  private adaptTranspile(compiler: Compiler): Compiler['transpileModule'] {
    return (input, options) => {
      const inline = INLINE_MAP.exec(input);
      const exported: string[] = [];
      const yielding = { used: false };
      const output = compiler.transpileModule(inline ? input.slice(0, inline.index) : input, {
        ...options,
        compilerOptions: { ...options.compilerOptions, sourceMap: true },
        transformers: { before: [collectExports(compiler, exported), yieldAwaits(compiler, yielding)] },
      });
      const outputText = output.outputText.replace(MAP_COMMENT, '\n');
      this.translations.set(outputText, {
        first: inline?.[1] === undefined ? undefined : Buffer.from(inline[1], 'base64').toString('utf8'),
        second: output.sourceMapText,
        exported,
        awaits: yielding.used,
      });
      return { ...output, outputText };
    };
  }
}

const EMPTY_CELL: Omit<CompiledCell, 'declarations'> = {
  code: '',
  origin: undefined,
  hasAwait: false,
  declares: [],
  lastExpression: undefined,
  modules: [],
};

const BROWSER_CELL = 'Cells for the browser (@browser) cannot run here. Remove the @browser comment.';

function compileError(message: string): CompileError {
  return new CompileError({ name: 'CompileError', message, stack: '' });
}

/** A problem that belongs to no place in the cell. */
function wholeCell(code: string, messageText: string): Diagnostic {
  const end = { offset: code.length, line: 0, character: 0 };
  return { start: { offset: 0, line: 0, character: 0 }, end, messageText, category: 1, code: 0 };
}

/** Names that a file declares at its top level, as the compiler's binder has found them. */
function localsOf(file: ts.SourceFile): ReadonlySet<string> {
  const { locals } = file as unknown as { locals?: ReadonlyMap<string, unknown> };
  return new Set(locals?.keys());
}

function originOf(translation: Translation | undefined, linesBefore: number): Origin | undefined {
  return translation && new Origin(translation.first, translation.second, linesBefore);
}

function collectExports(compiler: Compiler, names: string[]): ts.TransformerFactory<ts.SourceFile> {
  return () => (file) => {
    for (const statement of file.statements) {
      if (!compiler.isExportDeclaration(statement) || !statement.exportClause) continue;
      if (!compiler.isNamedExports(statement.exportClause)) continue;
      names.push(...statement.exportClause.elements.map((element) => element.name.text));
    }
    return file;
  };
}

/** The converter flattens a chain of explanations into diagnostics of the same span: one error again, indented. */
function joinChains(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const joined: Diagnostic[] = [];
  for (const diagnostic of diagnostics) {
    const last = joined.at(-1);
    if (last && last.start.offset === diagnostic.start.offset && last.end.offset === diagnostic.end.offset) {
      last.messageText += `\n  ${diagnostic.messageText}`;
    } else {
      joined.push({ ...diagnostic });
    }
  }
  return joined;
}

function placeOf(error: Diagnostic): string {
  return `${error.fileName ? `${slashes(error.fileName)} ` : ''}line ${error.start.line + 1}:${error.start.character + 1}:`;
}

function describe(error: Diagnostic): string {
  return `${error.messageText} (TS${error.code})`;
}

/** Type roots with Node's types: the notebook's own when it has them, else those that came with tslab. */
function nodeTypeRoots(folder: string, roots: readonly string[]): string[] {
  if (roots.some((root) => existsSync(path.join(root, 'node', 'package.json')))) return [...roots];
  const require = createRequire(__filename);
  for (const place of [require.resolve('tslab/package.json'), __filename, path.join(folder, 'cell.js')]) {
    try {
      return [...roots, slashes(path.resolve(createRequire(place).resolve('@types/node/package.json'), '../..'))];
    } catch {
      // The next place may have them.
    }
  }
  return [...roots];
}

function publicTypes(tslab: Tslab): string {
  return tslab.main.replace(/\.js$/, '.d.ts');
}

function isTyped(module: ts.ResolvedModuleFull): boolean {
  return !module.isExternalLibraryImport || /\.d\.[cm]?ts$/.test(module.resolvedFileName);
}

/** The compiler writes paths with slashes on every system. */
function slashes(file: string): string {
  return file.replace(/\\/g, '/');
}
