// Every activation, its slope, and how far an implementation may be from either: in float64, straight from
// the definition.

import type { Settings } from '#src/model/activations/activation.js';
import type { ActivationName } from '#src/model/activations/registry.js';
import { type BoundedNumber, boundedProduct, boundedSigmoid, boundedTanh } from './boundedNumber.js';
import { type Arithmetic, elementaryError, gamma } from './rounding.js';

interface ReferenceActivation {
  value(x: number, settings: Settings): number;
  /** The derivative; where there is none, the one that docs/mathematics.md states. */
  slope(x: number, settings: Settings): number;
  /** How far f(x̂), rounded, may be from f(x) for every x̂ within x's bound. */
  valueBound(x: BoundedNumber, arithmetic: Arithmetic, settings: Settings): number;
  /** The same of d̂ · f′(x̂). */
  gradientBound(x: BoundedNumber, d: BoundedNumber, arithmetic: Arithmetic, settings: Settings): number;
}

/** d · slope, from a slope within `slopeError`, and rounded. */
function timesSlope(d: BoundedNumber, slope: number, slopeError: number, arithmetic: Arithmetic): number {
  return boundedProduct(d, { value: slope, bound: slopeError }, arithmetic).bound;
}

/** The bound for two lines that meet at 0, with slopes of at most 1: near 0, either side may be taken. */
function kinkedGradientBound(
  x: BoundedNumber,
  d: BoundedNumber,
  slopes: readonly [below: number, above: number],
): number {
  const [below, above] = slopes;
  const doubt = x.bound > 0 && Math.abs(x.value) <= x.bound;
  if (!doubt) return d.bound * (x.value > 0 ? above : below);
  return d.bound * Math.max(below, above) + Math.abs(d.value) * Math.abs(above - below);
}

const relu: ReferenceActivation = {
  value: (x) => Math.max(x, 0),
  slope: (x) => (x > 0 ? 1 : 0),
  // Exact on what it reads, x ± error: zero stays zero where both ends are negative.
  valueBound: ({ value: x, bound }) => {
    const y = Math.max(x, 0);
    return Math.max(Math.max(x + bound, 0) - y, y - Math.max(x - bound, 0));
  },
  gradientBound: (x, d) => kinkedGradientBound(x, d, [0, 1]),
};

const leakyRelu: ReferenceActivation = {
  value: (x, { slope }) => (x > 0 ? x : slope! * x),
  slope: (x, { slope }) => (x > 0 ? 1 : slope!),
  // The slope is rounded, and the product.
  valueBound: (x, arithmetic) =>
    x.bound + gamma(arithmetic, 2) * (Math.abs(x.value) + x.bound) + arithmetic.underflow,
  gradientBound: (x, d, arithmetic, { slope }) => {
    const rounding = gamma(arithmetic, 2) * (Math.abs(d.value) + d.bound) + arithmetic.underflow;
    return kinkedGradientBound(x, d, [slope!, 1]) + rounding;
  },
};

const tanh: ReferenceActivation = {
  value: Math.tanh,
  slope: (x) => 1 - Math.tanh(x) ** 2,
  valueBound: (x, arithmetic) => boundedTanh(x, arithmetic).bound,
  /**
   * d·(1 − y²) from the computed y, as 1 − y·y (errors u·y² and u) or as (1 − y)·(1 + y): three roundings of
   * at most 1 + y² cover both; the product is one more.
   */
  gradientBound: (x, d, arithmetic) => {
    const { value: y, bound: yError } = boundedTanh(x, arithmetic);
    const slope = 1 - y * y;
    const slopeError =
      (2 * Math.abs(y) + yError) * yError + gamma(arithmetic, 3) * (1 + (Math.abs(y) + yError) ** 2);
    return timesSlope(d, slope, slopeError, arithmetic);
  },
};

function logistic(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}

const sigmoid: ReferenceActivation = {
  value: logistic,
  slope: (x) => logistic(x) * logistic(-x),
  valueBound: (x, arithmetic) => boundedSigmoid(x, arithmetic).bound,
  /**
   * y (1 − y) from the computed y: |1 − 2y| ≤ 1 carries its error, the difference and the product are
   * rounded.
   */
  gradientBound: (x, d, arithmetic) => {
    const { value: y, bound: yError } = boundedSigmoid(x, arithmetic);
    const slopeError = yError + yError ** 2 + gamma(arithmetic, 3) * (y + yError) + arithmetic.underflow;
    return timesSlope(d, y * (1 - y), slopeError, arithmetic);
  },
};

