// Small pictures in a terminal: two pixels in each character, the upper one in its colour and the lower one
// in its background; without colour, one shade in each.
import type { PreviewRows } from './reportEvent.js';
import type { ColorDepth } from './style.js';

/** Columns of an image, at most: of larger ones the means of squares of pixels are shown. */
const WIDEST = 14;
export const MOST_IMAGES = 8;
const GAP = 1;
const MARGIN = 2;

/** Columns that a terminal needs for a preview to be worth its lines. */
export const NARROWEST_PREVIEW = 60;

type Pixel = readonly [red: number, green: number, blue: number];

/** Images of one size, [count, height, width, channels], in [0, 1]. */
interface Images {
  readonly values: Float32Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The title, and as many pairs of images as fit, one above the other. */
export function previewLines(
  { title, height, width, channels, above, below }: PreviewRows,
  terminal: { readonly width: number; readonly depth: ColorDepth },
): string[] {
  const factor = Math.max(Math.ceil(width / WIDEST), 1);
  const given = above.length / (height * width * channels);
  const fit = Math.floor((terminal.width - MARGIN + GAP) / (Math.ceil(width / factor) + GAP));
  const count = Math.min(given, fit, MOST_IMAGES);
  if (count < 1) return [];
  const rows = [above, below].map((values) => {
    const images = shrink({ values, count: given, height, width, channels }, factor);
    return imageLines(images, count, terminal.depth);
  });
  return [`  ${title}`, ...rows.flat()];
}

/** Images beside each other. */
export function imageLines(images: Images, count: number, depth: ColorDepth): string[] {
  const lines: string[] = [];
  for (let row = 0; row < images.height; row += 2) {
    const parts = Array.from({ length: count }, (_, index) => imageRow(images, index, row, depth));
    lines.push(`${' '.repeat(MARGIN)}${parts.join(' '.repeat(GAP))}`.trimEnd());
  }
  return lines;
}

function imageRow(images: Images, index: number, row: number, depth: ColorDepth): string {
  let text = '';
  let last = '';
  for (let column = 0; column < images.width; column++) {
    const upper = pixelAt(images, index, row, column);
    const lower = row + 1 < images.height ? pixelAt(images, index, row + 1, column) : undefined;
    if (depth < 8) {
      text += shade(upper, lower ?? upper);
      continue;
    }
    const background = lower === undefined ? '49' : `48;${colorCode(lower, depth)}`;
    const codes = `38;${colorCode(upper, depth)};${background}`;
    // The codes of a character hold for the next one.
    text += codes === last ? '▀' : `\u001b[${codes}m▀`;
    last = codes;
  }
  return depth < 8 ? text : `${text}\u001b[0m`;
}

const SHADES = [' ', '░', '▒', '▓', '█'];

function shade(upper: Pixel, lower: Pixel): string {
  const grey = (luminance(upper) + luminance(lower)) / 2;
  // What is not a number must not pass for black.
  return Number.isNaN(grey) ? '?' : SHADES[Math.round(clamp(grey) * (SHADES.length - 1))]!;
}

/** After `38;` or `48;`: one of all colours, or of the 256, which have 24 greys between black and white. */
function colorCode(pixel: Pixel, depth: ColorDepth): string {
  const [red, green, blue] = pixel;
  if (Number.isNaN(red + green + blue)) return depth === 24 ? '2;255;0;255' : '5;201';
  if (depth === 24) return `2;${pixel.map((value) => Math.round(clamp(value) * 255)).join(';')}`;
  if (red === green && green === blue) {
    const level = Math.round(clamp(red) * 25);
    return `5;${level === 0 ? 16 : level === 25 ? 231 : 231 + level}`;
  }
  const [r, g, b] = pixel.map((value) => Math.round(clamp(value) * 5)) as [number, number, number];
  return `5;${16 + 36 * r + 6 * g + b}`;
}

function pixelAt(
  { values, height, width, channels }: Images,
  index: number,
  row: number,
  column: number,
): Pixel {
  const place = ((index * height + row) * width + column) * channels;
  if (channels === 1) return [values[place]!, values[place]!, values[place]!];
  return [values[place]!, values[place + 1]!, values[place + 2]!];
}

/** Means over squares of `factor` × `factor` pixels, fewer at the right and lower edges. */
function shrink(images: Images, factor: number): Images {
  if (factor === 1) return images;
  const { values, count, height, width, channels } = images;
  const [rows, columns] = [Math.ceil(height / factor), Math.ceil(width / factor)];
  const means = new Float32Array(count * rows * columns * channels);
  for (let place = 0; place < means.length; place++) {
    const channel = place % channels;
    const column = Math.floor(place / channels) % columns;
    const row = Math.floor(place / (channels * columns)) % rows;
    const first = Math.floor(place / (channels * columns * rows)) * height * width * channels;
    let sum = 0;
    let pixels = 0;
    for (let y = row * factor; y < Math.min((row + 1) * factor, height); y++) {
      for (let x = column * factor; x < Math.min((column + 1) * factor, width); x++) {
        sum += values[first + (y * width + x) * channels + channel]!;
        pixels++;
      }
    }
    means[place] = sum / pixels;
  }
  return { values: means, count, height: rows, width: columns, channels };
}

/** Rec. 601. */
function luminance([red, green, blue]: Pixel): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

function clamp(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}
