// Bidirectional Monte Carlo (Grosse et al. 2015): on data drawn from the model, log p(x) lies between an
// annealed run from the prior and one from an exact draw of the posterior.
import {
  type AnnealedEstimate,
  type AnnealingOptions,
  annealFromPrior,
  annealToPrior,
  pilotSteps,
} from './ais.js';

export interface BidirectionalOptions extends Omit<AnnealingOptions, 'simulated'> {
  /** The z that each x was drawn from, [examples, latent]: an exact draw from p(z|x). */
  readonly truth: Float32Array;
}

export interface Bracket {
  /** A lower bound, in expectation, of log p(x) of each example, nats. */
  readonly lower: Float64Array;
  /** An upper bound, in expectation, of log p(x) of each example, nats. */
  readonly upper: Float64Array;
  readonly forward: AnnealedEstimate;
  /** Its weights estimate 1 / p(x). */
  readonly reverse: AnnealedEstimate;
}

/**
 * Brackets log p(x) of simulated examples. All reverse chains of an example start at its z: each weight has
 * the mean 1 / p(x), though they depend on each other.
 */
export function bidirectional(options: BidirectionalOptions): Bracket {
  const { density, truth } = options;
  const annealing = { ...options, simulated: true };
  const steps = pilotSteps(annealing);
  const forward = annealFromPrior(annealing, steps);
  const reverse = annealToPrior(annealing, repeatRows(truth, density.latent, density.chains), steps);
  const upper = reverse.logMarginal.map((value) => -value);
  return { lower: forward.logMarginal, upper, forward, reverse };
}

/** Each row `times` times. */
function repeatRows(rows: Float32Array, width: number, times: number): Float32Array {
  const repeated = new Float32Array(rows.length * times);
  for (let row = 0; row < (rows.length / width) * times; row++) {
    const from = Math.floor(row / times) * width;
    repeated.set(rows.subarray(from, from + width), row * width);
  }
  return repeated;
}
