/**
 * Draws the extension's icon: `node scripts/make-icon.mjs` writes `media/icon.png` (256 x 256).
 *
 * A disc in nine columns, from coarse blocks on the left to its smooth outline on the right: what the extension does to pictures.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const media = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', 'media');
const SIZE = 256;
const COLUMNS = 9;
const RADIUS = 99;
const CENTRE = SIZE / 2;
const WIDTH = (2 * RADIUS) / COLUMNS;
/** Blocks across a column; 0 leaves the column to the disc itself. */
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 0, 0];

/** Colour at a place of the disc: light from the upper right, as hexadecimal RGB. */
function colour(x, y) {
  const light = Math.min(1, Math.max(0, 0.5 + (x - CENTRE - (y - CENTRE)) / (2.6 * RADIUS)));
  const mix = (from, to) =>
    Math.round(from + (to - from) * light)
      .toString(16)
      .padStart(2, '0');
  return `#${mix(0x14, 0x9f)}${mix(0x4f, 0xd8)}${mix(0x8f, 0xff)}`;
}

const inside = (x, y) => (x - CENTRE) ** 2 + (y - CENTRE) ** 2 <= RADIUS ** 2;

/** Blocks of one column; one is drawn when its middle lies in the disc. */
function blocks(column, across) {
  const side = WIDTH / across;
  const parts = [];
  for (let row = 0; row < COLUMNS * across; row++) {
    for (let i = 0; i < across; i++) {
      const x = CENTRE - RADIUS + column * WIDTH + i * side;
      const y = CENTRE - RADIUS + row * side;
      const [middleX, middleY] = [x + side / 2, y + side / 2];
      if (!inside(middleX, middleY)) continue;
      const place = `x="${x.toFixed(2)}" y="${y.toFixed(2)}" width="${side.toFixed(2)}" height="${side.toFixed(2)}"`;
      parts.push(`<rect ${place} fill="${colour(middleX, middleY)}"/>`);
    }
  }
  return parts.join('\n');
}

const smooth = BLOCKS.indexOf(0);
const smoothLeft = CENTRE - RADIUS + smooth * WIDTH;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}" viewBox="0 0 ${SIZE} ${SIZE}">
<defs>
<linearGradient id="light" gradientUnits="userSpaceOnUse" x1="${CENTRE - 0.65 * RADIUS}" y1="${CENTRE + 0.65 * RADIUS}" x2="${CENTRE + 0.65 * RADIUS}" y2="${CENTRE - 0.65 * RADIUS}">
<stop offset="0" stop-color="#144f8f"/><stop offset="1" stop-color="#9fd8ff"/>
</linearGradient>
<clipPath id="restored"><rect x="${smoothLeft.toFixed(2)}" y="0" width="${SIZE}" height="${SIZE}"/></clipPath>
</defs>
<rect width="${SIZE}" height="${SIZE}" rx="44" fill="#1f1f1f"/>
<g shape-rendering="crispEdges">
${BLOCKS.flatMap((across, column) => (across === 0 ? [] : [blocks(column, across)])).join('\n')}
</g>
<circle cx="${CENTRE}" cy="${CENTRE}" r="${RADIUS}" fill="url(#light)" clip-path="url(#restored)"/>
</svg>
`;
await sharp(Buffer.from(svg)).png({ palette: true }).toFile(path.join(media, 'icon.png'));
