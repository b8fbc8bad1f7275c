/**
 * Puts a style sheet into a document or a shadow root. Constructed sheets need no permission from a content security policy;
 * where they are missing, a `<style>` with the page's nonce does the same.
 */
export function adoptStyles(root: Document | ShadowRoot, css: string, nonce?: string): void {
  if ('adoptedStyleSheets' in root && typeof CSSStyleSheet === 'function') {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    return;
  }
  const style = document.createElement('style');
  if (nonce !== undefined) style.nonce = nonce;
  style.textContent = css;
  (root instanceof ShadowRoot ? root : document.head).append(style);
}
