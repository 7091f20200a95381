// The model over TensorFlow.js from x to the decoder's outputs: docs/mathematics.md has the formulas.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Choice } from '../../model/hyperparameter.js';
import type { LikelihoodName } from '../../model/likelihoods/registry.js';
import type { Model } from '../../model/model.js';
import type { ObjectiveName } from '../../objective/registry.js';
import type { KlEstimate } from '../backend.js';
import { customGradient } from './customGradient.js';
import { reshapeTensor } from './layers/reshape.js';
import { batchShape, type Step } from './layers/step.js';
import { network } from './network.js';
import type { PriorRows } from './priorRows.js';
import type { Tfjs, TfjsRuntime } from './runtime.js';

export interface ObjectiveOptions {
  readonly model: Model;
  /** K. */
  readonly samples: number;
  readonly kl: KlEstimate;
  readonly objective: ObjectiveName;
  readonly likelihood: Choice<LikelihoodName>;
}

/** n examples, their posteriors, and K draws each with what the decoder makes of them. */
export interface Draws {
  /** [n, ...input]. */
  readonly images: Tensor;
  /** [1, n, 2d]. */
  readonly posterior: Tensor;
  /** [n, K, d], both. */
  readonly noise: Tensor;
  readonly z: Tensor;
  /** n · K rows. */
  readonly outputs: Tensor;
  /** Absent: the prior is N(0, I). */
  readonly prior?: PriorRows | undefined;
}

/** Encoder, reparameterisation and decoder for n examples. */
export class LatentNetworks {
  readonly #tf: Tfjs;
  readonly #options: ObjectiveOptions;
  readonly #encoder: Step;
  readonly #decoder: Step;

  constructor(
    runtime: TfjsRuntime,
    options: ObjectiveOptions,
    readonly examples: number,
  ) {
    const { model, samples } = options;
    this.#tf = runtime.tf;
    this.#options = options;
    const common = { parameters: model.parameters, examples };
    this.#encoder = network(runtime, {
      ...common,
      layers: model.encoder,
      rowsPerExample: 1,
      inputGradient: false,
    });
    this.#decoder = network(runtime, {
      ...common,
      layers: model.decoder,
      rowsPerExample: samples,
      inputGradient: true,
    });
  }

  /**
   * @param parameters one tensor for each entry of the layout.
   * @param x [n, dimensions] floats.
   * @param epsilon [n, K, latent] floats.
   * @param bounds examples at which shards begin, and the last one ends.
   */
  draw(
    parameters: readonly Tensor[],
    x: Float32Array,
    epsilon: Float32Array,
    bounds: readonly number[],
  ): Draws {
    const tf = this.#tf;
    const { model, samples } = this.#options;
    const n = this.examples;
    const images = tf.tensor(x, [n, ...model.input]);
    const posterior = this.#encoder(images, parameters, bounds);
    const noise = tf.tensor(epsilon, [n, samples, model.latent]);
    const z = reparameterize(tf, posterior, noise);
    const points = reshapeTensor(tf, z, batchShape(n * samples, [model.latent]));
    return { images, posterior, noise, z, outputs: this.#decoder(points, parameters, bounds) };
  }
}

/** The posterior [1, n, 2d] as μ and logvar, [n, 1, d] each. */
export function split(tf: Tfjs, posterior: Tensor): [mu: Tensor, logvar: Tensor] {
  const [, n, width] = posterior.shape as [number, number, number];
  return tf.split(tf.reshape(posterior, [n, 1, width]), 2, 2) as [Tensor, Tensor];
}

/** Gradients of μ and logvar, [n, 1, d] each, as one of the posterior, [1, n, 2d]. */
export function join(tf: Tfjs, dMu: Tensor, dLogvar: Tensor): Tensor {
  const [n, , latent] = dMu.shape as [number, number, number];
  return tf.reshape(tf.concat([dMu, dLogvar], 2), [1, n, 2 * latent]);
}

/** z_k = μ + exp(½ logvar) ε_k: posterior [1, n, 2d], noise [n, K, d] → [n, K, d]. */
function reparameterize(tf: Tfjs, posterior: Tensor, noise: Tensor): Tensor {
  return customGradient(tf, [posterior], (save) => {
    const [mu, logvar] = split(tf, posterior);
    const deviation = tf.mul(tf.exp(tf.mul(logvar, 0.5)), noise);
    save(deviation);
    return {
      value: tf.add(mu, deviation),
      gradients: (dz, [saved]) => {
        const dLogvar = tf.mul(tf.sum(tf.mul(dz, saved!), 1, true), 0.5);
        return [join(tf, tf.sum(dz, 1, true), dLogvar)];
      },
    };
  });
}
