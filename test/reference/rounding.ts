// A-priori rounding-error analysis after Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
// chapters 2-4.

/** What a bound assumes of the arithmetic that it judges. */
export interface Arithmetic {
  /** u, half the distance from 1 to the next number. */
  readonly unit: number;
  /** The smallest positive number: no product or quotient errs by more than this where it underflows. */
  readonly underflow: number;
  /** Accuracy of exp, log1p and tanh in units in the last place; one of them is at most 2u of the result. */
  readonly elementaryUlps: number;
  /** Whether n roundings add up as γ_n, their worst case, or as √n·u, as independent random errors would. */
  readonly growth: 'worstCase' | 'random';
}

/** The kernels: float32 without flush to zero, elementary functions within 4 ulp. */
export const float32: Arithmetic = {
  unit: 2 ** -24,
  underflow: 2 ** -149,
  elementaryUlps: 4,
  growth: 'worstCase',
};

/**
 * The reference itself; V8's exp, log1p and tanh (fdlibm) stay within 1 ulp, 4 is granted to other engines.
 */
export const float64: Arithmetic = {
  unit: 2 ** -53,
  underflow: 2 ** -1074,
  elementaryUlps: 4,
  growth: 'worstCase',
};

/** Leaves only the errors that a stage is handed, for tests of how it hands them on. */
export const withoutRoundings: Arithmetic = { ...float32, unit: 0, underflow: 0 };

/**
 * The relative error of n roundings in any order: γ_n = n·u / (1 − n·u) at worst (Higham, lemma 3.1). The
 * standard deviation of independent ones of mean zero is at most √n·u (Higham and Mary 2019, A new approach
 * to probabilistic rounding error analysis, SIAM J. Sci. Comput. 41).
 */
export function gamma(arithmetic: Arithmetic, roundings: number): number {
  if (arithmetic.growth === 'random') return Math.sqrt(roundings) * arithmetic.unit;
  const product = roundings * arithmetic.unit;
  if (product >= 1)
    throw new Error(`γ_n has no value: ${roundings} roundings of ${arithmetic.unit} reach 1.`);
  return product / (1 - product);
}

/** Relative error of one elementary function. */
export function elementaryError(arithmetic: Arithmetic): number {
  return arithmetic.elementaryUlps * 2 * arithmetic.unit;
}

/** Exact numbers (the reference's), and how far the judged implementation's may be from each of them. */
export interface Bounded {
  readonly value: Float64Array;
  /** Absolute, ≥ 0, elementwise. */
  readonly bound: Float64Array;
}

/** A walk over the model: what is assumed of the arithmetic, and what a stage hands on to the next. */
export interface Analysis {
  readonly arithmetic: Arithmetic;
  /**
   * Applied to every result. The identity carries bounds to the end; conditioning.ts draws errors instead.
   */
  readonly carry: (result: Bounded) => Bounded;
}

/** Data and parameters: both sides are given the same float32 numbers. */
export function exact(value: Float64Array): Bounded {
  return { value, bound: new Float64Array(value.length) };
}

/** The largest magnitude that the implementation's number can have. */
export function largest(bounded: Bounded): Float64Array {
  return bounded.value.map((value, i) => Math.abs(value) + bounded.bound[i]!);
}
