// The ELBO over TensorFlow.js: docs/mathematics.md has the formulas.
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Model } from '../../model/model.js';
import type { KlEstimate } from '../backend.js';
import { customGradient } from './customGradient.js';
import { reshapeTensor } from './layers/reshape.js';
import { batchShape, type Step } from './layers/step.js';
import { network } from './network.js';
import type { Tfjs, TfjsRuntime } from './runtime.js';

export interface ElboOptions {
  readonly model: Model;
  /** K. */
  readonly samples: number;
  readonly kl: KlEstimate;
}

/** Of each example, [n], in nats. */
export interface TermTensors {
  /** (1/K) Σ_k log p(x|z_k). */
  readonly logLikelihood: Tensor;
  /** KL(q(z|x) ‖ p(z)). */
  readonly kl: Tensor;
}

/** The model with the ELBO's terms of n examples. */
export class Elbo {
  readonly #tf: Tfjs;
  readonly #options: ElboOptions;
  readonly #encoder: Step;
  readonly #decoder: Step;

  constructor(
    runtime: TfjsRuntime,
    options: ElboOptions,
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
  terms(
    parameters: readonly Tensor[],
    x: Float32Array,
    epsilon: Float32Array,
    bounds: readonly number[],
  ): TermTensors {
    const tf = this.#tf;
    const { model, samples, kl } = this.#options;
    const n = this.examples;
    const images = tf.tensor(x, [n, ...model.input]);
    const posterior = this.#encoder(images, parameters, bounds);
    const noise = tf.tensor(epsilon, [n, samples, model.latent]);
    const z = reparameterize(tf, posterior, noise);
    const points = reshapeTensor(tf, z, batchShape(n * samples, [model.latent]));
    const logits = this.#decoder(points, parameters, bounds);
    const likelihoods = bernoulliLogLikelihood(tf, logits, images, samples);
    return {
      logLikelihood: likelihoods,
      kl: kl === 'analytic' ? klAnalytic(tf, posterior) : klMonteCarlo(tf, posterior, noise, z),
    };
  }

  /** −logLikelihood + beta · kl of each example, [n]. */
  loss({ logLikelihood, kl }: TermTensors, beta: number): Tensor {
    const tf = this.#tf;
    return customGradient(tf, [logLikelihood, kl], () => ({
      value: tf.sub(tf.mul(kl, beta), logLikelihood),
      gradients: (d) => [tf.neg(d), tf.mul(d, beta)],
    }));
  }
}

/** The posterior [1, n, 2d] as μ and logvar, [n, 1, d] each. */
function split(tf: Tfjs, posterior: Tensor): [mu: Tensor, logvar: Tensor] {
  const [, n, width] = posterior.shape as [number, number, number];
  return tf.split(tf.reshape(posterior, [n, 1, width]), 2, 2) as [Tensor, Tensor];
}

/** Gradients of μ and logvar, [n, 1, d] each, as one of the posterior, [1, n, 2d]. */
function join(tf: Tfjs, dMu: Tensor, dLogvar: Tensor): Tensor {
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

/**
 * (1/K) Σ_k Σ_i [x_i ℓ_ki − softplus(ℓ_ki)]: logits of n·K rows, images of n → [n]. The gradient in ℓ is
 * (x − sigmoid(ℓ)) / K.
 */
function bernoulliLogLikelihood(tf: Tfjs, logits: Tensor, images: Tensor, samples: number): Tensor {
  return customGradient(tf, [logits], (save) => {
    const n = images.shape[0]!;
    const x = tf.reshape(images, [n, 1, -1]);
    const l = tf.reshape(logits, [n, samples, -1]);
    save(l, x);
    const sums = tf.sum(tf.sub(tf.mul(x, l), tf.softplus(l)), [1, 2]);
    return {
      value: samples === 1 ? sums : tf.mul(sums, 1 / samples),
      gradients: (d, [savedL, savedX]) => {
        const slopes = tf.sub(savedX!, tf.sigmoid(savedL!));
        const weights = tf.reshape(samples === 1 ? d : tf.mul(d, 1 / samples), [n, 1, 1]);
        return [tf.reshape(tf.mul(slopes, weights), logits.shape)];
      },
    };
  });
}

/** ½ Σ_j (μ_j² + exp(logvar_j) − logvar_j − 1): posterior [1, n, 2d] → [n]. */
function klAnalytic(tf: Tfjs, posterior: Tensor): Tensor {
  return customGradient(tf, [posterior], (save) => {
    const [mu, logvar] = split(tf, posterior);
    const excess = tf.sub(tf.exp(logvar), 1);
    save(mu, excess);
    return {
      value: tf.mul(tf.sum(tf.add(tf.square(mu), tf.sub(excess, logvar)), [1, 2]), 0.5),
      gradients: (d, [savedMu, savedExcess]) => {
        const weights = tf.reshape(d, [-1, 1, 1]);
        const dLogvar = tf.mul(tf.mul(savedExcess!, 0.5), weights);
        return [join(tf, tf.mul(savedMu!, weights), dLogvar)];
      },
    };
  });
}

/**
 * (1/K) Σ_k [log q(z_k|x) − log p(z_k)] = (1/K) Σ_k ½ Σ_j (z_kj² − ε_kj² − logvar_j): posterior [1, n, 2d], noise and
 * z [n, K, d] → [n].
 */
function klMonteCarlo(tf: Tfjs, posterior: Tensor, noise: Tensor, z: Tensor): Tensor {
  const samples = z.shape[1]!;
  return customGradient(tf, [posterior, z], (save) => {
    const [, logvar] = split(tf, posterior);
    save(logvar, z);
    const terms = tf.sub(tf.sub(tf.square(z), tf.square(noise)), logvar);
    return {
      value: tf.mul(tf.sum(terms, [1, 2]), 0.5 / samples),
      gradients: (d, [savedLogvar, savedZ]) => {
        const weights = tf.reshape(d, [-1, 1, 1]);
        const zeros = tf.zerosLike(savedLogvar!);
        const dLogvar = tf.add(zeros, tf.mul(weights, -0.5));
        return [join(tf, zeros, dLogvar), tf.mul(savedZ!, tf.mul(weights, 1 / samples))];
      },
    };
  });
}
