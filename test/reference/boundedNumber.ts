// Arithmetic on single numbers with bounds, for the short formulas between the networks.

import { type Arithmetic, type Bounded, elementaryError, gamma } from './rounding.js';

/** A number of the reference, and how far the implementation's may be from it. */
export interface BoundedNumber {
  readonly value: number;
  readonly bound: number;
}

/**
 * Roundings of the constant factors that a term may meet anywhere along its way: 1/K, 1/n, β and ½, each
 * rounded itself and then multiplied.
 */
export const factorRoundings = 8;

export function exactNumber(value: number): BoundedNumber {
  return { value, bound: 0 };
}

export function numberAt(numbers: Bounded, index: number): BoundedNumber {
  return { value: numbers.value[index]!, bound: numbers.bound[index]! };
}

export function toBounded(numbers: readonly BoundedNumber[]): Bounded {
  return {
    value: Float64Array.from(numbers, (number) => number.value),
    bound: Float64Array.from(numbers, (number) => number.bound),
  };
}

/**
 * Σ of the terms in any order, each of them the sum of up to `parts` numbers that may be summed with the
 * others.
 */
export function boundedSum(
  terms: readonly BoundedNumber[],
  arithmetic: Arithmetic,
  parts = 1,
): BoundedNumber {
  const relative = gamma(arithmetic, terms.length * parts + factorRoundings);
  let value = 0;
  let bound = 0;
  for (const term of terms) {
    value += term.value;
    bound += term.bound + relative * (Math.abs(term.value) + term.bound) + arithmetic.underflow;
  }
  return { value, bound };
}

export function boundedProduct(a: BoundedNumber, b: BoundedNumber, arithmetic: Arithmetic): BoundedNumber {
  const value = a.value * b.value;
  const carried = Math.abs(a.value) * b.bound + a.bound * (Math.abs(b.value) + b.bound);
  return { value, bound: carried + arithmetic.unit * (Math.abs(value) + carried) + arithmetic.underflow };
}

/** factor · a; a factor's own roundings are counted in the sum that the term goes into. */
export function scaled(a: BoundedNumber, factor: number): BoundedNumber {
  return { value: a.value * factor, bound: a.bound * Math.abs(factor) };
}

/** exp(a ± E) lies within exp(a)·(exp(E) − 1) of exp(a). */
export function boundedExp(a: BoundedNumber, arithmetic: Arithmetic): BoundedNumber {
  const value = Math.exp(a.value);
  const carried = value * Math.expm1(a.bound);
  return { value, bound: carried + elementaryError(arithmetic) * (value + carried) + arithmetic.underflow };
}

/**
 * 1/(1 + e) or e/(1 + e) with e = exp(−|ℓ|): a relative error δ of e is one of at most δ·(1 + 2δ) of either;
 * then there are a sum and a quotient.
 * |sigmoid″| ≤ sigmoid′ ≤ ¼, so the slope grows at most by exp(E) within the error E of ℓ.
 */
export function boundedSigmoid(logit: BoundedNumber, arithmetic: Arithmetic): BoundedNumber {
  const e = Math.exp(-Math.abs(logit.value));
  const value = (logit.value >= 0 ? 1 : e) / (1 + e);
  const slope = e / (1 + e) ** 2;
  const carried = logit.bound * Math.min(1 / 4, slope * Math.exp(logit.bound));
  const elementary = elementaryError(arithmetic);
  const relative = elementary * (1 + 2 * elementary) + gamma(arithmetic, 3);
  return { value, bound: carried + relative * (value + carried) + arithmetic.underflow };
}

/** |tanh″| ≤ 2·tanh′ and tanh′ ≤ 1, so the slope grows at most by exp(2E) within the error E of x. */
export function boundedTanh(x: BoundedNumber, arithmetic: Arithmetic): BoundedNumber {
  const value = Math.tanh(x.value);
  const carried = x.bound * Math.min(1, (1 - value * value) * Math.exp(2 * x.bound));
  return {
    value,
    bound: carried + elementaryError(arithmetic) * (Math.abs(value) + carried) + arithmetic.underflow,
  };
}
