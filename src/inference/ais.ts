// Annealed importance sampling (Neal 2001) with HMC transitions, as in Wu et al. 2016: an unbiased estimate
// of p(x), whose logarithm is a lower bound of log p(x) in expectation.
import { log } from '../arithmetic/exponential.js';
import { PRIOR_PURPOSES } from '../kernels/stream.js';
import { drawPrior } from '../sampling/priorDraws.js';
import { type TemperatureSchedule, temperatures } from './annealing.js';
import { HmcChains, type HmcOptions, MOST_TRANSITIONS, TRANSITIONS, type TransitionStream } from './hmc.js';
import { effectiveSampleSize, LogSum } from './importance.js';
import { AdaptedSteps, StepSizePath } from './stepSize.js';

export interface AnnealingOptions extends Omit<HmcOptions, 'stream'> {
  /** Steps in β from 0 to 1, at least 1: the transitions are one fewer. */
  readonly temperatures: number;
  /** Default sigmoidal. */
  readonly schedule?: TemperatureSchedule;
  /** x was drawn from the model: its random numbers are others than those of data at the same position. */
  readonly simulated?: boolean;
  /** Called after each transition, of `annealingTransitions(temperatures)`; the pilot's included. */
  readonly onTransition?: () => void;
}

export interface AnnealedEstimate {
  /** Log-weight of each chain, nats, [examples, chains]. */
  readonly logWeights: Float64Array;
  /** log of the mean weight of each example: the estimate of log p(x), nats. */
  readonly logMarginal: Float64Array;
  /** (Σ w)² / Σ w² over the chains of each example, from 1 to chains. */
  readonly effectiveSampleSize: Float64Array;
  /** Mean acceptance probability of the transitions of each example. */
  readonly acceptance: Float64Array;
}

/** Temperatures of the pilot run: a tenth of the run's. */
const PILOT_SHARE = 10;
const FEWEST_PILOT = 50;

/** Transitions of the pilot at β = 0, before it moves on: the step size finds its order of magnitude. */
const PILOT_BURN_IN = 20;

/** The gain of the pilot's step size, which follows the temperature. */
const PILOT_GAIN = 0.3;

/**
 * Estimates log p(x) of each example from its chains.
 * @throws RangeError where the number of temperatures is none.
 * @throws NotFiniteError where log p(x|z) is not finite at a draw from the prior.
 */
export function annealedImportance(options: AnnealingOptions): AnnealedEstimate {
  return annealFromPrior(options, pilotSteps(options));
}

/** Transitions of an annealed run, or of one there and back, its pilot included. */
export function annealingTransitions(count: number, reverse = false): number {
  return PILOT_BURN_IN + pilotTemperatures(count) + (count - 1) * (reverse ? 2 : 1);
}

function pilotTemperatures(count: number): number {
  return Math.max(FEWEST_PILOT, Math.ceil(count / PILOT_SHARE));
}

/**
 * Step sizes along the path for an acceptance of 0.65, from a run of its own with fewer temperatures. They
 * are fixed before the estimate's random numbers are drawn. Adaptation during the run would make transitions
 * depend on the chain's past, and the weights would no longer be unbiased.
 */
export function pilotSteps(options: AnnealingOptions): StepSizePath {
  const { density, positions, random, schedule = 'sigmoidal', simulated = false, onTransition } = options;
  requireCount(options.temperatures);
  const stream: TransitionStream = simulated ? TRANSITIONS.simulatedPilot : TRANSITIONS.pilot;
  const z = new Float32Array(positions.length * density.chains * density.latent);
  drawPrior(density.prior, z, { random, positions, step: stream.first, purpose: PRIOR_PURPOSES.pilot });
  const hmc = new HmcChains({ ...options, stream }, z);
  const steps = new AdaptedSteps(positions.length);
  const path = temperatures(schedule, pilotTemperatures(options.temperatures));
  const table: Float64Array[] = [];
  let index = 0;
  const move = (beta: number) => {
    hmc.transition(index++, beta, steps.sizes);
    steps.adapt(hmc.acceptance, PILOT_GAIN);
    onTransition?.();
  };
  while (index < PILOT_BURN_IN) move(0);
  table.push(Float64Array.from(steps.sizes));
  for (const beta of path.subarray(1)) {
    move(beta);
    table.push(Float64Array.from(steps.sizes));
  }
  return new StepSizePath(table);
}

