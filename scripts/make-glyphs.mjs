// Writes src/report/glyphs.ts: the outlines that titles and labels of pictures are drawn with, out of a
// TrueType font.
//
//   node scripts/make-glyphs.mjs /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
//
// It takes DejaVu Sans 2.37 (https://dejavu-fonts.github.io) and nothing else, because the licence that it
// writes is that font's. The signs are those that came with Bitstream Vera: ASCII, Latin-1 and some
// punctuation.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const SHA256 = 'abdc775b21b1bc470d50c97e790d276f2054b7504e56e5bd3e64f48d68582322';
const PUNCTUATION = '–—‘’“”…−';

const path = process.argv[2];
if (path === undefined) throw new Error('Name the font file: node scripts/make-glyphs.mjs DejaVuSans.ttf');
const bytes = readFileSync(path);
const sha256 = createHash('sha256').update(bytes).digest('hex');
if (sha256 !== SHA256)
  throw new Error(`${path} has SHA-256 ${sha256}, not that of DejaVu Sans 2.37, ${SHA256}.`);
const font = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const tables = new Map();
for (let i = 0; i < font.getUint16(4); i++) {
  const record = 12 + 16 * i;
  tables.set(bytes.toString('latin1', record, record + 4), font.getUint32(record + 8));
}
const longOffsets = font.getInt16(tables.get('head') + 50) === 1;
const metricCount = font.getUint16(tables.get('hhea') + 34);

/** Through the format 4 subtable, which covers the basic plane. */
function glyphOf(code) {
  const cmap = tables.get('cmap');
  let table;
  for (let i = 0; i < font.getUint16(cmap + 2); i++) {
    const at = cmap + font.getUint32(cmap + 4 + 8 * i + 4);
    if (font.getUint16(at) === 4) table = at;
  }
  const twice = font.getUint16(table + 6);
  for (let i = 0; i < twice; i += 2) {
    const end = font.getUint16(table + 14 + i);
    if (code > end) continue;
    const start = font.getUint16(table + 16 + twice + i);
    if (code < start) return 0;
    const delta = font.getInt16(table + 16 + 2 * twice + i);
    const place = table + 16 + 3 * twice + i;
    const range = font.getUint16(place);
    if (range === 0) return (code + delta) & 0xffff;
    const glyph = font.getUint16(place + range + 2 * (code - start));
    return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
  }
  return 0;
}

function advanceOf(glyph) {
  return font.getUint16(tables.get('hmtx') + 4 * Math.min(glyph, metricCount - 1));
}

/** Contours as lists of points, in font units, y upwards. */
function contoursOf(glyph) {
  const loca = tables.get('loca');
  const offset = (i) => (longOffsets ? font.getUint32(loca + 4 * i) : 2 * font.getUint16(loca + 2 * i));
  if (offset(glyph) === offset(glyph + 1)) return [];
  const at = tables.get('glyf') + offset(glyph);
  const count = font.getInt16(at);
  return count < 0 ? compositeContours(at + 10) : simpleContours(at + 10, count);
}

function simpleContours(at, count) {
  const ends = Array.from({ length: count }, (_, i) => font.getUint16(at + 2 * i));
  const total = ends.at(-1) + 1;
  let place = at + 2 * count;
  place += 2 + font.getUint16(place);
  const flags = [];
  while (flags.length < total) {
    const flag = font.getUint8(place++);
    const repeats = flag & 8 ? font.getUint8(place++) : 0;
    for (let i = 0; i <= repeats; i++) flags.push(flag);
  }
  const coordinates = (short, same) => {
    let value = 0;
    return flags.map((flag) => {
      if (flag & short) value += flag & same ? font.getUint8(place++) : -font.getUint8(place++);
      else if (!(flag & same)) {
        value += font.getInt16(place);
        place += 2;
      }
      return value;
    });
  };
  const xs = coordinates(2, 16);
  const ys = coordinates(4, 32);
  const points = flags.map((flag, i) => ({ x: xs[i], y: ys[i], on: (flag & 1) === 1 }));
  return ends.map((end, i) => points.slice(i === 0 ? 0 : ends[i - 1] + 1, end + 1));
}

