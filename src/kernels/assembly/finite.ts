// What is infinite or NaN: x − x has no bit set for a finite x, and is NaN for any other.

/** Bits in the lanes where a or b is not finite, or their sum, which takes a magnitude of 2¹²⁷. */
// @ts-ignore: decorator
@inline
export function notFinite(a: v128, b: v128): v128 {
  const sum = f32x4.add(a, b);
  return f32x4.sub(sum, sum);
}

/** 1 where no number of x is infinite or NaN, else 0. */
export function allFinite(x: usize, count: i32): i32 {
  let s0 = i64x2.splat(0);
  let s1 = i64x2.splat(0);
  let s2 = i64x2.splat(0);
  let s3 = i64x2.splat(0);
  let i = 0;
  for (; i + 16 <= count; i += 16) {
    const a = v128.load(x);
    const b = v128.load(x, 16);
    const c = v128.load(x, 32);
    const d = v128.load(x, 48);
    s0 = v128.or(s0, f32x4.sub(a, a));
    s1 = v128.or(s1, f32x4.sub(b, b));
    s2 = v128.or(s2, f32x4.sub(c, c));
    s3 = v128.or(s3, f32x4.sub(d, d));
    x += 64;
  }
  let finite = !v128.any_true(v128.or(v128.or(s0, s1), v128.or(s2, s3)));
  for (; i < count; i++) {
    const value = load<f32>(x);
    if (value - value != 0) finite = false;
    x += 4;
  }
  return i32(finite);
}
