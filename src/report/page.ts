import { BLACK, Canvas, type Color, GREY } from './canvas.js';
import { type TextMask, wrapText } from './lettering.js';

/** What stands above every picture. */
export interface PageText {
  readonly title: string;
  /** A smaller line below the title, e.g. whose picture it is. */
  readonly note?: string;
}

/** Sizes of type, pixels an em: their small letters and capitals are near whole rows high. */
export const TITLE_SIZE = 20;
export const LABEL_SIZE = 14.5;
export const CAPTION_SIZE = 12.5;

const MARGIN = 24;
/** Between title and note. */
const NOTE_GAP = 3;
/** Titles of pictures narrower than this are not wrapped to the picture's width. */
const NARROWEST_TEXT = 560;

/** A canvas with its title written, and where the content's upper left corner is to be. */
export interface Page {
  readonly canvas: Canvas;
  readonly left: number;
  readonly top: number;
}

/**
 * A page as large as content (of `width` × `height`), title and margins need.
 * @param density pixels for one of a usual page: type and margins grow with it.
 */
export function layOutPage(text: PageText, width: number, height: number, density = 1): Page {
  const margin = MARGIN * density;
  const textWidth = Math.max(width, NARROWEST_TEXT * density);
  const linesOf = (words: string, size: number, color: Color) =>
    wrapText(words, size * density, textWidth).map((mask) => ({ mask, color }));
  const title = linesOf(text.title, TITLE_SIZE, BLACK);
  const note = linesOf(text.note ?? '', LABEL_SIZE, GREY);
  const lines = [...title, ...note];
  const noteGap = note.length > 0 ? NOTE_GAP * density : 0;
  const textHeight = lines.reduce((sum, { mask }) => sum + mask.height, noteGap);
  const top = margin + (lines.length > 0 ? textHeight + 8 * density : 0);
  const canvas = new Canvas(
    Math.max(width, ...lines.map(({ mask }) => mask.width)) + 2 * margin,
    top + height + margin,
  );
  let y = margin;
  lines.forEach(({ mask, color }, i) => {
    if (i === title.length) y += noteGap;
    canvas.drawMask(mask, margin, y - lines[0]!.mask.capTop, color);
    y += mask.height;
  });
  return { canvas, left: margin, top };
}

/** Where a text stands relative to the point that it is written at. */
export type Anchor = 'left' | 'center' | 'right';

/** Writes so that the capitals' middle is at `y`. */
export function writeText(
  canvas: Canvas,
  mask: TextMask,
  x: number,
  y: number,
  anchor: Anchor,
  color: Color = BLACK,
): void {
  const shift = { left: 0, center: mask.width / 2, right: mask.width }[anchor];
  const top = y - (mask.capTop + mask.capBottom) / 2;
  canvas.drawMask(mask, Math.round(x - shift), Math.round(top), color);
}
