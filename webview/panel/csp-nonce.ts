/**
 * The component library probes the browser with a `<style>` element when it is loaded and takes the nonce for it from this meta
 * element. Import this before the library: without it the content security policy of the panel reports a violation.
 */
const nonce = document.currentScript?.nonce;
if (nonce !== undefined && nonce !== '') {
  const meta = document.createElement('meta');
  meta.setAttribute('property', 'csp-nonce');
  meta.setAttribute('content', nonce);
  document.head.append(meta);
}

/** The nonce of this page; undefined where there is none. */
export const pageNonce = nonce === '' ? undefined : nonce;
