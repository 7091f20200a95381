// Vectors of four floats that end before a multiple of four.

/** Stores the first `count` (1 … 4, more counts as 4) lanes. */
// @ts-ignore: decorator
@inline
export function storeLanes(address: usize, value: v128, count: i32): void {
  if (count >= 4) {
    v128.store(address, value);
  } else {
    f32.store(address, f32x4.extract_lane(value, 0));
    if (count > 1) f32.store(address + 4, f32x4.extract_lane(value, 1));
    if (count > 2) f32.store(address + 8, f32x4.extract_lane(value, 2));
  }
}

/** Four by four floats, rows exchanged with columns; pitches in bytes from row to row. */
// @ts-ignore: decorator
@inline
export function transposeBlock(source: usize, sourcePitch: usize, target: usize, targetPitch: usize): void {
  const a = v128.load(source);
  const b = v128.load(source + sourcePitch);
  const c = v128.load(source + 2 * sourcePitch);
  const d = v128.load(source + 3 * sourcePitch);
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(target, v128.shuffle<i64>(ab0, cd0, 0, 2));
  v128.store(target + targetPitch, v128.shuffle<i64>(ab0, cd0, 1, 3));
  v128.store(target + 2 * targetPitch, v128.shuffle<i64>(ab1, cd1, 0, 2));
  v128.store(target + 3 * targetPitch, v128.shuffle<i64>(ab1, cd1, 1, 3));
}

/** All ones in the first `count` lanes, zero elsewhere. */
// @ts-ignore: decorator
@inline
export function laneMask(count: i32): v128 {
  return i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
}

/** Sum of the four lanes in the order (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
export function sumLanes(value: v128): f32 {
  const pairs = f32x4.add(value, v128.shuffle<i32>(value, value, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** sum + value[0] … value[3], in float64: lanes 0 and 2 in one sum, 1 and 3 in the other. */
// @ts-ignore: decorator
@inline
export function accumulateDouble(sum: v128, value: v128): v128 {
  const low = f64x2.promote_low_f32x4(value);
  const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(value, value, 2, 3, 2, 3));
  return f64x2.add(f64x2.add(sum, low), high);
}

// @ts-ignore: decorator
@inline
export function sumDoubleLanes(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
