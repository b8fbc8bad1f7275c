/**
 * Saves a made file (its address has passed `isMadeFile`) by a link that is pressed at once: notebooks and browsers answer with their
 * own dialog.
 */
export function download(dataUrl: string, name: string): void {
  const link = document.createElement('a');
  link.href = dataUrl;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
