import { SourceMap } from 'node:module';

/** A place in a text, both 1-based. */
export interface Position {
  line: number;
  column: number;
}

/** Where a piece of running JavaScript comes from: it was compiled in two steps, TypeScript -> ES module -> CommonJS. */
export class Origin {
  private readonly first: SourceMap | undefined;
  private readonly second: SourceMap | undefined;

  /** `linesBefore`: lines that the converter puts before the source. */
  constructor(
    first: string | undefined,
    second: string | undefined,
    private readonly linesBefore: number,
  ) {
    this.first = parse(first);
    this.second = parse(second);
  }

  /** The source position of a place in the running code. */
  ofRunning(position: Position): Position | undefined {
    const module = lookUp(this.second, position);
    return module && this.ofModule(module);
  }

  /** The source position of a place in the ES module between the two steps. */
  ofModule(position: Position): Position | undefined {
    const source = lookUp(this.first, position);
    if (!source || source.line <= this.linesBefore) return undefined;
    return { line: source.line - this.linesBefore, column: source.column };
  }
}

function parse(map: string | undefined): SourceMap | undefined {
  return map === undefined ? undefined : new SourceMap(JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0]);
}

function lookUp(map: SourceMap | undefined, { line, column }: Position): Position | undefined {
  const entry = map?.findEntry(line - 1, column - 1);
  return entry && 'originalLine' in entry
    ? { line: entry.originalLine + 1, column: entry.originalColumn + 1 }
    : undefined;
}
