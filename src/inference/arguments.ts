// What the methods of a latent model take, checked before anything is allocated.
import type { KlEstimate } from '../backends/backend.js';
import { UsageError } from '../errors.js';
import type { Platform } from '../kernels/platform.js';
import { choiceAmong } from '../model/choice.js';
import { FROM_ZERO, numberIn } from '../model/hyperparameter.js';
import { oneOf, Place, positiveInteger, type Reader } from '../model/jsonReader.js';
import { LIKELIHOODS } from '../model/likelihoods/registry.js';
import type { Model } from '../model/model.js';
import { functionOf, type OptionTable, seed64, trueOrFalse } from '../model/optionReader.js';
import { ESTIMATORS, type EstimatorName } from '../objective/estimators/registry.js';
import { OBJECTIVES, type ObjectiveName } from '../objective/registry.js';
import { FEWEST_DRAWS } from './diagnostics.js';
import {
  type DecodeOptions,
  type ElboOptions,
  type GradientOptions,
  type LatentModelOptions,
  POSTERIOR_METHODS,
  type PosteriorOptions,
  type ReconstructOptions,
  type SampleOptions,
} from './options.js';

/** What one result may hold: 4 GiB of float32. */
const MOST_FLOATS = 2 ** 30;

const kl: Reader<KlEstimate> = oneOf(['analytic', 'monteCarlo']);

const likelihood = choiceAmong(LIKELIHOODS);

/** Not checked further: it comes from a run, not from a user. */
const platform: Reader<Platform> = (value, place) => {
  if (typeof value !== 'object' || value === null) throw place.expected(value, 'the platform of a run');
  return value as Platform;
};

/** The step size is the mean over the second half. */
export const FEWEST_WARMUP = 2;

const wholeFrom =
  (least: number): Reader<number> =>
  (value, place) => {
    if (!Number.isSafeInteger(value) || Number(value) < least) {
      throw place.expected(value, `a whole number from ${least} up`);
    }
    return Number(value);
  };

/** Words of the random counter. */
const positions: Reader<readonly number[]> = (value, place) => {
  if (!Array.isArray(value)) throw place.expected(value, 'a list of whole numbers');
  return Array.from(value, (item: unknown, index) => {
    if (!Number.isSafeInteger(item) || Number(item) < 0 || Number(item) >= 2 ** 32) {
      throw place.index(index).expected(item, `a whole number from 0 to ${2 ** 32 - 1}`);
    }
    return Number(item);
  });
};

export const MODEL_OPTIONS: OptionTable<LatentModelOptions> = {
  arithmetic: oneOf(['portable', 'fused']),
  likelihood,
  platform,
};
export const DECODE_OPTIONS: OptionTable<DecodeOptions> = {
  as: oneOf(['outputs', 'means', 'logits', 'probabilities']),
};
export const SAMPLE_OPTIONS: OptionTable<SampleOptions> = {
  count: positiveInteger,
  seed: seed64,
  draw: trueOrFalse,
};
export const POSTERIOR_OPTIONS: OptionTable<PosteriorOptions> = {
  method: oneOf(POSTERIOR_METHODS),
  chains: positiveInteger,
  warmup: wholeFrom(FEWEST_WARMUP),
  draws: wholeFrom(FEWEST_DRAWS),
  leapfrogSteps: positiveInteger,
  seed: seed64,
  positions,
  onProgress: functionOf(),
};
export const RECONSTRUCT_OPTIONS: OptionTable<ReconstructOptions> = { seed: seed64 };
export const GRADIENT_OPTIONS: OptionTable<GradientOptions> = {
  objective: oneOf(Object.keys(OBJECTIVES) as ObjectiveName[]),
  estimator: oneOf(Object.keys(ESTIMATORS) as EstimatorName[]),
  kl,
  beta: numberIn(FROM_ZERO),
};
export const ELBO_OPTIONS: OptionTable<ElboOptions> = {
  kl,
  beta: numberIn(FROM_ZERO),
  samples: positiveInteger,
  seed: seed64,
};

/** @throws UsageError where `values` is not a Float32Array. */
export function requireFloats(values: unknown, place: Place): asserts values is Float32Array {
  if (!(values instanceof Float32Array)) throw place.expected(values, 'a Float32Array');
}

/**
 * The number of rows of `width` values.
 * @throws UsageError where `values` is no Float32Array of whole rows, at least one, or has a value that is
 * not finite.
 */
export function countRows(values: unknown, width: number, place: Place): number {
  requireFloats(values, place);
  if (values.length === 0 || values.length % width !== 0) {
    throw place.error(
      `holds ${values.length} values, expected a multiple of ${width}, one row after the other`,
    );
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw place.error(`is ${values[bad]} at row ${Math.floor(bad / width)}, column ${bad % width}`);
  return values.length / width;
}

/**
 * Before a result of `rows` × `width` values is allocated.
 * @throws UsageError where it would hold more than 2^30 values.
 */
export function requireResultSize(rows: number, width: number, place: Place): void {
  const most = Math.floor(MOST_FLOATS / width);
  if (rows <= most) return;
  throw place.error(
    `asks for ${rows} rows of ${width} values, expected at most ${most}: a result may have 4 GiB. Ask for fewer at a time`,
  );
}

/**
 * @throws UsageError where `model` is no resolved model, or `values` are not as many finite parameters as it
 * has.
 */
export function requireParameters(model: Model, values: unknown, call: string): void {
  const { name, parameters, dimensions, latent } = (model ?? {}) as Partial<Model>;
  if (![parameters?.size, dimensions, latent].every(Number.isSafeInteger)) {
    throw new Place(call, 'model').expected(model, 'a model as resolveModel returns it');
  }
  requireFloats(values, new Place(call, 'parameters'));
  if (values.length !== model.parameters.size) {
    throw new UsageError(
      `The model ${name} has ${model.parameters.size} parameters, but ${values.length} values were given.`,
    );
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new Place(call, `parameters[${bad}]`).expected(values[bad], 'a finite number');
}
