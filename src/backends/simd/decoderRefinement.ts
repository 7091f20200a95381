// The decoder's gradient at draws that HMC has moved from q(z|x) towards p(z|x) (Hoffman 2017).
import { type Address, NONE, plus } from '../../kernels/address.js';
import type { Arena } from '../../kernels/arena.js';
import type { LikelihoodKernels } from '../../model/likelihoods/likelihood.js';
import type { Model } from '../../model/model.js';
import type { PriorDensity } from '../../model/priors/prior.js';
import { standardNormalDensity } from '../../model/priors/standardNormal.js';
import type { Refinement } from '../../objective/inferences/inference.js';
import type { MicroKernels } from '../../products/microKernels.js';
import type { ConditionalDensity } from '../../sampling/conditionalDensity.js';
import { HmcTransitions } from '../../sampling/hmcTransitions.js';
import type { Shard } from '../backend.js';
import type { GradientSums, Network } from './network.js';
import type { PriorTerms } from './priorTerms.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Addresses of [rows, latent] float32, of as many, and of [rows] float64. */
export interface RefinementRoom {
  readonly position: Address;
  readonly gradient: Address;
  readonly logRatio: Address;
}

export function refinementRoom(arena: Arena, rows: number, latent: number): RefinementRoom {
  return {
    position: arena.floats(rows * latent),
    gradient: arena.floats(rows * latent),
    logRatio: arena.doubles(rows),
  };
}

export interface RefinementParts {
  readonly kernels: MicroKernels;
  readonly likelihood: LikelihoodKernels;
  readonly buffer: ArrayBufferLike;
  readonly model: Model;
  /** K. */
  readonly samples: number;
  readonly refinement: Refinement;
  readonly decoder: Network;
  readonly room: RefinementRoom;
  /** [rows] float64, log p(x|z) of the decoder's rows. */
  readonly rowLikelihood: Address;
  readonly likelihoodTerms: Address;
  /** Most rows at a time. */
  readonly rows: number;
  /** Absent: N(0, I), as the kernels have it. */
  readonly prior: PriorTerms | undefined;
}

/** The examples at hand. */
interface Examples {
  /** [count, 2 · latent]: mu, then logvar. */
  readonly posterior: Address;
  /** [count, dimensions]. */
  readonly x: Address;
  readonly count: number;
}

const NO_EXAMPLES: Examples = { posterior: NONE, x: NONE, count: 0 };

/**
 * Moves the draws that the decoder holds, and backpropagates log p(x|z) at the moved ones. HMC works in the
 * coordinates u = (z − mu) / sigma, in which q is standard normal: one step size serves all examples and
 * dimensions, and nothing has to be adapted. There the target p(z) p(x|z) is N(u; 0, I) w(u) up to a
 * constant, with the importance weight w = p(x|z) p(z) / q(z|x).
 */
export class DecoderRefinement {
  readonly #parts: RefinementParts;
  readonly #density: LogWeights;
  readonly #transitions: HmcTransitions;
  /** One for each example. */
  readonly #stepSizes: Float64Array;
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;

  constructor(parts: RefinementParts) {
    const { refinement, rows, samples, buffer } = parts;
    this.#parts = parts;
    this.#density = new LogWeights(parts);
    this.#transitions = new HmcTransitions(this.#density, refinement.leapfrogSteps, rows);
    this.#stepSizes = new Float64Array(rows / samples).fill(refinement.stepSize);
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  /**
   * Starts from the draws z = mu + sigma · epsilon of examples [first, first + count) of a shard. The decoder
   * holds them and its passes, and `rowLikelihood` their log p(x|z); the decoder's output had the gradient of
   * −(1/K) Σ_k log p(x|z_k), and its input has it.
   * @param posterior of these examples.
   */
  begin(shard: Shard, first: number, count: number, posterior: Address): void {
    const { model, samples } = this.#parts;
    const width = samples * model.latent;
    const x = plus(shard.x, first * model.dimensions * FLOAT);
    const epsilon = plus(shard.epsilon, first * width * FLOAT);
    this.#density.begin({ posterior, x, count }, epsilon);
    this.#transitions.begin(count * samples);
  }

  /**
   * After `begin` for the same examples. When it is over, the decoder holds the moved draws and their passes.
   * @param sums as for Network.backward.
   */
  backpropagate(shard: Shard, first: number, count: number, sums: GradientSums | undefined): void {
    const { kernels, samples, decoder } = this.#parts;
    this.#move(shard, first, count);
    this.#density.move(this.#transitions.z);
    decoder.backward(kernels, count * samples, sums);
  }

  #move({ refinement: places }: Shard, first: number, count: number): void {
    if (places === undefined) throw new Error('The shard has no random numbers for the refinement.');
    const { model, samples, refinement } = this.#parts;
    const { transitions } = refinement;
    const width = samples * model.latent;
    const acceptance = places.acceptance / DOUBLE + first;
    this.#doubles.fill(0, acceptance, acceptance + count);
    for (let transition = 0; transition < transitions; transition++) {
      const example = transition * places.pitch + first;
      const draws = {
        values: this.#floats,
        momenta: places.momenta / FLOAT + example * width,
        uniforms: places.uniforms / FLOAT + example * 2 * samples,
      };
      this.#transitions.transition(draws, 1, this.#stepSizes);
      for (let i = 0; i < count; i++) {
        this.#doubles[acceptance + i]! += this.#transitions.acceptance[i]! / transitions;
      }
    }
  }
}

