import { existsSync, readFileSync, statSync } from 'node:fs';
import Module, { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import type { CompiledModule, OwnPackage } from './cell-compiler';
import type { Origin } from './positions';

/** What Node's modules have beside their public type. */
interface CompilableModule {
  exports: unknown;
  filename: string;
  paths: string[];
  require(id: string): unknown;
  _compile(code: string, filename: string, format?: string): void;
}
interface ModuleInternals {
  new (filename: string): CompilableModule;
  _nodeModulePaths(folder: string): string[];
  _resolveFilename(request: string, ...rest: unknown[]): string;
}
const NodeModule = Module as unknown as ModuleInternals;

type Require = (id: string) => unknown;
/** An ES module loaded ahead, or why it could not be. */
type Ahead = { exports: object } | { error: unknown };

/** Names that stand for fixed files wherever they are imported from. */
export interface FixedModules {
  own: OwnPackage;
  /** Main file of tslab, whose `display` cells may import. */
  tslab: string;
}

/**
 * What `import` gives in cells and in the local modules that they import. Cells are CommonJS after compilation: local
 * modules come from the compiler, ES modules are loaded ahead (`preload`), everything else is Node's own `require`.
 */
export class CellModules {
  /** `require` of the cells. */
  readonly require: Require;
  private readonly sources = new Map<string, CompiledModule>();
  private readonly loaded = new Map<string, CompilableModule>();
  /** Local modules by what they import, to load both anew after an edit. */
  private readonly importers = new Map<string, Set<string>>();
  private readonly ahead = new Map<string, Ahead>();

  constructor(
    private readonly folder: string,
    private readonly fixed: FixedModules,
  ) {
    this.require = this.requireFrom(folder, createRequire(path.join(folder, 'cell.js')));
    // Local packages that import this package by name find the running copy too.
    const resolve = NodeModule._resolveFilename.bind(NodeModule);
    NodeModule._resolveFilename = (request, ...rest) => this.fixedFile(request) ?? resolve(request, ...rest);
  }

  /** Takes local modules that are new or were edited; those that import them are loaded anew as well. */
  update(modules: readonly CompiledModule[]): void {
    for (const module of modules) {
      this.sources.set(slashes(module.path), module);
      this.forget(slashes(module.path));
    }
  }

  /** Where the running code of a local module comes from, and the name of its source file. */
  sourceOf(file: string): { origin: Origin | undefined; name: string } | undefined {
    const module = this.sources.get(slashes(file));
    if (!module) return undefined;
    const source = ['.ts', '.tsx', '.js', '.jsx'].map((extension) => module.path.replace(/\.js$/, extension));
    return {
      origin: module.origin,
      name: slashes(path.relative(this.folder, source.find((candidate) => existsSync(candidate)) ?? module.path)),
    };
  }

  /**
   * Loads the ES modules that `code` and the local modules import, since `require` cannot wait for them. Failures are
   * kept and thrown by the import itself.
   */
  async preload(code: string, modules: readonly CompiledModule[]): Promise<void> {
    for (const { path: file, code: text } of [...modules, { path: path.join(this.folder, 'cell.js'), code }]) {
      const folder = path.dirname(file);
      for (const id of requiredIds(text)) await this.loadAhead(id, folder);
    }
  }

  private async loadAhead(id: string, folder: string): Promise<void> {
    if (isBuiltin(id) || this.fixedFile(id) !== undefined || this.localFile(id, folder) !== undefined) return;
    const key = aheadKey(id, folder);
    let file: string | undefined;
    try {
      file = createRequire(path.join(folder, 'cell.js')).resolve(id);
      if (!isEsModule(file)) return;
    } catch (error) {
      // A package without an entry for `require` may have one for `import`; other failures are told by `require`.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') return;
    }
    try {
      const namespace = file === undefined ? await importFrom(folder, id) : ((await import(urlOf(file))) as object);
      this.ahead.set(key, { exports: asCommonJs(namespace) });
    } catch (error) {
      this.ahead.set(key, { error });
    }
  }

  private requireFrom(folder: string, base: Require, importer?: string): Require {
    return (id) => {
      if (id === 'tslab') return base(this.fixed.tslab);
      const local = this.localFile(id, folder);
      if (local !== undefined) return this.loadLocal(local, importer);
      const ahead = this.ahead.get(aheadKey(id, folder));
      if (ahead) {
        if ('error' in ahead) throw ahead.error;
        return ahead.exports;
      }
      // Data beside the notebook may have been edited since it was read.
      if (/^\.{1,2}\/.*\.json$/.test(id)) delete createRequire(__filename).cache[path.join(folder, id)];
      return base(id);
    };
  }

  private loadLocal(file: string, importer: string | undefined): unknown {
    if (importer !== undefined) {
      const importers = this.importers.get(file) ?? new Set();
      this.importers.set(file, importers.add(importer));
    }
    const known = this.loaded.get(file);
    if (known) return known.exports;
    const module = new NodeModule(file);
    module.filename = file;
    module.paths = NodeModule._nodeModulePaths(path.dirname(file));
    module.require = this.requireFrom(path.dirname(file), module.require.bind(module), file);
    // Known before it has run, so that modules which import each other end.
    this.loaded.set(file, module);
    try {
      module._compile(this.sources.get(file)?.code ?? '', file, 'commonjs');
    } catch (error) {
      this.loaded.delete(file);
      throw error;
    }
    return module.exports;
  }

  private forget(file: string): void {
    if (!this.loaded.delete(file)) return;
    for (const importer of this.importers.get(file) ?? []) this.forget(importer);
  }

  private localFile(id: string, folder: string): string | undefined {
    if (!/^(?:\.{1,2}\/|\/|[A-Za-z]:[\\/])/.test(id) && id !== '.' && id !== '..') return undefined;
    const base = slashes(path.resolve(folder, id));
    return [base, `${base}.js`, `${base}/index.js`].find((file) => this.sources.has(file));
  }

  private fixedFile(id: string): string | undefined {
    return id === this.fixed.own.name && existsSync(this.fixed.own.main) ? this.fixed.own.main : undefined;
  }
}

function requiredIds(code: string): Set<string> {
  const ids = new Set<string>();
  for (const match of code.matchAll(/\brequire\("((?:[^"\\\n]|\\.)+)"\)|\brequire\('((?:[^'\\\n]|\\.)+)'\)/g)) {
    const id = match[1] ?? match[2];
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

function aheadKey(id: string, folder: string): string {
  return `${slashes(folder)}\0${id}`;
}

function isEsModule(file: string): boolean {
  if (file.endsWith('.mjs')) return true;
  if (!file.endsWith('.js')) return false;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json');
    if (existsSync(manifest)) {
      try {
        return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown }).type === 'module';
      } catch {
        return false;
      }
    }
    if (folder === path.dirname(folder)) return false;
  }
}

/** A file beside the notebook gets a new address with every edit, since Node keeps ES modules for ever. */
function urlOf(file: string): string {
  const { href } = pathToFileURL(file);
  return file.includes(`${path.sep}node_modules${path.sep}`) ? href : `${href}?edited=${statSync(file).mtimeMs}`;
}

/** Node's own `import(id)` as if written in a file of `folder`: the only way to its rules for `exports`. */
async function importFrom(folder: string, id: string): Promise<object> {
  const load = vm.runInThisContext('(id) => import(id)', {
    filename: path.join(folder, 'cell.js'),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as (id: string) => Promise<object>;
  return load(id);
}

/** An ES module as compiled code expects it from `require`: marked as one, so that `default` is its default export. */
function asCommonJs(namespace: object): object {
  if ('module.exports' in namespace) return namespace['module.exports'] as object;
  const facade = {};
  Object.defineProperty(facade, '__esModule', { value: true });
  for (const name of Object.keys(namespace)) {
    if (name === '__esModule') continue;
    Object.defineProperty(facade, name, {
      enumerable: true,
      get: () => (namespace as Record<string, unknown>)[name],
    });
  }
  return facade;
}

function slashes(file: string): string {
  return file.replace(/\\/g, '/');
}
