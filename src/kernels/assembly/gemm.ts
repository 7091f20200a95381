// The forward and input-gradient passes of every heavy layer: rows gathered through a table, segments of
// contiguous floats in each row, weights packed in panels (pack.ts).

import { multiplyAdd } from './arithmetic';
import { laneMask, storeLanes, sumLanes } from './lanes';

/**
 * out[r][n] = bias[n] + Σ_segments Σ_k A[r][segment + k] · B[k][n], ReLU on request. Tile: 4 rows × 8 columns.
 *
 * Row r of A starts at a + aOffsets[r], row r of the result at out + outOffsets[r] (offsets in bytes, u32).
 * A segment is (offset in bytes, length in floats), the same for all rows; B holds panels of eight columns,
 * [columns / 8, depth, 8], zero beyond `columns`. The last tile repeats its last row: the same
 * value is stored twice, which is cheaper than a kernel for each remainder.
 */
export function gemm4x8(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  aOffsets: usize,
  segments: i32,
  segmentTable: usize,
  b: usize,
  bias: usize,
  out: usize,
  outOffsets: usize,
  relu: i32,
): void {
  const last = rows - 1;
  for (let column = 0; column < columns; column += 8) {
    const panel = b + ((<usize>column * depth) << 2);
    let bias0 = f32x4.splat(0);
    let bias1 = f32x4.splat(0);
    if (bias) {
      bias0 = v128.load(bias + ((<usize>column) << 2));
      bias1 = v128.load(bias + ((<usize>column) << 2), 16);
    }
    for (let row = 0; row < rows; row += 4) {
      const r0 = (<usize>row) << 2;
      const r1 = (<usize>min(row + 1, last)) << 2;
      const r2 = (<usize>min(row + 2, last)) << 2;
      const r3 = (<usize>min(row + 3, last)) << 2;
      let c00 = bias0;
      let c01 = bias1;
      let c10 = bias0;
      let c11 = bias1;
      let c20 = bias0;
      let c21 = bias1;
      let c30 = bias0;
      let c31 = bias1;
      let bp = panel;
      for (let s = 0; s < segments; s++) {
        const offset = a + load<u32>(segmentTable + ((<usize>s) << 3));
        const length = load<u32>(segmentTable + ((<usize>s) << 3), 4);
        let a0 = offset + load<u32>(aOffsets + r0);
        let a1 = offset + load<u32>(aOffsets + r1);
        let a2 = offset + load<u32>(aOffsets + r2);
        let a3 = offset + load<u32>(aOffsets + r3);
        const end = a0 + (length << 2);
        // Not unrolled: V8 would load ahead and spill accumulators (41 against 32 GFLOP/s on Node 20).
        while (a0 < end) {
          const b0 = v128.load(bp);
          const b1 = v128.load(bp, 16);
          let x = v128.load32_splat(a0);
          c00 = multiplyAdd(x, b0, c00);
          c01 = multiplyAdd(x, b1, c01);
          x = v128.load32_splat(a1);
          c10 = multiplyAdd(x, b0, c10);
          c11 = multiplyAdd(x, b1, c11);
          x = v128.load32_splat(a2);
          c20 = multiplyAdd(x, b0, c20);
          c21 = multiplyAdd(x, b1, c21);
          x = v128.load32_splat(a3);
          c30 = multiplyAdd(x, b0, c30);
          c31 = multiplyAdd(x, b1, c31);
          a0 += 4;
          a1 += 4;
          a2 += 4;
          a3 += 4;
          bp += 32;
        }
      }
      const target = out + ((<usize>column) << 2);
      const width = columns - column;
      storeRow(target + load<u32>(outOffsets + r0), c00, c01, width, relu);
      storeRow(target + load<u32>(outOffsets + r1), c10, c11, width, relu);
      storeRow(target + load<u32>(outOffsets + r2), c20, c21, width, relu);
      storeRow(target + load<u32>(outOffsets + r3), c30, c31, width, relu);
    }
  }
}