/** log w(u) and its gradient; u stands where ConditionalDensity has z. */
class LogWeights implements ConditionalDensity {
  /** The prior of u. */
  readonly prior: PriorDensity;
  readonly latent: number;
  readonly chains: number;
  readonly rows: number;
  readonly z: Float32Array;
  readonly logLikelihood: Float64Array;
  readonly gradient: Float32Array;
  readonly #parts: RefinementParts;
  readonly #doubles: Float64Array;
  #examples = NO_EXAMPLES;

  constructor(parts: RefinementParts) {
    const { model, samples, room, rows, buffer } = parts;
    this.#parts = parts;
    this.prior = standardNormalDensity(model.latent);
    this.latent = model.latent;
    this.chains = samples;
    this.rows = rows;
    this.z = new Float32Array(buffer, room.position, rows * model.latent);
    this.gradient = new Float32Array(buffer, room.gradient, rows * model.latent);
    this.logLikelihood = new Float64Array(rows);
    this.#doubles = new Float64Array(buffer);
  }

  /** At u = epsilon, whose passes the decoder holds. */
  begin(examples: Examples, epsilon: Address): void {
    const { kernels, samples, room } = this.#parts;
    this.#examples = examples;
    const rows = examples.count * samples;
    kernels.kernels.copyFloats(epsilon, room.position, rows * this.latent);
    this.#weigh(rows, samples);
  }

  evaluate(rows: number): void {
    const { kernels, decoder } = this.#parts;
    this.#decode(rows, 1);
    decoder.backward(kernels, rows, undefined);
    this.#weigh(rows, 1);
  }

  /** Moves the decoder's draws to `u`, and starts their backward pass. */
  move(u: Float32Array): void {
    const { samples } = this.#parts;
    const rows = this.#examples.count * samples;
    for (let i = 0; i < rows * this.latent; i++) this.z[i] = u[i]!;
    this.#decode(rows, 1 / samples);
  }

  /** u → z → outputs → log p(x|z), and the outputs' gradient of −log p(x|z) · scale. */
  #decode(rows: number, scale: number): void {
    const { kernels, likelihood, model, samples, decoder, room, rowLikelihood, likelihoodTerms } =
      this.#parts;
    const { posterior, x, count } = this.#examples;
    kernels.kernels.gaussianForward({
      ...{ posterior, epsilon: room.position, z: decoder.input.activation },
      ...{ examples: count, samples, latent: model.latent, analytic: 0 },
      // Room for it: it is not read.
      kl: room.logRatio,
    });
    decoder.forward(kernels, rows);
    const { activation, gradient } = decoder.output;
    const { dimensions } = model;
    const likelihoodRows = { outputs: activation, x, rows, samples, dimensions };
    likelihood.logDensity(likelihoodRows, scale, rowLikelihood, likelihoodTerms, gradient);
  }

  /** @param scale the decoder's input has the gradient of −log p(x|z) / scale. */
  #weigh(rows: number, scale: number): void {
    const { kernels, samples, decoder, room, rowLikelihood, prior } = this.#parts;
    const { posterior, count } = this.#examples;
    const draws = {
      ...{ posterior, epsilon: room.position, z: decoder.input.activation },
      ...{ examples: count, samples, latent: this.latent },
    };
    kernels.kernels.gaussianLogRatios({ ...draws, logRatio: room.logRatio });
    const [likelihoods, ratios] = [rowLikelihood / DOUBLE, room.logRatio / DOUBLE];
    for (let row = 0; row < rows; row++) {
      const excess = prior?.addRow(row, 1 / scale) ?? 0;
      this.logLikelihood[row] = this.#doubles[likelihoods + row]! + this.#doubles[ratios + row]! + excess;
    }
    const { gradient } = room;
    kernels.kernels.gaussianLogWeightGradient({ ...draws, dz: decoder.input.gradient, scale, gradient });
  }
}
