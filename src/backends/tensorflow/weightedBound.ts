// Objectives that weigh the rows z_k of an example by their densities (objective/objective.ts), over
// TensorFlow.js.
import type { Weigh } from '../../objective/objective.js';
import { customGradient } from './customGradient.js';
import type { Draws, ObjectiveOptions } from './draws.js';
import type { Evaluated } from './elbo.js';
import { tfjsLikelihood } from './likelihoods/registry.js';
import { rowLogLikelihoods, rowLogRatios, sampleMeans } from './rowTerms.js';
import type { TfjsRuntime } from './runtime.js';

/** The bound of `weigh`, beside the terms of the ELBO of the same draws. */
export function evaluateWeighted(
  { tf, read }: TfjsRuntime,
  { images, posterior, noise, z, outputs, prior }: Draws,
  { samples, likelihood }: ObjectiveOptions,
  weigh: Weigh,
): Evaluated {
  const logLikelihoods = rowLogLikelihoods(tf, tfjsLikelihood(likelihood), outputs, images, samples);
  const logRatios = rowLogRatios(tf, posterior, noise, z);
  const likelihoods = Float64Array.from(read(logLikelihoods));
  const ratios = Float64Array.from(read(logRatios));
  prior?.excess.forEach((value, row) => {
    ratios[row]! += value;
  });
  const { bounds } = weighExamples(weigh, likelihoods, ratios, samples, 1);
  return {
    terms: {
      logLikelihood: sampleMeans(likelihoods, samples),
      kl: sampleMeans(ratios, samples).map((mean) => -mean),
      bound: bounds,
    },
    loss: (beta) =>
      customGradient(tf, [logLikelihoods, logRatios, ...(prior ? [prior.tensor] : [])], (save) => {
        const weighed = weighExamples(weigh, likelihoods, ratios, samples, beta);
        const n = weighed.bounds.length;
        const weights = tf.tensor(weighed.weights, [n, samples]);
        save(weights);
        return {
          value: tf.tensor(
            Float32Array.from(weighed.bounds, (bound) => -bound),
            [n],
          ),
          gradients: (d, [saved]) => {
            const dRows = tf.neg(tf.mul(saved!, tf.reshape(d, [n, 1])));
            const dRatios = tf.mul(dRows, beta);
            return [dRows, dRatios, ...(prior ? [dRatios] : [])];
          },
        };
      }),
  };
}

function weighExamples(
  weigh: Weigh,
  logLikelihoods: Float64Array,
  logRatios: Float64Array,
  samples: number,
  beta: number,
): { readonly bounds: Float64Array; readonly weights: Float32Array } {
  const logWeights = logLikelihoods.map((value, row) => value + beta * logRatios[row]!);
  const weights = new Float64Array(logWeights.length);
  const bounds = Float64Array.from({ length: logWeights.length / samples }, (_, example) => {
    const [first, end] = [example * samples, (example + 1) * samples];
    return weigh(logWeights.subarray(first, end), weights.subarray(first, end));
  });
  return { bounds, weights: Float32Array.from(weights) };
}
