// Pooling and upsampling of maps with borders: a big map's windows, each with one pixel of a small map. A
// table tells, for each window of an image: the small pixel's offset, the number of big pixels in the window,
// and their offsets in row-major order; words of 32 bits, bytes from pixel (0, 0) of the image. Big pixels
// outside of the map are in no window.

import { storeLanes } from './lanes';

/** Bytes of the table's entry of a window with so many pixels. */
// @ts-ignore: decorator
@inline
function entryBytes(pixels: i32): usize {
  return (<usize>(2 + pixels)) << 2;
}

/** The big pixel of a window, i-th of an entry's list: its offset. */
// @ts-ignore: decorator
@inline
function bigOffset(entry: usize, i: i32): usize {
  return load<u32>(entry + ((<usize>i) << 2), 8);
}

/** Each small pixel is the largest of its window, and NaN where one of them is. */
export function maxPoolForward(
  table: usize,
  windows: i32,
  big: usize,
  small: usize,
  channels: i32,
  images: i32,
  bigStride: i32,
  smallStride: i32,
): void {
  for (let image = 0; image < images; image++) {
    let entry = table;
    for (let window = 0; window < windows; window++) {
      const target = small + load<u32>(entry);
      const pixels = load<i32>(entry, 4);
      for (let c = 0; c < channels; c += 4) {
        const offset = (<usize>c) << 2;
        let best = v128.load(big + bigOffset(entry, 0) + offset);
        for (let i = 1; i < pixels; i++) {
          const value = v128.load(big + bigOffset(entry, i) + offset);
          best = v128.bitselect(value, best, replaces(value, best));
        }
        storeLanes(target + offset, best, channels - c);
      }
      entry += entryBytes(pixels);
    }
    big += bigStride;
    small += smallStride;
  }
}

/** A NaN replaces a number, nothing replaces a NaN, and of equal numbers the first stays. */
// @ts-ignore: decorator
@inline
function replaces(value: v128, best: v128): v128 {
  return v128.and(f32x4.eq(best, best), v128.not(f32x4.le(value, best)));
}

/** dBig = dSmall at the first of each window's largest, summed in the order of the windows; 0 elsewhere. */
export function maxPoolBackward(
  table: usize,
  windows: i32,
  big: usize,
  dSmall: usize,
  dBig: usize,
  channels: i32,
  images: i32,
  bigStride: i32,
  smallStride: i32,
): void {
  memory.fill(dBig, 0, <usize>images * <usize>bigStride);
  for (let image = 0; image < images; image++) {
    let entry = table;
    for (let window = 0; window < windows; window++) {
      const source = dSmall + load<u32>(entry);
      const pixels = load<i32>(entry, 4);
      for (let c = 0; c < channels; c += 4) {
        const offset = (<usize>c) << 2;
        let best = v128.load(big + bigOffset(entry, 0) + offset);
        let from = i32x4.splat(0);
        for (let i = 1; i < pixels; i++) {
          const value = v128.load(big + bigOffset(entry, i) + offset);
          const larger = replaces(value, best);
          best = v128.bitselect(value, best, larger);
          from = v128.bitselect(i32x4.splat(i), from, larger);
        }
        const gradient = v128.load(source + offset);
        for (let i = 0; i < pixels; i++) {
          const target = dBig + bigOffset(entry, i) + offset;
          const part = v128.and(gradient, i32x4.eq(from, i32x4.splat(i)));
          storeLanes(target, f32x4.add(v128.load(target), part), channels - c);
        }
      }
      entry += entryBytes(pixels);
    }
    big += bigStride;
    dBig += bigStride;
    dSmall += smallStride;
  }
}

/** Each small pixel is the mean of its window. */
export function averagePoolForward(
  table: usize,
  windows: i32,
  big: usize,
  small: usize,
  channels: i32,
  images: i32,
  bigStride: i32,
  smallStride: i32,
): void {
  gatherWindows(true, table, windows, big, small, channels, images, bigStride, smallStride);
}

/** dBig = dSmall / (pixels of the window), summed in the order of the windows; 0 where no window is. */
export function averagePoolBackward(
  table: usize,
  windows: i32,
  dSmall: usize,
  dBig: usize,
  channels: i32,
  images: i32,
  bigStride: i32,
  smallStride: i32,
): void {
  memory.fill(dBig, 0, <usize>images * <usize>bigStride);
  scatterWindows(true, table, windows, dSmall, dBig, channels, images, bigStride, smallStride);
}

/** Each pixel of a window is the small pixel: windows do not overlap, and leave nothing out. */
export function upsampleForward(
  table: usize,
  windows: i32,
  small: usize,
  big: usize,
  channels: i32,
  images: i32,
  bigStride: i32,
  smallStride: i32,
): void {
  scatterWindows(false, table, windows, small, big, channels, images, bigStride, smallStride);
}

/** dSmall = the sum of dBig over each window. */
export function upsampleBackward(
  table: usize,
  windows: i32,
  dBig: usize,
  dSmall: usize,
  channels: i32,
  images: i32,
  bigStride: i32,
  smallStride: i32,
): void {
  gatherWindows(false, table, windows, dBig, dSmall, channels, images, bigStride, smallStride);
}

/** Sums over windows, in row-major order, or means. */
// @ts-ignore: decorator
@inline
function gatherWindows(
  mean: bool,
  table: usize,
  windows: i32,
  big: usize,
  small: usize,
  channels: i32,
  images: i32,
  bigStride: i32,
  smallStride: i32,
): void {
  for (let image = 0; image < images; image++) {
    let entry = table;
    for (let window = 0; window < windows; window++) {
      const target = small + load<u32>(entry);
      const pixels = load<i32>(entry, 4);
      for (let c = 0; c < channels; c += 4) {
        const offset = (<usize>c) << 2;
        let sum = v128.load(big + bigOffset(entry, 0) + offset);
        for (let i = 1; i < pixels; i++) {
          sum = f32x4.add(sum, v128.load(big + bigOffset(entry, i) + offset));
        }
        if (mean) sum = f32x4.div(sum, f32x4.splat(<f32>pixels));
        storeLanes(target + offset, sum, channels - c);
      }
      entry += entryBytes(pixels);
    }
    big += bigStride;
    small += smallStride;
  }
}

/** Each pixel of a window is the small pixel, or has its share of the small pixel added. */
// @ts-ignore: decorator
@inline
function scatterWindows(
  adds: bool,
  table: usize,
  windows: i32,
  small: usize,
  big: usize,
  channels: i32,
  images: i32,
  bigStride: i32,
  smallStride: i32,
): void {
  for (let image = 0; image < images; image++) {
    let entry = table;
    for (let window = 0; window < windows; window++) {
      const source = small + load<u32>(entry);
      const pixels = load<i32>(entry, 4);
      for (let c = 0; c < channels; c += 4) {
        const offset = (<usize>c) << 2;
        let value = v128.load(source + offset);
        if (adds) value = f32x4.div(value, f32x4.splat(<f32>pixels));
        for (let i = 0; i < pixels; i++) {
          const target = big + bigOffset(entry, i) + offset;
          storeLanes(target, adds ? f32x4.add(v128.load(target), value) : value, channels - c);
        }
      }
      entry += entryBytes(pixels);
    }
    big += bigStride;
    small += smallStride;
  }
}