/** From z ~ p(z) to p(z|x). */
export function annealFromPrior(options: AnnealingOptions, steps: StepSizePath): AnnealedEstimate {
  const { density, positions, random, simulated = false } = options;
  const stream = simulated ? TRANSITIONS.simulated : TRANSITIONS.annealing;
  const z = new Float32Array(positions.length * density.chains * density.latent);
  drawPrior(density.prior, z, { random, positions, step: stream.first, purpose: PRIOR_PURPOSES.annealing });
  return anneal({ ...options, stream }, z, { steps, reverse: false });
}

/**
 * From z ~ p(z|x) back to p(z): the weights estimate 1 / p(x).
 * @param z [examples, chains, latent].
 */
export function annealToPrior(
  options: AnnealingOptions,
  z: Float32Array,
  steps: StepSizePath,
): AnnealedEstimate {
  return anneal({ ...options, stream: TRANSITIONS.reverse }, z, { steps, reverse: true });
}

interface Way {
  readonly steps: StepSizePath;
  readonly reverse: boolean;
}

/**
 * The same for both ways: a weight for each step in β, a transition at each β in between. HMC is reversible,
 * so the way back is the reversal of the way there, and each step size has its place on the path.
 */
function anneal(
  options: AnnealingOptions & Pick<HmcOptions, 'stream'>,
  z: Float32Array,
  { steps, reverse }: Way,
): AnnealedEstimate {
  const { density, positions, temperatures: count, schedule = 'sigmoidal', onTransition } = options;
  const path = temperatures(schedule, count);
  const beta = (i: number) => path[reverse ? count - i : i]!;
  const hmc = new HmcChains(options, z);
  const logWeights = new Float64Array(positions.length * density.chains);
  const acceptance = new Float64Array(positions.length);
  for (let i = 1; i <= count; i++) {
    const rise = beta(i) - beta(i - 1);
    for (let row = 0; row < logWeights.length; row++) logWeights[row]! += rise * hmc.logLikelihood[row]!;
    if (i === count) break;
    hmc.transition(i, beta(i), steps.at((reverse ? count - i : i) / count));
    for (let example = 0; example < acceptance.length; example++) {
      acceptance[example]! += hmc.acceptance[example]! / (count - 1);
    }
    onTransition?.();
  }
  return { logWeights, acceptance, ...meansOf(logWeights, density.chains) };
}

function requireCount(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > MOST_TRANSITIONS) {
    throw new RangeError(`${count} temperatures, expected 1 to ${MOST_TRANSITIONS}.`);
  }
}

/** For each example, from the log-weights of its chains. */
function meansOf(
  logWeights: Float64Array,
  chains: number,
): Pick<AnnealedEstimate, 'logMarginal' | 'effectiveSampleSize'> {
  const examples = logWeights.length / chains;
  const logMarginal = new Float64Array(examples);
  const sampleSizes = new Float64Array(examples);
  for (let example = 0; example < examples; example++) {
    const [sum, squares] = [new LogSum(), new LogSum()];
    for (const logWeight of logWeights.subarray(example * chains, (example + 1) * chains)) {
      sum.add(logWeight);
      squares.add(2 * logWeight);
    }
    logMarginal[example] = sum.value() - log(chains);
    sampleSizes[example] = effectiveSampleSize(sum, squares, chains);
  }
  return { logMarginal, effectiveSampleSize: sampleSizes };
}
