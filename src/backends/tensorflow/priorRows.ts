// A prior that is not N(0, I), over TensorFlow.js: its density is TypeScript (model/priors), row by row.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Address } from '../../kernels/address.js';
import type { Model } from '../../model/model.js';
import { excessGradient, logExcess } from '../../model/priors/correction.js';
import type { PriorDensity } from '../../model/priors/prior.js';
import { priorDensity, priorOf } from '../../model/priors/registry.js';
import { customGradient } from './customGradient.js';
import type { TfjsRuntime } from './runtime.js';

/** log p(z_k) − log N(z_k; 0, I) of the draws of n examples. */
export interface PriorRows {
  /** [n · K], nats. */
  readonly excess: Float64Array;
  /** The same, [n, K], for gradients: to z and to the prior's parameters. */
  readonly tensor: Tensor;
}

/** Undefined where the model's prior is N(0, I). */
export function createTfjsPrior(
  runtime: TfjsRuntime,
  buffer: ArrayBufferLike,
  model: Model,
  parameters: Address,
): TfjsPrior | undefined {
  if (priorOf(model.prior.choice.name).inKernels) return undefined;
  return new TfjsPrior(runtime, model, new Float32Array(buffer, parameters, model.parameters.size));
}

export class TfjsPrior {
  readonly #runtime: TfjsRuntime;
  readonly #density: PriorDensity;
  readonly #size: number;
  /** Index of the prior's first tensor in the layout: they are the last ones. */
  readonly #first: number;

  constructor(runtime: TfjsRuntime, { prior, latent, parameters: { entries } }: Model, flat: Float32Array) {
    this.#runtime = runtime;
    this.#density = priorDensity(prior, latent, flat);
    this.#size = prior.size;
    this.#first = entries.findIndex(({ offset }) => offset === prior.offset);
  }

  /** After the parameters have changed. */
  refresh(): void {
    this.#density.refresh();
  }

  /**
   * @param z [n, K, d].
   * @param parameters one tensor for each entry of the layout.
   * @param bounds examples at which shards begin, and the last one ends.
   */
  rows(z: Tensor, parameters: readonly Tensor[], bounds: readonly number[]): PriorRows {
    const { tf, read } = this.#runtime;
    const own = parameters.slice(this.#first);
    const [n, samples] = z.shape as [number, number, number];
    const points = Float32Array.from(read(z));
    const excess = Float64Array.from({ length: n * samples }, (_, row) =>
      logExcess(this.#density, points, row),
    );
    const tensor = customGradient(tf, [z, ...own], () => ({
      value: tf.tensor(Float32Array.from(excess), [n, samples]),
      gradients: (d) => {
        const weights = read(d);
        const sums = this.#parameterGradient(
          points,
          weights,
          bounds.map((bound) => bound * samples),
        );
        let place = 0;
        const gradients = own.map(({ shape, size }) => {
          place += size;
          return tf.tensor(sums.slice(place - size, place), shape);
        });
        return [tf.tensor(this.#pointGradient(points, weights), z.shape), ...gradients];
      },
    }));
    return { excess, tensor };
  }

  /** Each row's gradient times its weight, [rows, d]. */
  #pointGradient(points: Float32Array, weights: ArrayLike<number>): Float32Array {
    const { latent } = this.#density;
    const gradient = new Float64Array(points.length);
    for (let row = 0; row < weights.length; row++) excessGradient(this.#density, points, row, gradient);
    return Float32Array.from(gradient, (value, i) => value * weights[Math.floor(i / latent)]!);
  }

  /** One for each parameter: each shard's sum rounded, then the tree of treeReduce. @param bounds in rows. */
  #parameterGradient(
    points: Float32Array,
    weights: ArrayLike<number>,
    bounds: readonly number[],
  ): Float32Array {
    const shards = bounds.slice(1).map((end, shard) => {
      const sums = new Float64Array(this.#size);
      for (let row = bounds[shard]!; row < end; row++) {
        this.#density.addParameterGradient(points, row, weights[row]!, sums);
      }
      return Float32Array.from(sums);
    });
    for (let distance = 1; distance < shards.length; distance *= 2) {
      for (let shard = 0; shard + distance < shards.length; shard += 2 * distance) {
        const other = shards[shard + distance]!;
        shards[shard] = shards[shard]!.map((value, i) => value + other[i]!);
      }
    }
    return shards[0]!;
  }
}
