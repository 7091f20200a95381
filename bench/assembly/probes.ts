// What benchmarks and tests alone call, in a module of its own: the core's own peak, of multiply-adds that
// never leave the registers, and the series of log1p by itself.

import { multiplyAdd } from '../../src/kernels/assembly/arithmetic';
import { log1pUnit } from '../../src/kernels/assembly/elementary';

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
 * Twenty-four chains in pairs: twelve of eight lanes where V8 re-vectorises, which starts from the stores of
 * a pair; with eight the latency of an addition shows. 192 floating-point operations a round. Writes 384
 * bytes from `out` + 32.
 */
export function widePeakProbe(rounds: i32, factor: f32, out: usize): void {
  const scale = f32x4.splat(factor);
  const one0 = v128.load(out);
  const one1 = v128.load(out, 16);
  let a0 = one0;
  let a1 = one1;
  let b0 = one0;
  let b1 = one1;
  let c0 = one0;
  let c1 = one1;
  let d0 = one0;
  let d1 = one1;
  let e0 = one0;
  let e1 = one1;
  let f0 = one0;
  let f1 = one1;
  let g0 = one0;
  let g1 = one1;
  let h0 = one0;
  let h1 = one1;
  let i0 = one0;
  let i1 = one1;
  let j0 = one0;
  let j1 = one1;
  let k0 = one0;
  let k1 = one1;
  let l0 = one0;
  let l1 = one1;
  for (let i = 0; i < rounds; i++) {
    a0 = multiplyAdd(a0, scale, one0);
    a1 = multiplyAdd(a1, scale, one1);
    b0 = multiplyAdd(b0, scale, one0);
    b1 = multiplyAdd(b1, scale, one1);
    c0 = multiplyAdd(c0, scale, one0);
    c1 = multiplyAdd(c1, scale, one1);
    d0 = multiplyAdd(d0, scale, one0);
    d1 = multiplyAdd(d1, scale, one1);
    e0 = multiplyAdd(e0, scale, one0);
    e1 = multiplyAdd(e1, scale, one1);
    f0 = multiplyAdd(f0, scale, one0);
    f1 = multiplyAdd(f1, scale, one1);
    g0 = multiplyAdd(g0, scale, one0);
    g1 = multiplyAdd(g1, scale, one1);
    h0 = multiplyAdd(h0, scale, one0);
    h1 = multiplyAdd(h1, scale, one1);
    i0 = multiplyAdd(i0, scale, one0);
    i1 = multiplyAdd(i1, scale, one1);
    j0 = multiplyAdd(j0, scale, one0);
    j1 = multiplyAdd(j1, scale, one1);
    k0 = multiplyAdd(k0, scale, one0);
    k1 = multiplyAdd(k1, scale, one1);
    l0 = multiplyAdd(l0, scale, one0);
    l1 = multiplyAdd(l1, scale, one1);
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
  v128.store(out, i0, 288);
  v128.store(out, i1, 304);
  v128.store(out, j0, 320);
  v128.store(out, j1, 336);
  v128.store(out, k0, 352);
  v128.store(out, k1, 368);
  v128.store(out, l0, 384);
  v128.store(out, l1, 400);
}

/** out[i] = log(1 + x[i]), x in [0, 1]; `count` floats, written in whole vectors. */
export function log1pArray(x: usize, out: usize, count: i32): void {
  for (let i = 0; i < count; i += 4)
    v128.store(out + ((<usize>i) << 2), log1pUnit(v128.load(x + ((<usize>i) << 2))));
}
