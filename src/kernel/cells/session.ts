import path from 'node:path';
import vm from 'node:vm';
import { RestorationError, type CellError, type CellOutcome } from '../../protocol';
import { CompileError, type CellCompiler, type CompiledCell, type OwnPackage } from './cell-compiler';
import { cellErrorOf, describeFailure, type Locate } from './failures';
import { CellModules } from './modules';
import type { CellOutput } from './output';
import type { Origin, Position } from './positions';
import { showValue } from './values';
import { ASYNC_ITERATOR, asyncIteratorOf } from './yield-awaits';

export interface SessionResult {
  outcome: CellOutcome;
  error?: CellError;
}

/** How long what a cell waits for may take to end by itself once the cell is interrupted. */
const WIND_DOWN_MS = 600;
/** How often a cell that goes on after its interruption is ended again before it is left behind. */
const INTERRUPTIONS = 3;
/** How long a cell may go from await to await without waiting for anything. */
const TURN_MS = 50;

const PARAMETERS = `exports, require, __filename, __dirname, ${ASYNC_ITERATOR}`;
const CELL_FILE = /^cell \[(\d+)\]$/;

/** Thrown into a cell at the await where it was interrupted. */
class Interrupted extends Error {
  constructor() {
    super('The cell was interrupted.');
    this.name = 'Interrupted';
  }
}

/** One execution, and what interrupts it. */
class Execution {
  readonly controller = new AbortController();
  readonly interrupted: Promise<void>;
  /** Where the cell waited for a value that failed. */
  readonly awaited = new Map<unknown, Position>();
  private settle: () => void = () => undefined;

