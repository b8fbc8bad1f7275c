import { EM, REGULAR, SEMIBOLD } from './glyphs';

/** Text as outlines, so that a drawing looks the same on every machine, whatever fonts it has. */
export interface Lettering {
  /** Pixels of one em. */
  size: number;
  fill: string;
  weight?: 'regular' | 'semibold';
  /** Which part of the text stands at x. */
  anchor?: 'start' | 'middle' | 'end';
}

interface Glyph {
  advance: number;
  outline: string;
}

/** A hollow box for characters that the outlines do not cover. */
const MISSING: Glyph = {
  advance: 640,
  outline: 'M72 0L72-720L568-720L568 0L72 0M136-64L504-64L504-656L136-656L136-64',
};
const ELLIPSIS = '…';

function glyphOf(character: string, weight: Lettering['weight']): Glyph {
  const entry = (weight === 'semibold' ? lookUp(SEMIBOLD, character) : undefined) ?? lookUp(REGULAR, character);
  if (entry === undefined) return MISSING;
  const space = entry.indexOf(' ');
  return space < 0
    ? { advance: Number(entry), outline: '' }
    : { advance: Number(entry.slice(0, space)), outline: entry.slice(space + 1) };
}

function lookUp(table: Readonly<Record<string, string>>, character: string): string | undefined {
  return Object.hasOwn(table, character) ? table[character] : undefined;
}

/** One line of composed characters: line breaks, tabs and other controls become spaces. */
function charactersOf(text: string): string[] {
  return [...text.normalize('NFC').replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')];
}

/** Width of `text` in pixels. */
export function widthOf(text: string, { size, weight }: Pick<Lettering, 'size' | 'weight'>): number {
  let advance = 0;
  for (const character of charactersOf(text)) advance += glyphOf(character, weight).advance;
  return (advance * size) / EM;
}

/** `text`, or as much of its beginning as fits `width` pixels together with an ellipsis. */
export function fitText(text: string, width: number, style: Pick<Lettering, 'size' | 'weight'>): string {
  if (widthOf(text, style) <= width) return text;
  const characters = charactersOf(text);
  let room = width - widthOf(ELLIPSIS, style);
  let count = 0;
  for (const character of characters) {
    room -= widthOf(character, style);
    if (room < 0) break;
    count++;
  }
  return `${characters.slice(0, count).join('').trimEnd()}${ELLIPSIS}`;
}

/** `text` broken between words into lines of at most `width` pixels. */
export function wrapText(text: string, width: number, style: Pick<Lettering, 'size' | 'weight'>): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const extended = lines.length > 0 ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length > 0 && widthOf(extended, style) <= width) lines[lines.length - 1] = extended;
    else lines.push(fitText(word, width, style));
  }
  return lines;
}

/** SVG of `text` with its baseline at `y`. Nothing of the text itself gets into the SVG, only outlines. */
export function letter(text: string, x: number, y: number, style: Lettering): string {
  const scale = style.size / EM;
  const width = style.anchor === undefined || style.anchor === 'start' ? 0 : widthOf(text, style);
  const left = style.anchor === 'end' ? x - width : x - width / 2;
  let pen = 0;
  const paths: string[] = [];
  for (const character of charactersOf(text)) {
    const { advance, outline } = glyphOf(character, style.weight);
    if (outline) paths.push(`<path transform="translate(${pen})" d="${outline}"/>`);
    pen += advance;
  }
  const place = `translate(${round(left)} ${round(y)}) scale(${scale.toFixed(6)})`;
  return `<g transform="${place}" fill="${style.fill}">${paths.join('')}</g>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
