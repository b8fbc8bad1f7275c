import * as vscode from 'vscode';
import type { LanguageClient } from '../../kernel';
import type { CellCompletion, CellContext, CellDescription, CellSignature } from '../../protocol';
import { NOTEBOOK_TYPE } from '../ids';
import { CELL_LANGUAGES, contextOf, rangeOf, signalOf } from './cell-context';

const KINDS: Record<string, keyof typeof vscode.CompletionItemKind> = {
  keyword: 'Keyword',
  'primitive type': 'Keyword',
  const: 'Constant',
  let: 'Variable',
  var: 'Variable',
  'local var': 'Variable',
  alias: 'Variable',
  parameter: 'Variable',
  property: 'Field',
  getter: 'Field',
  setter: 'Field',
  accessor: 'Field',
  function: 'Function',
  'local function': 'Function',
  method: 'Method',
  construct: 'Method',
  call: 'Method',
  index: 'Method',
  enum: 'Enum',
  'enum member': 'EnumMember',
  module: 'Module',
  'external module name': 'Module',
  class: 'Class',
  'local class': 'Class',
  type: 'Class',
  'type parameter': 'TypeParameter',
  interface: 'Interface',
  script: 'File',
  directory: 'Folder',
  string: 'Constant',
};

/** A completion that knows where it was offered, for the question what it is. */
class CellCompletionItem extends vscode.CompletionItem {
  constructor(
    { name, kind, sortText, insertText, deprecated, span, addition, source }: CellCompletion,
    document: vscode.TextDocument,
    readonly cell: CellContext,
    readonly offset: number,
  ) {
    // Where it comes from stands behind the name, dimmed, as other extensions show it.
    super(
      source === undefined ? name : { label: name, description: source },
      vscode.CompletionItemKind[KINDS[kind] ?? 'Property'],
    );
    this.sortText = sortText;
    if (insertText !== undefined) {
      this.insertText = insertText;
      this.filterText = insertText;
    }
    if (deprecated) this.tags = [vscode.CompletionItemTag.Deprecated];
    if (span !== undefined) this.range = rangeOf(document, span);
    if (addition !== undefined) {
      this.additionalTextEdits = [vscode.TextEdit.insert(document.positionAt(addition.at), addition.text)];
    }
  }

  get name(): string {
    return typeof this.label === 'string' ? this.label : this.label.label;
  }
}

/**
 * Completion, hover and signatures in the code cells of one notebook. The selector is exclusive: TypeScript's own extension
 * knows neither the cells above nor the library, and everything that both know would be listed twice.
 */
export function registerCellProviders(notebook: vscode.NotebookDocument, client: LanguageClient): vscode.Disposable {
  const selector = CELL_LANGUAGES.map((language) => ({
    language,
    notebookType: NOTEBOOK_TYPE,
    // With a notebook's type, the pattern is matched against the notebook's path; equal text always matches.
    pattern: notebook.uri.fsPath,
    // Not in the editor's declarations, but passed on by it: while this one applies, no other does.
    exclusive: true,
  }));
  return vscode.Disposable.from(
    vscode.languages.registerCompletionItemProvider(selector, completion(notebook, client), '.', '"', "'", '`', '/'),
    vscode.languages.registerHoverProvider(selector, hover(notebook, client)),
    vscode.languages.registerSignatureHelpProvider(selector, signatures(notebook, client), '(', ',', '<'),
  );
}

function completion(
  notebook: vscode.NotebookDocument,
  client: LanguageClient,
): vscode.CompletionItemProvider<CellCompletionItem> {
  return {
    async provideCompletionItems(document, position, token) {
      const cell = contextOf(notebook, document);
      if (cell === undefined) return undefined;
      const offset = document.offsetAt(position);
      const found = await client.ask(cell, { kind: 'complete', offset }, signalOf(token));
      return found?.map((entry) => new CellCompletionItem(entry, document, cell, offset));
    },
    async resolveCompletionItem(item, token) {
      const { cell, offset, name } = item;
      const described = await client.ask(cell, { kind: 'describe', offset, name }, signalOf(token));
      if (described === undefined) return item;
      item.detail = described.declaration;
      item.documentation = new vscode.MarkdownString(described.documentation);
      return item;
    },
  };
}

function hover(notebook: vscode.NotebookDocument, client: LanguageClient): vscode.HoverProvider {
  return {
    async provideHover(document, position, token) {
      const cell = contextOf(notebook, document);
      if (cell === undefined) return undefined;
      const query = { kind: 'hover', offset: document.offsetAt(position) } as const;
      const found = await client.ask(cell, query, signalOf(token));
      return found && new vscode.Hover(markdown(found), rangeOf(document, found.span));
    },
  };
}

function signatures(notebook: vscode.NotebookDocument, client: LanguageClient): vscode.SignatureHelpProvider {
  return {
    async provideSignatureHelp(document, position, token) {
      const cell = contextOf(notebook, document);
      if (cell === undefined) return undefined;
      const query = { kind: 'signatures', offset: document.offsetAt(position) } as const;
      const found = await client.ask(cell, query, signalOf(token));
      if (found === undefined) return undefined;
      const help = new vscode.SignatureHelp();
      help.signatures = found.signatures.map(signature);
      help.activeSignature = found.active;
      help.activeParameter = found.activeParameter;
      return help;
    },
  };
}

function signature({ declaration, documentation, parameters }: CellSignature): vscode.SignatureInformation {
  const information = new vscode.SignatureInformation(declaration, new vscode.MarkdownString(documentation));
  information.parameters = parameters.map(
    (parameter) => new vscode.ParameterInformation(parameter.label, new vscode.MarkdownString(parameter.documentation)),
  );
  return information;
}

function markdown({ declaration, documentation }: CellDescription): vscode.MarkdownString {
  return new vscode.MarkdownString().appendCodeblock(declaration, 'typescript').appendMarkdown(documentation);
}
