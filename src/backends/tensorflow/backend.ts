import type { Tensor } from '@tensorflow/tfjs-core';
import { type Address, plus } from '../../kernels/address.js';
import type { Backend, Shard } from '../backend.js';
import { Elbo, type ElboOptions, type TermTensors } from './elbo.js';
import { parameterShape } from './layers/step.js';
import { activate, type TfjsRuntime } from './runtime.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

export interface TfjsOptions extends ElboOptions {
  /** Address of the flat parameter buffer. */
  readonly parameters: Address;
}

/**
 * A model over TensorFlow.js, with its automatic differentiation, between addresses of a run's memory. TensorFlow.js
 * has a memory of its own: parameters go into it once a step, examples and noise with each shard.
 */
export class TfjsBackend implements Backend {
  readonly #runtime: TfjsRuntime;
  readonly #options: TfjsOptions;
  readonly #buffer: ArrayBufferLike;
  readonly #floats: Float32Array;
  readonly #doubles: Float64Array;
  /** One for each number of examples that a shard had. */
  readonly #elbos = new Map<number, Elbo>();
  #parameters: Tensor[] = [];

  /** @param buffer of the run's memory, whose size does not change. */
  constructor(runtime: TfjsRuntime, buffer: ArrayBufferLike, options: TfjsOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#buffer = buffer;
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  /** Every rank takes all parameters over: ranks cannot share TensorFlow.js's memory. */
  prepare(): void {
    activate(this.#runtime);
    const { tf } = this.#runtime;
    tf.dispose(this.#parameters);
    const { model, parameters } = this.#options;
    this.#parameters = model.parameters.entries.map(({ offset, size, shape }) =>
      tf.keep(tf.tensor(this.#values(plus(parameters, offset * FLOAT), size), parameterShape(shape))),
    );
  }

  elboGradient(shard: Shard, beta: number, gradient: Address): void {
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

  elbo(shard: Shard): void {
    if (shard.count === 0) return;
    activate(this.#runtime);
    this.#runtime.tf.tidy(() => {
      this.#write(shard, this.#terms(shard));
    });
  }

  /** Gives the parameters' memory back. */
  dispose(): void {
    activate(this.#runtime);
    this.#runtime.tf.dispose(this.#parameters);
    this.#parameters = [];
  }

  /** Writes the terms; returns the gradients of the sum of −logLikelihood + beta · kl. */
  #differentiate(shard: Shard, beta: number): Tensor[] {
    const { tf } = this.#runtime;
    return tf.grads(() => {
      const terms = this.#terms(shard);
      // Here, because the tape disposes of them.
      this.#write(shard, terms);
      return this.#elboOf(shard.count).loss(terms, beta);
    })(this.#parameters);
  }

  #terms({ count, x, epsilon, parts, bounds }: Shard): TermTensors {
    const { model, samples } = this.#options;
    return this.#elboOf(count).terms(
      this.#parameters,
      this.#values(x, count * model.dimensions),
      this.#values(epsilon, count * samples * model.latent),
      Array.from(bounds.subarray(0, parts + 1)),
    );
  }

  #elboOf(examples: number): Elbo {
    let elbo = this.#elbos.get(examples);
    if (elbo === undefined) {
      elbo = new Elbo(this.#runtime, this.#options, examples);
      this.#elbos.set(examples, elbo);
    }
    return elbo;
  }

  #write(shard: Shard, { logLikelihood, kl }: TermTensors): void {
    this.#doubles.set(this.#runtime.read(logLikelihood), shard.logLikelihood / DOUBLE);
    this.#doubles.set(this.#runtime.read(kl), shard.kl / DOUBLE);
  }

  /** What a tensor is made of: a copy where the backend would keep the array; tfjs-node must not see shared memory. */
  #values(address: Address, floats: number): Float32Array {
    const [start, end] = [address / FLOAT, address / FLOAT + floats];
    return this.#runtime.copiesArrays ? this.#floats.subarray(start, end) : this.#floats.slice(start, end);
  }
}
