// How long a gradient is: what clipping by the global norm needs of it.

/**
 * norms[u] = Σ x², [⌈count / unit⌉] float64, over the floats of unit u of x; the last unit may be shorter.
 * Squares are exact; they are added in an order that depends on the unit alone.
 */
export function squaredNorms(x: usize, count: i32, unit: i32, norms: usize): void {
  for (let first = 0; first < count; first += unit) {
    const floats = min(unit, count - first);
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let i = 0;
    for (; i + 4 <= floats; i += 4) {
      const four = v128.load(x);
      const low = f64x2.promote_low_f32x4(four);
      const high = f64x2.promote_low_f32x4(v128.shuffle<u64>(four, four, 1, 0));
      s0 = f64x2.add(s0, f64x2.mul(low, low));
      s1 = f64x2.add(s1, f64x2.mul(high, high));
      x += 16;
    }
    const sums = f64x2.add(s0, s1);
    let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
    for (; i < floats; i++) {
      const value = <f64>load<f32>(x);
      sum += value * value;
      x += 4;
    }
    store<f64>(norms, sum);
    norms += 8;
  }
}
