// The one place where names become inferences.
import type { Choice } from '../../model/hyperparameter.js';
import { hmc } from './hmc.js';
import type { Inference, Refinement } from './inference.js';
import { variational } from './variational.js';

export const INFERENCES = { variational, hmc } as const satisfies Readonly<
  Record<string, Omit<Inference, 'refinement'>>
>;

export type InferenceName = keyof typeof INFERENCES;

export function inferenceOf(name: InferenceName): Inference {
  return INFERENCES[name] as Inference;
}

/** What a choice does with the draws; undefined where it leaves them. */
export function refinementOf(choice: Choice<InferenceName> | undefined): Refinement | undefined {
  return choice && inferenceOf(choice.name).refinement?.(choice.values);
}
