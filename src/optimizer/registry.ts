// The one place where names become optimizers.
import type { Choice } from '../model/hyperparameter.js';
import { adam } from './adam.js';
import { adamw } from './adamw.js';
import type { Optimizer } from './optimizer.js';
import { sgd } from './sgd.js';

export const OPTIMIZERS = { adam, adamw, sgd } as const satisfies Readonly<Record<string, Optimizer>>;

export type OptimizerName = keyof typeof OPTIMIZERS;

export function optimizerOf({ name }: Choice<OptimizerName>): Optimizer {
  return OPTIMIZERS[name];
}

/** Names of the state tensors of the optimizer alone: a run may have more (stateTensors in updateRule.ts). */
export function stateNames(choice: Choice<OptimizerName>): readonly string[] {
  return optimizerOf(choice).state(choice.values);
}
