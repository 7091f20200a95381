// The core's own peak: multiply-adds that never leave the registers, in eight independent chains.

import { multiplyAdd } from './arithmetic';

/** Eight chains of four lanes: 64 floating-point operations a round. Writes 128 bytes. */
export function peakProbe(rounds: i32, factor: f32, out: usize): void {
  const f = f32x4.splat(factor);
  const one = v128.load(out);
  let s0 = one;
  let s1 = one;
  let s2 = one;
  let s3 = one;
  let s4 = one;
  let s5 = one;
  let s6 = one;
  let s7 = one;
  for (let i = 0; i < rounds; i++) {
    s0 = multiplyAdd(s0, f, one);
    s1 = multiplyAdd(s1, f, one);
    s2 = multiplyAdd(s2, f, one);
    s3 = multiplyAdd(s3, f, one);
    s4 = multiplyAdd(s4, f, one);
    s5 = multiplyAdd(s5, f, one);
    s6 = multiplyAdd(s6, f, one);
    s7 = multiplyAdd(s7, f, one);
  }
  const low = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  const high = f32x4.add(f32x4.add(s4, s5), f32x4.add(s6, s7));
  v128.store(out, f32x4.add(low, high), 32);
}

/**
 * Sixteen chains in pairs: eight of eight lanes where V8 re-vectorises, which starts from the stores of a pair. 128
 * floating-point operations a round. Writes 256 bytes from `out` + 32.
 */
export function widePeakProbe(rounds: i32, factor: f32, out: usize): void {
  const f = f32x4.splat(factor);
  let a0 = v128.load(out);
  let a1 = v128.load(out, 16);
  const one0 = a0;
  const one1 = a1;
  let b0 = a0;
  let b1 = a1;
  let c0 = a0;
  let c1 = a1;
  let d0 = a0;
  let d1 = a1;
  let e0 = a0;
  let e1 = a1;
  let f0 = a0;
  let f1 = a1;
  let g0 = a0;
  let g1 = a1;
  let h0 = a0;
  let h1 = a1;
  for (let i = 0; i < rounds; i++) {
    a0 = multiplyAdd(a0, f, one0);
    a1 = multiplyAdd(a1, f, one1);
    b0 = multiplyAdd(b0, f, one0);
    b1 = multiplyAdd(b1, f, one1);
    c0 = multiplyAdd(c0, f, one0);
    c1 = multiplyAdd(c1, f, one1);
    d0 = multiplyAdd(d0, f, one0);
    d1 = multiplyAdd(d1, f, one1);
    e0 = multiplyAdd(e0, f, one0);
    e1 = multiplyAdd(e1, f, one1);
    f0 = multiplyAdd(f0, f, one0);
    f1 = multiplyAdd(f1, f, one1);
    g0 = multiplyAdd(g0, f, one0);
    g1 = multiplyAdd(g1, f, one1);
    h0 = multiplyAdd(h0, f, one0);
    h1 = multiplyAdd(h1, f, one1);
  }
  v128.store(out, a0, 32);
  v128.store(out, a1, 48);
  v128.store(out, b0, 64);
  v128.store(out, b1, 80);
  v128.store(out, c0, 96);
  v128.store(out, c1, 112);
  v128.store(out, d0, 128);
  v128.store(out, d1, 144);
  v128.store(out, e0, 160);
  v128.store(out, e1, 176);
  v128.store(out, f0, 192);
  v128.store(out, f1, 208);
  v128.store(out, g0, 224);
  v128.store(out, g1, 240);
  v128.store(out, h0, 256);
  v128.store(out, h1, 272);
}

/** a · b + c as the tiles compute it. */
export function multiplyAddProbe(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(multiplyAdd(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c)), 0);
}
