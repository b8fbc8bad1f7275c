export interface Size {
  width: number;
  height: number;
}

/** Where a picture lies on a stage: `scale` stage pixels a picture pixel, its upper left corner at (x, y). */
export interface Viewport {
  scale: number;
  x: number;
  y: number;
}

/** Beyond 100 % only whole numbers, so that all pixels of the picture are equally large. */
const LEVELS = [1 / 16, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32];

/** The whole picture in the middle of the stage; a picture smaller than the stage grows by a whole number only. */
export function fitted(picture: Size, stage: Size): Viewport {
  const fit = Math.min(stage.width / picture.width, stage.height / picture.height);
  const scale = fit > 1 ? Math.min(Math.floor(fit), LEVELS.at(-1) ?? 1) : fit;
  return centred({ scale, x: 0, y: 0 }, picture, stage);
}

/** A point of a picture, in its pixels. */
export interface Point {
  x: number;
  y: number;
}

/** The picture's point in the middle of the stage. */
export function middleOf(view: Viewport, stage: Size): Point {
  return { x: (stage.width / 2 - view.x) / view.scale, y: (stage.height / 2 - view.y) / view.scale };
}

/**
 * The picture at a scale with one of its points in the middle of the stage, as near as its edges allow. Called with the same point for
 * every size that a stage takes on the way, it leads back to where it began: moving a view by half of each change would not, because
 * the edges push it away.
 */
export function around(point: Point, scale: number, picture: Size, stage: Size): Viewport {
  const x = stage.width / 2 - point.x * scale;
  const y = stage.height / 2 - point.y * scale;
  return centred({ scale, x, y }, picture, stage);
}

/** Another scale, with the picture's point under (x, y) of the stage left where it is. */
export function zoomed(view: Viewport, scale: number, x: number, y: number): Viewport {
  const ratio = scale / view.scale;
  return { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
}

/** Keeps the picture on the stage: centred along a side where it fits, else without a gap at the stage's edges. */
export function centred(view: Viewport, picture: Size, stage: Size): Viewport {
  const along = (position: number, length: number, room: number): number =>
    length <= room ? Math.round((room - length) / 2) : Math.round(Math.min(0, Math.max(room - length, position)));
  return {
    scale: view.scale,
    x: along(view.x, picture.width * view.scale, stage.width),
    y: along(view.y, picture.height * view.scale, stage.height),
  };
}

/** The next larger (+1) or smaller (-1) step of the zoom; never smaller than the whole picture. */
export function nextScale(scale: number, direction: 1 | -1, fit: number): number {
  const levels = [...new Set([fit, ...LEVELS.filter((level) => level > fit)])].sort((a, b) => a - b);
  const margin = 1e-6;
  const next =
    direction === 1
      ? levels.find((level) => level > scale + margin)
      : levels.filter((level) => level < scale - margin).at(-1);
  return next ?? scale;
}
