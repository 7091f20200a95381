// The one place where names become estimators.
import { type PriorName, priorOf } from '../../model/priors/registry.js';
import type { KlEstimate } from '../objective.js';
import { type ObjectiveName, objectiveOf } from '../registry.js';
import { doublyReparameterized } from './doublyReparameterized.js';
import type { Estimator } from './estimator.js';
import { reparameterized } from './reparameterized.js';
import { scoreFunction, scoreFunctionBaseline } from './scoreFunction.js';
import { stickingTheLanding } from './stickingTheLanding.js';

export const ESTIMATORS = {
  reparameterized,
  'score-function': scoreFunction,
  'score-function-baseline': scoreFunctionBaseline,
  'sticking-the-landing': stickingTheLanding,
  'doubly-reparameterized': doublyReparameterized,
} as const satisfies Readonly<Record<string, Estimator>>;

export type EstimatorName = keyof typeof ESTIMATORS;

export function estimatorOf(name: EstimatorName): Estimator {
  return ESTIMATORS[name];
}

/** The estimates of the KL to a prior: the closed form is that to N(0, I). */
export function klEstimatesOfPrior(prior: PriorName): readonly KlEstimate[] {
  return priorOf(prior).inKernels ? ['analytic', 'monteCarlo'] : ['monteCarlo'];
}

/**
 * The estimates of the KL that an objective can be computed with by an estimator and for a prior, the default
 * first.
 */
export function klEstimatesOf(
  objective: ObjectiveName,
  estimator: EstimatorName,
  prior: PriorName,
): readonly KlEstimate[] {
  const possible = [estimatorOf(estimator).klEstimates, klEstimatesOfPrior(prior)];
  return objectiveOf(objective).klEstimates.filter((estimate) =>
    possible.every((estimates) => estimates.includes(estimate)),
  );
}