  constructor(readonly id: number) {
    this.interrupted = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  get isInterrupted(): boolean {
    return this.controller.signal.aborted;
  }

  interrupt(): void {
    this.controller.abort(new RestorationError('cancelled', 'The cell was interrupted.', ''));
    this.settle();
  }

  /** Waits for `value`; an interruption lets it end by itself for a moment, then gives it up. Throws Interrupted. */
  async wait<T>(value: T): Promise<Awaited<T>> {
    let timer: NodeJS.Timeout | undefined;
    const givenUp = this.interrupted.then(
      () =>
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Interrupted()), WIND_DOWN_MS);
        }),
    );
    // Whoever loses the race may still fail later.
    givenUp.catch(() => undefined);
    try {
      const settled = await Promise.race([value, givenUp]);
      if (this.isInterrupted) throw new Interrupted();
      return settled;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Runs the cells of one notebook in this process. Their variables are properties of one object, so that a cell may
 * declare again what another has declared; a cell that fails declares nothing.
 */
export class Session {
  private readonly variables = createVariables();
  private readonly modules: CellModules;
  private readonly origins = new Map<number, Origin | undefined>();
  private running: Execution | undefined;
  private slice: () => unknown = () => undefined;
  private readonly runSlice: vm.Script;
  private shown = 0;

  constructor(
    private readonly notebook: string,
    private readonly compiler: CellCompiler,
    private readonly output: CellOutput,
    own: OwnPackage,
  ) {
    this.modules = new CellModules(path.dirname(notebook), { own, tslab: compiler.library.main });
    const key = Symbol.for('progressive-restoration.cell-slice');
    Object.defineProperty(globalThis, key, { value: () => this.slice(), enumerable: false });
    this.runSlice = new vm.Script(`globalThis[Symbol.for(${JSON.stringify(key.description)})]()`);
    compiler.library.displaySink.lastWriteDisplayData = (content) => this.showContent(content);
  }

  /** Aborted when the running cell is interrupted; undefined between cells. */
  get signal(): AbortSignal | undefined {
    return this.running?.controller.signal;
  }

  interrupt(): void {
    this.running?.interrupt();
  }

  /** Runs one cell to its end. Never rejects. */
  async execute(id: number, code: string): Promise<SessionResult> {
    const execution = new Execution(id);
    this.running = execution;
    this.output.begin(id);
    const before = new Map(Object.entries(this.variables));
    let cell: CompiledCell | undefined;
    try {
      cell = this.compiler.compile(code);
      await pendingMessages();
      await this.run(cell, execution);
      return { outcome: 'ok' };
    } catch (error) {
      if (cell) this.restoreVariables(cell, before);
      if (execution.isInterrupted || isBrokenBySignal(error)) return { outcome: 'interrupted' };
      if (error instanceof CompileError) return { outcome: 'error', error: error.cellError };
      return { outcome: 'error', error: cellErrorOf(error, id, this.locate, execution.awaited.get(error)) };
    } finally {
      this.running = undefined;
      this.output.flush();
    }
  }

  /** What went wrong outside the awaited flow of a cell (a timer, a promise nobody waited for), as text of the last cell. */
  reportBackgroundFailure(thrown: unknown): void {
    this.output.write('stderr', `Failed in the background: ${describeFailure(thrown, this.locate)}`);
    this.output.flush();
  }

  private async run(cell: CompiledCell, execution: Execution): Promise<void> {
    this.modules.update(cell.modules);
    if (cell.code !== '') {
      this.origins.set(execution.id, cell.origin);
      await execution.wait(this.modules.preload(cell.code, cell.modules));
      await this.runCode(cell, execution);
      // It may have ended in peace, told to return at an await.
      if (execution.isInterrupted) throw new Interrupted();
    }
    this.compiler.accept(cell);
    if (cell.lastExpression === undefined) return;
    const value = this.variables[cell.lastExpression];
    delete this.variables[cell.lastExpression];
    await execution.wait(
      showValue(value, `${execution.id}.value`, (displayId, bundle) => this.output.display(displayId, bundle)),
    );
  }

  private async runCode(cell: CompiledCell, execution: Execution): Promise<void> {
    const head = `(function${cell.hasAwait ? '*' : ''}(${PARAMETERS}) { `;
    const script = new vm.Script(`${head}${cell.code}\n})`, {
      filename: `cell [${execution.id}]`,
      columnOffset: -head.length,
    });
    const body = script.runInThisContext() as (...parameters: unknown[]) => unknown;
    const start = (): unknown =>
      body(this.variables, this.modules.require, this.notebook, path.dirname(this.notebook), asyncIteratorOf);
    const result = this.breakable(start);
    if (cell.hasAwait) await this.drive(result as CellGenerator, cell, execution);
  }

  /** Runs a cell from await to await. */
  private async drive(generator: CellGenerator, cell: CompiledCell, execution: Execution): Promise<void> {
    let resume: () => IteratorResult<AwaitedValue, unknown> = () => generator.next();
    let turn = performance.now();
    for (let interruptions = 0; ;) {
      // Awaits of values that are there already would never let a message in.
      if (performance.now() - turn > TURN_MS) {
        await nextTurn();
        turn = performance.now();
      }
      const step = this.breakable(resume);
      if (step.done) return;
      const [line, column, value] = step.value;
      try {
        const settled = await execution.wait(value);
        resume = () => generator.next(settled);
      } catch (error) {
        const position = cell.origin?.ofModule({ line, column });
        if (position && !execution.awaited.has(error)) execution.awaited.set(error, position);
        if (execution.isInterrupted && ++interruptions > INTERRUPTIONS) throw error;
        // `finally` blocks of the cell run; one that waits for something else is interrupted again.
        resume =
          execution.isInterrupted && interruptions > 1
            ? () => generator.return(undefined)
            : () => generator.throw(error);
      }
    }
  }

  /** Calls `work` so that SIGINT ends it, even in a loop that never returns. */
  private breakable<T>(work: () => T): T {
    this.slice = work;
    return this.runSlice.runInThisContext({ breakOnSigint: true }) as T;
  }

  private restoreVariables(cell: CompiledCell, before: ReadonlyMap<string, unknown>): void {
    for (const name of cell.declares) {
      if (before.has(name)) this.variables[name] = before.get(name);
      else delete this.variables[name];
    }
    if (cell.lastExpression !== undefined) delete this.variables[cell.lastExpression];
  }

  private showContent(content: { data: Record<string, unknown>; transient?: { display_id?: string } }): void {
    this.output.display(content.transient?.display_id ?? `shown-${++this.shown}`, content.data);
  }
  private readonly locate: Locate = ({ file, line, column }) => {
    const cell = CELL_FILE.exec(file);
    if (cell) {
      const id = Number(cell[1]);
      const position = this.origins.get(id)?.ofRunning({ line, column });
      return position && { label: `cell [${id}]:${position.line}:${position.column}`, cell: id, position };
    }
    const source = this.modules.sourceOf(file);
    const position = source?.origin?.ofRunning({ line, column });
    return source && position && { label: `${source.name}:${position.line}:${position.column}`, position };
  };
}

type AwaitedValue = [line: number, column: number, value: unknown];
type CellGenerator = Generator<AwaitedValue, unknown, unknown>;

/** Lets an interruption arrive that came during the compilation: two turns, since the first may end the current poll. */
async function pendingMessages(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBrokenBySignal(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
}

/** The `exports` of all cells: what compiled code defines as fixed stays changeable by the cells below. */
function createVariables(): Record<string, unknown> {
  const variables: Record<string, unknown> = {};
  return new Proxy(variables, {
    defineProperty: (_, name, attributes) => {
      if (name === '__esModule' || typeof name === 'symbol') return true;
      variables[name] = attributes.get ? (attributes.get() as unknown) : attributes.value;
      return true;
    },
  });
}
