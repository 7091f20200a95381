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
