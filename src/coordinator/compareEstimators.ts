import { availableParallelism } from 'node:os';
import type { AbortSignalLike } from '../abortSignal.js';
import { type DataOption, loadTestData } from '../data/registry.js';
import type { RunData } from '../data/source.js';
import {
  type ComparisonSettings,
  comparisonOf,
  countBlocks,
  drawsOfBlock,
  type EstimatorComparison,
  FEWEST_DRAWS,
  requireComparable,
} from '../inference/estimatorComparison.js';
import { positiveInteger, type Reader } from '../model/jsonReader.js';
import { abortSignal, functionOf, type OptionTable, readOptions } from '../model/optionReader.js';
import type { Binarization } from '../model/spec.js';
import type { ObjectiveName } from '../objective/registry.js';
import { HYPERPARAMETERS } from '../runs/hyperparameters.js';
import { choiceOf } from '../runs/seams.js';
import { type ExampleRange, exampleRange, placesOf, requireWithin } from './exampleRange.js';
import { testExamples } from './examples.js';
import { InferencePool } from './inferencePool.js';
import {
  averageOf,
  checkpointPath,
  type LoadedModel,
  loadModel,
  READ_OPTIONS,
  type ReadOptions,
  requirePath,
} from './loadModel.js';
import { requireImageSize, requireOwnData, testSetName } from './ownData.js';

export const COMPARISON_DEFAULTS = { examples: 20, draws: 100 } as const;

interface ComparedOptions {
  /** Places in the test set; default the first 20. The gradient is that of their mean loss. */
  readonly examples?: ExampleRange;
  /** Default: the run's. */
  readonly objective?: ObjectiveName;
  /** K; default: the run's. */
  readonly samples?: number;
  /** Weight of the KL; default: the run's. */
  readonly beta?: number;
  /** Gradients of each estimator, 3 or more; default 100. */
  readonly draws?: number;
  /** Seed of the noise and of drawn pixels, unsigned 64 bits; default: the run's. */
  readonly seed?: number | bigint;
  /** Default: all cores. Their number changes no bit. */
  readonly workers?: number;
  /** Called now and then with the draws that are done, those in work in part, and their number in all. */
  readonly onProgress?: (done: number, count: number) => void;
  /** After an abort the figures are those of the draws that are done. */
  readonly signal?: AbortSignalLike;
}

export interface CompareEstimatorsOptions extends ReadOptions, ComparedOptions {
  /** A run's directory or a checkpoint file. */
  readonly path: string;
  /** Directory of IDX files, or images as arrays; default: the full MNIST. Their test set is used. */
  readonly data?: DataOption;
}

export interface ComparedEstimators extends EstimatorComparison {
  readonly protocol: {
    readonly data: string;
    readonly examples: ExampleRange;
    readonly binarize: Binarization;
    readonly likelihood: { readonly name: string; readonly [hyperparameter: string]: string | number };
    readonly objective: ObjectiveName;
    readonly samples: number;
    readonly beta: number;
    /** Those that have figures. */
    readonly draws: number;
    readonly seed: string;
  };
  /** Whether the signal stopped the work before all draws were done; `figures` may then be empty. */
  readonly interrupted: boolean;
  readonly checkpoint: string;
  readonly step: number;
  readonly parametersSha256: string;
  /** As in LoadedModel. */
  readonly emaDecay?: number;
  /** Sentences for the user. Usually none. */
  readonly warnings: readonly string[];
}

const draws: Reader<number> = (value, place) => {
  const count = positiveInteger(value, place);
  if (count < FEWEST_DRAWS) throw place.expected(value, `a whole number from ${FEWEST_DRAWS} up`);
  return count;
};

const OPTIONS: OptionTable<CompareEstimatorsOptions> = {
  path: checkpointPath,
  data: HYPERPARAMETERS.data.kind.option,
  examples: exampleRange,
  objective: HYPERPARAMETERS.objective.kind.option,
  samples: HYPERPARAMETERS.samples.kind.option,
  beta: HYPERPARAMETERS.beta.kind.option,
  draws,
  seed: HYPERPARAMETERS.seed.kind.option,
  workers: positiveInteger,
  onProgress: functionOf(),
  signal: abortSignal,
  ...READ_OPTIONS,
};

/**
 * Measures bias and variance of the estimators of the encoder's gradient, in nats², at a run's parameters and
 * on the same noise, over worker threads. The figures are the same for any number of them.
 * @throws UsageError where checkpoint, data and options do not fit together.
 * @throws NotFiniteError where a gradient is NaN or infinite.
 */
export async function compareEstimators(given: CompareEstimatorsOptions): Promise<ComparedEstimators> {
  const call = 'compareEstimators()';
  const { path, data, ema = true, ...options } = readOptions(given, OPTIONS, call);
  const loaded = await loadModel(requirePath(path, call), { ema });
  const dataset = loadTestData(data);
  requireImageSize(loaded.config, dataset, loaded.path);
  requireOwnData(loaded.config, loaded.path, data);
  return compareOnTestSet(loaded, dataset, options);
}

/** The same for a model that is loaded and data of its own. */
export async function compareOnTestSet(
  loaded: LoadedModel,
  dataset: RunData,
  options: ComparedOptions,
): Promise<ComparedEstimators> {
  const { model: trained, config, path, step, parametersSha256, warnings } = loaded;
  const { test } = dataset;
  const first = { first: 0, end: Math.min(COMPARISON_DEFAULTS.examples, test.count) };
  const examples = requireWithin(options.examples ?? first, test.count);
  const settings: ComparisonSettings = {
    objective: options.objective ?? choiceOf(config, 'objective').name,
    samples: options.samples ?? config.samples,
    beta: options.beta ?? config.beta,
    draws: options.draws ?? COMPARISON_DEFAULTS.draws,
  };
  const { model, parameters } = trained;
  requireComparable(model, settings);
  const seed = options.seed === undefined ? config.seed : String(options.seed);
  const { binarize, arithmetic } = config;
  const positions = placesOf(examples);
  const x = testExamples({ binarize, seed }, test, positions);
  const likelihood = choiceOf(config, 'likelihood');
  const blocks = countBlocks(settings.draws);
  const workers = Math.min(options.workers ?? availableParallelism(), blocks);
  const { signal } = options;
  const onProgress = (done: number) => options.onProgress?.((done * settings.draws) / blocks, settings.draws);
  const pool = new InferencePool({ model, parameters, likelihood, arithmetic, seed: BigInt(seed), workers });
  const found = await pool
    .compare({ settings, x, positions, onProgress, signal })
    .finally(() => pool.close());
  return {
    ...comparisonOf(found.figures, found.count, settings, model.prior.choice.name),
    protocol: {
      data: testSetName(dataset),
      examples,
      binarize,
      likelihood: { name: likelihood.name, ...likelihood.values },
      ...settings,
      draws: found.count === 0 ? 0 : drawsOfBlock(found.count - 1, settings.draws).end,
      seed,
    },
    interrupted: found.count < blocks,
    checkpoint: path,
    step,
    parametersSha256,
    ...averageOf(loaded),
    warnings,
  };
}
