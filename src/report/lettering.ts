/** How much of each pixel ink covers, 0 to 255, [height, width]. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly alpha: Uint8Array;
}

/** A line of text: no wider than its ink, and as high as the font's lines, so that texts of a size align. */
export interface TextMask extends Mask {
  /** Rows of the mask at which capitals and digits begin and end. */
  readonly capTop: number;
  readonly capBottom: number;
}

/** Texts in one typeface, in any size (pixels from baseline to baseline, about). */
export interface Lettering {
  line(text: string, size: number): TextMask;
  /** Lines no wider than `width`, except for single words that are. */
  wrap(text: string, size: number, width: number): TextMask[];
}

let loading: Promise<Lettering> | undefined;

/** Loaded on first use, because a run without pictures should not wait for it. */
export function loadLettering(): Promise<Lettering> {
  loading ??= load();
  return loading;
}

/** Jimp's small fonts are ASCII only or badly spaced: one large font, scaled down, serves all sizes. */
const FONT_SIZE = 64;

async function load(): Promise<Lettering> {
  const [{ Jimp, loadFont, measureText }, { SANS_64_BLACK }] = await Promise.all([
    import('jimp'),
    import('jimp/fonts'),
  ]);
  const font = await loadFont(SANS_64_BLACK);
  // Glyphs may reach over the font's line box a little.
  const lineHeight = Math.ceil(font.common.lineHeight * 1.2);

  const scaled = (text: string, scale: number): Mask => {
    const width = Math.ceil((measureText(font, text) + FONT_SIZE) * scale);
    const height = Math.ceil(lineHeight * scale);
    const image = new Jimp({
      width: Math.round(width / scale),
      height: Math.round(height / scale),
      color: 0x00000000,
    });
    image.print({ font, x: FONT_SIZE / 2, y: 0, text });
    if (scale !== 1) image.resize({ w: width, h: height });
    const { data } = image.bitmap;
    const alpha = Uint8Array.from({ length: width * height }, (_, i) => data[i * 4 + 3]!);
    return { width, height, alpha };
  };

  const capitals = inkRows(scaled('H', 1));
  const line = (text: string, size: number): TextMask => {
    const scale = size / FONT_SIZE;
    const capTop = Math.round(capitals.first * scale);
    const capBottom = Math.round((capitals.last + 1) * scale);
    return { ...cropToInk(scaled(printable(text, font.chars), scale)), capTop, capBottom };
  };

  const wrap = (text: string, size: number, width: number): TextMask[] => {
    const lines: string[] = [];
    for (const word of text.split(/\s+/).filter((part) => part !== '')) {
      const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
      const longerWidth = (measureText(font, printable(longer, font.chars)) * size) / FONT_SIZE;
      if (lines.length > 0 && longerWidth > width) lines.push(word);
      else lines.splice(-1, 1, longer);
    }
    return lines.map((part) => line(part, size));
  };
  return { line, wrap };
}

/** The font has Latin-1: signs it lacks become their likeness or a question mark. */
function printable(text: string, glyphs: Readonly<Record<string, unknown>>): string {
  const likeness: Readonly<Record<string, string>> = {
    '\u2212': '-',
    '\u2013': '-',
    '\u2014': '-',
    '\u2018': "'",
    '\u2019': "'",
    '\u2026': '...',
    '\u2081': '1',
    '\u2082': '2',
  };
  return Array.from(text, (sign) => {
    if (/\s/.test(sign)) return ' ';
    return likeness[sign] ?? (Object.hasOwn(glyphs, sign) ? sign : '?');
  }).join('');
}

/** The first and last rows with ink. */
function inkRows({ width, height, alpha }: Mask): { first: number; last: number } {
  const inked = (row: number) => alpha.subarray(row * width, (row + 1) * width).some((value) => value > 0);
  const rows = Array.from({ length: height }, (_, row) => row).filter(inked);
  return { first: rows[0] ?? 0, last: rows.at(-1) ?? 0 };
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