/** Letters with accents. Their parts are moved, and here and there turned. */
function compositeContours(at) {
  const contours = [];
  for (let place = at, more = true; more; ) {
    const flags = font.getUint16(place);
    const glyph = font.getUint16(place + 2);
    place += 4;
    if ((flags & 2) === 0) throw new Error('Parts that are placed by points are not read.');
    const [dx, dy] =
      flags & 1
        ? [font.getInt16(place), font.getInt16(place + 2)]
        : [font.getInt8(place), font.getInt8(place + 1)];
    place += flags & 1 ? 4 : 2;
    const fraction = () => {
      place += 2;
      return font.getInt16(place - 2) / 16384;
    };
    let [a, b, c, d] = [1, 0, 0, 1];
    if (flags & 8) a = d = fraction();
    else if (flags & 0x40) [a, d] = [fraction(), fraction()];
    else if (flags & 0x80) [a, b, c, d] = [fraction(), fraction(), fraction(), fraction()];
    const move = ({ x, y, on }) => ({
      x: Math.round(a * x + c * y) + dx,
      y: Math.round(b * x + d * y) + dy,
      on,
    });
    contours.push(...contoursOf(glyph).map((contour) => contour.map(move)));
    more = (flags & 0x20) !== 0;
  }
  return contours;
}

/** As the d of an SVG path, with M and relative l and q alone; contours are closed. */
function pathOf(contours) {
  return contours.map(contourPath).join('');
}

function contourPath(points) {
  // Between two control points that follow each other stands the point half-way. Rounded, it is off by less
  // than what a pixel shows.
  const full = points.flatMap((point, i) => {
    const next = points[(i + 1) % points.length];
    if (point.on || next.on) return [point];
    return [
      point,
      { x: Math.round((point.x + next.x) / 2), y: Math.round((point.y + next.y) / 2), on: true },
    ];
  });
  const first = full.findIndex(({ on }) => on);
  const [start, ...rest] = [...full.slice(first), ...full.slice(0, first)];
  let text = `M${start.x} ${start.y}`;
  let command = 'M';
  let from = start;
  const draw = (name, ...to) => {
    text += name === command ? ' ' : name;
    command = name;
    text += to.flatMap(({ x, y }) => [x - from.x, y - from.y]).join(' ');
    from = to.at(-1);
  };
  for (let i = 0; i < rest.length; i++) {
    if (rest[i].on) draw('l', rest[i]);
    else draw('q', rest[i], rest[++i] ?? start);
  }
  return text.replaceAll(' -', '-');
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i));
const signs = [
  ...range(0x20, 0x7e),
  ...range(0xa1, 0xff).filter((sign) => sign !== '\u00ad'),
  ...PUNCTUATION,
];
const entries = signs.map((sign) => {
  const glyph = glyphOf(sign.codePointAt(0));
  if (glyph === 0) throw new Error(`The font has no ${sign}.`);
  return `  ${sign === "'" ? `"'"` : sign === '\\' ? `'\\\\'` : `'${sign}'`}: [${advanceOf(glyph)}, '${pathOf(contoursOf(glyph))}'],`;
});

const text = `/*!
 * Outlines of DejaVu Sans 2.37, of a few of its signs. Written by scripts/make-glyphs.mjs; do not edit.
 *
${readFileSync(new URL('dejavu-licence.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => ` * ${line}`.trimEnd())
  .join('\n')}
 */

/**
 * Width of a sign, and its outline as the d of an SVG path (M, and relative l and q;
 * contours are closed), in units of 1/2048 em, y upwards.
 */
export type Glyph = readonly [advance: number, outline: string];

// biome-ignore format: one sign a line
export const GLYPHS: Readonly<Record<string, Glyph>> = {
${entries.join('\n')}
};
`;
writeFileSync(new URL('../src/report/glyphs.ts', import.meta.url), text);
