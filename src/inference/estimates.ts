// The estimates that a chunk of examples can have. Each is a pure function of (parameters, x, seed, position
// of the example, options), so the split into chunks decides no bit.
import type { RandomKey } from '../kernels/stream.js';
import { type AnnealedEstimate, annealedImportance } from './ais.js';
import type { TemperatureSchedule } from './annealing.js';
import { bidirectional } from './bdmc.js';
import { elboTerms } from './elboTerms.js';
import { optimizePosterior } from './gaps.js';
import { importanceBounds } from './importance.js';
import type { InferenceModel } from './inferenceModel.js';
import type { Posterior } from './posterior.js';
import type { PosteriorRow } from './posteriorRow.js';

export interface AnnealingSettings {
  readonly chains: number;
  readonly temperatures: number;
  readonly schedule: TemperatureSchedule;
  readonly leapfrogSteps: number;
}

/** The options of each estimate. They can be sent to a thread. */
interface OptionsOfEstimates {
  /** ELBO with K draws, its terms, and the posterior means. */
  readonly elbo: { readonly samples: number };
  /** The bound L_k for each k. */
  readonly importance: { readonly draws: readonly number[] };
  readonly ais: AnnealingSettings;
  /** On data drawn from the model: pair i has the position of example i. */
  readonly bdmc: AnnealingSettings;
  /** q optimised for each example. */
  readonly gaps: { readonly steps: number; readonly draws: number; readonly samples: number };
}

export type EstimateName = keyof OptionsOfEstimates;

/** Those that are wanted. */
export type EstimateOptions = Partial<OptionsOfEstimates>;

/** Consecutive examples. */
export interface ExampleChunk {
  readonly model: InferenceModel;
  readonly key: RandomKey;
  /** [count, dimensions]. */
  readonly x: Float32Array;
  /** Position of the first one. */
  readonly first: number;
  readonly count: number;
}

/** Figures by name, each [count] or [count, width]. */
export type Figures = Readonly<Record<string, Float64Array>>;

type Estimate<Options> = (chunk: ExampleChunk, options: Options) => Figures;

export const ESTIMATES: { readonly [K in EstimateName]: Estimate<OptionsOfEstimates[K]> } = {
  elbo,
  importance,
  ais: (chunk, settings) => {
    const { model, x } = chunk;
    const density = model.condition(x, settings.chains);
    return annealedFigures(annealedImportance({ density, ...annealing(chunk, settings) }), 'logMarginal');
  },
  bdmc: (chunk, settings) => {
    const { model, key, first, count } = chunk;
    const { z, x } = model.simulate(key, first, count);
    const density = model.condition(x, settings.chains);
    const bracket = bidirectional({ density, truth: z, ...annealing(chunk, settings) });
    return {
      lower: bracket.lower,
      upper: bracket.upper,
      forwardEffectiveSampleSize: bracket.forward.effectiveSampleSize,
      reverseEffectiveSampleSize: bracket.reverse.effectiveSampleSize,
      forwardAcceptance: bracket.forward.acceptance,
      reverseAcceptance: bracket.reverse.acceptance,
    };
  },
  gaps,
};

/** All that is wanted of a chunk; a figure's name is that of its estimate, a point, and its own. */
export function estimateChunk(chunk: ExampleChunk, wanted: EstimateOptions): Figures {
  const figures: Record<string, Float64Array> = {};
  for (const name of Object.keys(ESTIMATES) as EstimateName[]) {
    const found = estimateOf(name, chunk, wanted);
    for (const [figure, values] of Object.entries(found)) figures[`${name}.${figure}`] = values;
  }
  return figures;
}

function estimateOf<K extends EstimateName>(name: K, chunk: ExampleChunk, wanted: EstimateOptions): Figures {
  const options: OptionsOfEstimates[K] | undefined = wanted[name];
  const estimate: Estimate<OptionsOfEstimates[K]> = ESTIMATES[name];
  return options === undefined ? {} : estimate(chunk, options);
}

