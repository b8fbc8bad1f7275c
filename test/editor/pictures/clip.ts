import { writeFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import sharp from 'sharp';

/** Arrow of the pointer, which pictures of a page do not show. */
const POINTER =
  "<svg xmlns='http://www.w3.org/2000/svg' width='22' height='30'><path d='M2 2v21l5-5 4 9 4-2-4-8h7z' fill='#fff' stroke='#000' stroke-width='1.5'/></svg>";
/** Pictures of the pointer's way from one place to the next. */
const WAY_STEPS = 3;

/** A clip of the window: pictures that are taken one after the other, each shown as long as it is told to be. */
export class Clip {
  private readonly frames: { png: Buffer; milliseconds: number }[] = [];
  private at = { x: 0, y: 0 };

  constructor(private readonly page: Page) {}

  /** Puts the pointer into the page. */
  async begin(x: number, y: number): Promise<void> {
    await this.page.evaluate((svg) => {
      const pointer = document.createElement('div');
      pointer.id = 'clip-pointer';
      pointer.style.cssText = `position:fixed;z-index:2147483647;pointer-events:none;width:22px;height:30px;background:url("data:image/svg+xml,${encodeURIComponent(svg)}")`;
      document.body.append(pointer);
    }, POINTER);
    await this.place(x, y);
  }

  async end(): Promise<void> {
    await this.page.evaluate(() => document.getElementById('clip-pointer')?.remove());
  }

  /** Takes a picture that is shown for so long; the same as before only lengthens what is there. */
  async shoot(milliseconds: number): Promise<void> {
    const png = await this.page.screenshot({ scale: 'css' });
    const last = this.frames.at(-1);
    if (last?.png.equals(png)) last.milliseconds += milliseconds;
    else this.frames.push({ png, milliseconds });
  }

  /** Puts the pointer at a place of `target` (parts of its width and height). */
  async put(target: Locator, part: { x: number; y: number }): Promise<void> {
    const { x, y } = await placeOf(target, part);
    await this.place(x, y);
  }

  /** Moves the pointer to a place of `target` (parts of its width and height), and takes pictures on the way. */
  async moveTo(target: Locator, part = { x: 0.5, y: 0.5 }): Promise<void> {
    const end = await placeOf(target, part);
    const begin = this.at;
    for (let step = 1; step <= WAY_STEPS; step++) {
      const share = step / WAY_STEPS;
      await this.place(begin.x + share * (end.x - begin.x), begin.y + share * (end.y - begin.y));
      await this.shoot(90);
    }
  }

  /** Drags `handle` to a place of `area` with the mouse. */
  async dragTo(handle: Locator, area: Locator, part: { x: number; y: number }): Promise<void> {
    const from = await placeOf(handle, { x: 0.5, y: 0.5 });
    await this.drag(from, await placeOf(area, part));
  }

  /** Drags what lies under the pointer by so many pixels. */
  async dragBy(right: number, down: number): Promise<void> {
    await this.drag(this.at, { x: this.at.x + right, y: this.at.y + down });
  }

  private async drag(from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> {
    const { mouse } = this.page;
    await mouse.move(from.x, from.y);
    await mouse.down();
    await mouse.move(to.x, to.y, { steps: 3 });
    await mouse.up();
    await this.place(to.x, to.y);
  }

  private async place(x: number, y: number): Promise<void> {
    this.at = { x, y };
    await this.page.evaluate(
      ([left, top]) => {
        const pointer = document.getElementById('clip-pointer');
        if (pointer) Object.assign(pointer.style, { left: `${left}px`, top: `${top}px` });
      },
      [x, y] as const,
    );
  }

  /** Writes an animated WebP of this width that goes on for ever. */
  async save(file: string, width: number): Promise<void> {
    const pictures = await Promise.all(
      this.frames.map(({ png }) => sharp(png).resize({ width, kernel: 'lanczos3' }).png().toBuffer()),
    );
    const webp = await sharp(pictures, { join: { animated: true } })
      .webp({
        quality: 72,
        effort: 6,
        minSize: true,
        mixed: true,
        loop: 0,
        delay: this.frames.map(({ milliseconds }) => milliseconds),
      })
      .toBuffer();
    await writeFile(file, webp);
  }
}

async function placeOf(target: Locator, part: { x: number; y: number }): Promise<{ x: number; y: number }> {
  const box = await target.boundingBox();
  if (box === null) throw new Error('Expected something visible to move the pointer to.');
  return { x: box.x + part.x * box.width, y: box.y + part.y * box.height };
}
