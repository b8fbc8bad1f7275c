import * as vscode from 'vscode';
import { isObject } from '../../protocol/checks';

const KERNELSPEC = { name: 'tslab', display_name: 'TypeScript', language: 'typescript' };
const LANGUAGE_INFO = { name: 'typescript' };

/** What an `.ipynb` must say for its cells to be TypeScript again when it is opened: both names, since readers differ. */
export function typescriptMetadata(): Record<string, unknown> {
  return { kernelspec: { ...KERNELSPEC }, language_info: { ...LANGUAGE_INFO } };
}

function documentMetadata(notebook: vscode.NotebookDocument): Record<string, unknown> {
  const metadata: unknown = notebook.metadata.metadata;
  return isObject(metadata) ? metadata : {};
}

/** True when the notebook says that it belongs to a TypeScript or JavaScript kernel. */
export function isTypescriptNotebook(notebook: vscode.NotebookDocument): boolean {
  const { kernelspec, language_info: language } = documentMetadata(notebook);
  return (
    (isObject(language) && (language.name === 'typescript' || language.name === 'javascript')) ||
    (isObject(kernelspec) &&
      (kernelspec.name === KERNELSPEC.name ||
        kernelspec.language === 'typescript' ||
        kernelspec.language === 'javascript'))
  );
}

/** True when the notebook names the kernel that this one writes into notebooks. */
export function namesOurKernel(notebook: vscode.NotebookDocument): boolean {
  const { kernelspec } = documentMetadata(notebook);
  return isObject(kernelspec) && kernelspec.name === KERNELSPEC.name;
}

/** Writes kernel and language into the notebook, unless they are there: an edit without a change would mark it unsaved. */
export async function keepTypescriptMetadata(notebook: vscode.NotebookDocument): Promise<void> {
  const metadata = documentMetadata(notebook);
  const { kernelspec, language_info: language } = metadata;
  const complete =
    isObject(kernelspec) &&
    kernelspec.name === KERNELSPEC.name &&
    kernelspec.language === KERNELSPEC.language &&
    isObject(language) &&
    language.name === LANGUAGE_INFO.name;
  if (complete) return;
  const edit = new vscode.WorkspaceEdit();
  edit.set(notebook.uri, [
    vscode.NotebookEdit.updateNotebookMetadata({
      ...notebook.metadata,
      metadata: {
        ...metadata,
        kernelspec: { ...KERNELSPEC },
        language_info: { ...(isObject(language) ? language : {}), ...LANGUAGE_INFO },
      },
    }),
  ]);
  await vscode.workspace.applyEdit(edit);
}
