import { isFullFrameDataUrl } from '../../src/protocol';

const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';

type Attributes = Record<string, string | number | boolean | undefined>;

/** Addresses go through `setPicture`, styles through the CSS object model, handlers through `addEventListener`. */
type Safe<A extends Attributes> = A & { src?: never; href?: never; style?: never };

/**
 * An HTML element. Strings become text nodes, never markup; `undefined` and `false` leave an attribute out, `true` sets it empty.
 */
export function element<K extends keyof HTMLElementTagNameMap, A extends Attributes>(
  tag: K,
  attributes?: Safe<A>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  setAttributes(made, attributes ?? {});
  made.append(...children);
  return made;
}

/** An SVG element, by the same rules. */
export function svgElement<K extends keyof SVGElementTagNameMap, A extends Attributes>(
  tag: K,
  attributes?: Safe<A>,
  ...children: (Node | string)[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG_NAMESPACE, tag);
  setAttributes(made, attributes ?? {});
  made.append(...children);
  return made;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

/** Changes the text only when it differs, so that a screen reader is not told twice. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Shows an embedded picture; every other address leaves the image without one. Returns whether something is shown. */
export function setPicture(image: HTMLImageElement, dataUrl: string | undefined): boolean {
  if (!isFullFrameDataUrl(dataUrl)) {
    image.removeAttribute('src');
    return false;
  }
  if (image.getAttribute('src') !== dataUrl) image.setAttribute('src', dataUrl);
  return true;
}

/** Handles a key alone: the editor around the view listens on the window and would move its own selection as well. */
export function takeKey(event: KeyboardEvent): void {
  event.preventDefault();
  event.stopPropagation();
}
