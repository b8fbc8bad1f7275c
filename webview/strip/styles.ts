/** Sheets of this document by their text: a notebook of fifty strips reads the same text once. */
const sheets = new Map<string, CSSStyleSheet>();

/**
 * Puts a style sheet into a document or a shadow root. Constructed sheets need no permission from a content security policy;
 * where they are missing, a `<style>` with the page's nonce does the same.
 */
export function adoptStyles(root: Document | ShadowRoot, css: string, nonce?: string): void {
  if ('adoptedStyleSheets' in root && typeof CSSStyleSheet === 'function') {
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheetOf(css)];
    return;
  }
  const style = document.createElement('style');
  if (nonce !== undefined) style.nonce = nonce;
  style.textContent = css;
  (root instanceof ShadowRoot ? root : document.head).append(style);
}

function sheetOf(css: string): CSSStyleSheet {
  const known = sheets.get(css);
  if (known !== undefined) return known;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  sheets.set(css, sheet);
  return sheet;
}
