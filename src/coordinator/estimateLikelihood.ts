import type { AbortSignalLike } from '../abortSignal.js';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import type { DataOption } from '../data/registry.js';
import type { ImageSet } from '../data/source.js';
import { NotFiniteError, UsageError } from '../errors.js';
import { TEMPERATURE_SCHEDULES, type TemperatureSchedule } from '../inference/annealing.js';
import { latentActivity } from '../inference/elboTerms.js';
import type { Figures } from '../inference/estimates/estimate.js';
import type { EstimateOptions } from '../inference/estimates/registry.js';
import { LEAPFROG_STEPS, MOST_TRANSITIONS } from '../inference/hmc.js';
import { listOf, oneOf, positiveInteger } from '../model/jsonReader.js';
import {
  abortSignal,
  functionOf,
  type OptionTable,
  readOptions,
  trueOrFalse,
} from '../model/optionReader.js';
import type { Binarization } from '../model/spec.js';
import { parameterHash } from '../runs/checkpoint.js';
import { HYPERPARAMETERS } from '../runs/hyperparameters.js';
import type { RunConfig } from '../runs/runConfig.js';
import { choiceOf } from '../runs/seams.js';
import { openTogether } from './checkpointTogether.js';
import { estimateTogether } from './estimatesTogether.js';
import { type ExampleRange, exampleRange, placesOf, requireWithin } from './exampleRange.js';
import { testExamples } from './examples.js';
import { averageOf, checkpointPath, READ_OPTIONS, type ReadOptions } from './loadModel.js';
import { testSetName } from './ownData.js';
import { PROCESS_OPTIONS, type ProcessOptions } from './processOptions.js';
import { together } from './together.js';

/** Wu et al. 2016 have 16 chains and up to 10,000 temperatures. */
export const ESTIMATE_DEFAULTS = {
  chains: 16,
  temperatures: 1000,
  temperatureSchedule: 'sigmoidal',
  leapfrogSteps: LEAPFROG_STEPS,
  gapSteps: 500,
  gapDraws: 16,
} as const;

/** Most examples of a chunk, where chains run side by side and elsewhere: speed and memory alone. */
const CHAIN_CHUNK = 8;
const DRAW_CHUNK = 32;

export interface EstimateLikelihoodOptions extends ReadOptions, ProcessOptions {
  /** A run's directory or a checkpoint file. */
  readonly path: string;
  /** Directory of IDX files, or images as arrays; default: the full MNIST. Their test set is used. */
  readonly data?: DataOption;
  /** Places in the test set; default all. */
  readonly examples?: ExampleRange;
  /** K of the ELBO; default: the run's. */
  readonly samples?: number;
  /** The values of k of importance-weighted bounds; default none. */
  readonly importance?: readonly number[];
  /** log p(x) by annealed importance sampling. */
  readonly ais?: boolean;
  /** The bracket of log p(x) on as many examples drawn from the model. */
  readonly bdmc?: boolean;
  /** q optimised for each example. */
  readonly gaps?: boolean;
  /** Chains of an example in AIS and BDMC. */
  readonly chains?: number;
  readonly temperatures?: number;
  readonly temperatureSchedule?: TemperatureSchedule;
  readonly leapfrogSteps?: number;
  /** Steps of the optimisation of q. */
  readonly gapSteps?: number;
  /** Default: the run's. */
  readonly binarize?: Binarization;
  /** Default: the run's. */
  readonly seed?: number | bigint;
  readonly workers?: number;
  /** Called now and then with the number of examples done and in all; those in work count in part. */
  readonly onProgress?: (done: number, count: number) => void;
  /** After an abort the figures are those of the examples that are done. */
  readonly signal?: AbortSignalLike;
}

/** Nats. */
export interface MeanWithError {
  readonly mean: number;
  /** Standard error of the mean over examples; NaN for one example. */
  readonly standardError: number;
}

/** One figure, with all that its value depends on besides the examples: no two protocols share a row. */
export interface EstimateRow extends MeanWithError {
  /** Its name in `perExample`. */
  readonly name: string;
  /** In words, such as `k = 5,000`. */
  readonly protocol: string;
}

