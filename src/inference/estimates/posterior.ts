import { inferByHmc, inferVariational, type PosteriorDraws } from '../inferPosterior.js';
import type { PosteriorMethod } from '../options.js';
import { condition, type Estimate, type Figures } from './estimate.js';

export interface PosteriorSettings {
  readonly method: PosteriorMethod;
  readonly chains: number;
  /** Transitions before the draws. */
  readonly warmup: number;
  /** Draws of each chain. */
  readonly draws: number;
  readonly leapfrogSteps: number;
}

const DIAGNOSTICS = ['rHat', 'bulkEss', 'tailEss', 'meanError'] as const;

/** Draws from p(z|x) by HMC, or from q(z|x), with their moments, diagnostics and q(z|x). */
export const posterior: Estimate<PosteriorSettings> = {
  work: ({ method, chains, warmup, draws, leapfrogSteps }) =>
    method === 'hmc' ? 2 * chains * (1 + (warmup + draws) * leapfrogSteps) : 0,
  figures: (chunk, { method, chains, warmup, draws, leapfrogSteps }) => {
    const { model, key, x, positions } = chunk;
    const q = model.encode(x);
    const task = { posterior: q, random: model.random(key), positions, chains, draws };
    const drawn =
      method === 'hmc'
        ? inferByHmc({ ...task, density: condition(chunk, x, chains), warmup, leapfrogSteps })
        : inferVariational(task);
    return {
      mu: Float64Array.from(q.mu),
      logvar: Float64Array.from(q.logvar),
      ...figuresOf(drawn),
    };
  },
};

function figuresOf(drawn: readonly PosteriorDraws[]): Figures {
  const all = (own: (draws: PosteriorDraws) => Iterable<number>) =>
    Float64Array.from(drawn.flatMap((draws) => [...own(draws)]));
  const moments = {
    z: all(({ z }) => z),
    mean: all(({ mean }) => mean),
    deviation: all(({ deviation }) => deviation),
  };
  if (drawn[0]?.markov === undefined) return moments;
  return {
    ...moments,
    acceptance: all(({ markov }) => [markov!.acceptance]),
    stepSize: all(({ markov }) => [markov!.stepSize]),
    ...Object.fromEntries(
      DIAGNOSTICS.map((name) => [name, all(({ markov }) => markov!.dimensions.map((own) => own[name]))]),
    ),
  };
}
