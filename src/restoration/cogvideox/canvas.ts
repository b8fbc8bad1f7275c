import type { Fit } from '../../protocol';
import { resizeBicubic } from '../image/bicubic';
import { createPixels, createPixels16, isSixteenBit, type AnyPixels } from '../image/pixels';

export interface Size {
  width: number;
  height: number;
}

/** The sizes that a model takes. */
export interface CanvasSettings extends Size {
  /** No other size than this one; otherwise any of about its area. */
  fixed: boolean;
}

/** Where a picture lies on the frames of a network. */
export interface Placement {
  canvas: Size;
  fit: Fit;
  /** Size of the picture as it is shown to the network. */
  inner: Size;
  /** Of its upper left corner on the canvas; negative where it is cut. */
  left: number;
  top: number;
}

/** A free canvas is never narrower than this share of what a square would have. */
const NARROWEST = 0.25;

/**
 * The size of the network's frames for a picture: the model's own, or one of its area with the picture's aspect ratio, in
 * multiples of what the network divides by.
 */
export function chooseCanvas(picture: Size, settings: CanvasSettings, multiple: number): Size {
  if (settings.fixed) return { width: settings.width, height: settings.height };
  const side = Math.sqrt(settings.width * settings.height);
  const stretch = Math.sqrt(picture.width / picture.height);
  const bounded = Math.min(1 / NARROWEST, Math.max(NARROWEST, stretch));
  const rounded = (length: number): number => Math.max(multiple, Math.round(length / multiple) * multiple);
  return { width: rounded(side * bounded), height: rounded(side / bounded) };
}

/**
 * How a picture goes onto a canvas, its aspect ratio kept. `pad`: as large as fits, in the middle. `crop`: so large that it
 * covers the canvas, its middle (the rule of zai-org's trainer).
 */
export function placePicture(picture: Size, canvas: Size, fit: Fit): Placement {
  const [x, y] = [canvas.width / picture.width, canvas.height / picture.height];
  const scale = fit === 'pad' ? Math.min(x, y) : Math.max(x, y);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  return {
    canvas,
    fit,
    inner: { width, height },
    left: Math.trunc((canvas.width - width) / 2),
    top: Math.trunc((canvas.height - height) / 2),
  };
}

function like(pixels: AnyPixels, { width, height }: Size): AnyPixels {
  return isSixteenBit(pixels) ? createPixels16(width, height) : createPixels(width, height);
}

/** Index of a sample beyond an axis: mirrored, the border sample repeated. */
function mirrored(at: number, length: number): number {
  const period = ((at % (2 * length)) + 2 * length) % (2 * length);
  return period < length ? period : 2 * length - 1 - period;
}

/** The picture on its canvas; what it does not cover mirrors it. The picture itself when it has that size. */
export function ontoCanvas(picture: AnyPixels, { canvas, inner, left, top }: Placement): AnyPixels {
  const resized = resizeBicubic(picture, inner.width, inner.height);
  if (inner.width === canvas.width && inner.height === canvas.height) return resized;
  const result = like(picture, canvas);
  for (let y = 0; y < canvas.height; y++) {
    const row = mirrored(y - top, inner.height) * inner.width;
    for (let x = 0; x < canvas.width; x++) {
      const from = (row + mirrored(x - left, inner.width)) * 3;
      const to = (y * canvas.width + x) * 3;
      for (let channel = 0; channel < 3; channel++) result.data[to + channel] = resized.data[from + channel] as number;
    }
  }
  return result;
}

/**
 * A frame of the network at the picture's place and size. Where the picture was cut, the rest stays as it came.
 *
 * @param frame canvas size, in the depth that is wanted
 * @param picture in the same depth
 */
export function offCanvas(frame: AnyPixels, picture: AnyPixels, { canvas, inner, left, top }: Placement): AnyPixels {
  const whole = inner.width <= canvas.width && inner.height <= canvas.height;
  const base = whole ? like(frame, inner) : resizeBicubic(picture, inner.width, inner.height);
  // A picture of the right size is given back as it is: it must not be written to.
  const result = base === picture ? { ...base, data: base.data.slice() } : base;
  const width = Math.min(inner.width, canvas.width);
  const height = Math.min(inner.height, canvas.height);
  const [fromX, fromY] = [Math.max(0, left), Math.max(0, top)];
  const [toX, toY] = [Math.max(0, -left), Math.max(0, -top)];
  for (let y = 0; y < height; y++) {
    const from = ((fromY + y) * canvas.width + fromX) * 3;
    result.data.set(frame.data.subarray(from, from + width * 3), ((toY + y) * inner.width + toX) * 3);
  }
  return resizeBicubic(result as AnyPixels, picture.width, picture.height);
}