export interface LikelihoodEstimates {
  /** On test examples. */
  readonly test: readonly EstimateRow[];
  /** On examples drawn from the model. */
  readonly simulated: readonly EstimateRow[];
  /** Means of the KL of each latent dimension to N(0, 1), whatever the prior, nats. */
  readonly kl: readonly number[];
  /** Variance of mu over the examples in each latent dimension, and dimensions above 0.01. */
  readonly latentVariance: readonly number[];
  readonly activeUnits: number;
  /** Figures of test examples by name, [examples]; `elbo.kl` and `elbo.mu` are [examples, latent]. */
  readonly perExample: Figures;
  /** Figures of examples drawn from the model by name, [examples]; empty without BDMC. */
  readonly perSimulated: Figures;
  readonly protocol: {
    readonly data: string;
    /** The range that has figures. */
    readonly examples: ExampleRange;
    /** The range that was asked for. */
    readonly asked: ExampleRange;
    readonly likelihood: { readonly name: string; readonly [hyperparameter: string]: string | number };
    /** Absent: standard normal. */
    readonly prior?: { readonly name: string; readonly [hyperparameter: string]: string | number };
    readonly binarize: Binarization;
    readonly seed: string;
    readonly wanted: EstimateOptions;
  };
  /** Whether the signal stopped the work before the end of the range. */
  readonly interrupted: boolean;
  readonly checkpoint: string;
  readonly step: number;
  readonly parametersSha256: string;
  /** As in LoadedModel. */
  readonly emaDecay?: number;
  /** Sentences for the user. Usually none. */
  readonly warnings: readonly string[];
}

const OPTIONS: OptionTable<EstimateLikelihoodOptions> = {
  path: checkpointPath,
  data: HYPERPARAMETERS.data.kind.option,
  examples: exampleRange,
  samples: HYPERPARAMETERS.samples.kind.option,
  importance: listOf(positiveInteger, 'values of k', 32),
  ais: trueOrFalse,
  bdmc: trueOrFalse,
  gaps: trueOrFalse,
  chains: positiveInteger,
  temperatures: positiveInteger,
  temperatureSchedule: oneOf(TEMPERATURE_SCHEDULES),
  leapfrogSteps: positiveInteger,
  gapSteps: positiveInteger,
  binarize: HYPERPARAMETERS.binarize.kind.option,
  seed: HYPERPARAMETERS.seed.kind.option,
  workers: positiveInteger,
  onProgress: functionOf(),
  signal: abortSignal,
  ...READ_OPTIONS,
  ...PROCESS_OPTIONS,
};

/**
 * Estimates log p(x) of test examples and its bounds, over worker threads, and over the processes that a
 * launcher has started. The figures of an example are the same for any number of them and for any range that
 * it is part of.
 * @throws UsageError where checkpoint, data and options do not fit together.
 * @throws NotFiniteError where a figure is NaN or infinite.
 */
export async function estimateLikelihood(given: EstimateLikelihoodOptions): Promise<LikelihoodEstimates> {
  const options = readOptions(given, OPTIONS, 'estimateLikelihood()');
  return await together(options, (group) => estimateIn(group, options));
}

async function estimateIn(
  group: ProcessGroup | undefined,
  options: Partial<EstimateLikelihoodOptions>,
): Promise<LikelihoodEstimates> {
  const opened = await openTogether(group, options, 'estimateLikelihood()', ({ checkpoint, dataset }) => {
    return planEstimates(options, checkpoint.config, dataset.test);
  });
  const { path, checkpoint, warnings, dataset, plan } = opened;
  const { config, parameters } = checkpoint;
  const { range, seed, binarize, wanted } = plan;
  const { workers, onProgress, signal } = options;
  const found = await estimateTogether(group, checkpoint, plan, { workers, onProgress, signal });
  requireFinite(found.figures, range.first, path);
  const likelihood = choiceOf(config, 'likelihood');
  const prior = choiceOf(config, 'prior');
  return {
    ...summary(found.figures, wanted, config.latent),
    protocol: {
      data: testSetName(dataset),
      examples: { first: range.first, end: range.first + found.count },
      asked: range,
      likelihood: { name: likelihood.name, ...likelihood.values },
      ...(config.prior === undefined ? {} : { prior: { name: prior.name, ...prior.values } }),
      binarize,
      seed: String(seed),
      wanted,
    },
    interrupted: range.first + found.count < range.end,
    checkpoint: path,
    step: checkpoint.step,
    parametersSha256: parameterHash(parameters),
    ...averageOf(opened),
    warnings,
  };
}

function planEstimates(options: Partial<EstimateLikelihoodOptions>, config: RunConfig, test: ImageSet) {
  const { count } = test;
  const range = requireWithin(options.examples ?? { first: 0, end: count }, count);
  const seed = BigInt(options.seed ?? config.seed);
  const binarize = options.binarize ?? config.binarize;
  const wanted = wantedOf(options, config.samples);
  const positions = placesOf(range);
  const x = testExamples({ binarize, seed: String(seed) }, test, positions);
  const most = wanted.ais || wanted.bdmc || wanted.gaps ? CHAIN_CHUNK : DRAW_CHUNK;
  return { range, seed, binarize, wanted, positions, x, most };
}

