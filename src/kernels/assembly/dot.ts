// The forward and input-gradient passes of layers with few columns (a single-channel image): see tiles/source.ts for the
// others, whose rows, segments and epilogue are the same.

import { multiplyAdd } from './arithmetic';
import { laneMask, sumLanes } from './lanes';

/**
 * out[r][n] = bias[n] + Σ_segments Σ_k A[r][segment + k] · B[k][n], ReLU on request: dot products, vectorised along k.
 *
 * Row r of A starts at a + aOffsets[r], row r of the result at out + outOffsets[r] (offsets in bytes, u32). A segment is
 * (offset in bytes, length in floats), the same for all rows. B holds the columns themselves, [columns, Σ lengths rounded up to 4], zeros at the end of each segment.
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
