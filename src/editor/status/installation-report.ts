import os from 'node:os';
import * as vscode from 'vscode';

/** One line of the report. */
export interface ReportLine {
  label: string;
  ok: boolean;
  text: string;
  remedy?: string;
}

export interface ReportSection {
  title: string;
  lines: ReportLine[];
}

const SCHEME = 'progressive-restoration-report';

/** Reports of the installation as documents: to be read, searched and copied, and never asked to be saved. */
export class InstallationReports implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly uri = vscode.Uri.from({ scheme: SCHEME, path: '/Installation.md' });
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  private text = '';

  provideTextDocumentContent(): string {
    return this.text || vscode.l10n.t('Use the command "Check Installation" for a new report.');
  }

  async show(sections: readonly ReportSection[]): Promise<void> {
    this.text = withoutHome(markdown(sections));
    this.changed.fire(this.uri);
    const document = await vscode.workspace.openTextDocument(this.uri);
    await vscode.window.showTextDocument(document, { preview: true });
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}

/** Who copies a report need not tell the name of their account. */
function withoutHome(text: string): string {
  const home = os.homedir();
  return home.length > 1 ? text.replaceAll(home, '~') : text;
}

/** Sections as Markdown: what needs attention first, each with what to do. */
export function markdown(sections: readonly ReportSection[]): string {
  const problems = sections.flatMap(({ lines }) => lines.filter(({ ok }) => !ok));
  const head =
    problems.length === 0
      ? [vscode.l10n.t('Everything that was tried works.')]
      : [
          vscode.l10n.t('Needs attention: {0}', problems.length),
          '',
          ...problems.map(({ label, text, remedy }) => `- **${label}**: ${oneLine([text, remedy ?? ''].join(' '))}`),
        ];
  const body = sections.flatMap(({ title, lines }) => [
    '',
    `## ${title}`,
    '',
    ...lines.map(({ label, ok, text, remedy }) => {
      const mark = ok ? '' : vscode.l10n.t('**failed** ');
      return `- ${label}: ${mark}${oneLine([text, ok ? (remedy ?? '') : ''].join(' '))}`;
    }),
  ]);
  return ['# Progressive Image Restoration', '', ...head, ...body, ''].join('\n');
}

/** What comes from files and processes stays on its line. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
