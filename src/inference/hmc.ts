// HMC with random numbers by example and transition.
import { Purpose } from '../kernels/stream.js';
import { requireFiniteRows } from '../model/finite.js';
import type { ConditionalDensity } from '../sampling/conditionalDensity.js';
import { HmcTransitions } from '../sampling/hmcTransitions.js';
import type { RandomRows } from '../sampling/randomRows.js';

/** Wu et al. 2016. */
export const LEAPFROG_STEPS = 10;

/** Random numbers of a run: its transitions have the numbers `first`, `first` + 1, … */
export interface TransitionStream {
  readonly first: number;
  readonly momentum: number;
  readonly acceptance: number;
}

/** Most transitions of a run. */
export const MOST_TRANSITIONS = 2 ** 28;

/** Runs on one example that must not share random numbers. Part of the bit contract: never renumber. */
export const TRANSITIONS = {
  annealing: { first: 0, momentum: Purpose.momentum, acceptance: Purpose.acceptance },
  /** Annealing on data drawn from the model. */
  simulated: { first: MOST_TRANSITIONS, momentum: Purpose.momentum, acceptance: Purpose.acceptance },
  /** From the posterior back to the prior, on data drawn from the model. */
  reverse: { first: 2 * MOST_TRANSITIONS, momentum: Purpose.momentum, acceptance: Purpose.acceptance },
  posterior: { first: 3 * MOST_TRANSITIONS, momentum: Purpose.momentum, acceptance: Purpose.acceptance },
  pilot: { first: 0, momentum: Purpose.pilotMomentum, acceptance: Purpose.pilotAcceptance },
  simulatedPilot: {
    first: MOST_TRANSITIONS,
    momentum: Purpose.pilotMomentum,
    acceptance: Purpose.pilotAcceptance,
  },
} as const satisfies Record<string, TransitionStream>;

export interface HmcOptions {
  /** Its rows are the chains of all examples. */
  readonly density: ConditionalDensity;
  readonly random: RandomRows;
  /** One for each example; random numbers are a function of it. */
  readonly positions: ArrayLike<number>;
  readonly stream: TransitionStream;
  /** Leapfrog steps of a transition; default 10. */
  readonly leapfrogSteps?: number;
}

/** Chains of some examples in their current states: see HmcTransitions. */
export class HmcChains {
  readonly #options: HmcOptions;
  readonly #transitions: HmcTransitions;
  /** [rows, latent] normal ones, then for each example 2 · chains uniform ones. */
  readonly #draws: Float32Array;

  /**
   * @param z where the chains start, [examples, chains, latent]; copied.
   * @throws NotFiniteError where log p(x|z) is not finite there.
   */
  constructor(options: HmcOptions, z: Float32Array) {
    const { density, positions, leapfrogSteps = LEAPFROG_STEPS } = options;
    const rows = positions.length * density.chains;
    this.#options = options;
    this.#transitions = new HmcTransitions(density, leapfrogSteps, rows);
    this.#draws = new Float32Array(z.length + 2 * rows);
    density.z.set(z);
    density.evaluate(rows, true);
    this.#transitions.begin(rows);
    requireFiniteRows(this.logLikelihood, 1, 'The log-likelihood at the start of chain');
  }

  /** [rows, latent]. */
  get z(): Float32Array {
    return this.#transitions.z;
  }

  /** log p(x|z) of each row, nats. */
  get logLikelihood(): Float64Array {
    return this.#transitions.logLikelihood;
  }

  /** In the last transition: mean over the chains of each example of min(1, exp(−ΔH)), [examples]. */
  get acceptance(): Float64Array {
    return this.#transitions.acceptance;
  }

  /**
   * One transition that leaves p(z) p(x|z)^beta invariant.
   * @param index of the transition in its run: decides the random numbers.
   * @param stepSizes of each example.
   */
  transition(index: number, beta: number, stepSizes: Float64Array): void {
    const { density, positions, random, stream } = this.#options;
    const { chains, latent } = density;
    const step = stream.first + index;
    const uniforms = this.z.length;
    for (let example = 0; example < positions.length; example++) {
      const position = positions[example]!;
      const row = (from: number, width: number) =>
        this.#draws.subarray(from + example * width, from + (example + 1) * width);
      random.normal(row(0, chains * latent), position, step, stream.momentum);
      random.uniform(row(uniforms, 2 * chains), position, step, stream.acceptance);
    }
    this.#transitions.transition({ values: this.#draws, momenta: 0, uniforms }, beta, stepSizes);
  }
}
