// The one place where the two arithmetic modes differ: how a product is added to a sum.

/**
 * a · b + c, on four lanes. FUSED is an integer constant that the build defines (asconfig.json):
 * 0 rounds the product and the sum separately (same bits on every machine), 1 rounds once.
 */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  // @ts-ignore: FUSED is defined by the build
  if (FUSED) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** a · b + c as the tiles compute it. */
export function multiplyAddProbe(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(multiplyAdd(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c)), 0);
}
