// Objectives that weigh the rows z_k of an example by their densities (objective/objective.ts), between the
// engine's kernels.
import type { Address } from '../../kernels/address.js';
import type { Arena } from '../../kernels/arena.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { Weigh } from '../../objective/objective.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Addresses of a log-ratio, float64, and a weight, float32, for each row. */
export interface RowWeightsRoom {
  readonly logRatio: Address;
  readonly weights: Address;
}

export function rowWeightsRoom(arena: Arena, rows: number): RowWeightsRoom {
  return { logRatio: arena.doubles(rows), weights: arena.floats(rows) };
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
  readonly #weigh: Weigh;
  readonly #doubles: Float64Array;
  readonly #floats: Float32Array;
  #logWeights = new Float64Array();
  #weights = new Float64Array();

  constructor(kernels: Kernels, buffer: ArrayBufferLike, room: RowWeightsRoom, weigh: Weigh) {
    this.#kernels = kernels;
    this.#room = room;
    this.#weigh = weigh;
    this.#doubles = new Float64Array(buffer);
    this.#floats = new Float32Array(buffer);
  }

  /**
   * From log p(x|z_k) of each row (float64 at `logLikelihood`): the weights at `beta`, kept for `scale` and
   * `backward`, and the bound of each example at beta = 1, float64 at `bound`.
   */
  forward(terms: Draws & { logLikelihood: Address; beta: number; bound: Address }): void {
    const { posterior, epsilon, z, examples, samples, latent, logLikelihood, beta, bound } = terms;
    const { logRatio } = this.#room;
    this.#kernels.gaussianLogRatios({ posterior, epsilon, z, examples, samples, latent, logRatio });
    if (this.#weights.length !== samples) {
      this.#logWeights = new Float64Array(samples);
      this.#weights = new Float64Array(samples);
    }
    for (let example = 0; example < examples; example++) {
      const first = example * samples;
      const value = this.#weighExample(logLikelihood, first, 1);
      this.#doubles[bound / DOUBLE + example] = value;
      if (beta !== 1) this.#weighExample(logLikelihood, first, beta);
      this.#floats.set(this.#weights, this.#room.weights / FLOAT + first);
    }
  }

  #weighExample(logLikelihood: Address, firstRow: number, beta: number): number {
    const likelihoods = logLikelihood / DOUBLE + firstRow;
    const ratios = this.#room.logRatio / DOUBLE + firstRow;
    for (let k = 0; k < this.#logWeights.length; k++) {
      this.#logWeights[k] = this.#doubles[likelihoods + k]! + beta * this.#doubles[ratios + k]!;
    }
    return this.#weigh(this.#logWeights, this.#weights);
  }

  /** Multiplies each row of the outputs' gradient by its weight. */
  scale(dOutputs: Address, rows: number, dimensions: number): void {
    this.#kernels.scaleRows(dOutputs, this.#room.weights, rows, dimensions);
  }

  /** From the gradient of the draws, weighted already, to that of the posterior. */
  backward(draws: Draws, dz: Address, dPosterior: Address, beta: number): void {
    const { posterior, epsilon, z, examples, samples, latent } = draws;
    const { weights } = this.#room;
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
