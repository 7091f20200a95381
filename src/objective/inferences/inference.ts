// The seam of inferences: which z of p(z|x) the decoder is trained on. The encoder maximises the objective in
// any case.
import type { Hyperparameters, Values } from '../../model/hyperparameter.js';

/** HMC transitions that move draws from q(z|x) towards p(z|x), in the coordinates (z − mu) / sigma of q. */
export interface Refinement {
  /** Transitions in each step. */
  readonly transitions: number;
  /** Leapfrog steps in each transition. */
  readonly leapfrogSteps: number;
  readonly stepSize: number;
}

export interface Inference<V extends Values = Values> {
  /** As people write it. */
  readonly title: string;
  readonly hyperparameters: Hyperparameters;
  /** Names of the objectives and of the estimators that it goes with; absent: all. */
  readonly goesWith?: { readonly objective: readonly string[]; readonly estimator: readonly string[] };
  /** Absent: the decoder is trained on the draws of the objective themselves. */
  refinement?(values: V): Refinement;
}

/** Checks the declaration of an inference against its hyper-parameters. */
export function defineInference<const H extends Hyperparameters>(
  inference: { readonly hyperparameters: H } & Omit<
    Inference<{ readonly [Name in keyof H]: number }>,
    'hyperparameters'
  >,
): Omit<Inference, 'hyperparameters'> & { readonly hyperparameters: H } {
  return inference;
}
