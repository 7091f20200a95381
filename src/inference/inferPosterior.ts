// What p(z|x) looks like: draws of it by HMC, or of q(z|x), with their moments and whether the chains mixed.
import { Purpose, randomKey } from '../kernels/stream.js';
import { Place } from '../model/jsonReader.js';
import type { ConditionalDensity } from '../sampling/conditionalDensity.js';
import type { RandomRows } from '../sampling/randomRows.js';
import { requireResultSize } from './arguments.js';
import { type ChainDiagnostics, diagnoseChains } from './diagnostics.js';
import type { InferenceModel } from './inferenceModel.js';
import type { PosteriorOptions } from './options.js';
import { sigmaOf } from './posteriorRow.js';
import { samplePosterior } from './posteriorSamples.js';

/** Draws of one example. */
export interface PosteriorDraws {
  /** [chains, draws, latent]. */
  readonly z: Float32Array;
  readonly chains: number;
  /** Mean of all draws in each dimension, [latent]. */
  readonly mean: Float64Array;
  /** Their standard deviation, [latent]. */
  readonly deviation: Float64Array;
  /** Absent of draws from q(z|x): they are independent. */
  readonly markov?: MarkovDiagnostics;
}

export interface MarkovDiagnostics {
  /** Mean of min(1, exp(−ΔH)) after the warm-up, 0 to 1. */
  readonly acceptance: number;
  /** The leapfrog integrator's. */
  readonly stepSize: number;
  /** One for each latent dimension. */
  readonly dimensions: readonly ChainDiagnostics[];
}

/** Short trajectories, many of them: docs/evaluation.md has what longer ones are worth. */
export const POSTERIOR_DEFAULTS = {
  method: 'hmc',
  chains: 4,
  warmup: 200,
  draws: 500,
  leapfrogSteps: 5,
} as const;

/**
 * Draws from the posterior of each example, by the method that is asked for.
 * @param x [n, dimensions].
 * @throws UsageError where there are not as many positions as examples, or too many draws.
 */
export function inferPosterior(
  model: InferenceModel,
  x: Float32Array,
  options: PosteriorOptions,
): PosteriorDraws[] {
  const resolved = { ...POSTERIOR_DEFAULTS, ...options };
  const { chains, warmup, draws, leapfrogSteps, method, seed = 0, onProgress } = resolved;
  const n = x.length / model.model.dimensions;
  const { positions = Array.from({ length: n }, (_, i) => i) } = options;
  if (positions.length !== n) {
    const place = new Place('posterior()', 'positions');
    throw place.error(`has ${positions.length} numbers, expected ${n}, one for each example`);
  }
  requireResultSize(n * chains * draws, model.model.latent, new Place('posterior()', 'draws'));
  const random = model.random(randomKey(BigInt(seed)));
  const task = { posterior: model.encode(x), random, positions, chains, draws };
  if (method === 'variational') return inferVariational(task);
  return inferByHmc({
    ...task,
    density: model.condition(x, chains),
    warmup,
    leapfrogSteps,
    ...(onProgress === undefined ? {} : { onTransition: onProgress }),
  });
}

/** What draws of q(z|x) depend on. */
export interface VariationalTask {
  /** q(z|x) of each example, [examples, latent] each. */
  readonly posterior: { readonly mu: Float32Array; readonly logvar: Float32Array };
  readonly random: RandomRows;
  /** One for each example: its random numbers are a function of it. */
  readonly positions: readonly number[];
  readonly chains: number;
  /** Draws of each chain. */
  readonly draws: number;
}

export interface HmcTask extends VariationalTask {
  /** p(x|z) of all examples, with as many rows each as there are chains. */
  readonly density: ConditionalDensity;
  /** Transitions before the draws, which adapt the step size. */
  readonly warmup: number;
  readonly leapfrogSteps: number;
  /** Called after each transition. */
  readonly onTransition?: (done: number, count: number) => void;
}

/**
 * Samples p(z|x) of each example by Hamiltonian Monte Carlo, from draws of q(z|x).
 * @throws NotFiniteError where log p(x|z) is not finite at a start.
 */
export function inferByHmc(task: HmcTask): PosteriorDraws[] {
  const { density, warmup, draws, chains, positions, random, leapfrogSteps, onTransition } = task;
  const { z, acceptance, stepSizes } = samplePosterior({
    density,
    random,
    positions,
    start: drawVariational(task, chains),
    warmup,
    draws,
    leapfrogSteps,
    ...(onTransition === undefined
      ? {}
      : { onTransition: (done: number) => onTransition(done, warmup + draws) }),
  });
  return perExample(z, positions.length).map((own, example) => ({
    ...withMoments(own, chains, density.latent),
    markov: {
      acceptance: acceptance[example]!,
      stepSize: stepSizes[example]!,
      dimensions: Array.from({ length: density.latent }, (_, j) =>
        diagnoseChains(dimensionOf(own, density.latent, j), chains),
      ),
    },
  }));
}

/** Independent draws from q(z|x) of each example, as many as `chains` chains would have. */
export function inferVariational(task: VariationalTask): PosteriorDraws[] {
  const { chains, draws, positions } = task;
  const latent = task.posterior.mu.length / positions.length;
  return perExample(drawVariational(task, chains * draws), positions.length).map((own) =>
    withMoments(own, chains, latent),
  );
}

/** @returns [examples, count, latent]. */
function drawVariational({ posterior, random, positions }: VariationalTask, count: number): Float32Array {
  const latent = posterior.mu.length / positions.length;
  const width = count * latent;
  const z = new Float32Array(positions.length * width);
  positions.forEach((position, example) => {
    const row = z.subarray(example * width, (example + 1) * width);
    random.normal(row, position, 0, Purpose.posteriorStart);
    const [mu, logvar] = [posterior.mu, posterior.logvar].map((all) =>
      all.subarray(example * latent, (example + 1) * latent),
    );
    const sigma = sigmaOf({ mu: mu!, logvar: logvar! });
    for (let i = 0; i < width; i++) row[i] = mu![i % latent]! + sigma[i % latent]! * row[i]!;
  });
  return z;
}

function perExample(z: Float32Array, examples: number): Float32Array[] {
  const width = z.length / examples;
  return Array.from({ length: examples }, (_, i) => z.slice(i * width, (i + 1) * width));
}

function withMoments(z: Float32Array, chains: number, latent: number): PosteriorDraws {
  const mean = new Float64Array(latent);
  const deviation = new Float64Array(latent);
  for (let j = 0; j < latent; j++) {
    const values = dimensionOf(z, latent, j);
    mean[j] = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean[j]!) ** 2, 0);
    deviation[j] = Math.sqrt(squares / Math.max(values.length - 1, 1));
  }
  return { z, chains, mean, deviation };
}

/** One dimension of all rows. */
function dimensionOf(z: Float32Array, latent: number, j: number): Float64Array {
  return Float64Array.from({ length: z.length / latent }, (_, row) => z[row * latent + j]!);
}