/** The epilogue: ReLU while the values are in registers, then the first `width` (at most 8) columns. */
// @ts-ignore: decorator
@inline
function storeRow(address: usize, low: v128, high: v128, width: i32, relu: i32): void {
  if (relu) {
    // pmax(0, x) = 0 < x ? x : 0 would hide a NaN; pmax(x, 0) = x < 0 ? 0 : x keeps it.
    low = f32x4.pmax(low, f32x4.splat(0));
    high = f32x4.pmax(high, f32x4.splat(0));
  }
  if (width >= 8) {
    v128.store(address, low);
    v128.store(address, high, 16);
  } else {
    storeLanes(address, low, width);
    if (width > 4) storeLanes(address + 16, high, width - 4);
  }
}

/**
 * The same for few columns (a single-channel image): dot products, vectorised along k.
 * B holds the columns themselves, [columns, Σ lengths rounded up to 4], zeros at the end of each segment.
 * Sums: four lanes along k, then (0 + 2) + (1 + 3), then the bias.
 */
export function gemmDot4(
  rows: i32,
  columns: i32,
  depth: i32,
  a: usize,
  aOffsets: usize,
  segments: i32,
  segmentTable: usize,
  b: usize,
  bias: usize,
  out: usize,
  outOffsets: usize,
  relu: i32,
): void {
  const last = rows - 1;
  for (let column = 0; column < columns; column++) {
    const start = bias ? load<f32>(bias + ((<usize>column) << 2)) : <f32>0;
    for (let row = 0; row < rows; row += 4) {
      const r0 = (<usize>row) << 2;
      const r1 = (<usize>min(row + 1, last)) << 2;
      const r2 = (<usize>min(row + 2, last)) << 2;
      const r3 = (<usize>min(row + 3, last)) << 2;
      let c0 = f32x4.splat(0);
      let c1 = f32x4.splat(0);
      let c2 = f32x4.splat(0);
      let c3 = f32x4.splat(0);
      let bp = b + ((<usize>column * depth) << 2);
      for (let s = 0; s < segments; s++) {
        const offset = a + load<u32>(segmentTable + ((<usize>s) << 3));
        const length = load<u32>(segmentTable + ((<usize>s) << 3), 4);
        let a0 = offset + load<u32>(aOffsets + r0);
        let a1 = offset + load<u32>(aOffsets + r1);
        let a2 = offset + load<u32>(aOffsets + r2);
        let a3 = offset + load<u32>(aOffsets + r3);
        const end = a0 + ((length & ~3) << 2);
        while (a0 < end) {
          const w = v128.load(bp);
          c0 = multiplyAdd(v128.load(a0), w, c0);
          c1 = multiplyAdd(v128.load(a1), w, c1);
          c2 = multiplyAdd(v128.load(a2), w, c2);
          c3 = multiplyAdd(v128.load(a3), w, c3);
          a0 += 16;
          a1 += 16;
          a2 += 16;
          a3 += 16;
          bp += 16;
        }
        const rest = length & 3;
        if (rest) {
          // What lies behind the segment may be anything: masked, since NaN · 0 is not 0.
          const mask = laneMask(rest);
          const w = v128.load(bp);
          c0 = multiplyAdd(v128.and(v128.load(a0), mask), w, c0);
          c1 = multiplyAdd(v128.and(v128.load(a1), mask), w, c1);
          c2 = multiplyAdd(v128.and(v128.load(a2), mask), w, c2);
          c3 = multiplyAdd(v128.and(v128.load(a3), mask), w, c3);
          bp += 16;
        }
      }
      const target = out + ((<usize>column) << 2);
      storeDot(target + load<u32>(outOffsets + r0), start + sumLanes(c0), relu);
      storeDot(target + load<u32>(outOffsets + r1), start + sumLanes(c1), relu);
      storeDot(target + load<u32>(outOffsets + r2), start + sumLanes(c2), relu);
      storeDot(target + load<u32>(outOffsets + r3), start + sumLanes(c3), relu);
    }
  }
}

// @ts-ignore: decorator
@inline
function storeDot(address: usize, value: f32, relu: i32): void {
  store<f32>(address, relu && value < 0 ? 0 : value);
}
