// Objectives that weigh the rows z_k of an example by their densities (objective/objective.ts), between the
// engine's kernels.
import type { Address } from '../../kernels/address.js';
import type { Arena } from '../../kernels/arena.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { Factors } from '../../objective/estimators/estimator.js';
import type { RowRules } from '../../objective/objective.js';
import type { PriorTerms } from './priorTerms.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Addresses of a log-ratio, float64, and a weight, float32, for each row; of an estimator's factors. */
export interface RowWeightsRoom {
  readonly logRatio: Address;
  readonly weights: Address;
  readonly factors?: { readonly path: Address; readonly score: Address };
}

export function rowWeightsRoom(arena: Arena, rows: number, withFactors: boolean): RowWeightsRoom {
  const room = { logRatio: arena.doubles(rows), weights: arena.floats(rows) };
  return withFactors ? { ...room, factors: { path: arena.floats(rows), score: arena.floats(rows) } } : room;
}

/** Addresses of the posteriors of some examples, their noise and their draws. */
export interface Draws {
  readonly posterior: Address;
  readonly epsilon: Address;
  readonly z: Address;
  readonly examples: number;
  readonly samples: number;
  readonly latent: number;
}

export class RowWeights {
  readonly #kernels: Kernels;
  readonly #room: RowWeightsRoom;
  readonly #rules: RowRules;
  readonly #factors: Factors | undefined;
  readonly #prior: PriorTerms | undefined;
  readonly #doubles: Float64Array;
  readonly #floats: Float32Array;
  #logWeights = new Float64Array();
  #weights = new Float64Array();
  #path = new Float64Array();
  #score = new Float64Array();

  /**
   * @param factors of the estimator; absent: the reparameterised gradient.
   * @param prior absent: N(0, I), as the kernels have it.
   */
  constructor(
    kernels: Kernels,
    buffer: ArrayBufferLike,
    room: RowWeightsRoom,
    rules: RowRules,
    factors: Factors | undefined,
    prior: PriorTerms | undefined,
  ) {
    this.#kernels = kernels;
    this.#room = room;
    this.#rules = rules;
    this.#factors = factors;
    this.#prior = prior;
    this.#doubles = new Float64Array(buffer);
    this.#floats = new Float32Array(buffer);
  }

  /**
   * From log p(x|z_k) of each row (float64 at `logLikelihood`): the weights at `beta`, kept for `scale` and
   * `backward`, and the bound of each example at beta = 1, float64 at `bound`, where that is given.
   */
  forward(terms: Draws & { logLikelihood: Address; beta: number; bound: Address | undefined }): void {
    const { posterior, epsilon, z, examples, samples, latent, logLikelihood, beta, bound } = terms;
    const { logRatio } = this.#room;
    this.#kernels.gaussianLogRatios({ posterior, epsilon, z, examples, samples, latent, logRatio });
    this.#prior?.addToLogRatios(logRatio, examples * samples);
    if (this.#weights.length !== samples) {
      this.#logWeights = new Float64Array(samples);
      this.#weights = new Float64Array(samples);
      this.#path = new Float64Array(samples);
      this.#score = new Float64Array(samples);
    }
    for (let example = 0; example < examples; example++) {
      const first = example * samples;
      let value = this.#weighExample(logLikelihood, first, 1);
      if (bound !== undefined) this.#doubles[bound / DOUBLE + example] = value;
      if (beta !== 1) value = this.#weighExample(logLikelihood, first, beta);
      this.#floats.set(this.#weights, this.#room.weights / FLOAT + first);
      this.#writeFactors(first, value, beta);
    }
  }

  /** What the estimator makes of the example that was weighed last. */
  #writeFactors(firstRow: number, bound: number, beta: number): void {
    const { factors: places } = this.#room;
    if (places === undefined) return;
    const rows = { logWeights: this.#logWeights, weights: this.#weights, bound, beta, rules: this.#rules };
    this.#factors?.(rows, this.#path, this.#score);
    this.#floats.set(this.#path, places.path / FLOAT + firstRow);
    this.#floats.set(this.#score, places.score / FLOAT + firstRow);
  }

  #weighExample(logLikelihood: Address, firstRow: number, beta: number): number {
    const likelihoods = logLikelihood / DOUBLE + firstRow;
    const ratios = this.#room.logRatio / DOUBLE + firstRow;
    for (let k = 0; k < this.#logWeights.length; k++) {
      this.#logWeights[k] = this.#doubles[likelihoods + k]! + beta * this.#doubles[ratios + k]!;
    }
    return this.#rules.weigh(this.#logWeights, this.#weights);
  }

  /** Multiplies each row of the outputs' gradient by its weight. */
  scale(dOutputs: Address, rows: number, dimensions: number): void {
    this.#kernels.scaleRows(dOutputs, this.#room.weights, rows, dimensions);
  }

  /** From the gradient of the draws, weighted already, to that of the posterior. */
  backward(draws: Draws, dz: Address, dPosterior: Address, beta: number): void {
    const { posterior, epsilon, z, examples, samples, latent } = draws;
    const { weights, factors } = this.#room;
    if (factors !== undefined) {
      const places = { posterior, epsilon, z, dz, weights, ...factors, dPosterior };
      this.#kernels.gaussianBackwardEstimated({ ...places, examples, samples, latent, beta });
      return;
    }
    this.#kernels.gaussianBackwardWeighted({
      posterior,
      epsilon,
      z,
      dz,
      weights,
      dPosterior,
      examples,
      samples,
      latent,
      beta,
    });
  }
}
