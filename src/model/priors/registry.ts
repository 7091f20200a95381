// The one place where names become priors.
import type { Choice } from '../hyperparameter.js';
import { mixture } from './mixture.js';
import type { Prior, PriorDensity, PriorParameter } from './prior.js';
import { standardNormal } from './standardNormal.js';

export const PRIORS = { 'standard-normal': standardNormal, mixture } as const satisfies Readonly<
  Record<string, Omit<Prior, 'parameters' | 'create'>>
>;

export type PriorName = keyof typeof PRIORS;

/** What a model has where nothing else is said. */
export const STANDARD_NORMAL: Choice<PriorName> = { name: 'standard-normal', values: {} };

export function priorOf(name: PriorName): Prior {
  return PRIORS[name] as Prior;
}

/** The tensors of a choice, for z of so many dimensions. */
export function priorParameters(choice: Choice<PriorName>, latent: number): readonly PriorParameter[] {
  return priorOf(choice.name).parameters(latent, choice.values);
}

/** A model's prior, and where its parameters stand: one behind the other, after those of all layers. */
export interface ModelPrior {
  readonly choice: Choice<PriorName>;
  /** First float in the flat parameter buffer. */
  readonly offset: number;
  /** Number of floats. */
  readonly size: number;
}

/** @param parameters the flat parameters of the model, or a view of them. */
export function priorDensity(
  { choice, offset, size }: ModelPrior,
  latent: number,
  parameters: Float32Array,
): PriorDensity {
  const own = parameters.subarray(offset, offset + size);
  return priorOf(choice.name).create(latent, choice.values, own);
}
