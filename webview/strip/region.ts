import type { Region } from '../../src/protocol';
import type { Size } from './viewport';

/** Sides of a region in pixels: smaller shows nothing, larger would neither fit a row of nine nor be embedded. */
const LEAST = 16;
const MOST = 512;

export function sameRegion(a: Region | undefined, b: Region | undefined): boolean {
  return a?.x === b?.x && a?.y === b?.y && a?.width === b?.width && a?.height === b?.height;
}

/** The nearest region of whole pixels inside a picture, with sides from 16 to 512 pixels where the picture is that large. */
export function fittedRegion({ x, y, width, height }: Region, picture: Size): Region {
  const side = (wanted: number, room: number): number =>
    Math.round(Math.min(Math.max(wanted, Math.min(LEAST, room)), MOST, room));
  const [fitWidth, fitHeight] = [side(width, picture.width), side(height, picture.height)];
  const place = (wanted: number, length: number, room: number): number =>
    Math.round(Math.min(Math.max(wanted, 0), room - length));
  return {
    x: place(x, fitWidth, picture.width),
    y: place(y, fitHeight, picture.height),
    width: fitWidth,
    height: fitHeight,
  };
}

export function isInside({ x, y, width, height }: Region, picture: Size): boolean {
  return x + width <= picture.width && y + height <= picture.height;
}
