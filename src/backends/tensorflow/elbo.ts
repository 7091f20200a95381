// The ELBO over TensorFlow.js.
import type { Tensor } from '@tensorflow/tfjs-core';
import { customGradient } from './customGradient.js';
import { type Draws, join, type ObjectiveOptions, split } from './draws.js';
import type { TfjsLikelihood } from './likelihoods/likelihood.js';
import { tfjsLikelihood } from './likelihoods/registry.js';
import type { Tfjs, TfjsRuntime } from './runtime.js';

/** The terms of each example, [n], in nats. */
export interface Terms {
  readonly logLikelihood: ArrayLike<number>;
  readonly kl: ArrayLike<number>;
  readonly bound?: ArrayLike<number>;
}

/** An objective of some examples. */
export interface Evaluated {
  readonly terms: Terms;
  /** −objective of each example, [n], with the KL's weight beta. */
  loss(beta: number): Tensor;
}

/** (1/K) Σ_k log p(x|z_k) − beta · KL. */
export function evaluateElbo(
  { tf, read }: TfjsRuntime,
  { images, posterior, noise, z, outputs }: Draws,
  { samples, kl: estimate, likelihood }: ObjectiveOptions,
): Evaluated {
  const logLikelihood = meanLogLikelihood(tf, tfjsLikelihood(likelihood), outputs, images, samples);
  const kl = estimate === 'analytic' ? klAnalytic(tf, posterior) : klMonteCarlo(tf, posterior, noise, z);
  return {
    terms: { logLikelihood: Float64Array.from(read(logLikelihood)), kl: Float64Array.from(read(kl)) },
    loss: (beta) =>
      customGradient(tf, [logLikelihood, kl], () => ({
        value: tf.sub(tf.mul(kl, beta), logLikelihood),
        gradients: (d) => [tf.neg(d), tf.mul(d, beta)],
      })),
  };
}

/** (1/K) Σ_k log p(x|z_k): outputs of n·K rows, images of n → [n]. */
function meanLogLikelihood(
  tf: Tfjs,
  likelihood: TfjsLikelihood,
  outputs: Tensor,
  images: Tensor,
  samples: number,
): Tensor {
  return customGradient(tf, [outputs], (save) => {
    const n = images.shape[0]!;
    const x = tf.reshape(images, [n, 1, -1]);
    const rows = tf.reshape(outputs, [n, samples, -1]);
    save(rows, x);
    const sums = tf.sum(likelihood.terms(tf, rows, x), [1, 2]);
    return {
      value: samples === 1 ? sums : tf.mul(sums, 1 / samples),
      gradients: (d, [savedRows, savedX]) => {
        const slopes = likelihood.slopes(tf, savedRows!, savedX!);
        const weights = tf.reshape(samples === 1 ? d : tf.mul(d, 1 / samples), [n, 1, 1]);
        return [tf.reshape(tf.mul(slopes, weights), outputs.shape)];
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
 * (1/K) Σ_k [log q(z_k|x) − log p(z_k)] = (1/K) Σ_k ½ Σ_j (z_kj² − ε_kj² − logvar_j): posterior [1, n, 2d],
 * noise and z [n, K, d] → [n].
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
