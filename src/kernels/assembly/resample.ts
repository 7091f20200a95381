// Images [batch, height, width, channels] made larger or smaller through tables: which pixels an output pixel is made of.

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

/** dx of resampleNearest: dx[n][rows[r]][columns[c]] += dy[n][r][c], in the order of dy. */
export function resampleNearestGradient(
  dy: usize,
  batch: i32,
  inHeight: i32,
  inWidth: i32,
  channels: i32,
  rows: usize,
  outHeight: i32,
  columns: usize,
  outWidth: i32,
  dx: usize,
): void {
  const pitch = (<usize>channels) << 2;
  memory.fill(dx, 0, <usize>(batch * inHeight * inWidth) * pitch);
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < outHeight; r++) {
      const line = dx + <usize>((n * inHeight + load<i32>(rows + ((<usize>r) << 2))) * inWidth) * pitch;
      for (let c = 0; c < outWidth; c++) {
        const target = line + <usize>load<i32>(columns + ((<usize>c) << 2)) * pitch;
        addScaled(target, dy, 1, channels);
        dy += pitch;
      }
    }
  }
}

/**
 * dx of a bilinear resampling, in the order of dy.
 * @param rows for each row of dy: the rows above and below (int32), and the weight of the lower one (float32), twelve bytes;
 * `columns` likewise.
 */
export function resampleBilinearGradient(
  dy: usize,
  batch: i32,
  inHeight: i32,
  inWidth: i32,
  channels: i32,
  rows: usize,
  outHeight: i32,
  columns: usize,
  outWidth: i32,
  dx: usize,
): void {
  const pitch = (<usize>channels) << 2;
  const linePitch = <usize>inWidth * pitch;
  memory.fill(dx, 0, <usize>(batch * inHeight) * linePitch);
  for (let n = 0; n < batch; n++) {
    for (let r = 0; r < outHeight; r++) {
      const row = rows + <usize>r * 12;
      const top = dx + <usize>load<i32>(row) * linePitch;
      const bottom = dx + <usize>load<i32>(row, 4) * linePitch;
      const down = load<f32>(row, 8);
      for (let c = 0; c < outWidth; c++) {
        const column = columns + <usize>c * 12;
        const left = <usize>load<i32>(column) * pitch;
        const right = <usize>load<i32>(column, 4) * pitch;
        const across = load<f32>(column, 8);
        addScaled(top + left, dy, (1 - down) * (1 - across), channels);
        addScaled(top + right, dy, (1 - down) * across, channels);
        addScaled(bottom + left, dy, down * (1 - across), channels);
        addScaled(bottom + right, dy, down * across, channels);
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
