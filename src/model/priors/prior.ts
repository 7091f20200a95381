// The seam of priors p(z): a density over z with its gradient, its parameters and its draws.
import type { Hyperparameters, Values } from '../hyperparameter.js';

/** Rows of points, [rows, latent], or parameters. Runs have float32. */
export type Numbers = Float32Array | Float64Array;

/** How a parameter of a prior starts. */
export type PriorInitializer = 'zeros' | 'standardNormal';

/** A tensor of parameters, `prior/<name>` in checkpoints. */
export interface PriorParameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: PriorInitializer;
}

/**
 * A prior at its parameters, on one thread. It computes in float64, row by row: the bits of a row depend on
 * that row and on the parameters alone. They reach parameters: no Math.exp or log (src/arithmetic has its
 * own).
 */
export interface PriorDensity {
  readonly latent: number;
  /** That of its prior. */
  readonly inKernels: boolean;
  /** How many numbers, uniform in [0, 1), a draw takes besides its `latent` standard normal ones. */
  readonly uniforms: 0 | 1;

  /** Takes over the parameters as they are now; before all others whenever they have changed. */
  refresh(): void;

  /** log p(z) of one row of z, nats. */
  logDensity(z: Numbers, row: number): number;

  /** Writes d log p(z) / dz of one row to the same row of `gradient`. */
  gradient(z: Numbers, row: number, gradient: Float64Array): void;

  /**
   * Adds weight · d log p(z) / d(parameter) of one row.
   * @param sums one for each parameter, in the order of `Prior.parameters`.
   */
  addParameterGradient(z: Numbers, row: number, weight: number, sums: Float64Array): void;

  /**
   * Makes draws from p(z) of standard normal numbers, in place.
   * @param z [n, latent].
   * @param uniform [n, uniforms].
   */
  draw(z: Numbers, uniform: Numbers): void;
}

export interface Prior<V extends Values = Values> {
  /** As people write it. */
  readonly title: string;
  readonly hyperparameters: Hyperparameters;
  /**
   * Whether the kernels' densities and their analytic KL are those of this prior: of N(0, I). With another
   * one, log p(z) − log N(z; 0, I) is added to what the kernels compute, and the KL is Monte Carlo.
   */
  readonly inKernels: boolean;
  /** Its tensors, in the order in which they follow each other. */
  parameters(latent: number, values: V): readonly PriorParameter[];
  /** @param parameters all tensors, one behind the other: read at each `refresh`. */
  create(latent: number, values: V, parameters: Numbers): PriorDensity;
}

/** Checks the declaration of a prior against its hyper-parameters. */
export function definePrior<const H extends Hyperparameters>(
  prior: { readonly hyperparameters: H } & Omit<
    Prior<{ readonly [Name in keyof H]: number }>,
    'hyperparameters'
  >,
): Omit<Prior, 'hyperparameters'> & { readonly hyperparameters: H } {
  return prior;
}
