// What happens to the parameters in an update: the optimizer, and what goes on beside it.
import type { Kernels } from '../kernels/kernels.js';
import type { Choice } from '../model/hyperparameter.js';
import { AVERAGE, averaging } from './averaging.js';
import type { SliceUpdate } from './optimizer.js';
import { type OptimizerName, optimizerOf, stateNames } from './registry.js';

export interface UpdateRule {
  readonly optimizer: Choice<OptimizerName>;
  /** Decay of the moving average of the parameters, in [0, 1); 0: there is none. */
  readonly emaDecay: number;
}

/**
 * Names of all state tensors of a run, each as large as the parameters: those of its optimizer, then the
 * average. Memory, checkpoints and exchanges go by this list.
 */
export function stateTensors({ optimizer, emaDecay }: UpdateRule): readonly string[] {
  return [...stateNames(optimizer), ...(emaDecay === 0 ? [] : [AVERAGE])];
}

/** The update of slices whose state tensors are those of `stateTensors`. */
export function createUpdate(kernels: Kernels, { optimizer, emaDecay }: UpdateRule): SliceUpdate {
  const update = optimizerOf(optimizer).create(kernels, optimizer.values);
  return emaDecay === 0 ? update : averaging(kernels, update, emaDecay);
}
