import type { Tensor } from '@tensorflow/tfjs-core';
import { type Address, plus } from '../../kernels/address.js';
import { objectiveOf } from '../../objective/registry.js';
import type { Backend, Shard } from '../backend.js';
import { LatentNetworks, type ObjectiveOptions } from './draws.js';
import { type Evaluated, evaluateElbo, type Terms } from './elbo.js';
import { parameterShape } from './layers/step.js';
import { createTfjsPrior, type TfjsPrior } from './priorRows.js';
import { activate, type TfjsRuntime } from './runtime.js';
import { evaluateWeighted } from './weightedBound.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

export interface TfjsOptions extends ObjectiveOptions {
  /** Address of the flat parameter buffer. */
  readonly parameters: Address;
}

/**
 * A model over TensorFlow.js, with its automatic differentiation, between addresses of a run's memory.
 * TensorFlow.js has a memory of its own: parameters go into it once a step, examples and noise with each
 * shard.
 */
export class TfjsBackend implements Backend {
  readonly #runtime: TfjsRuntime;
  readonly #options: TfjsOptions;
  readonly #buffer: ArrayBufferLike;
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;
  readonly #prior: TfjsPrior | undefined;
  /** One for each number of examples that a shard had. */
  readonly #networks = new Map<number, LatentNetworks>();
  #parameters: Tensor[] = [];

  /** @param buffer of the run's memory, whose size does not change. */
  constructor(runtime: TfjsRuntime, buffer: ArrayBufferLike, options: TfjsOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#buffer = buffer;
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#prior = createTfjsPrior(runtime, buffer, options.model, options.parameters);
  }

  /** Every rank takes all parameters over: ranks cannot share TensorFlow.js's memory. */
  prepare(): void {
    activate(this.#runtime);
    this.#prior?.refresh();
    const { tf } = this.#runtime;
    tf.dispose(this.#parameters);
    const { model, parameters } = this.#options;
    this.#parameters = model.parameters.entries.map(({ offset, size, shape }) =>
      tf.keep(tf.tensor(this.#values(plus(parameters, offset * FLOAT), size), parameterShape(shape))),
    );
  }

  objectiveGradient(shard: Shard, beta: number, gradient: Address): void {
    const { size, entries } = this.#options.model.parameters;
    if (shard.count === 0) {
      new Float32Array(this.#buffer, gradient, size).fill(0);
      return;
    }
    activate(this.#runtime);
    const { tf } = this.#runtime;
    tf.tidy(() => {
      const gradients = this.#differentiate(shard, beta);
      entries.forEach(({ offset }, i) => {
        this.#floats.set(this.#runtime.read(gradients[i]!), gradient / FLOAT + offset);
      });
    });
  }

  objectiveTerms(shard: Shard): void {
    if (shard.count === 0) return;
    activate(this.#runtime);
    this.#runtime.tf.tidy(() => {
      this.#write(shard, this.#evaluate(shard).terms);
    });
  }

  /** Gives the parameters' memory back. */
  dispose(): void {
    activate(this.#runtime);
    this.#runtime.tf.dispose(this.#parameters);
    this.#parameters = [];
  }

  /** Writes the terms; returns the gradients of the sum of the losses. */
  #differentiate(shard: Shard, beta: number): Tensor[] {
    const { tf } = this.#runtime;
    return tf.grads(() => {
      const evaluated = this.#evaluate(shard);
      this.#write(shard, evaluated.terms);
      return evaluated.loss(beta);
    })(this.#parameters);
  }

  #evaluate({ count, x, epsilon, parts, bounds }: Shard): Evaluated {
    const { model, samples, objective } = this.#options;
    const own = Array.from(bounds.subarray(0, parts + 1));
    const drawn = this.#networksOf(count).draw(
      this.#parameters,
      this.#values(x, count * model.dimensions),
      this.#values(epsilon, count * samples * model.latent),
      own,
    );
    const draws = { ...drawn, prior: this.#prior?.rows(drawn.z, this.#parameters, own) };
    const { weigh } = objectiveOf(objective);
    return weigh === undefined
      ? evaluateElbo(this.#runtime, draws, this.#options)
      : evaluateWeighted(this.#runtime, draws, this.#options, weigh);
  }

  #networksOf(examples: number): LatentNetworks {
    let networks = this.#networks.get(examples);
    if (networks === undefined) {
      networks = new LatentNetworks(this.#runtime, this.#options, examples);
      this.#networks.set(examples, networks);
    }
    return networks;
  }

  #write(shard: Shard, { logLikelihood, kl, bound }: Terms): void {
    this.#doubles.set(logLikelihood, shard.logLikelihood / DOUBLE);
    this.#doubles.set(kl, shard.kl / DOUBLE);
    if (bound) this.#doubles.set(bound, shard.bound / DOUBLE);
  }

  /**
   * What a tensor is made of: a copy where the backend would keep the array; tfjs-node must not see shared
   * memory.
   */
  #values(address: Address, floats: number): Float32Array {
    const [start, end] = [address / FLOAT, address / FLOAT + floats];
    return this.#runtime.copiesArrays ? this.#floats.subarray(start, end) : this.#floats.slice(start, end);
  }
}
