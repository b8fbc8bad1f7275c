/** Puts a PNG (a data URL) on the clipboard as a picture; false where the page may not, or the picture is gone. */
export async function copyPicture(dataUrl: Promise<string | undefined>): Promise<boolean> {
  try {
    // The page may write only while the click is fresh: the picture may come later, as a promise.
    const item = new ClipboardItem({ 'image/png': dataUrl.then(blobOf) });
    await navigator.clipboard.write([item]);
    return true;
  } catch {
    return false;
  }
}

function blobOf(dataUrl: string | undefined): Blob {
  const prefix = 'data:image/png;base64,';
  if (dataUrl?.startsWith(prefix) !== true) throw new Error('Expected a PNG.');
  const text = atob(dataUrl.slice(prefix.length));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Blob([bytes], { type: 'image/png' });
}
