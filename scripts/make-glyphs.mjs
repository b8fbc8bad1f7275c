/**
 * Writes src/restoration/report/glyphs.ts: the outlines with which strips are lettered.
 *
 *   node scripts/make-glyphs.mjs
 *
 * A drawn strip must not depend on the fonts of the machine that draws it, so its text is vector outlines taken from
 * Inter (SIL Open Font License 1.1). The licence stands in a legal comment, which the bundler carries into the packages.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import opentype from 'opentype.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const fontFolder = path.join(root, 'node_modules', '@fontsource', 'inter');
/** Units of the written outlines in one em: 1/85 pixel at 12 pixels. */
const EM = 1024;

const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i));
const latin = [...range(0x20, 0x7e), ...range(0xa0, 0xff), ...'–—‘’“”„†•…€™↑↓−'];
const characters = {
  regular: [...latin, ...range(0x100, 0x17f), ...range(0x386, 0x3ce), ...range(0x400, 0x45f)],
  semibold: latin,
};
const weights = { regular: 400, semibold: 600 };
const subsets = ['latin', 'latin-ext', 'greek', 'cyrillic'];

async function readFonts(weight) {
  return Promise.all(
    subsets.map(async (subset) => {
      const bytes = await readFile(path.join(fontFolder, 'files', `inter-${subset}-${weight}-normal.woff`));
      return opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    }),
  );
}

/** "ADVANCE OUTLINE" of a character, baseline at y = 0, y downwards; undefined when no subset has it. */
function outline(fonts, character) {
  const font = fonts.find((candidate) => candidate.charToGlyphIndex(character) > 0);
  if (!font) return undefined;
  const glyph = font.charToGlyph(character);
  const scale = EM / font.unitsPerEm;
  return `${Math.round(glyph.advanceWidth * scale)} ${glyph.getPath(0, 0, EM).toPathData(0)}`.trimEnd();
}

const tables = [];
for (const [name, weight] of Object.entries(weights)) {
  const fonts = await readFonts(weight);
  const entries = characters[name]
    .map((character) => [character, outline(fonts, character)])
    .filter(([, value]) => value !== undefined);
  const lines = entries.map(([character, value]) => `  ${JSON.stringify(character)}: '${value}',`);
  tables.push(`export const ${name.toUpperCase()}: Readonly<Record<string, string>> = {\n${lines.join('\n')}\n};\n`);
}

const licence = (await readFile(path.join(fontFolder, 'LICENSE'), 'utf8')).trim();
const banner = `/*!
 * Glyph outlines of the typeface Inter.
 *
${licence
  .split(/\r?\n/)
  .map((line) => ` * ${line}`.trimEnd())
  .join('\n')}
 */`;
const text = `${banner}

// Made by scripts/make-glyphs.mjs: do not edit. A glyph is its advance and its outline, in units of 1/${EM} em.

/** Units in one em. */
export const EM = ${EM};

${tables.join('\n')}`;
const prettier = await import('prettier');
const file = path.join(root, 'src', 'restoration', 'report', 'glyphs.ts');
await writeFile(file, await prettier.format(text, { ...(await prettier.resolveConfig(file)), filepath: file }));
console.log(`${path.relative(root, file)}: ${tables.length} weights`);
