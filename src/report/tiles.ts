import type { Canvas, Color } from './canvas.js';

/** The shape of one image. Images are values in [0, 1], [n, height, width, channels]. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  /** 1 (0 is black, 1 is white) or 3 (red, green, blue). */
  readonly channels: number;
}

/** White between tiles, pixels. */
export const GAP = 2;

const WIDEST = 1200;
const LARGEST_TILE = 280;
/** No image has it by chance: what is not a number must not pass for black. */
const NOT_A_NUMBER: Color = [255, 0, 255];

/**
 * How many images `values` holds.
 * @throws Error naming `what`, where the length is no multiple of an image's, or channels are neither 1 nor
 * 3.
 */
export function countImages(values: Float32Array, shape: ImageShape, what: string): number {
  const { height, width, channels } = shape;
  if (channels !== 1 && channels !== 3) {
    throw new Error(
      `The ${what} have ${channels} channels. Pictures can be drawn of 1 (grey) or 3 (colour).`,
    );
  }
  const count = values.length / (height * width * channels);
  if (!Number.isInteger(count)) {
    throw new Error(
      `The ${what} are ${values.length} numbers, which is no whole number of ${height}×${width}×${channels} images.`,
    );
  }
  return count;
}

/** @throws Error naming `what`, where there are not `count` images. */
export function requireImages(values: Float32Array, shape: ImageShape, what: string, count: number): void {
  const found = countImages(values, shape, what);
  if (found !== count) throw new Error(`There are ${found} ${what}, but ${count} are needed.`);
}

/** The whole factor that makes a grid of tiles as large as a screen shows at once; at least 1. */
export function tileScale(columns: number, rows: number, { height, width }: ImageShape): number {
  const fit = Math.min(
    WIDEST / (columns * width),
    WIDEST / (rows * height),
    LARGEST_TILE / Math.max(height, width),
  );
  return Math.max(Math.floor(fit), 1);
}

/** Draws image `index` with its upper left corner at (left, top), each of its pixels a square of `scale`. */
export function drawTile(
  canvas: Canvas,
  images: Float32Array,
  index: number,
  shape: ImageShape,
  scale: number,
  left: number,
  top: number,
): void {
  const { height, width, channels } = shape;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const pixel = ((index * height + row) * width + column) * channels;
      const color = colorOf(images, pixel, channels);
      canvas.fillRectangle(left + column * scale, top + row * scale, scale, scale, color);
    }
  }
}

function colorOf(images: Float32Array, pixel: number, channels: number): Color {
  const red = images[pixel]!;
  const green = images[pixel + (channels === 3 ? 1 : 0)]!;
  const blue = images[pixel + (channels === 3 ? 2 : 0)]!;
  if (Number.isNaN(red + green + blue)) return NOT_A_NUMBER;
  return [toByte(red), toByte(green), toByte(blue)];
}

function toByte(value: number): number {
  return Math.round(Math.min(Math.max(value, 0), 1) * 255);
}
