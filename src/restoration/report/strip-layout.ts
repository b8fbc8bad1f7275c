import type { Region } from '../../protocol';

/** Where everything of a drawn strip stands, in pixels. */

export const MARGIN = 28;
/** Room for the names of the curves, left of the columns. */
export const GUTTER = 88;
export const GAP = 8;
/** More frames than this are sampled: evenly, with the first and the last. */
export const MOST_COLUMNS = 9;
/** Narrowest and widest column. */
const LEAST_CELL = 96;
const MOST_CELL = 128;
/** A tiny region is enlarged up to this side. */
const ENLARGED_SIDE = 112;
/** Narrowest strip: the facts beside the overview need room, also when there are few frames. */
const LEAST_WIDTH = 960;
/** Room of one overview picture, and what the facts beside them need. */
const OVERVIEW_WIDTH = 252;
export const OVERVIEW_HEIGHT = 168;
const FACTS_WIDTH = 330;
export const FACTS_GAP = 28;

/** Places (0-based) of the frames that get a column: all of up to nine, else nine of them. */
export function sampleColumns(count: number): number[] {
  if (count <= MOST_COLUMNS) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: MOST_COLUMNS }, (_, i) => Math.round((i * (count - 1)) / (MOST_COLUMNS - 1)));
}

export interface Columns {
  /** Width of a strip. */
  width: number;
  /** Left edge of each column. */
  lefts: number[];
  /** Width of a column. */
  cell: number;
  /** Size at which the region is shown, and how large that is: 1 is pixel for pixel. */
  crop: { width: number; height: number; zoom: number };
}

/** Columns for the region at 1:1; tiny regions are enlarged by a whole factor, and regions wider than a column shrunk. */
export function layColumns(count: number, region: Region): Columns {
  const longer = Math.max(region.width, region.height);
  const zoom = longer > MOST_CELL ? MOST_CELL / longer : Math.max(1, Math.floor(ENLARGED_SIDE / longer));
  const crop = {
    width: Math.max(1, Math.round(region.width * zoom)),
    height: Math.max(1, Math.round(region.height * zoom)),
    zoom,
  };
  const cell = Math.max(LEAST_CELL, crop.width);
  const columns = count * cell + (count - 1) * GAP;
  const lefts = Array.from({ length: count }, (_, i) => MARGIN + GUTTER + i * (cell + GAP));
  return { width: Math.max(LEAST_WIDTH, MARGIN + GUTTER + columns + MARGIN), lefts, cell, crop };
}

/** Size of one of `count` overviews of a picture in a strip of `width`. */
export function overviewSize(
  picture: { width: number; height: number },
  count: number,
  width: number,
): { width: number; height: number } {
  const room = (width - 2 * MARGIN - FACTS_WIDTH - FACTS_GAP - (count - 1) * GAP) / count;
  const scale = Math.min(Math.min(OVERVIEW_WIDTH, room) / picture.width, OVERVIEW_HEIGHT / picture.height);
  return {
    width: Math.max(1, Math.round(picture.width * scale)),
    height: Math.max(1, Math.round(picture.height * scale)),
  };
}
