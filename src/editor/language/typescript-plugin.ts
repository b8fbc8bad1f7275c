/**
 * A plugin of the editor's own TypeScript server. That server looks at every cell of a notebook by itself: as soon as a cell
 * imports something, it holds the cell for a module and every name at its top for unused, and the editor fades them, although
 * the cells below use them. The plugin takes such remarks back in notebook cells; what is unused inside a function stays faded.
 */
import type ts from 'typescript';

/** How the server names cells of notebooks: they are in no file. */
const CELL = /^\^\/vscode-notebook-cell\//;

interface Modules {
  typescript: typeof ts;
}

export default function plugin({ typescript }: Modules): ts.server.PluginModule {
  return {
    create({ languageService }) {
      const getSuggestionDiagnostics = (file: string): ts.DiagnosticWithLocation[] => {
        const found = languageService.getSuggestionDiagnostics(file);
        const source = CELL.test(file) ? languageService.getProgram()?.getSourceFile(file) : undefined;
        if (source === undefined) return found;
        return found.filter(
          ({ reportsUnnecessary, start }) => reportsUnnecessary === undefined || !isAtTop(typescript, source, start),
        );
      };
      // All functions are its own properties: other plugins copy them in the same way.
      return { ...languageService, getSuggestionDiagnostics };
    },
  };
}

/** Whether what stands at `position` is declared for the whole cell, and so for the cells below. */
function isAtTop(typescript: typeof ts, source: ts.SourceFile, position: number): boolean {
  for (let node = innermost(typescript, source, position); node !== source; node = node.parent) {
    const { parent } = node;
    const opensScope =
      typescript.isFunctionLike(parent) ||
      typescript.isClassLike(parent) ||
      typescript.isBlock(parent) ||
      typescript.isModuleBlock(parent) ||
      typescript.isCaseBlock(parent) ||
      typescript.isIterationStatement(parent, false) ||
      typescript.isInterfaceDeclaration(parent) ||
      typescript.isTypeAliasDeclaration(parent);
    // The name of a function or a class belongs to where the function or the class stands.
    const isItsName = 'name' in parent && parent.name === node;
    if (opensScope && !isItsName) return false;
  }
  return true;
}

function innermost(typescript: typeof ts, node: ts.Node, position: number): ts.Node {
  const child = typescript.forEachChild(node, (candidate) =>
    candidate.getStart() <= position && position < candidate.getEnd() ? candidate : undefined,
  );
  return child === undefined ? node : innermost(typescript, child, position);
}
