// Windows that slide over volumes: [batch, depth, height, width, channels]; images have depth 1.

// Words of a geometry, a table of int32.
export const BATCH = 0;
export const IN_DEPTH = 1;
export const IN_HEIGHT = 2;
export const IN_WIDTH = 3;
export const OUT_DEPTH = 4;
export const OUT_HEIGHT = 5;
export const OUT_WIDTH = 6;
export const FILTER_DEPTH = 7;
export const FILTER_HEIGHT = 8;
export const FILTER_WIDTH = 9;
export const STRIDE_DEPTH = 10;
export const STRIDE_HEIGHT = 11;
export const STRIDE_WIDTH = 12;
export const DILATION_DEPTH = 13;
export const DILATION_HEIGHT = 14;
export const DILATION_WIDTH = 15;
/** Before the first element; may be negative. */
export const PAD_DEPTH = 16;
export const PAD_HEIGHT = 17;
export const PAD_WIDTH = 18;
export const IN_CHANNELS = 19;
export const OUT_CHANNELS = 20;

// @ts-ignore: decorator
@inline
export function word(geometry: usize, index: i32): i32 {
  return load<i32>(geometry + ((<usize>index) << 2));
}

/** First tap of a window at `corner` that lies in the input. */
// @ts-ignore: decorator
@inline
export function firstTap(corner: i32, dilation: i32): i32 {
  return corner < 0 ? (dilation - 1 - corner) / dilation : 0;
}

/** Behind the last tap of a window at `corner` that lies in an input of `size`. */
// @ts-ignore: decorator
@inline
export function endTap(corner: i32, dilation: i32, taps: i32, size: i32): i32 {
  return corner < size ? min(taps, (size - corner + dilation - 1) / dilation) : 0;
}

// The window at hand, as far as it lies in the input: globals, since a function of so many arguments spills
// them all.
export let depthFrom: i32 = 0;
export let depthEnd: i32 = 0;
export let heightFrom: i32 = 0;
export let heightEnd: i32 = 0;
export let widthFrom: i32 = 0;
export let widthEnd: i32 = 0;
/**
 * Pixel of the input, of the whole batch, under its first tap. May lie before the image: the taps that are
 * used do not.
 */
export let corner: i32 = 0;

/** Place in the output, and in the input along each axis. */
let image: i32 = 0;
let outDepth: i32 = 0;
let outHeight: i32 = 0;
let outWidth: i32 = 0;
let inDepth: i32 = 0;
let inHeight: i32 = 0;

/** Begins with the window of the first output pixel; false where there is none. */
export function openWindows(geometry: usize): bool {
  image = outDepth = outHeight = outWidth = 0;
  const outputs =
    word(geometry, BATCH) *
    word(geometry, OUT_DEPTH) *
    word(geometry, OUT_HEIGHT) *
    word(geometry, OUT_WIDTH);
  if (outputs == 0) return false;
  placeDepth(geometry);
  return true;
}

/** Goes on to the window of the next output pixel; false behind the last one. */
export function nextWindow(geometry: usize): bool {
  if (++outWidth < word(geometry, OUT_WIDTH)) {
    placeWidth(geometry);
    return true;
  }
  outWidth = 0;
  if (++outHeight < word(geometry, OUT_HEIGHT)) {
    placeHeight(geometry);
    return true;
  }
  outHeight = 0;
  if (++outDepth == word(geometry, OUT_DEPTH)) {
    outDepth = 0;
    if (++image == word(geometry, BATCH)) return false;
  }
  placeDepth(geometry);
  return true;
}

function placeDepth(geometry: usize): void {
  const d = outDepth * word(geometry, STRIDE_DEPTH) - word(geometry, PAD_DEPTH);
  const dilation = word(geometry, DILATION_DEPTH);
  depthFrom = firstTap(d, dilation);
  depthEnd = endTap(d, dilation, word(geometry, FILTER_DEPTH), word(geometry, IN_DEPTH));
  inDepth = image * word(geometry, IN_DEPTH) + d;
  placeHeight(geometry);
}

function placeHeight(geometry: usize): void {
  const h = outHeight * word(geometry, STRIDE_HEIGHT) - word(geometry, PAD_HEIGHT);
  const dilation = word(geometry, DILATION_HEIGHT);
  heightFrom = firstTap(h, dilation);
  heightEnd = endTap(h, dilation, word(geometry, FILTER_HEIGHT), word(geometry, IN_HEIGHT));
  inHeight = inDepth * word(geometry, IN_HEIGHT) + h;
  placeWidth(geometry);
}

function placeWidth(geometry: usize): void {
  const w = outWidth * word(geometry, STRIDE_WIDTH) - word(geometry, PAD_WIDTH);
  const dilation = word(geometry, DILATION_WIDTH);
  widthFrom = firstTap(w, dilation);
  widthEnd = endTap(w, dilation, word(geometry, FILTER_WIDTH), word(geometry, IN_WIDTH));
  corner = inHeight * word(geometry, IN_WIDTH) + w;
}
