// Multiplies a slice by one number: how AdamW lets weights decay.

/** values = values · factor, in place, on `count` floats exactly. */
export function scaleFloats(values: usize, count: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  let i: usize = 0;
  for (; i < (<usize>(count & ~7)) << 2; i += 32) {
    const v0 = f32x4.mul(v128.load(values + i), f);
    const v1 = f32x4.mul(v128.load(values + i, 16), f);
    v128.store(values + i, v1, 16);
    v128.store(values + i, v0);
  }
  for (; i < (<usize>count) << 2; i += 4) store<f32>(values + i, load<f32>(values + i) * factor);
}
