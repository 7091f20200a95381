// How far rounding moves the loss and its gradient in fact, rather than at worst.
//
// boundedElbo's bounds lie orders of magnitude above the real errors at the far end of a deep network, as
// they let every error of a layer grow by Σ|W| in the next, where errors of either sign cancel. Here the
// errors are drawn (Monte-Carlo arithmetic: Parker 1997; CESTAC: Vignes 1993): the pass is repeated in
// float64, and every stage's result is moved, element by element, by an error of mean 0 and of the standard
// deviation that its own roundings can have at most, √m·u·Σ|terms| for m roundings in any order. The spread
// of the results is what rounding does to this model with these parameters and this data, with all
// cancellation and all flips of a relu in it.

import type { Model } from '#src/model/model.js';
import type { ElboOptions, ElboTerms } from './elbo.js';
import { boundedElbo } from './errorBound.js';
import { type Arithmetic, type Bounded, float32 } from './rounding.js';
import { uniform } from './uniform.js';

/** Bounds of ‖implementation − reference‖₂. */
export interface NormwiseBound {
  /** The bound of all examples' terms, [n]. */
  readonly logLikelihood: number;
  readonly kl: number;
  /** The bound of each tensor of the layout, in its order. */
  readonly gradient: readonly number[];
}

/**
 * How many times the spread that was drawn is granted. With `draws` draws and, at worst, a single direction
 * in which the error lies, a further draw exceeds ten times the spread as Student's t with `draws` degrees of
 * freedom exceeds 10: once in 1,800 for four. That is for errors as large as the ones drawn; those of a real
 * sum are smaller, as its partial sums stay below Σ|terms| and most roundings below u: PyTorch's float32 lies
 * within a quarter of one spread in all golden cases. Ten are still less than 10⁻³ of every tensor's gradient
 * in those whose weights are as at the start of a training.
 */
const multiple = 10;
const draws = 4;

/** Arguments as boundedElbo's; `reference` is what referenceElbo gives for them. */
export function normwiseBound(
  model: Model,
  parameters: Float64Array,
  x: Float64Array,
  epsilon: Float64Array,
  options: ElboOptions,
  reference: ElboTerms,
  arithmetic: Arithmetic = float32,
): NormwiseBound {
  const squares = { logLikelihood: 0, kl: 0, gradient: model.parameters.entries.map(() => 0) };
  for (let draw = 1; draw <= draws; draw++) {
    const analysis = { arithmetic: { ...arithmetic, growth: 'random' as const }, carry: drawErrors(draw) };
    const { value } = boundedElbo(model, parameters, x, epsilon, options, analysis);
    squares.logLikelihood += distance(value.logLikelihood, reference.logLikelihood) ** 2;
    squares.kl += distance(value.kl, reference.kl) ** 2;
    const distances = tensorDistances(model, value.gradient, reference.gradient);
    for (const [tensor, of] of distances.entries()) squares.gradient[tensor]! += of * of;
  }
  const spread = (square: number) => multiple * Math.sqrt(square / draws);
  return {
    logLikelihood: spread(squares.logLikelihood),
    kl: spread(squares.kl),
    gradient: squares.gradient.map(spread),
  };
}

/** Turns a bound into an error of that standard deviation: uniform on ±√3 of it. */
function drawErrors(seed: number): (result: Bounded) => Bounded {
  const random = uniform(seed);
  return ({ value, bound }) => ({
    value: value.map((v, i) => (bound[i] === 0 ? v : v + bound[i]! * Math.sqrt(3) * random())),
    bound: new Float64Array(value.length),
  });
}

/** ‖a − b‖₂ of each tensor of the layout. */
export function tensorDistances(model: Model, a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return model.parameters.entries.map(({ offset, size }) => distance(a, b, offset, offset + size));
}

/** ‖a − b‖₂ over [start, end). */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>, start = 0, end = a.length): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}
