import { type BackendName, DEFAULT_BACKEND, type KlEstimate } from '../backends/backend.js';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { firstImages } from '../data/excerpt.js';
import type { DataOption } from '../data/registry.js';
import { NotFiniteError, UsageError } from '../errors.js';
import { positiveInteger } from '../model/jsonReader.js';
import type { LikelihoodName } from '../model/likelihoods/registry.js';
import { functionOf, type OptionTable, readOptions } from '../model/optionReader.js';
import type { Binarization } from '../model/spec.js';
import { klEstimatesOf, klEstimatesOfPrior } from '../objective/estimators/registry.js';
import type { ObjectiveName } from '../objective/registry.js';
import { parameterHash } from '../runs/checkpoint.js';
import { HYPERPARAMETERS } from '../runs/hyperparameters.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import type { RunConfig } from '../runs/runConfig.js';
import { choiceOf } from '../runs/seams.js';
import { openTogether } from './checkpointTogether.js';
import { shareState } from './exchanges.js';
import { evaluateTogether } from './leadingPool.js';
import { averageOf, checkpointPath, READ_OPTIONS, type ReadOptions } from './loadModel.js';
import { testSetName } from './ownData.js';
import { PROCESS_OPTIONS, type ProcessOptions } from './processOptions.js';
import type { RunState } from './runState.js';
import { openSession } from './session.js';
import { testMeans } from './testMeans.js';
import { together } from './together.js';

export interface EvaluateOptions extends ReadOptions, ProcessOptions {
  /** A run's directory or a checkpoint file. */
  readonly path: string;
  /** Directory of IDX files, or images as arrays; default: the full MNIST. Their test set is evaluated. */
  readonly data?: DataOption;
  /** K; default: the run's. */
  readonly samples?: number;
  /** Default: the run's. */
  readonly objective?: ObjectiveName;
  /** Default: the run's, where the objective can have it. */
  readonly kl?: KlEstimate;
  /** Default: the run's. */
  readonly binarize?: Binarization;
  /** The seed of noise and binarisation; default: the run's. */
  readonly seed?: number | bigint;
  readonly workers?: number;
  /** What computes the terms; default `simd`, whatever the run was trained with. */
  readonly backend?: BackendName;
  /** Called now and then with the number of examples done and in all. */
  readonly onProgress?: (done: number, count: number) => void;
}

/**
 * The figures, and the protocol they were measured by: figures of different protocols are not to be compared.
 */
export interface Evaluation {
  /** Means over the test set, in nats; elbo with beta = 1. */
  readonly test: MeanTerms;
  /** Standard error of the mean ELBO over the examples, nats. */
  readonly elboStandardError: number;
  /** The standard error of the mean bound, in nats; absent where the objective is the ELBO. */
  readonly boundStandardError?: number;
  readonly protocol: {
    readonly data: string;
    readonly examples: number;
    readonly objective: ObjectiveName;
    readonly likelihood: {
      readonly name: LikelihoodName;
      readonly [hyperparameter: string]: string | number;
    };
    readonly samples: number;
    readonly kl: KlEstimate;
    readonly binarize: Binarization;
    readonly seed: string;
  };
  readonly checkpoint: string;
  readonly step: number;
  readonly parametersSha256: string;
  /** As in LoadedModel. */
  readonly emaDecay?: number;
  /** Sentences for the user, as in LoadedModel. Usually none. */
  readonly warnings: readonly string[];
}

const EVALUATE_OPTIONS: OptionTable<EvaluateOptions> = {
  path: checkpointPath,
  data: HYPERPARAMETERS.data.kind.option,
  objective: HYPERPARAMETERS.objective.kind.option,
  samples: HYPERPARAMETERS.samples.kind.option,
  kl: HYPERPARAMETERS.kl.kind.option,
  binarize: HYPERPARAMETERS.binarize.kind.option,
  seed: HYPERPARAMETERS.seed.kind.option,
  workers: positiveInteger,
  backend: HYPERPARAMETERS.backend.kind.option,
  onProgress: functionOf(),
  ...READ_OPTIONS,
  ...PROCESS_OPTIONS,
};

/** Examples of a chunk: a matter of memory alone. */
const CHUNK = 256;

