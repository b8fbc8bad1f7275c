import type ts from '@tslab/typescript-for-tslab';
import type {
  CellCompletion,
  CellContext,
  CellDescription,
  CellHover,
  CellProblem,
  CellSignature,
  CellSignatures,
  LanguageQuery,
  LanguageResults,
  Span,
} from '../../protocol';
import type { CellCompiler, OpenCell, Verdict } from '../cells/cell-compiler';
import { libraryImports } from './library-imports';
import { hostOf, NEVER_CANCELLED, services } from './compiler-services';

/** Verdicts kept: those of the notebooks that are being edited, and of some edits before. */
const KEPT_VERDICTS = 300;

/**
 * Answers what an editor asks about the cells of the notebooks in one folder. Every cell is compiled by the kernel's own
 * compiler on top of what the cells above it declare, so both agree; nothing is run.
 */
export class CellLanguage {
  private readonly verdicts = new Map<string, Verdict>();
  /** What the library exports; it does not change while this process lives. */
  private exported: readonly CellCompletion[] | undefined;

  constructor(private readonly compiler: CellCompiler) {}

  /** Throws when the compiler fails, which it should not. */
  answer<Query extends LanguageQuery>(cell: CellContext, query: Query): LanguageResults[Query['kind']];
  answer(cell: CellContext, query: LanguageQuery): LanguageResults[LanguageQuery['kind']] {
    if (this.compiler.pollFiles()) this.verdicts.clear();
    let declarations = '';
    for (const code of cell.above) declarations = this.judge(declarations, code).declarations;
    switch (query.kind) {
      case 'check':
        return this.judge(declarations, cell.code).problems.map((problem) => asProblem(problem, cell.code));
      case 'complete':
        return this.complete(this.compiler.open(declarations, cell.code), query.offset);
      case 'describe':
        return (
          describe(this.compiler.open(declarations, cell.code), query.offset, query.name) ??
          this.describeExport(query.name)
        );
      case 'hover':
        return hover(this.compiler.open(declarations, cell.code), query.offset);
      case 'signatures':
        return signatures(this.compiler.open(declarations, cell.code), query.offset);
    }
  }

  private complete(open: OpenCell, offset: number): CellCompletion[] {
    const { completions, isGlobal } = complete(open, offset);
    if (!isGlobal) return completions;
    const inScope = new Set(completions.map(({ name }) => name));
    const addition = libraryImports(open);
    const others = this.exports(open.library).filter(({ name }) => !inScope.has(name));
    return [
      ...completions,
      // Behind what is in scope, as TypeScript's own extension orders it.
      ...others.map(({ name, kind }) => ({
        name,
        kind,
        sortText: '16',
        source: open.library,
        addition: addition(name),
      })),
    ];
  }

  /** What can be imported from the library, asked as between the braces of an import. */
  private exports(library: string): readonly CellCompletion[] {
    if (this.exported === undefined) {
      const open = this.compiler.open('', `import {  } from '${library}';`);
      const { completions } = complete(open, 'import { '.length);
      this.exported = completions.filter(({ kind }) => kind !== 'keyword');
    }
    return this.exported;
  }

  /** What a completion stands for that is not in the cell yet. */
  private describeExport(name: string): CellDescription | undefined {
    const library = this.compiler.ownName;
    if (!this.exports(library).some((one) => one.name === name)) return undefined;
    const code = `import { ${name} } from '${library}';\n`;
    const { declaration, documentation } = hover(this.compiler.open('', `${code}${name}`), code.length) ?? {};
    return declaration === undefined || documentation === undefined ? undefined : { declaration, documentation };
  }

  private judge(declarations: string, code: string): Verdict {
    const key = `${declarations}\0${code}`;
    const known = this.verdicts.get(key);
    this.verdicts.delete(key);
    const verdict = known ?? this.compiler.judge(declarations, code);
    // Put in again as the youngest; the oldest goes.
    if (verdict.final) this.verdicts.set(key, verdict);
    if (this.verdicts.size > KEPT_VERDICTS) {
      const [oldest] = this.verdicts.keys();
      if (oldest !== undefined) this.verdicts.delete(oldest);
    }
    return verdict;
  }
}

function asProblem(
  { start, end, messageText, code, fileName }: Verdict['problems'][number],
  cell: string,
): CellProblem {
  if (fileName !== undefined) {
    // In a local module: told at the top of the cell, with its place.
    const firstLine = cell.split('\n', 1)[0]?.length ?? 0;
    const place = `${fileName} line ${start.line + 1}:${start.character + 1}`;
    return { start: 0, end: firstLine, message: `${place}: ${messageText}`, code };
  }
  const from = clamp(start.offset, cell.length);
  return { start: from, end: Math.max(from, clamp(end.offset, cell.length)), message: messageText, code };
}

/** The compiler's order of what is declared everywhere: only where a name may stand by itself, as a value or as a type, is it listed. */
const GLOBALS = '15';

