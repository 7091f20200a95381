// The weight-gradient pass of every heavy layer: outer products of pixels, read in place.

import { multiplyAdd } from './arithmetic';
import { storeLanes } from './lanes';

/**
 * gradient[m][n] (+)= Σ_lines Σ_pixels big[line, pixel][m] · small[line, pixel][n]. Tile: 4 rows × 8 columns.
 *
 * For one row of taps of the kernel: m runs over kw · bigChannels neighbouring floats of the big map, n over the
 * channels of the small one. Strides in bytes. Sums run over pixels, then lines, in order, from the value
 * that stands in `gradient` when `accumulate`: blocks of lines and micro-batches do not change a bit.
 */
export function filterGradient4x8(
  rows: i32,
  columns: i32,
  gradient: usize,
  big: usize,
  bigPixelStride: i32,
  bigLineStride: i32,
  small: usize,
  smallPixelStride: i32,
  smallLineStride: i32,
  pixels: i32,
  lines: i32,
  accumulate: i32,
): void {
  const pitch = (<usize>columns) << 2;
  for (let column = 0; column < columns; column += 8) {
    const width = columns - column;
    for (let row = 0; row < rows; row += 4) {
      const height = rows - row;
      const g0 = gradient + <usize>row * pitch + ((<usize>column) << 2);
      const g1 = height > 1 ? g0 + pitch : g0;
      const g2 = height > 2 ? g1 + pitch : g0;
      const g3 = height > 3 ? g2 + pitch : g0;
      let c00 = f32x4.splat(0);
      let c01 = f32x4.splat(0);
      let c10 = f32x4.splat(0);
      let c11 = f32x4.splat(0);
      let c20 = f32x4.splat(0);
      let c21 = f32x4.splat(0);
      let c30 = f32x4.splat(0);
      let c31 = f32x4.splat(0);
      if (accumulate) {
        c00 = v128.load(g0);
        c01 = v128.load(g0, 16);
        c10 = v128.load(g1);
        c11 = v128.load(g1, 16);
        c20 = v128.load(g2);
        c21 = v128.load(g2, 16);
        c30 = v128.load(g3);
        c31 = v128.load(g3, 16);
      }
      let bigLine = big + ((<usize>row) << 2);
      let smallLine = small + ((<usize>column) << 2);
      for (let line = 0; line < lines; line++) {
        let x = bigLine;
        let y = smallLine;
        for (let pixel = 0; pixel < pixels; pixel++) {
          const b0 = v128.load(y);
          const b1 = v128.load(y, 16);
          let s = v128.load32_splat(x);
          c00 = multiplyAdd(s, b0, c00);
          c01 = multiplyAdd(s, b1, c01);
          s = v128.load32_splat(x, 4);
          c10 = multiplyAdd(s, b0, c10);
          c11 = multiplyAdd(s, b1, c11);
          s = v128.load32_splat(x, 8);
          c20 = multiplyAdd(s, b0, c20);
          c21 = multiplyAdd(s, b1, c21);
          s = v128.load32_splat(x, 12);
          c30 = multiplyAdd(s, b0, c30);
          c31 = multiplyAdd(s, b1, c31);
          x += bigPixelStride;
          y += smallPixelStride;
        }
        bigLine += bigLineStride;
        smallLine += smallLineStride;
      }
      if (height > 3) storeGradient(g3, c30, c31, width);
      if (height > 2) storeGradient(g2, c20, c21, width);
      if (height > 1) storeGradient(g1, c10, c11, width);
      storeGradient(g0, c00, c01, width);
    }
  }
}

// @ts-ignore: decorator
@inline
function storeGradient(address: usize, low: v128, high: v128, width: i32): void {
  if (width >= 8) {
    v128.store(address, low);
    v128.store(address, high, 16);
  } else {
    storeLanes(address, low, width);
    if (width > 4) storeLanes(address + 16, high, width - 4);
  }
}

/**
 * The bias gradient: gradient[c] (+)= Σ_pixels values[pixel][c], pixels in order.
 * Zero borders may lie between the pixels: they do not change a sum.
 */
export function columnSums(
  values: usize,
  pixels: i32,
  channels: i32,
  gradient: usize,
  accumulate: i32,
): void {
  const pitch = (<usize>channels) << 2;
  let channel = 0;
  for (; channel + 16 <= channels; channel += 16) {
    const g = gradient + ((<usize>channel) << 2);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    if (accumulate) {
      s0 = v128.load(g);
      s1 = v128.load(g, 16);
      s2 = v128.load(g, 32);
      s3 = v128.load(g, 48);
    }
    let p = values + ((<usize>channel) << 2);
    for (let pixel = 0; pixel < pixels; pixel++) {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p, 16));
      s2 = f32x4.add(s2, v128.load(p, 32));
      s3 = f32x4.add(s3, v128.load(p, 48));
      p += pitch;
    }
    v128.store(g, s0);
    v128.store(g, s1, 16);
    v128.store(g, s2, 32);
    v128.store(g, s3, 48);
  }
  for (; channel < channels; channel += 4) {
    const g = gradient + ((<usize>channel) << 2);
    let s = accumulate ? v128.load(g) : f32x4.splat(0);
    let p = values + ((<usize>channel) << 2);
    for (let pixel = 0; pixel < pixels; pixel++) {
      s = f32x4.add(s, v128.load(p));
      p += pitch;
    }
    storeLanes(g, s, channels - channel);
  }
}
