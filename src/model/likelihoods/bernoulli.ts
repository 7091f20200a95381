import type { Kernels } from '../../kernels/kernels.js';
import { defineLikelihood, type LikelihoodKernels } from './likelihood.js';

/** Independent Bernoulli pixels, the outputs their logits ℓ: log p(x|z) = Σ_i [x_i ℓ_i − softplus(ℓ_i)]. */
export const bernoulli = defineLikelihood({
  title: 'Bernoulli',
  hyperparameters: {},
  refusedEnds: { sigmoid: 'takes logits and applies the sigmoid itself' },
  words: { outputs: 'logits', means: 'probabilities' },
  create: bernoulliKernels,
});

function bernoulliKernels(kernels: Kernels, buffer: ArrayBufferLike): LikelihoodKernels {
  return {
    logDensity: ({ outputs, x, rows, samples, dimensions }, scale, logLikelihood, terms, dOutputs) => {
      const sizes = { rows, samples, dimensions };
      kernels.bernoulli({ logits: outputs, x, ...sizes, scale, logLikelihood, terms, dLogits: dOutputs });
    },
    means: (outputs, means, count) => kernels.sigmoidArray(outputs, means, count),
    draw: (means, dimensions, noise, { key, position, purpose, scratch }) => {
      kernels.randomUniform({
        out: noise,
        count: dimensions,
        low: 0,
        high: 1,
        key0: key.low,
        key1: key.high,
        position,
        step: 0,
        purpose,
        scratch,
      });
      const uniform = new Float32Array(buffer, noise, dimensions);
      const values = new Float32Array(buffer, means, dimensions);
      for (let i = 0; i < dimensions; i++) values[i] = uniform[i]! < values[i]! ? 1 : 0;
    },
    outputsOfOdds: (odds, count) => kernels.logArray(odds, odds, count),
  };
}
