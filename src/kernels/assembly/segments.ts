// Rows picked by an index, and rows summed by an index.

import { storeLanes } from './lanes';

/**
 * out[s] = Σ x[r] over the rows r with ids[r] = s, in order; rows of other ids are left out.
 * @param ids int32.
 */
export function segmentSum(x: usize, ids: usize, rows: i32, width: i32, segments: i32, out: usize): void {
  const pitch = (<usize>width) << 2;
  memory.fill(out, 0, <usize>segments * pitch);
  for (let row = 0; row < rows; row++) {
    const id = load<i32>(ids + ((<usize>row) << 2));
    if (id >= 0 && id < segments) {
      const target = out + <usize>id * pitch;
      const source = x + <usize>row * pitch;
      for (let i = 0; i < width; i += 4) {
        const offset = (<usize>i) << 2;
        const sum = f32x4.add(v128.load(target + offset), v128.load(source + offset));
        storeLanes(target + offset, sum, width - i);
      }
    }
  }
}

/**
 * out[b][o][k] = x[b][o][indices[b][k]], slices of `bytes`.
 * @param indices int32.
 * @returns the position in `indices` of one that is not in [0, extent), or −1.
 */
export function gatherSlices(
  x: usize,
  indices: usize,
  batches: i32,
  outer: i32,
  extent: i32,
  picks: i32,
  bytes: i32,
  out: usize,
): i32 {
  for (let i = 0; i < batches * picks; i++) {
    const index = load<i32>(indices + ((<usize>i) << 2));
    if (index < 0 || index >= extent) return i;
  }
  for (let b = 0; b < batches; b++) {
    const list = indices + ((<usize>(b * picks)) << 2);
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < picks; k++) {
        const index = load<i32>(list + ((<usize>k) << 2));
        copySlice(out, x + <usize>index * <usize>bytes, bytes);
        out += bytes;
      }
      x += <usize>extent * <usize>bytes;
    }
  }
  return -1;
}

// @ts-ignore: decorator
@inline
function copySlice(target: usize, source: usize, bytes: i32): void {
  if (bytes == 4) store<u32>(target, load<u32>(source));
  else memory.copy(target, source, bytes);
}

/** Each of `blocks` blocks of `bytes`, `times` times in a row. */
export function repeatBlocks(x: usize, blocks: i32, bytes: i32, times: i32, out: usize): void {
  const length = <usize>bytes * <usize>times;
  for (let block = 0; block < blocks; block++) {
    if (bytes == 4) {
      fillWords(out, load<f32>(x), times);
    } else {
      memory.copy(out, x, bytes);
      // What is written already doubles.
      let done = <usize>bytes;
      while (done < length) {
        const more = min(done, length - done);
        memory.copy(out + done, out, more);
        done += more;
      }
    }
    x += bytes;
    out += length;
  }
}

function fillWords(out: usize, value: f32, count: i32): void {
  const vector = f32x4.splat(value);
  for (let i = 0; i < count; i += 4) storeLanes(out + ((<usize>i) << 2), vector, count - i);
}

/**
 * Copies `rows` runs of `bytes`: of a row of `pitch` bytes at `x` to a row of `targetPitch` bytes at `out`
 * (slices, splits and concatenations along one axis).
 */
export function copyRows(x: usize, pitch: i32, rows: i32, bytes: i32, out: usize, targetPitch: i32): void {
  for (let row = 0; row < rows; row++) {
    copySlice(out, x, bytes);
    x += pitch;
    out += targetPitch;
  }
}

/** out[o][k] = x[o][count − 1 − k], slices of `bytes`. */
export function reverseSlices(x: usize, outer: i32, count: i32, bytes: i32, out: usize): void {
  for (let o = 0; o < outer; o++) {
    for (let k = count - 1; k >= 0; k--) {
      copySlice(out, x + <usize>k * <usize>bytes, bytes);
      out += bytes;
    }
    x += <usize>count * <usize>bytes;
  }
}

/** out[a][c][r] = x[a][r][c], slices of `bytes`. */
export function exchangeSlices(x: usize, outer: i32, rows: i32, columns: i32, bytes: i32, out: usize): void {
  const pitch = <usize>columns * <usize>bytes;
  for (let a = 0; a < outer; a++) {
    for (let column = 0; column < columns; column++) {
      let source = x + <usize>column * <usize>bytes;
      for (let row = 0; row < rows; row++) {
        copySlice(out, source, bytes);
        source += pitch;
        out += bytes;
      }
    }
    x += <usize>rows * pitch;
  }
}
