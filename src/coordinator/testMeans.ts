import { NotFiniteError } from '../errors.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import type { RunState } from './runState.js';

/**
 * Means over the evaluated test set, in nats (elbo with beta = 1), summed in the order of the examples.
 * @throws NotFiniteError naming the first example whose terms are NaN or infinite.
 */
export function testMeans({ memory, layout, settings }: RunState): {
  readonly means: MeanTerms;
  /** Of the mean ELBO over the examples. */
  readonly elboStandardError: number;
} {
  const n = settings.testCount;
  const logLikelihoods = new Float64Array(memory.buffer, layout.testLogLikelihood, n);
  const kls = new Float64Array(memory.buffer, layout.testKl, n);
  let logLikelihood = 0;
  let kl = 0;
  for (let i = 0; i < n; i++) {
    logLikelihood += logLikelihoods[i]!;
    kl += kls[i]!;
    if (Number.isFinite(logLikelihoods[i]) && Number.isFinite(kls[i])) continue;
    throw new NotFiniteError(
      `the ELBO of test example ${i} is not finite (log p(x|z) ${logLikelihoods[i]}, KL ${kls[i]}, nats)`,
    );
  }
  const elbo = (logLikelihood - kl) / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (logLikelihoods[i]! - kls[i]! - elbo) ** 2;
  return {
    means: { elbo, logLikelihood: logLikelihood / n, kl: kl / n },
    elboStandardError: Math.sqrt(squares / Math.max(1, n - 1) / n),
  };
}
