import { BLACK, Canvas, type Color, GREY } from './canvas.js';
import type { Lettering, TextMask } from './lettering.js';

/** What stands above every picture. */
export interface PageText {
  readonly title: string;
  /** A smaller line below the title, e.g. the protocol of the figures. */
  readonly note?: string;
}

/** Sizes of type, pixels. */
export const TITLE_SIZE = 21;
export const LABEL_SIZE = 15;
export const CAPTION_SIZE = 13;

const MARGIN = 24;
/** Titles of pictures narrower than this are not wrapped to the picture's width. */
const NARROWEST_TEXT = 560;

/** A canvas with its title written, and where the content's upper left corner is to be. */
export interface Page {
  readonly canvas: Canvas;
  readonly left: number;
  readonly top: number;
}

/** A page as large as content (of `width` × `height`), title and margins need. */
export function layOutPage(lettering: Lettering, text: PageText, width: number, height: number): Page {
  const textWidth = Math.max(width, NARROWEST_TEXT);
  const lines = [
    ...lettering.wrap(text.title, TITLE_SIZE, textWidth).map((mask) => ({ mask, color: BLACK })),
    ...lettering.wrap(text.note ?? '', LABEL_SIZE, textWidth).map((mask) => ({ mask, color: GREY })),
  ];
  const textHeight = lines.reduce((sum, { mask }) => sum + mask.height, 0);
  const top = MARGIN + (lines.length > 0 ? textHeight + 8 : 0);
  const canvas = new Canvas(
    Math.max(width, ...lines.map(({ mask }) => mask.width)) + 2 * MARGIN,
    top + height + MARGIN,
  );
  let y = MARGIN;
  for (const { mask, color } of lines) {
    canvas.drawMask(mask, MARGIN, y - lines[0]!.mask.capTop, color);
    y += mask.height;
  }
  return { canvas, left: MARGIN, top };
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
