import type { Frame } from 'playwright-core';

/** Width in pixels of the widest picture that is shown inside `selector`; 0 when there is none. */
export async function widestPicture(output: Frame, selector: string): Promise<number> {
  const widths = await output
    .locator(`${selector} img, ${selector} canvas`)
    .evaluateAll((nodes) =>
      nodes.map((node) => (node instanceof HTMLImageElement ? node.naturalWidth : (node as HTMLCanvasElement).width)),
    );
  return Math.max(0, ...widths);
}
