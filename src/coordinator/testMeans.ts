import { NotFiniteError } from '../errors.js';
import { objectiveOf } from '../objective/registry.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import type { RunState } from './runState.js';

/**
 * Means over the evaluated test set, in nats (elbo with beta = 1), summed in the order of the examples.
 * @throws NotFiniteError naming the first example whose terms are NaN or infinite.
 */
export function testMeans({ testTerms, settings }: RunState): {
  readonly means: MeanTerms;
  /** The standard error of the mean ELBO over the examples, in nats. */
  readonly elboStandardError: number;
  /** The standard error of the mean bound, in nats, where the objective reports one. */
  readonly boundStandardError?: number;
} {
  const n = settings.testCount;
  const { logLikelihood: logLikelihoods, kl: kls, bound: bounds } = testTerms;
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
  const elbos = logLikelihoods.map((value, i) => value - kls[i]!);
  const means = { elbo, logLikelihood: logLikelihood / n, kl: kl / n };
  const elboStandardError = standardError(elbos, elbo);
  if (objectiveOf(settings.objective).weigh === undefined) return { means, elboStandardError };
  const bound = bounds.reduce((sum, value) => sum + value, 0) / n;
  return {
    means: { ...means, bound },
    elboStandardError,
    boundStandardError: standardError(bounds, bound),
  };
}

/** The standard error of the mean of the values. */
function standardError(values: Float64Array, mean: number): number {
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, values.length - 1) / values.length);
}
