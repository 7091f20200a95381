// Whether Markov chains have mixed, and how many independent draws theirs are worth: Vehtari, Gelman,
// Simpson, Carpenter and Bürkner, Rank-Normalization, Folding, and Localization, Bayesian Analysis 16, 2021.
// Its section or equation stands at each step.
import { log } from '../arithmetic/exponential.js';
import { normalQuantile } from './normalQuantile.js';

/** What chains say of one quantity. All are NaN where a value is not finite. */
export interface ChainDiagnostics {
  /** The larger of the bulk's and the folded R-hat; above 1.01 the chains have not mixed. */
  readonly rHat: number;
  /** Effective sample size in the middle of the distribution. */
  readonly bulkEss: number;
  /** The smaller of the effective sample sizes of the quantiles 0.05 and 0.95. */
  readonly tailEss: number;
  /** Monte-Carlo standard error of the mean of all values. */
  readonly meanError: number;
}

/** Fewest draws of a chain: of halves shorter than eight there are too few autocorrelations. */
export const FEWEST_DRAWS = 16;

/** Quantiles of the tails. */
const TAILS = [0.05, 0.95] as const;

type Chains = readonly Float64Array[];

/**
 * Diagnoses the chains of one quantity. Chains are split in halves; of an odd number of draws the middle one
 * is left out.
 * @param values [chains, draws].
 * @throws RangeError for fewer draws than FEWEST_DRAWS, and values that are not so many whole chains.
 */
export function diagnoseChains(values: ArrayLike<number>, chains: number): ChainDiagnostics {
  const draws = values.length / chains;
  if (!Number.isInteger(draws) || draws < FEWEST_DRAWS) {
    throw new RangeError(
      `${chains} chains of ${FEWEST_DRAWS} draws or more cannot be ${values.length} values.`,
    );
  }
  const all = Float64Array.from(values);
  if (!all.every(Number.isFinite)) {
    return { rHat: Number.NaN, bulkEss: Number.NaN, tailEss: Number.NaN, meanError: Number.NaN };
  }
  const halves = splitChains(all, chains);
  const ranked = rankNormalized(halves);
  const folded = rankNormalized(foldedAroundMedian(halves));
  return {
    rHat: Math.max(rHat(ranked), rHat(folded)),
    bulkEss: effectiveSampleSize(ranked),
    tailEss: Math.min(...TAILS.map((probability) => quantileEss(all, chains, probability))),
    meanError: Math.sqrt(varianceOf(all) / effectiveSampleSize(halves)),
  };
}

/** The halves of each chain, as chains of their own: one that drifts differs from itself. */
function splitChains(values: Float64Array, chains: number): Chains {
  const draws = values.length / chains;
  const half = Math.floor(draws / 2);
  return Array.from({ length: chains }, (_, chain) =>
    values.subarray(chain * draws, (chain + 1) * draws),
  ).flatMap((chain) => [chain.subarray(0, half), chain.subarray(draws - half)]);
}

/** Equation 14: the normal quantile of each value's rank among all; equal values share their mean rank. */
function rankNormalized(chains: Chains): Chains {
  const values = joined(chains);
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const scores = new Float64Array(values.length);
  for (let first = 0, end = 0; first < order.length; first = end) {
    for (end = first; end < order.length && values[order[end]!] === values[order[first]!]; ) end++;
    // Ranks count from 1.
    const rank = (first + 1 + end) / 2;
    const score = normalQuantile((rank - 3 / 8) / (values.length + 1 / 4));
    for (let i = first; i < end; i++) scores[order[i]!] = score;
  }
  return cutLike(chains, scores);
}

/** |value − median|: chains of equal location but different spread differ here. */
function foldedAroundMedian(chains: Chains): Chains {
  const median = quantileOf(joined(chains), 0.5);
  return chains.map((chain) => chain.map((value) => Math.abs(value - median)));
}

/** Equations 1 to 4. 1 where all chains are equal to one number. */
function rHat(chains: Chains): number {
  const draws = chains[0]!.length;
  const between = varianceOf(Float64Array.from(chains, meanOf));
  const within = meanOf(Float64Array.from(chains, varianceOf));
  if (within === 0 && between === 0) return 1;
  return Math.sqrt((draws - 1) / draws + between / within);
}

/** Section 4.3: of the indicator of values up to the quantile. */
function quantileEss(values: Float64Array, chains: number, probability: number): number {
  const quantile = quantileOf(values, probability);
  return effectiveSampleSize(
    splitChains(
      values.map((value) => (value <= quantile ? 1 : 0)),
      chains,
    ),
  );
}

/**
 * Equations 10 to 13: the number of draws over the autocorrelation time, whose sum Geyer's initial monotone
 * sequence cuts off (Geyer 1992). Chains of one number count whole.
 */
function effectiveSampleSize(chains: Chains): number {
  const draws = chains[0]!.length;
  const total = chains.length * draws;
  const correlation = autocorrelation(chains);
  if (correlation === undefined) return total;
  const pairs = monotonePairs(correlation, draws);
  const tau = -1 + 2 * pairs.sum + pairs.next;
  // Antithetic chains may be worth more than their draws, but not without bound.
  return total / Math.max(tau, Math.LN10 / log(total));
}

/** Equation 10; undefined where nothing varies. */
function autocorrelation(chains: Chains): ((lag: number) => number) | undefined {
  const draws = chains[0]!.length;
  const means = Float64Array.from(chains, meanOf);
  const covariance = (lag: number) =>
    chains.reduce((sum, chain, i) => sum + autocovariance(chain, means[i]!, lag), 0) / chains.length;
  const within = (covariance(0) * draws) / (draws - 1);
  const whole = covariance(0) + varianceOf(means);
  if (!(whole > 0)) return undefined;
  return (lag) => (lag === 0 ? 1 : 1 - (within - covariance(lag)) / whole);
}

/**
 * Sum of the autocorrelations of lags 0, 1, 2, … in pairs (even, odd), as long as a pair's sum is positive;
 * none may exceed the pair before it. `next` is the even one of the first pair left out, where it is
 * positive.
 */
function monotonePairs(
  correlation: (lag: number) => number,
  draws: number,
): { readonly sum: number; readonly next: number } {
  let sum = 0;
  let least = Number.POSITIVE_INFINITY;
  let lag = 0;
  let even = correlation(0);
  let pair = even + correlation(1);
  while (pair > 0 && lag < draws - 4) {
    least = Math.min(least, pair);
    sum += least;
    lag += 2;
    even = correlation(lag);
    pair = even + correlation(lag + 1);
  }
  return { sum, next: Math.max(even, 0) };
}

/** Divided by the number of draws at every lag. */
function autocovariance(chain: Float64Array, mean: number, lag: number): number {
  let sum = 0;
  for (let i = lag; i < chain.length; i++) sum += (chain[i]! - mean) * (chain[i - lag]! - mean);
  return sum / chain.length;
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Divided by one less than the number of values; 0 of one value. */
function varianceOf(values: Float64Array): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return squares / Math.max(values.length - 1, 1);
}

/** Linear between order statistics: type 7 of Hyndman and Fan 1996. */
function quantileOf(values: Float64Array, probability: number): number {
  const sorted = values.slice().sort();
  const place = probability * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}

function joined(chains: Chains): Float64Array {
  return Float64Array.from(chains.flatMap((chain) => [...chain]));
}

function cutLike(chains: Chains, values: Float64Array): Chains {
  const draws = chains[0]!.length;
  return chains.map((_, chain) => values.subarray(chain * draws, (chain + 1) * draws));
}
