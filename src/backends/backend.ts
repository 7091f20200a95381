import type { Address } from '../kernels/address.js';
/**
 * What computes gradients (docs/backends.md): our kernels, or TensorFlow.js's backends wasm, tensorflow and
 * cpu.
 */
export const BACKEND_NAMES = ['simd', 'wasm', 'native', 'cpu'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** What computes a run where nobody asks for another. */
export const DEFAULT_BACKEND: BackendName = 'simd';

export type { KlEstimate } from '../objective/objective.js';

/**
 * Examples of one shard, or of several neighbouring ones, with their noise, and where their terms go:
 * addresses in the run's memory. One object is filled anew for each shard.
 */
export interface Shard {
  /** Number of examples. */
  count: number;
  /**
   * Number of parts: 1, or a power of two where the backend takes several (RunLayout.parts). Each part is a
   * shard of its own; OwnerUpdate does not ask.
   */
  parts: number;
  /** Where the parts begin and the last one ends: 0, …, count. */
  readonly bounds: Int32Array;
  /** [count, dimensions] float32, in [0, 1]. */
  x: Address;
  /** [count, samples, latent] float32, standard normal. */
  epsilon: Address;
  /** [count] float64: (1/K) Σ_k log p(x|z_k), nats; written. */
  logLikelihood: Address;
  /** [count] float64: KL(q(z|x) ‖ p(z)), nats; written. */
  kl: Address;
  /**
   * [count] float64: the objective's bound at beta = 1, nats; written where the objective weighs rows
   * (Objective.weigh).
   */
  bound: Address;
  /** Given where the decoder is trained on refined draws (BackendOptions.inference). */
  readonly refinement?: RefinementPlaces | undefined;
}

/** Random numbers of HMC for the examples of a shard, and where its acceptance goes. */
export interface RefinementPlaces {
  /** [transitions, pitch, samples, latent] float32, standard normal. */
  momenta: Address;
  /** [transitions, pitch, 2, samples] float32, uniform in [0, 1): see TransitionDraws. */
  uniforms: Address;
  /** Examples from one transition to the next. */
  readonly pitch: number;
  /** [count] float64: mean acceptance probability of the transitions; written with a gradient. */
  acceptance: Address;
}

/**
 * What computes gradients. A backend reads the parameters in place and is bound to one model, one number of
 * samples K and one kind of KL. It belongs to one thread.
 */
export interface Backend {
  /**
   * Called by every rank after the parameters have changed and before any rank computes with them; a
   * barrier follows. Ranks may share the work.
   */
  prepare(rank: number, ranks: number): void;

  /**
   * Writes the terms of the shard's examples, and at address `gradient` (float32, the parameters' layout) the
   * sum over the examples of d(−objective)/d(parameter), e.g. of the ELBO logLikelihood − beta · kl; where
   * draws are refined, the decoder's part is that of −(1/K) Σ_k log p(x|z_k) at the refined ones. A shard
   * of 0 examples gives zeros. Several parts give the sum of what each of them gives alone, by the binary
   * tree of kernels/assembly/optimizer.ts (treeReduce).
   */
  objectiveGradient(shard: Shard, beta: number, gradient: Address): void;

  /** Writes the terms of the shard's examples alone. */
  objectiveTerms(shard: Shard): void;

  /** Present where a step goes by it instead of objectiveGradient and slots: see there. */
  readonly owner?: OwnerUpdate;
}

/**
 * A step after the owner-computes rule: each rank backpropagates its own examples and keeps activations and
 * gradients of every layer; behind a barrier each computes the weight gradients of the parameters that it
 * owns, over the examples of all ranks, and the optimizer updates them by it. No gradient of a whole model is
 * ever written to memory. The shards' sums are added by the tree of the all-reduce: the bits are those of
 * objectiveGradient, slots, treeReduce and the update.
 */
export interface OwnerUpdate {
  /**
   * Writes the terms of all examples of this rank, and keeps what `update` reads.
   * @param bounds as in `update`.
   */
  backpropagate(shard: Shard, beta: number, bounds: Int32Array): void;

  /**
   * Updates this rank's share of the parameters, as the optimizer's `begin` has set. A barrier stands before
   * and behind it.
   * @param bounds [shards + 1]: where each shard begins among the examples of the step, and where the last
   * one ends.
   */
  update(bounds: Int32Array): void;
}
