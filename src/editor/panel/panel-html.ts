import { randomBytes } from 'node:crypto';
import type * as vscode from 'vscode';

/** What a document shows; `panel.ts` in `webview/panel` has one view for each. */
export type PanelKind = 'restore' | 'batch' | 'compare';

/**
 * The document of a panel. Nothing is loaded from a network, no script and no style runs without the nonce of this document,
 * and pictures come as data URLs or from memory only.
 */
export function panelHtml(webview: vscode.Webview, scriptFile: vscode.Uri, kind: PanelKind): string {
  const nonce = randomBytes(24).toString('base64url');
  const policy = [
    "default-src 'none'",
    'img-src data: blob:',
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Progressive Restoration</title>
  </head>
  <body data-nonce="${nonce}" data-panel="${kind}">
    <script nonce="${nonce}" src="${webview.asWebviewUri(scriptFile).toString()}"></script>
  </body>
</html>
`;
}
