/**
 * Moments of Adam below 2⁻¹²⁰ become 0. The first moment of a weight whose gradient stays 0 (of a pixel that is never set) is multiplied by
 * β₁ at every step, and subnormal numbers, on which a processor spends a hundred times as long, would be its end: 0.9 times
 * the smallest one rounds to itself. A NaN stays.
 */
export const NEGLIGIBLE: f32 = 7.52316384526264e-37;

// @ts-ignore: decorator
@inline
export function withoutNegligible(value: v128): v128 {
  return v128.andnot(value, f32x4.lt(f32x4.abs(value), f32x4.splat(NEGLIGIBLE)));
}
