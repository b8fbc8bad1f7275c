import type ts from '@tslab/typescript-for-tslab';
import type { Insertion } from '../../protocol';
import type { OpenCell } from '../cells/cell-compiler';

/** A comment at the top of a cell that tells the converter what the cell is: it must stay the first thing in it. */
const CELL_TAG = /^\/\*\*[\s\S]*?@(?:module|browser|jsx)\b/;

/** Imports of the library that a completion can add to a cell: into the braces that are there, else as a line of its own. */
export function libraryImports(open: OpenCell): (name: string) => Insertion {
  const { compiler, file, prefix, library } = open;
  const imports = file.statements.filter(
    (statement): statement is ts.ImportDeclaration =>
      compiler.isImportDeclaration(statement) && statement.pos >= prefix - 1,
  );
  for (const { importClause, moduleSpecifier } of imports) {
    const bindings = importClause?.namedBindings;
    if (!compiler.isStringLiteral(moduleSpecifier) || moduleSpecifier.text !== library) continue;
    if (importClause?.isTypeOnly === true || bindings === undefined || !compiler.isNamedImports(bindings)) continue;
    const last = bindings.elements.at(-1);
    if (last !== undefined) return (name) => ({ at: last.end - prefix, text: `, ${name}` });
    return (name) => ({ at: bindings.getStart(file) + 1 - prefix, text: ` ${name} ` });
  }
  const quote = imports.some(({ moduleSpecifier }) => moduleSpecifier.getText(file).startsWith('"')) ? '"' : "'";
  const line = (name: string): string => `import { ${name} } from ${quote}${library}${quote};`;
  const last = imports.at(-1);
  if (last !== undefined) return (name) => ({ at: last.end - prefix, text: `\n${line(name)}` });
  const text = file.text.slice(prefix);
  const [comment] = compiler.getLeadingCommentRanges(text, 0) ?? [];
  if (comment !== undefined && CELL_TAG.test(text.slice(comment.pos, comment.end))) {
    return (name) => ({ at: comment.end, text: `\n${line(name)}` });
  }
  return (name) => ({ at: 0, text: `${line(name)}\n` });
}
