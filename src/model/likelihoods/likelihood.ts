// The seam of likelihoods p(x|z): what the decoder's output says about x. One output a value.
import type { Address } from '../../kernels/address.js';
import type { Kernels } from '../../kernels/kernels.js';
import type { RandomKey } from '../../kernels/stream.js';
import type { ActivationName } from '../activations/registry.js';
import type { Hyperparameters, Values } from '../hyperparameter.js';
import type { Binarization } from '../spec.js';

/**
 * Rows of decoder outputs, [rows, dimensions], and the examples that they are to explain: row r has example r
 * / samples.
 */
export interface LikelihoodRows {
  readonly outputs: Address;
  /** [rows / samples, dimensions], in [0, 1]. */
  readonly x: Address;
  readonly rows: number;
  readonly samples: number;
  readonly dimensions: number;
}

/**
 * Where draws get their random numbers from: row r of a purpose is a function of the key and its position
 * alone.
 */
export interface DrawStream {
  readonly key: RandomKey;
  readonly position: number;
  readonly purpose: number;
  /** 64 bytes. */
  readonly scratch: Address;
}

/** A likelihood on one thread's kernels. Addresses are bytes; tensors are float32 unless said otherwise. */
export interface LikelihoodKernels {
  /**
   * Writes log p(x|z) of each row, [rows] float64, nats; and, where `dOutputs` is not 0, d(−log p(x|z) ·
   * scale)/d(outputs), [rows, dimensions].
   * @param terms room for `dimensions` floats, in whole vectors.
   */
  logDensity(
    rows: LikelihoodRows,
    scale: number,
    logLikelihood: Address,
    terms: Address,
    dOutputs: Address,
  ): void;

  /** The means of p(x|z): `count` floats, written in whole vectors; `means` may be `outputs`. */
  means(outputs: Address, means: Address, count: number): void;

  /**
   * One draw of x from a row of means, in place of it, `dimensions` floats.
   * @param noise room for as many, in whole vectors.
   */
  draw(means: Address, dimensions: number, noise: Address, stream: DrawStream): void;

  /**
   * Turns the odds p / (1 − p) of means in (0, 1) into outputs, in place, in whole vectors: where an output's
   * bias may start.
   */
  outputsOfOdds(odds: Address, count: number): void;
}

export interface Likelihood<V extends Values = Values> {
  /** As people write it. */
  readonly title: string;
  readonly hyperparameters: Hyperparameters;
  /** How pixels become x where neither the user nor, unless this says otherwise, the model does. */
  readonly binarize?: Binarization;
  /** Words of its own for the outputs and their means, beside `outputs` and `means`. */
  readonly words?: { readonly outputs: string; readonly means: string };
  /** Activations that the decoder may not end in, each with the reason. */
  readonly refusedEnds?: { readonly [Name in ActivationName]?: string };
  create(kernels: Kernels, buffer: ArrayBufferLike, values: V): LikelihoodKernels;
}

/** Checks the declaration of a likelihood against its hyper-parameters. */
export function defineLikelihood<const H extends Hyperparameters>(
  likelihood: { readonly hyperparameters: H } & Omit<
    Likelihood<{ readonly [Name in keyof H]: number }>,
    'hyperparameters'
  >,
): Omit<Likelihood, 'hyperparameters'> & { readonly hyperparameters: H } {
  return likelihood;
}