/**
 * Computes the test ELBO, log-likelihood and KL of a checkpoint, means in nats, over worker threads. The
 * figures are the same for any number of them, and for any number of processes that a launcher has started.
 * @throws UsageError where checkpoint, data and options do not fit together.
 * @throws NotFiniteError where the ELBO of an example is NaN or infinite.
 */
export async function evaluate(given: EvaluateOptions): Promise<Evaluation> {
  const options = readOptions(given, EVALUATE_OPTIONS, 'evaluate()');
  return await together(options, (group) => evaluateIn(group, options));
}

async function evaluateIn(
  group: ProcessGroup | undefined,
  options: Partial<EvaluateOptions>,
): Promise<Evaluation> {
  const opened = await openTogether(group, options, 'evaluate()', ({ checkpoint }) => {
    return evaluationConfig(checkpoint.config, options);
  });
  const { path, checkpoint, warnings, dataset, plan: config } = opened;
  const session = openSession({
    config,
    // The training images are not needed: the memory holds one of them.
    dataset: { ...dataset, train: firstImages(dataset.train, 1) },
    from: checkpoint,
    workers: options.workers,
    inference: true,
    group,
  });
  const { state } = session;
  try {
    if (group) await shareState(group, state, checkpoint.step);
    const { pool } = session;
    await withProgress(state, options.onProgress, () => {
      return group ? evaluateTogether(group, pool) : pool.evaluate();
    });
  } finally {
    await session.close();
  }
  const { means, ...errors } = finiteMeans(state, path);
  const likelihood = choiceOf(config, 'likelihood');
  return {
    test: means,
    ...errors,
    protocol: {
      data: testSetName(dataset),
      examples: dataset.test.count,
      objective: choiceOf(config, 'objective').name,
      likelihood: { name: likelihood.name, ...likelihood.values },
      samples: config.samples,
      kl: config.kl,
      binarize: config.binarize,
      seed: config.seed,
    },
    checkpoint: path,
    step: checkpoint.step,
    parametersSha256: parameterHash(checkpoint.parameters),
    ...averageOf(opened),
    warnings,
  };
}

/**
 * Reads the ranks' progress while they work. What `onProgress` throws is thrown here, and not in the timer.
 */
async function withProgress(
  { progress, settings }: RunState,
  onProgress: EvaluateOptions['onProgress'],
  work: () => Promise<void>,
): Promise<void> {
  let failed: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  const timer = setInterval(() => {
    try {
      onProgress?.(progress.evaluated, settings.testCount);
    } catch (error) {
      failed(error);
    }
  }, 100);
  try {
    await Promise.race([work(), failure]);
  } finally {
    clearInterval(timer);
  }
}

function finiteMeans(state: RunState, path: string): ReturnType<typeof testMeans> {
  try {
    return testMeans(state);
  } catch (error) {
    if (!(error instanceof NotFiniteError)) throw error;
    throw new NotFiniteError(
      `${path}: ${error.message}. Training had diverged: use an earlier checkpoint, or train anew with a smaller ` +
        'learning rate.',
    );
  }
}

function evaluationConfig(config: RunConfig, options: Partial<EvaluateOptions>): RunConfig {
  const objective = options.objective ?? choiceOf(config, 'objective').name;
  const prior = choiceOf(config, 'prior').name;
  const klEstimates = klEstimatesOf(objective, 'reparameterized', prior);
  const kl = options.kl ?? (klEstimates.includes(config.kl) ? config.kl : klEstimates[0]!);
  if (!klEstimatesOfPrior(prior).includes(kl)) {
    throw new UsageError(
      `The KL to the prior of this run, ${prior}, has no closed form, so it is not ${kl}: leave --kl out.`,
    );
  }
  if (!klEstimates.includes(kl)) {
    throw new UsageError(
      `The objective ${objective} is computed from the densities of the draws, so its KL is not ${kl}: leave --kl out.`,
    );
  }
  // Terms alone are computed, of one set of parameters: nothing of what makes gradients and updates.
  const { estimator: _, inference: _inference, clipNorm: _clipping, emaDecay: _average, ...rest } = config;
  return {
    ...rest,
    objective,
    samples: options.samples ?? config.samples,
    kl,
    binarize: options.binarize ?? config.binarize,
    seed: options.seed === undefined ? config.seed : String(options.seed),
    batchSize: CHUNK * config.shards,
    backend: options.backend ?? DEFAULT_BACKEND,
  };
}
