// Likelihoods, the posterior and its KL, and rows weighted by their importance.
import { NONE, plus } from '../address.js';
import { A, B, COLUMNS, ELSEWHERE, OUT, ROWS, SCRATCH, SIZE, type Trial } from './memory.js';

/** Where the terms or log-likelihoods, and where the gradients are written: each is kept once. */
const PLACES = [
  { sums: ELSEWHERE, gradient: OUT },
  { sums: OUT, gradient: ELSEWHERE },
  { sums: OUT, gradient: NONE },
];

const LIKELIHOOD = { x: B, rows: ROWS, samples: 1, dimensions: COLUMNS, scale: 0.5 };

const POSTERIOR = { posterior: A, epsilon: B, examples: 4, samples: 3, latent: 13 };

export function runDensities({ kernels, keep }: Trial): void {
  for (const { sums, gradient } of PLACES) {
    kernels.bernoulli({
      ...LIKELIHOOD,
      logits: A,
      logLikelihood: sums,
      terms: SCRATCH,
      dLogits: gradient,
    });
    keep();
    kernels.gaussianLikelihood({
      ...LIKELIHOOD,
      means: A,
      sigma: 0.7,
      logLikelihood: sums,
      dMeans: gradient,
    });
    keep();
  }
  const draws = plus(A, 8192);
  const dDraws = plus(B, 8192);
  const weights = plus(B, 16_384);
  for (const analytic of [0, 1]) {
    kernels.gaussianForward({ ...POSTERIOR, z: OUT, analytic, kl: plus(OUT, 1024) });
    keep();
    const gradients = { z: draws, dz: dDraws, dPosterior: OUT };
    kernels.gaussianBackward({ ...POSTERIOR, ...gradients, analytic, beta: 0.75 });
    keep();
  }
  kernels.gaussianLogRatios({ ...POSTERIOR, z: draws, logRatio: OUT });
  keep();
  kernels.gaussianLogWeightGradient({ ...POSTERIOR, z: draws, dz: dDraws, scale: 3, gradient: OUT });
  keep();
  kernels.gaussianBackwardWeighted({
    ...POSTERIOR,
    z: draws,
    dz: dDraws,
    weights,
    dPosterior: OUT,
    beta: 0.75,
  });
  keep();
  const factors = { path: plus(B, 20_480), score: plus(A, 20_480) };
  kernels.gaussianBackwardEstimated({
    ...POSTERIOR,
    ...{ z: draws, dz: dDraws, weights, ...factors, dPosterior: OUT, beta: 0.75 },
  });
  keep();
  kernels.copyFloats(A, OUT, SIZE);
  kernels.scaleRows(OUT, weights, ROWS, COLUMNS);
  keep();
}
