// Texts in DejaVu Sans, in any size.
import { GLYPHS } from './glyphs.js';
import { type Mask, Rasterizer } from './rasterizer.js';

export type { Mask } from './rasterizer.js';

/** A line of text: no wider than its ink, and as high as the font's lines, so that texts of a size align. */
export interface TextMask extends Mask {
  /** Rows of the mask at which capitals and digits begin and end. */
  readonly capTop: number;
  readonly capBottom: number;
}

/** The font's units in an em, and heights above the baseline in them. */
const EM = 2048;
const CAPITALS = 1493;
const SMALL_LETTERS = 1120;
const ASCENT = 1901;
const DESCENT = 483;
/** Round letters go so far beyond straight ones. */
const OVERSHOOT = 30;

/** @param size of an em, pixels. */
export function textLine(text: string, size: number): TextMask {
  const scale = size / EM;
  const capBottom = Math.ceil(ASCENT * scale);
  const capTop = capBottom - Math.round(CAPITALS * scale);
  const y = fitToRows(scale);
  // Room for ink beyond the signs' advances.
  const margin = Math.ceil(size / 4);
  const width = Math.ceil(textWidth(text, size)) + 2 * margin;
  const rasterizer = new Rasterizer(width, capBottom + Math.ceil(DESCENT * scale));
  let left = margin;
  for (const sign of printable(text)) {
    const start = left;
    rasterizer.addGlyph(sign, (across, up) => [start + across * scale, capBottom - y(up)]);
    left += GLYPHS[sign]![0] * scale;
  }
  return { ...cropToInk(rasterizer.mask()), capTop, capBottom };
}

/** Lines no wider than `width`, except for single words that are. */
export function wrapText(text: string, size: number, width: number): TextMask[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && textWidth(longer, size) > width) lines.push(word);
    else lines.splice(-1, 1, longer);
  }
  return lines.map((line) => textLine(line, size));
}

/** Sum of the advances, pixels. */
function textWidth(text: string, size: number): number {
  return printable(text).reduce((sum, sign) => sum + GLYPHS[sign]![0], 0) * (size / EM);
}

/**
 * Heights in the font's units to pixels above the baseline. Small letters and capitals end at whole rows:
 * otherwise small type is blurred at its upper edges.
 */
function fitToRows(scale: number): (height: number) => number {
  const small = Math.round(SMALL_LETTERS * scale);
  const capitals = Math.round(CAPITALS * scale);
  return (height) => {
    if (height <= 0) return height >= -OVERSHOOT ? 0 : (height + OVERSHOOT) * scale;
    if (height <= SMALL_LETTERS) return (height / SMALL_LETTERS) * small;
    if (height <= SMALL_LETTERS + OVERSHOOT) return small;
    if (height <= CAPITALS) {
      const start = SMALL_LETTERS + OVERSHOOT;
      return small + ((height - start) / (CAPITALS - start)) * (capitals - small);
    }
    return height <= CAPITALS + OVERSHOOT ? capitals : capitals + (height - CAPITALS - OVERSHOOT) * scale;
  };
}

const LIKENESS: Readonly<Record<string, string>> = { '\u2081': '1', '\u2082': '2' };

/**
 * A hyphen before a number becomes a minus; signs that the font lacks become their likeness or a question
 * mark.
 */
function printable(text: string): string[] {
  const written = text.replace(/(?<=^|\s)-(?=\.?\d)/g, '\u2212');
  return Array.from(written, (sign) => {
    if (/\s/.test(sign)) return ' ';
    return LIKENESS[sign] ?? (Object.hasOwn(GLYPHS, sign) ? sign : '?');
  });
}

function cropToInk({ width, height, alpha }: Mask): Mask {
  let first = width;
  let last = -1;
  alpha.forEach((value, i) => {
    if (value === 0) return;
    first = Math.min(first, i % width);
    last = Math.max(last, i % width);
  });
  const inkWidth = Math.max(last - first + 1, 0);
  const ink = new Uint8Array(inkWidth * height);
  for (let y = 0; y < height; y++) {
    ink.set(alpha.subarray(y * width + first, y * width + first + inkWidth), y * inkWidth);
  }
  return { width: inkWidth, height, alpha: ink };
}
