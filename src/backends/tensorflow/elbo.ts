// The ELBO over TensorFlow.js.
import type { Tensor } from '@tensorflow/tfjs-core';
import { customGradient } from './customGradient.js';
import { type Draws, join, type ObjectiveOptions, split } from './draws.js';
import { tfjsLikelihood } from './likelihoods/registry.js';
import { klMonteCarlo, meanLogLikelihood, sampleMeans } from './rowTerms.js';
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
  { images, posterior, noise, z, outputs, prior }: Draws,
  { samples, kl: estimate, likelihood }: ObjectiveOptions,
): Evaluated {
  const logLikelihood = meanLogLikelihood(tf, tfjsLikelihood(likelihood), outputs, images, samples);
  const kl = estimate === 'analytic' ? klAnalytic(tf, posterior) : klMonteCarlo(tf, posterior, noise, z);
  const klTerms = Float64Array.from(read(kl));
  if (prior) {
    sampleMeans(prior.excess, samples).forEach((mean, example) => {
      klTerms[example]! -= mean;
    });
  }
  return {
    terms: { logLikelihood: Float64Array.from(read(logLikelihood)), kl: klTerms },
    loss: (beta) =>
      customGradient(tf, [logLikelihood, kl, ...(prior ? [prior.tensor] : [])], () => ({
        value: tf.sub(tf.mul(prior ? tf.sub(kl, tf.mean(prior.tensor, 1)) : kl, beta), logLikelihood),
        gradients: (d) => [
          tf.neg(d),
          tf.mul(d, beta),
          ...(prior ? [tf.tile(tf.reshape(tf.mul(d, -beta / samples), [-1, 1]), [1, samples])] : []),
        ],
      })),
  };
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
