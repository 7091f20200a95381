import type { Kernels } from '../../kernels/kernels.js';
import { type Hyperparameters, rangeOf, type ValuesOf } from '../hyperparameter.js';
import { defineLikelihood, type LikelihoodKernels } from './likelihood.js';

const SIGMA_RANGE = rangeOf('a number from 0.001 to 1000', { from: 0.001, upTo: 1000 });

const hyperparameters = {
  sigma: { range: SIGMA_RANGE, default: 0.2, describe: 'Standard deviation of a pixel around its mean' },
} as const satisfies Hyperparameters;

/**
 * Independent pixels around their means, which are the outputs, with one fixed σ: log p(x|z) = log N(x; m, σ²
 * I), a density over x in nats. Grey pixels stay as they are.
 */
export const gaussian = defineLikelihood({
  title: 'Gaussian',
  hyperparameters,
  binarize: 'none',
  create: gaussianKernels,
});

function gaussianKernels(
  kernels: Kernels,
  buffer: ArrayBufferLike,
  { sigma }: ValuesOf<typeof hyperparameters>,
): LikelihoodKernels {
  return {
    logDensity: ({ outputs, x, rows, samples, dimensions }, scale, logLikelihood, _terms, dOutputs) => {
      const sizes = { rows, samples, dimensions };
      kernels.gaussianLikelihood({
        means: outputs,
        x,
        ...sizes,
        sigma,
        scale,
        logLikelihood,
        dMeans: dOutputs,
      });
    },
    means: (outputs, means, count) => {
      if (means !== outputs) kernels.copyFloats(outputs, means, count);
    },
    draw: (means, dimensions, noise, { key, position, purpose, scratch }) => {
      kernels.randomNormal({
        out: noise,
        rows: 1,
        count: dimensions,
        key0: key.low,
        key1: key.high,
        position,
        step: 0,
        purpose,
        scratch,
      });
      const normal = new Float32Array(buffer, noise, dimensions);
      const values = new Float32Array(buffer, means, dimensions);
      for (let i = 0; i < dimensions; i++) values[i] = values[i]! + Math.fround(sigma) * normal[i]!;
    },
    outputsOfOdds: (address, count) => {
      const odds = new Float32Array(buffer, address, count);
      for (let i = 0; i < count; i++) odds[i] = odds[i]! / (1 + odds[i]!);
    },
  };
}