/** `isGlobal`: at the cursor stands a name by itself, which may be that of anything. */
function complete(open: OpenCell, offset: number): { completions: CellCompletion[]; isGlobal: boolean } {
  const { program, file, prefix, compiler } = open;
  const found = services(compiler).Completions.getCompletionsAtPosition(
    hostOf(compiler, program),
    program,
    () => undefined,
    file,
    prefix + offset,
    { includeCompletionsWithInsertText: true, includeCompletionsForImportStatements: false },
    undefined,
    compiler.CompletionTriggerKind.Invoked,
    NEVER_CANCELLED,
  );
  const completions = (found?.entries ?? []).flatMap((entry): CellCompletion[] => {
    // What stands before the cell, and the names under which the converter keeps things, are nobody's concern.
    if (entry.name.startsWith('__tslab__')) return [];
    const span = entry.replacementSpan ?? found?.optionalReplacementSpan;
    return [
      {
        name: entry.name,
        kind: entry.kind,
        sortText: entry.sortText,
        ...(entry.insertText !== undefined && { insertText: entry.insertText }),
        ...(/\bdeprecated\b/.test(entry.kindModifiers ?? '') && { deprecated: true as const }),
        ...(span && { span: inCell(span, prefix) }),
      },
    ];
  });
  const module = importedAt(open, prefix + offset);
  return {
    completions: module === undefined ? completions : [libraryCompletion(open, module), ...completions],
    isGlobal: (found?.entries ?? []).some(({ name, sortText }) => name === 'Array' && sortText === GLOBALS),
  };
}

/**
 * This package as an `import` of the notebook. The compiler lists what is installed above the notebook's folder; this package
 * is at hand everywhere, also beside a notebook that was never saved.
 */
function libraryCompletion(
  { library, prefix }: OpenCell,
  { text, start }: { text: string; start: number },
): CellCompletion {
  const span = inCell({ start, length: text.length }, prefix);
  return { name: library, kind: 'external module name', sortText: '0', span };
}

/** What stands so far between the quotes of an import whose module is named at `position`. */
function importedAt({ compiler, file }: OpenCell, position: number): { text: string; start: number } | undefined {
  const find = (node: ts.Node): ts.Node | undefined =>
    compiler.forEachChild(node, (child) => (child.pos < position && position <= child.end ? find(child) : undefined)) ??
    node;
  const literal = find(file);
  if (literal === undefined || !compiler.isStringLiteralLike(literal)) return undefined;
  const { parent } = literal;
  const isModule =
    ((compiler.isImportDeclaration(parent) || compiler.isExportDeclaration(parent)) &&
      parent.moduleSpecifier === literal) ||
    (compiler.isCallExpression(parent) &&
      (parent.expression.kind === compiler.SyntaxKind.ImportKeyword || parent.expression.getText(file) === 'require'));
  const start = literal.getStart(file) + 1;
  return isModule && position >= start ? { text: literal.text, start } : undefined;
}

function describe(open: OpenCell, offset: number, name: string): CellDescription | undefined {
  const { program, file, prefix, compiler } = open;
  const details = services(compiler).Completions.getCompletionEntryDetails(
    program,
    () => undefined,
    file,
    prefix + offset,
    { name },
    hostOf(compiler, program),
    undefined,
    {},
    NEVER_CANCELLED,
  );
  return (
    details && {
      declaration: textOf(details.displayParts),
      documentation: documentationOf(details.documentation, details.tags),
    }
  );
}

function hover(open: OpenCell, offset: number): CellHover | undefined {
  const { program, file, prefix, compiler } = open;
  const checker = program.getTypeChecker();
  const info = services(compiler).getQuickInfoAtPosition(file, checker, NEVER_CANCELLED, prefix + offset);
  if (!info?.displayParts?.length) return undefined;
  return {
    declaration: textOf(info.displayParts),
    documentation: documentationOf(info.documentation, info.tags),
    span: inCell(info.textSpan, prefix),
  };
}

function signatures(open: OpenCell, offset: number): CellSignatures | undefined {
  const { program, file, prefix, compiler } = open;
  const { SignatureHelp } = services(compiler);
  const help = SignatureHelp.getSignatureHelpItems(program, file, prefix + offset, undefined, NEVER_CANCELLED);
  if (!help) return undefined;
  return {
    active: help.selectedItemIndex,
    activeParameter: help.argumentIndex,
    signatures: help.items.map((item): CellSignature => {
      const parameters = item.parameters.map(({ displayParts, documentation }) => ({
        label: textOf(displayParts),
        documentation: textOf(documentation),
      }));
      const list = parameters.map(({ label }) => label).join(textOf(item.separatorDisplayParts));
      return {
        declaration: `${textOf(item.prefixDisplayParts)}${list}${textOf(item.suffixDisplayParts)}`,
        documentation: documentationOf(
          item.documentation,
          item.tags.filter(({ name }) => name !== 'param'),
        ),
        parameters,
      };
    }),
  };
}

function textOf(parts: readonly ts.SymbolDisplayPart[] | undefined): string {
  return (parts ?? []).map(({ text }) => text).join('');
}

/** Documentation and its tags as Markdown: `@param name text` as a line of its own, examples as code. */
function documentationOf(
  parts: readonly ts.SymbolDisplayPart[] | undefined,
  tags: readonly ts.JSDocTagInfo[] | undefined,
): string {
  const lines = (tags ?? []).map((tag) => {
    const text = textOf(tag.text).trim();
    if (tag.name === 'example' && text !== '' && !text.includes('```')) return `\`\`\`typescript\n${text}\n\`\`\``;
    return `*@${tag.name}*${text === '' ? '' : ` ${text}`}`;
  });
  return [textOf(parts), ...lines].filter((text) => text !== '').join('\n\n');
}

function inCell({ start, length }: ts.TextSpan, prefix: number): Span {
  const from = Math.max(0, start - prefix);
  return { start: from, end: Math.max(from, start - prefix + length) };
}

function clamp(offset: number, length: number): number {
  return Math.min(Math.max(0, offset), length);
}
