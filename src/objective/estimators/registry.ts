// The one place where names become estimators.
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

/** The estimates of the KL that an objective can be computed with by an estimator, the default first. */
export function klEstimatesOf(objective: ObjectiveName, estimator: EstimatorName): readonly KlEstimate[] {
  const possible = estimatorOf(estimator).klEstimates;
  return objectiveOf(objective).klEstimates.filter((estimate) => possible.includes(estimate));
}
