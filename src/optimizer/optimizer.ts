// The seam of optimizers: what one declares, and what it does to a slice of the parameters.
import type { Address } from '../kernels/address.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Hyperparameters, Values } from '../model/hyperparameter.js';

/** Where a slice of the parameters begins, and the same slice of each state tensor, in the declared order. */
export interface Slice {
  readonly parameters: Address;
  readonly state: readonly Address[];
}

/**
 * An optimizer on one thread's kernels. Every call writes to the slice alone; addresses are bytes, counts
 * floats.
 */
export interface SliceUpdate {
  /**
   * Sets what the next calls do.
   * @param update from 1.
   * @param scale what a sum of gradients is multiplied by.
   */
  begin(update: number, learningRate: number, scale: number): void;

  /**
   * Updates `count` floats, and not one more, `offset` bytes into the slice, by the gradient at an address.
   * @returns whether the update is finite: false where it leaves NaN or infinity in parameters or state, and
   * where the gradient has them.
   */
  apply(slice: Slice, offset: number, gradient: Address, count: number): boolean;

  /**
   * The same by the sum of `shards` gradients, `pitch` bytes apart, in the tree of treeReduce
   * (kernels/assembly/optimizer.ts). May overwrite the gradients; `count` is rounded up to eight.
   */
  applySum(
    slice: Slice,
    offset: number,
    slots: Address,
    pitch: number,
    shards: number,
    count: number,
  ): boolean;
}

/**
 * A rule that turns gradients into updates. What it does with a float depends on that float, its gradients
 * and the number of the update alone, so it does not matter who updates which slice. No Math.pow, exp or log:
 * their bits differ between engines.
 */
export interface Optimizer<V extends Values = Values> {
  /** As people write it. */
  readonly title: string;
  readonly hyperparameters: Hyperparameters;
  /**
   * Names of its state tensors, each as large as the parameters and zero at first: checkpoints hold them as
   * `<name>/<parameter>`.
   */
  state(values: V): readonly string[];
  create(kernels: Kernels, values: V): SliceUpdate;
}

/** Checks the declaration of an optimizer against its hyper-parameters. */
export function defineOptimizer<const H extends Hyperparameters>(
  optimizer: { readonly hyperparameters: H } & Omit<
    Optimizer<{ readonly [Name in keyof H]: number }>,
    'hyperparameters'
  >,
): Omit<Optimizer, 'hyperparameters'> & { readonly hyperparameters: H } {
  return optimizer;
}
