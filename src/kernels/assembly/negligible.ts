/**
 * Moments of Adam below 2⁻¹⁰⁴ become 0. The first moment of a weight whose gradient stays 0 (of a pixel that
 * is never set, or a ReLU that has died) is multiplied by β₁ at every step, and subnormal numbers, on which a
 * processor spends a hundred times as long, would be its end: 0.9 times the smallest one rounds to itself. So
 * large a bound, that its product with a step size down to 2⁻²² is not subnormal either; so small, that
 * beside an ε of 1e-8 or more the root of a lost second moment is less than half a unit of roundoff. A NaN
 * stays.
 */
export const NEGLIGIBLE: f32 = 4.930380657631324e-32;

// @ts-ignore: decorator
@inline
export function withoutNegligible(value: v128): v128 {
  return v128.andnot(value, f32x4.lt(f32x4.abs(value), f32x4.splat(NEGLIGIBLE)));
}
