import { surface } from './bitmaps';
import type { Curve } from './curve-data';
import type { Labels } from './labels';
import { formatValue } from './numbers';
import { placeName, type Place } from './places';

/** One row of the figure: a run's pictures and numbers. */
export interface FigureRow {
  name: string;
  places: Place[];
  curves: Curve[];
  /** The reference's picture, at the end of the row. */
  reference?: string;
}

export interface Figure {
  title: string;
  /** Input, region, protocol: what a reader of the figure has to know. */
  footer: string;
  rows: FigureRow[];
}

/** Everything is drawn at twice its size, so that letters stay readable; picture pixels become squares of four. */
const SCALE = 2;
const FONT = 11;
const LINE = 15;
const GAP = 4;
const MARGIN = 10;
const NAMES = 64;
/** Most columns of a figure: of a longer run, frames evenly from first to last. */
const COLUMNS = 17;
/** Longest side of a cell that shows a preview instead of a region. */
const PREVIEW = 140;

/**
 * The crops of the region side by side with the numbers under them, as the data URL of a PNG on white. Undefined when there is
 * no picture to show.
 */
export async function drawFigure({ title, footer, rows }: Figure, labels: Labels): Promise<string | undefined> {
  const drawn = await Promise.all(
    rows.map(async ({ name, places, curves, reference }) => {
      const chosen = evenly(
        places.map((place, at) => ({ place, at })).filter(({ place }) => place.picture !== undefined),
      );
      const cells = await Promise.all(
        chosen.map(async ({ place, at }) => {
          const url = place.picture?.crop ?? place.picture?.thumbnail;
          return { at, name: placeName(place, labels), image: url === undefined ? undefined : await load(url) };
        }),
      );
      const last = reference === undefined ? [] : [{ at: -1, name: labels.reference, image: await load(reference) }];
      return { name, curves, cells: [...cells, ...last], isRegion: chosen.some(({ place }) => place.picture?.crop) };
    }),
  );
  const first = drawn.flatMap(({ cells }) => cells).find(({ image }) => image !== undefined)?.image;
  if (first === undefined) return undefined;
  const shrink = drawn[0]?.isRegion === true ? 1 : Math.min(1, PREVIEW / Math.max(first.width, first.height));
  const cell = { width: Math.max(46, Math.round(first.width * shrink)), height: Math.round(first.height * shrink) };
  const columns = Math.max(...drawn.map(({ cells }) => cells.length));
  const heightOf = (row: (typeof drawn)[number]): number =>
    (rows.length > 1 ? LINE : 0) + cell.height + GAP + LINE * (1 + row.curves.length) + GAP * 2;
  const width = 2 * MARGIN + NAMES + columns * (cell.width + GAP);
  const height = 2 * MARGIN + 2 * LINE + drawn.reduce((sum, row) => sum + heightOf(row), 0);
  const { canvas, context } = surface(width * SCALE, height * SCALE);
  context.scale(SCALE, SCALE);
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  const write = (
    text: string,
    x: number,
    y: number,
    look: { bold?: boolean; align?: CanvasTextAlign; room?: number },
  ): void => {
    context.fillStyle = '#1f1f1f';
    context.font = `${look.bold === true ? '600 ' : ''}${FONT}px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif`;
    context.textAlign = look.align ?? 'left';
    context.textBaseline = 'middle';
    context.fillText(shortened(context, text, look.room ?? width - 2 * MARGIN), x, y + LINE / 2);
  };
  let y = MARGIN;
  write(title, MARGIN, y, { bold: true });
  y += LINE + GAP;
  for (const row of drawn) {
    if (rows.length > 1) {
      write(row.name, MARGIN, y, {});
      y += LINE;
    }
    const x = (column: number): number => MARGIN + NAMES + column * (cell.width + GAP);
    for (const [column, { image, name }] of row.cells.entries()) {
      // A region stays pixel for pixel; a preview is shown smaller, smoothly.
      context.imageSmoothingEnabled = shrink < 1;
      if (image !== undefined) {
        const size = { width: image.width * shrink, height: image.height * shrink };
        const left = x(column) + (cell.width - size.width) / 2;
        context.drawImage(image, left, y + cell.height - Math.min(size.height, cell.height), size.width, size.height);
      }
      write(name, x(column) + cell.width / 2, y + cell.height + GAP / 2, { align: 'center', room: cell.width });
    }
    y += cell.height + GAP + LINE;
    for (const curve of row.curves) {
      const { name, better } = labels.curves[curve.key];
      write(`${name} ${better}`.trim(), MARGIN, y, { room: NAMES });
      for (const [column, { at }] of row.cells.entries()) {
        const value = curve.values[at];
        if (value === undefined) continue;
        const look = { bold: curve.best === at, align: 'center' as const, room: cell.width };
        write(formatValue(curve.key, value), x(column) + cell.width / 2, y, look);
      }
      y += LINE;
    }
    y += GAP * 2;
  }
  write(footer, MARGIN, height - MARGIN - LINE, {});
  return canvas.toDataURL('image/png');
}

function evenly<T>(list: T[]): T[] {
  if (list.length <= COLUMNS) return list;
  const picked = Array.from({ length: COLUMNS }, (_, at) => list[Math.round((at * (list.length - 1)) / (COLUMNS - 1))]);
  return picked.filter((one): one is T => one !== undefined);
}

function shortened(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let end = text.length;
  while (end > 0 && context.measureText(`${text.slice(0, end)}…`).width > room) end--;
  return `${text.slice(0, end)}…`;
}

async function load(dataUrl: string): Promise<HTMLImageElement | undefined> {
  const image = new Image();
  image.src = dataUrl;
  try {
    await image.decode();
    return image;
  } catch {
    return undefined; // Its place stays empty.
  }
}
