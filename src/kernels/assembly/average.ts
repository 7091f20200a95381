// The moving average of a slice: how the parameters of a run are averaged over its updates.

/**
 * average = (1 − weight) · average + weight · values, in place, on `count` floats exactly, for a weight in
 * [0, 1]. It is computed from whichever counts more, by adding a share of the difference: so equal numbers
 * stay as they are, and the weight 1 gives the values. Two products would not: 1 − weight and weight, each
 * rounded, have not the sum 1, and an average over 10⁴ updates would be off by more than 10⁻⁴ of itself.
 * @returns 1 where every average is finite now, else 0.
 */
export function averageFloats(average: usize, values: usize, count: i32, weight: f32): i32 {
  const near = weight < 0.5 ? average : values;
  const far = weight < 0.5 ? values : average;
  const share: f32 = weight < 0.5 ? weight : 1 - weight;
  const s = f32x4.splat(share);
  const pairs = (<usize>(count & ~7)) << 2;
  let bad = f32x4.splat(0);
  let i: usize = 0;
  for (; i < pairs; i += 32) {
    const n0 = v128.load(near + i);
    const n1 = v128.load(near + i, 16);
    const a0 = f32x4.add(n0, f32x4.mul(s, f32x4.sub(v128.load(far + i), n0)));
    const a1 = f32x4.add(n1, f32x4.mul(s, f32x4.sub(v128.load(far + i, 16), n1)));
    v128.store(average + i, a1, 16);
    v128.store(average + i, a0);
    bad = v128.or(bad, v128.or(f32x4.sub(a0, a0), f32x4.sub(a1, a1)));
  }
  let finite = i32(!v128.any_true(bad));
  for (; i < (<usize>count) << 2; i += 4) {
    const n = load<f32>(near + i);
    const next = n + share * (load<f32>(far + i) - n);
    store<f32>(average + i, next);
    if (next - next != 0) finite = 0;
  }
  return finite;
}