function wantedOf(options: Partial<EstimateLikelihoodOptions>, runSamples: number): EstimateOptions {
  const { importance, ais = false, bdmc = false, gaps = false, samples = runSamples } = options;
  const D = ESTIMATE_DEFAULTS;
  const annealing = {
    chains: options.chains ?? D.chains,
    temperatures: options.temperatures ?? D.temperatures,
    schedule: options.temperatureSchedule ?? D.temperatureSchedule,
    leapfrogSteps: options.leapfrogSteps ?? D.leapfrogSteps,
  };
  if (annealing.temperatures > MOST_TRANSITIONS) {
    throw new UsageError(
      `${annealing.temperatures} temperatures are too many: the most is ${MOST_TRANSITIONS}.`,
    );
  }
  const draws = [...new Set(importance ?? [])].sort((a, b) => a - b);
  return {
    elbo: { samples },
    ...(draws.length > 0 ? { importance: { draws } } : {}),
    ...(ais ? { ais: annealing } : {}),
    ...(bdmc ? { bdmc: annealing } : {}),
    ...(gaps ? { gaps: { steps: options.gapSteps ?? D.gapSteps, draws: D.gapDraws, samples } } : {}),
  };
}

function requireFinite(figures: Figures, first: number, path: string): void {
  const count = figures['elbo.elbo']?.length ?? 0;
  for (const [name, values] of Object.entries(figures)) {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad === -1) continue;
    const example = first + Math.floor(bad / (values.length / count));
    throw new NotFiniteError(`${path}: ${name} of example ${example} is ${values[bad]}.`);
  }
}

function summary(figures: Figures, wanted: EstimateOptions, latent: number) {
  const test: EstimateRow[] = [];
  const simulated: EstimateRow[] = [];
  const add = (rows: EstimateRow[], name: string, protocol: string, values = figures[name]) => {
    if (values !== undefined) rows.push({ name, protocol, ...meanWithError(values) });
  };
  const K = `K = ${wanted.elbo!.samples}`;
  add(test, 'elbo.elbo', K);
  add(test, 'elbo.logLikelihood', K);
  for (const k of wanted.importance?.draws ?? []) add(test, `importance.L${k}`, `k = ${k}`);
  const annealed = annealingWords(wanted.ais ?? wanted.bdmc);
  add(test, 'ais.logMarginal', annealed);
  add(
    test,
    'variationalGap',
    `AIS − ELBO: ${annealed}; ${K}`,
    difference(figures, 'ais.logMarginal', 'elbo.elbo'),
  );
  const q = wanted.gaps === undefined ? '' : `${wanted.gaps.steps} steps of ${wanted.gaps.draws} draws, ${K}`;
  add(test, 'gaps.optimizedElbo', q);
  add(test, 'gaps.amortizationGap', q);
  add(
    test,
    'approximationGap',
    `AIS − optimised ELBO: ${annealed}; ${q}`,
    difference(figures, 'ais.logMarginal', 'gaps.optimizedElbo'),
  );
  add(simulated, 'bdmc.lower', annealed);
  add(simulated, 'bdmc.upper', annealed);
  add(simulated, 'bracketWidth', annealed, difference(figures, 'bdmc.upper', 'bdmc.lower'));
  const mu = Float32Array.from(figures['elbo.mu'] ?? []);
  const { variance, active } = latentActivity(mu, latent);
  return {
    test,
    simulated,
    kl: Array.from({ length: latent }, (_, j) => meanWithError(column(figures['elbo.kl'], j, latent)).mean),
    latentVariance: [...variance],
    activeUnits: active,
    perExample: figuresWhere(figures, (name) => !onSimulated(name)),
    perSimulated: figuresWhere(figures, onSimulated),
  };
}

function onSimulated(name: string): boolean {
  return name.startsWith('bdmc.');
}

function figuresWhere(figures: Figures, keep: (name: string) => boolean): Figures {
  return Object.fromEntries(Object.entries(figures).filter(([name]) => keep(name)));
}

function annealingWords(settings: EstimateOptions['ais']): string {
  if (settings === undefined) return '';
  const { chains, temperatures, schedule, leapfrogSteps } = settings;
  return `${chains} chains, ${temperatures} ${schedule} temperatures, ${leapfrogSteps} leapfrog steps`;
}

function column(values: Float64Array | undefined, j: number, width: number): Float64Array {
  return (values ?? new Float64Array(0)).filter((_, i) => i % width === j);
}

function difference(figures: Figures, minuend: string, subtrahend: string): Float64Array | undefined {
  const [a, b] = [figures[minuend], figures[subtrahend]];
  return a === undefined || b === undefined ? undefined : a.map((value, i) => value - b[i]!);
}

function meanWithError(values: Float64Array): MeanWithError {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, standardError: Math.sqrt(squares / (n - 1) / n) };
}
