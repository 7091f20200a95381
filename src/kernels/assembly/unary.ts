// out[i] = f(x[i]) for tensor operations: any alignment, any count, nothing written behind out[count − 1].

import { exp } from './elementary';
import { expm1, fullLog, log1p, signedTanh, softplus } from './functions';
import { storeLanes } from './lanes';

const EXP = 0;
const LOG = 1;
const LOG1P = 2;
const EXPM1 = 3;
const SOFTPLUS = 4;
const TANH = 5;
const SQRT = 6;
const RSQRT = 7;
const RECIPROCAL = 8;

// The comparisons are of constants, and gone once this is inlined.
// @ts-ignore: decorator
@inline
function apply(f: i32, x: v128): v128 {
  if (f == EXP) return exp(x);
  if (f == LOG) return fullLog(x);
  if (f == LOG1P) return log1p(x);
  if (f == EXPM1) return expm1(x);
  if (f == SOFTPLUS) return softplus(x);
  if (f == TANH) return signedTanh(x);
  if (f == SQRT) return f32x4.sqrt(x);
  if (f == RSQRT) return f32x4.div(f32x4.splat(1), f32x4.sqrt(x));
  return f32x4.div(f32x4.splat(1), x);
}

// @ts-ignore: decorator
@inline
function map(f: i32, x: usize, out: usize, count: i32): void {
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const offset = (<usize>i) << 2;
    const low = apply(f, v128.load(x + offset));
    const high = apply(f, v128.load(x + offset, 16));
    v128.store(out + offset, high, 16);
    v128.store(out + offset, low);
  }
  for (; i < count; i += 4) {
    const offset = (<usize>i) << 2;
    storeLanes(out + offset, apply(f, v128.load(x + offset)), count - i);
  }
}

export function mapExp(x: usize, out: usize, count: i32): void {
  map(EXP, x, out, count);
}

export function mapLog(x: usize, out: usize, count: i32): void {
  map(LOG, x, out, count);
}

export function mapLog1p(x: usize, out: usize, count: i32): void {
  map(LOG1P, x, out, count);
}

export function mapExpm1(x: usize, out: usize, count: i32): void {
  map(EXPM1, x, out, count);
}

export function mapSoftplus(x: usize, out: usize, count: i32): void {
  map(SOFTPLUS, x, out, count);
}

export function mapTanh(x: usize, out: usize, count: i32): void {
  map(TANH, x, out, count);
}

export function mapSqrt(x: usize, out: usize, count: i32): void {
  map(SQRT, x, out, count);
}

export function mapRsqrt(x: usize, out: usize, count: i32): void {
  map(RSQRT, x, out, count);
}

export function mapReciprocal(x: usize, out: usize, count: i32): void {
  map(RECIPROCAL, x, out, count);
}
