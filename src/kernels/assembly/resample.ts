// Images [batch, height, width, channels] made larger or smaller through tables: which pixels an output pixel
// is made of.

import { storeLanes } from './lanes';

/** out[n][r][c] = x[n][rows[r]][columns[c]]. */
export function resampleNearest(
  x: usize,
  batch: i32,
  inHeight: i32,
  inWidth: i32,
  channels: i32,
  rows: usize,
  outHeight: i32,
  columns: usize,
  outWidth: i32,
  out: usize,
): void {
  const pitch = channels << 2;
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < outHeight; r++) {
      const line = x + <usize>(n * inHeight + load<i32>(rows + ((<usize>r) << 2))) * inWidth * pitch;
      for (let c = 0; c < outWidth; c++) {
        memory.copy(out, line + <usize>load<i32>(columns + ((<usize>c) << 2)) * pitch, pitch);
        out += pitch;
      }
    }
  }
}

/**
 * dx of a resampling in which an output pixel is a sum of input pixels: dx[n][row][column] += weight ·
 * dy[n][r][c], in the order of dy, for each of the pixel's rows, and for each row each of its columns.
 * @param rows for each row of dy `taps` pairs of four bytes each: a row of dx (int32), and its weight
 * (float32); `columns` likewise.
 */
export function resampleGradient(
  dy: usize,
  batch: i32,
  inHeight: i32,
  inWidth: i32,
  channels: i32,
  taps: i32,
  rows: usize,
  outHeight: i32,
  columns: usize,
  outWidth: i32,
  dx: usize,
): void {
  const pitch = (<usize>channels) << 2;
  const linePitch = <usize>inWidth * pitch;
  const entry = (<usize>taps) << 3;
  memory.fill(dx, 0, <usize>(batch * inHeight) * linePitch);
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < outHeight; r++) {
      const row = rows + <usize>r * entry;
      for (let c = 0; c < outWidth; c++) {
        const column = columns + <usize>c * entry;
        for (let down = row; down < row + entry; down += 8) {
          const line = dx + <usize>load<i32>(down) * linePitch;
          for (let across = column; across < column + entry; across += 8) {
            const target = line + <usize>load<i32>(across) * pitch;
            addScaled(target, dy, load<f32>(down, 4) * load<f32>(across, 4), channels);
          }
        }
        dy += pitch;
      }
    }
    dx += <usize>inHeight * linePitch;
  }
}

// @ts-ignore: decorator
@inline
function addScaled(target: usize, source: usize, factor: f32, count: i32): void {
  const weight = f32x4.splat(factor);
  for (let i = 0; i < count; i += 4) {
    const offset = (<usize>i) << 2;
    const part = f32x4.mul(v128.load(source + offset), weight);
    storeLanes(target + offset, f32x4.add(v128.load(target + offset), part), count - i);
  }
}