/** Rows of one pass of the decoder for draws of one example: speed alone. */
const ROWS = 100;

function elbo(chunk: ExampleChunk, { samples }: { readonly samples: number }): Figures {
  const { model, key, count } = chunk;
  const { latent } = model.model;
  const random = model.random(key);
  const q = model.encode(chunk.x);
  const figures = {
    elbo: new Float64Array(count),
    logLikelihood: new Float64Array(count),
    kl: new Float64Array(count * latent),
    mu: Float64Array.from(q.mu),
  };
  for (let i = 0; i < count; i++) {
    const density = model.condition(example(chunk, i), Math.min(ROWS, samples));
    const task = { density, posterior: posteriorRow(q, i, latent), random, position: chunk.first + i };
    const terms = elboTerms({ ...task, samples });
    figures.elbo[i] = terms.elbo;
    figures.logLikelihood[i] = terms.logLikelihood;
    figures.kl.set(terms.kl, i * latent);
  }
  return figures;
}

function importance(chunk: ExampleChunk, { draws }: { readonly draws: readonly number[] }): Figures {
  const { model, key, count } = chunk;
  const { latent } = model.model;
  const random = model.random(key);
  const q = model.encode(chunk.x);
  const bounds = draws.map(() => new Float64Array(count));
  const effectiveSampleSize = new Float64Array(count);
  const rows = Math.min(ROWS, Math.max(...draws));
  for (let i = 0; i < count; i++) {
    const density = model.condition(example(chunk, i), rows);
    const task = { density, posterior: posteriorRow(q, i, latent), random, position: chunk.first + i };
    const estimate = importanceBounds({ ...task, draws });
    bounds.forEach((values, k) => {
      values[i] = estimate.bounds[k]!;
    });
    effectiveSampleSize[i] = estimate.effectiveSampleSize;
  }
  return { ...Object.fromEntries(draws.map((k, j) => [`L${k}`, bounds[j]!])), effectiveSampleSize };
}

function gaps(chunk: ExampleChunk, options: OptionsOfEstimates['gaps']): Figures {
  const { model, key, count } = chunk;
  const { latent } = model.model;
  const random = model.random(key);
  const q = model.encode(chunk.x);
  const names = ['elbo', 'optimizedElbo', 'amortizationGap'] as const;
  const figures = {
    elbo: new Float64Array(count),
    optimizedElbo: new Float64Array(count),
    amortizationGap: new Float64Array(count),
  };
  for (let i = 0; i < count; i++) {
    // The rows are the draws of a step of the optimisation: they decide bits.
    const density = model.condition(example(chunk, i), options.draws);
    const task = { density, posterior: posteriorRow(q, i, latent), random, position: chunk.first + i };
    const found = optimizePosterior({ ...task, steps: options.steps, samples: options.samples });
    for (const name of names) figures[name][i] = found[name];
  }
  return figures;
}

function annealing(
  { model, key, first, count }: ExampleChunk,
  { temperatures, schedule, leapfrogSteps }: AnnealingSettings,
) {
  const positions = Array.from({ length: count }, (_, i) => first + i);
  return { random: model.random(key), positions, temperatures, schedule, leapfrogSteps };
}

function annealedFigures(
  { logMarginal, effectiveSampleSize, acceptance }: AnnealedEstimate,
  name: string,
): Figures {
  return { [name]: logMarginal, effectiveSampleSize, acceptance };
}

function example({ model, x }: ExampleChunk, i: number): Float32Array {
  const { dimensions } = model.model;
  return x.subarray(i * dimensions, (i + 1) * dimensions);
}

function posteriorRow({ mu, logvar }: Posterior, i: number, latent: number): PosteriorRow {
  return {
    mu: mu.slice(i * latent, (i + 1) * latent),
    logvar: logvar.slice(i * latent, (i + 1) * latent),
  };
}
