// The golden cases: what make_golden.py wrote, and the inputs that belong to each case.

import { readFileSync } from 'node:fs';
import type { Model } from '#src/model/model.js';
import { presetSpec } from '#src/model/presets.js';
import { resolveModel } from '#src/model/resolve.js';
import type { ModelSpec } from '#src/model/spec.js';
import type { ElboOptions } from '../reference/elbo.js';
import { goldenData, goldenNoise, goldenParameters } from './formula.js';

/** The gradient of the sum of the examples' losses with regard to one parameter tensor. */
export interface GoldenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly sum: number;
  /** ‖g‖₂. */
  readonly norm: number;
  /** At goldenPlaces(size). */
  readonly elements: readonly number[];
  /**
   * What PyTorch's float32 gives, and how far all of it is from float64: ‖·‖₂ and the largest element's
   * error.
   */
  readonly float32: {
    readonly elements: readonly number[];
    readonly errorNorm: number;
    readonly largestError: number;
  };
}

export interface GoldenTerms {
  /** Mean over the samples, per example, in nats. */
  readonly logLikelihood: readonly number[];
  /** Per example, in nats, without β. */
  readonly kl: readonly number[];
}

export interface GoldenCase extends GoldenTerms {
  readonly model: string;
  readonly grey: boolean;
  /** n. */
  readonly examples: number;
  readonly gain: number;
  readonly options: ElboOptions;
  readonly float32: GoldenTerms;
  /** In the order of the parameter layout. */
  readonly gradient: readonly GoldenTensor[];
}

/** What a case is computed from: numbers that float32 holds exactly. */
export interface GoldenInputs {
  readonly model: Model;
  /** [P]. */
  readonly parameters: Float64Array;
  /** [n, D]. */
  readonly x: Float64Array;
  /** [n, K, d]. */
  readonly epsilon: Float64Array;
}

/** All cases: every model with K = 1 and 3, both KLs, β ≠ 1 and with wide weights. */
export function goldenCases(): readonly GoldenCase[] {
  // Tests run from build/, the data stays in the source tree.
  const file = new URL('../../../test/golden/golden.json', import.meta.url);
  const golden = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly GoldenCase[] };
  return golden.cases;
}

/** e.g. `cvae, K = 3, analytic KL, β = 1, gain 1`. */
export function goldenName({ model, options, gain }: GoldenCase): string {
  return `${model}, K = ${options.samples}, ${options.kl} KL, β = ${options.beta}, gain ${gain}`;
}

export function goldenInputs(golden: GoldenCase): GoldenInputs {
  const model = goldenModel(golden.model);
  return {
    model,
    parameters: goldenParameters(model, golden.gain),
    x: goldenData(model, golden.examples, golden.grey),
    epsilon: goldenNoise(model, golden.examples, golden.options.samples),
  };
}

function goldenModel(name: string): Model {
  return resolveModel(name === 'uneven' ? uneven : presetSpec(name, [28, 28, 1]), {
    input: name === 'uneven' ? [10, 11, 2] : [28, 28, 1],
  });
}

/**
 * Strides, kernels and paddings that differ by direction, odd paddings, and taps further apart than the
 * kernel.
 */
const uneven: ModelSpec = {
  name: 'uneven',
  latent: 3,
  encoder: [
    { type: 'conv2d', filters: 5, kernel: [3, 5], strides: [2, 3], padding: 'same', activation: 'tanh' },
    { type: 'conv2d', filters: 4, kernel: 2, strides: [1, 2], activation: 'relu' },
    { type: 'flatten' },
    { type: 'dense', units: 'posterior' },
  ],
  decoder: [
    { type: 'dense', units: 5 * 5 * 3, activation: 'tanh' },
    { type: 'reshape', shape: [5, 5, 3] },
    { type: 'conv2dTranspose', filters: 4, kernel: [1, 3], strides: 2, activation: 'relu' },
    { type: 'conv2dTranspose', filters: 3, kernel: [4, 3], padding: 'same', activation: 'tanh' },
    { type: 'conv2d', filters: 'channels', kernel: [2, 3], padding: 'same' },
  ],
};