/** f′ and f″ of x · σ(x) lie within these: |f′| ≤ 1.1, |f″| ≤ ½. */
const silu: ReferenceActivation = {
  value: (x) => x * logistic(x),
  slope: (x) => logistic(x) * (1 + x * logistic(-x)),
  valueBound: (x, arithmetic) => {
    const sigma = boundedSigmoid({ value: x.value, bound: 0 }, arithmetic);
    const rounded = boundedProduct({ value: x.value, bound: 0 }, sigma, arithmetic).bound;
    // From an x̂ elsewhere: f changes by up to 1.1 times the distance, and its own rounding grows by |σ + …|
    // of it.
    return rounded + x.bound * (1.1 + gamma(arithmetic, 4) + 3 * elementaryError(arithmetic));
  },
  /** σ(x) + x σ(x) σ(−x), or σ (1 + x σ(−x)): an error of either factor meets x; up to five roundings. */
  gradientBound: (x, d, arithmetic) => {
    const sigma = boundedSigmoid({ value: x.value, bound: 0 }, arithmetic);
    const magnitude = Math.abs(x.value) + x.bound;
    const s = sigma.value + sigma.bound + x.bound / 4;
    const inner = 1 + magnitude * (1 + gamma(arithmetic, 1));
    const roundings = gamma(arithmetic, 6) * s * inner;
    const sigmaError = sigma.bound + (x.bound / 4) * (2 * elementaryError(arithmetic) + gamma(arithmetic, 4));
    const slopeError = sigmaError * (inner + (1 + s) * magnitude) + roundings + x.bound / 2;
    return timesSlope(d, silu.slope(x.value, {}), slopeError + arithmetic.underflow, arithmetic);
  },
};

/**
 * Φ, and φ with it: erf by its series up to 3, by its continued fraction (Lentz) beyond; both to float64's
 * rounding.
 */
export function normalCdf(x: number): number {
  const z = Math.abs(x) * Math.SQRT1_2;
  const tail = z < 3 ? (1 - erfSeries(z)) / 2 : erfcFraction(z) / 2;
  return x < 0 ? tail : 1 - tail;
}

/**
 * erf(z) = 2/√π e^(−z²) Σ 2ⁿ z^(2n+1) / (1·3·5⋯(2n + 1)) (Abramowitz and Stegun 7.1.6): all terms positive.
 */
function erfSeries(z: number): number {
  let term = z;
  let sum = z;
  for (let n = 1; term > sum * 2 ** -60; n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  return ((2 / Math.sqrt(Math.PI)) * sum) / Math.exp(z * z);
}

/** erfc(z) = e^(−z²)/√π · 1/(z + ½/(z + 1/(z + 3⁄2/(z + …)))) (7.1.14), from the inside out. */
function erfcFraction(z: number): number {
  let fraction = z;
  for (let n = 120; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction;
}

export function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/** The error of Φ: absolute, in units of the last place of 1, as formulas for erf state their errors. */
function cdfError(arithmetic: Arithmetic): number {
  return elementaryError(arithmetic);
}

/** |f′| ≤ 1.13 and |f″| ≤ 2 φ(0) < 0.8. */
const gelu: ReferenceActivation = {
  value: (x) => x * normalCdf(x),
  slope: (x) => normalCdf(x) + x * normalDensity(x),
  valueBound: (x, arithmetic) => {
    const magnitude = Math.abs(x.value) + x.bound;
    const rounding = magnitude * (cdfError(arithmetic) + arithmetic.unit * (1 + cdfError(arithmetic)));
    return rounding + 1.13 * x.bound + arithmetic.underflow;
  },
  /**
   * Φ + x φ; e^(−x²/2) from an exponent of three roundings, x φ of four more, and a sum. |x φ| ≤ ¼, |x³ φ| ≤
   * ½.
   */
  gradientBound: (x, d, arithmetic) => {
    const exponent = gamma(arithmetic, 3) / 2;
    const density = (elementaryError(arithmetic) + gamma(arithmetic, 5)) / 4;
    const slopeError = cdfError(arithmetic) + exponent + density + arithmetic.unit * 1.2 + 0.8 * x.bound;
    return timesSlope(d, gelu.slope(x.value, {}), slopeError + arithmetic.underflow, arithmetic);
  },
};

export const referenceActivations: Readonly<Record<ActivationName, ReferenceActivation>> = {
  relu,
  tanh,
  sigmoid,
  leakyRelu,
  gelu,
  silu,
};
