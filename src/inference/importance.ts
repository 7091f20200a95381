// The importance-weighted bound L_k = E log (1/k) Σ_i w_i, w_i = p(x, z_i) / q(z_i|x) (Burda et al. 2016),
// from a stream of draws.
import { expNegative, log } from '../arithmetic/exponential.js';
import { Purpose } from '../kernels/stream.js';
import { logExcess } from '../model/priors/correction.js';
import type { ConditionalDensity } from '../sampling/conditionalDensity.js';
import type { RandomRows } from '../sampling/randomRows.js';
import { logRatio, type PosteriorRow, reparameterize, sigmaOf } from './posteriorRow.js';

/** Draws that share a row of noise. It decides bits. */
const BLOCK = 100;

export interface ImportanceTask {
  /** p(x|z) of one example: each of its rows takes a draw at a time, so their number decides no bit. */
  readonly density: ConditionalDensity;
  readonly posterior: PosteriorRow;
  readonly random: RandomRows;
  /** The example's: noise is a function of it. */
  readonly position: number;
  /** The values of k, at least 1 each. */
  readonly draws: readonly number[];
}

export interface ImportanceEstimate {
  /**
   * The bound for each k of `draws`, nats: that of the largest k from all draws, others the mean over
   * disjoint blocks of k of the same draws. So the bound of a k is at most that of its multiples.
   */
  readonly bounds: Float64Array;
  /** (Σ w)² / Σ w² over all draws: near 1, one draw has all the weight. */
  readonly effectiveSampleSize: number;
}

/** In memory constant in k. */
export function importanceBounds(task: ImportanceTask): ImportanceEstimate {
  const { density, posterior, random, position, draws } = task;
  const { prior, latent, rows, z, logLikelihood } = density;
  const most = draws.reduce((largest, k) => Math.max(largest, k), 1);
  const blocks = draws.map((k) => new BlockMean(k));
  const [sum, squares] = [new LogSum(), new LogSum()];
  const sigma = sigmaOf(posterior);
  const noise = new Float32Array(Math.min(BLOCK, most) * latent);
  for (let first = 0; first < most; first += BLOCK) {
    const inBlock = Math.min(BLOCK, most - first);
    const epsilon = noise.subarray(0, inBlock * latent);
    random.normal(epsilon, position, first / BLOCK, Purpose.importanceNoise);
    for (let from = 0; from < inBlock; from += rows) {
      const count = Math.min(rows, inBlock - from);
      const part = epsilon.subarray(from * latent, (from + count) * latent);
      reparameterize(posterior, sigma, part, z);
      density.evaluate(count, false);
      for (let row = 0; row < count; row++) {
        const logWeight = logLikelihood[row]! + logRatio(posterior, part, z, row) + logExcess(prior, z, row);
        sum.add(logWeight);
        squares.add(2 * logWeight);
        for (const block of blocks) block.add(logWeight);
      }
    }
  }
  return {
    bounds: Float64Array.from(blocks, (block) => block.mean()),
    effectiveSampleSize: effectiveSampleSize(sum, squares, most),
  };
}

/** (Σ w)² / Σ w² of `count` weights, from log Σ w and log Σ w². */
export function effectiveSampleSize(sum: LogSum, squares: LogSum, count: number): number {
  return expNegative(Math.min(0, 2 * sum.value() - squares.value() - log(count))) * count;
}

/** log Σ exp(value) of a stream. */
export class LogSum {
  #most = Number.NEGATIVE_INFINITY;
  #sum = 0;

  add(value: number): void {
    if (value > this.#most) {
      this.#sum = this.#sum * expNegative(this.#most - value) + 1;
      this.#most = value;
    } else if (value === Number.NEGATIVE_INFINITY) {
      return;
    } else {
      // A NaN gets here, and stays.
      this.#sum += expNegative(value - this.#most);
    }
  }

  value(): number {
    return this.#sum === 0 ? this.#most : this.#most + log(this.#sum);
  }
}

/** The mean of L_k over whole blocks of k draws. */
class BlockMean {
  readonly #k: number;
  readonly #logK: number;
  #block = new LogSum();
  #inBlock = 0;
  #total = 0;
  #blocks = 0;

  constructor(k: number) {
    this.#k = k;
    this.#logK = log(k);
  }

  add(logWeight: number): void {
    this.#block.add(logWeight);
    this.#inBlock++;
    if (this.#inBlock < this.#k) return;
    this.#total += this.#block.value() - this.#logK;
    this.#blocks++;
    this.#block = new LogSum();
    this.#inBlock = 0;
  }

  mean(): number {
    return this.#total / this.#blocks;
  }
}
