import { multiplyAdd } from './arithmetic';

/**
 * Register-only multiply-adds: the core's own peak. Twelve independent chains of four lanes each.
 * Returns a sum, so that nothing is optimised away. 96 floating-point operations a round.
 */
export function peakProbe(rounds: i32, factor: f32): f32 {
  const f = f32x4.splat(factor);
  const one = f32x4.splat(1);
  let s0 = one;
  let s1 = one;
  let s2 = one;
  let s3 = one;
  let s4 = one;
  let s5 = one;
  let s6 = one;
  let s7 = one;
  let s8 = one;
  let s9 = one;
  let sa = one;
  let sb = one;
  for (let i = 0; i < rounds; i++) {
    s0 = multiplyAdd(s0, f, one);
    s1 = multiplyAdd(s1, f, one);
    s2 = multiplyAdd(s2, f, one);
    s3 = multiplyAdd(s3, f, one);
    s4 = multiplyAdd(s4, f, one);
    s5 = multiplyAdd(s5, f, one);
    s6 = multiplyAdd(s6, f, one);
    s7 = multiplyAdd(s7, f, one);
    s8 = multiplyAdd(s8, f, one);
    s9 = multiplyAdd(s9, f, one);
    sa = multiplyAdd(sa, f, one);
    sb = multiplyAdd(sb, f, one);
  }
  const sum0 = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  const sum1 = f32x4.add(f32x4.add(s4, s5), f32x4.add(s6, s7));
  const sum2 = f32x4.add(f32x4.add(s8, s9), f32x4.add(sa, sb));
  return f32x4.extract_lane(f32x4.add(f32x4.add(sum0, sum1), sum2), 0);
}
