import type { Region } from '../../protocol';

/** Where everything of a zoom-crop figure stands, in pixels. */

export const MARGIN = 12;
export const GAP = 14;
/** Room under a picture for its two lines of text. */
export const LABEL_HEIGHT = 64;
export const NOTE_HEIGHT = 30;
/** Width of a crop on the page by the number of rows: few crops are shown large. */
const CROP_WIDTHS = [420, 320, 260];
/** Largest width of the whole picture. */
const MOST_OVERVIEW_WIDTH = 1100;

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface FigureLayout {
  width: number;
  height: number;
  overview: Box;
  /** One box a crop, row by row. */
  crops: Box[];
  /** Enlargement of the crops; a whole number unless the region is larger than its place. */
  zoom: number;
}

/** Columns for so many crops: one row up to three, two rows up to ten, then three. */
export function figureColumns(count: number): number {
  const rows = count <= 3 ? 1 : count <= 10 ? 2 : 3;
  return Math.ceil(count / rows);
}

/** Places the whole picture at the left and the crops in rows beside it; the picture is as high as the rows. */
export function layFigure(
  picture: { width: number; height: number },
  region: Region,
  count: number,
  columns: number,
  note: boolean,
): FigureLayout {
  const rows = Math.ceil(count / columns);
  const wanted = CROP_WIDTHS[Math.min(rows, CROP_WIDTHS.length) - 1]!;
  const zoom = region.width > wanted ? wanted / region.width : Math.max(1, Math.round(wanted / region.width));
  const cropWidth = Math.max(1, Math.round(region.width * zoom));
  const cropHeight = Math.max(1, Math.round(region.height * zoom));
  const rowHeight = cropHeight + LABEL_HEIGHT;
  const gridHeight = rows * rowHeight - LABEL_HEIGHT;
  const scale = Math.min(gridHeight / picture.height, MOST_OVERVIEW_WIDTH / picture.width);
  const overview = {
    left: MARGIN,
    top: MARGIN,
    width: Math.max(1, Math.round(picture.width * scale)),
    height: Math.max(1, Math.round(picture.height * scale)),
  };
  const gridLeft = overview.left + overview.width + GAP;
  const crops = Array.from({ length: count }, (_, i) => ({
    left: gridLeft + (i % columns) * (cropWidth + GAP),
    top: MARGIN + Math.floor(i / columns) * rowHeight,
    width: cropWidth,
    height: cropHeight,
  }));
  return {
    width: gridLeft + columns * (cropWidth + GAP) - GAP + MARGIN,
    height: MARGIN + rows * rowHeight + (note ? NOTE_HEIGHT : 0),
    overview,
    crops,
    zoom,
  };
}
