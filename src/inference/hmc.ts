// Hamiltonian Monte Carlo (Neal 2011) on p(z) p(x|z)^β, for all chains of all examples at once.
import { expNegative } from '../arithmetic/exponential.js';
import { Purpose } from '../kernels/stream.js';
import { requireFiniteRows } from '../model/finite.js';
import type { ConditionalDensity } from './conditionalDensity.js';
import type { RandomRows } from './randomRows.js';
import { logPrior, priorGradient } from './standardNormal.js';

/** Wu et al. 2016. */
export const LEAPFROG_STEPS = 10;

/**
 * Each trajectory has a step size between 1 − JITTER and 1 + JITTER times the example's. Without that, a
 * trajectory as long as a period of the target would end where it began, for ever (Neal 2011, section 3.2).
 */
const JITTER = 0.2;

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
  /** Of each example; random numbers are a function of it. */
  readonly positions: ArrayLike<number>;
  readonly stream: TransitionStream;
  /** Leapfrog steps of a transition; default 10. */
  readonly leapfrogSteps?: number;
}

/**
 * Chains in their current states. Positions are float32, as the density's; momenta and energies are float64.
 * A trajectory is reversible up to the rounding of the positions. A chain's bits do not depend on the other
 * examples.
 */
export class HmcChains {
  /** [rows, latent]. */
  readonly z: Float32Array;
  /** log p(x|z) of each row, nats. */
  readonly logLikelihood: Float64Array;
  /** Of the last transition: mean over the chains of each example of min(1, exp(−ΔH)), [examples]. */
  readonly acceptance: Float64Array;
  readonly #options: HmcOptions;
  readonly #leapfrogSteps: number;
  readonly #gradient: Float32Array;
  readonly #momentum: Float64Array;
  readonly #normals: Float32Array;
  /** For each example: `chains` numbers that decide on acceptance, `chains` that decide the step size. */
  readonly #uniforms: Float32Array;
  readonly #force: Float64Array;
  readonly #stepSizes: Float64Array;
  readonly #energies: Float64Array;
  readonly #rows: number;

  /**
   * @param z where the chains start, [examples, chains, latent]; copied.
   * @throws NotFiniteError where log p(x|z) is not finite there.
   */
  constructor(options: HmcOptions, z: Float32Array) {
    const { density, positions, leapfrogSteps = LEAPFROG_STEPS } = options;
    const rows = positions.length * density.chains;
    this.#options = options;
    this.#leapfrogSteps = leapfrogSteps;
    this.#rows = rows;
    this.z = Float32Array.from(z);
    this.logLikelihood = new Float64Array(rows);
    this.acceptance = new Float64Array(positions.length);
    this.#gradient = new Float32Array(z.length);
    this.#momentum = new Float64Array(z.length);
    this.#normals = new Float32Array(z.length);
    this.#uniforms = new Float32Array(2 * rows);
    this.#force = new Float64Array(z.length);
    this.#stepSizes = new Float64Array(rows);
    this.#energies = new Float64Array(rows);
    density.z.set(z);
    density.evaluate(rows, true);
    this.logLikelihood.set(density.logLikelihood.subarray(0, rows));
    this.#gradient.set(density.gradient.subarray(0, z.length));
    requireFiniteRows(this.logLikelihood, 1, 'The log-likelihood at the start of chain');
  }

  /**
   * One transition that leaves p(z) p(x|z)^beta invariant.
   * @param index of the transition in its run: decides the random numbers.
   * @param stepSizes of each example.
   */
  transition(index: number, beta: number, stepSizes: Float64Array): void {
    const { density } = this.#options;
    const z = density.z.subarray(0, this.z.length);
    const gradient = density.gradient.subarray(0, this.z.length);
    this.#draw(index, stepSizes);
    z.set(this.z);
    for (let row = 0; row < this.#rows; row++) {
      this.#energies[row] = this.#energy(z, this.logLikelihood, row, beta);
    }
    this.#kick(z, this.#gradient, beta, 1 / 2);
    for (let step = 1; step <= this.#leapfrogSteps; step++) {
      this.#drift(z);
      density.evaluate(this.#rows, true);
      this.#kick(z, gradient, beta, step < this.#leapfrogSteps ? 1 : 1 / 2);
    }
    this.#decide(beta);
  }

  /** Momenta, and the step size of each chain. */
  #draw(index: number, stepSizes: Float64Array): void {
    const { density, positions, random, stream } = this.#options;
    const { chains, latent } = density;
    const step = stream.first + index;
    for (let example = 0; example < positions.length; example++) {
      const position = positions[example]!;
      const width = chains * latent;
      const momenta = this.#normals.subarray(example * width, (example + 1) * width);
      const uniforms = this.#uniforms.subarray(2 * example * chains, 2 * (example + 1) * chains);
      random.normal(momenta, position, step, stream.momentum);
      random.uniform(uniforms, position, step, stream.acceptance);
      for (let chain = 0; chain < chains; chain++) {
        const factor = 1 + JITTER * (2 * uniforms[chains + chain]! - 1);
        this.#stepSizes[example * chains + chain] = stepSizes[example]! * factor;
      }
    }
    this.#momentum.set(this.#normals);
  }

  /** momentum += share · ε · d/dz [log p(z) + beta · log p(x|z)]. */
  #kick(z: Float32Array, gradient: Float32Array, beta: number, share: number): void {
    const { latent } = this.#options.density;
    priorGradient(z, this.#force);
    for (let row = 0; row < this.#rows; row++) {
      const size = share * this.#stepSizes[row]!;
      for (let i = row * latent; i < (row + 1) * latent; i++) {
        this.#momentum[i]! += size * (this.#force[i]! + beta * gradient[i]!);
      }
    }
  }

  #drift(z: Float32Array): void {
    const { latent } = this.#options.density;
    for (let row = 0; row < this.#rows; row++) {
      const size = this.#stepSizes[row]!;
      for (let i = row * latent; i < (row + 1) * latent; i++) z[i]! += size * this.#momentum[i]!;
    }
  }

  /** H = ½ |momentum|² − log p(z) − beta · log p(x|z) of one row. */
  #energy(z: Float32Array, logLikelihood: Float64Array, row: number, beta: number): number {
    const { latent } = this.#options.density;
    let squares = 0;
    for (let i = row * latent; i < (row + 1) * latent; i++)
      squares += this.#momentum[i]! * this.#momentum[i]!;
    return squares / 2 - logPrior(z, row, latent) - beta * logLikelihood[row]!;
  }

  /** The Metropolis step. */
  #decide(beta: number): void {
    const { density } = this.#options;
    const { chains, latent, z, logLikelihood, gradient } = density;
    this.acceptance.fill(0);
    for (let row = 0; row < this.#rows; row++) {
      const example = Math.floor(row / chains);
      const rise = this.#energy(z, logLikelihood, row, beta) - this.#energies[row]!;
      // A trajectory that has run away has an energy that is infinite or NaN: it is refused.
      const probability = Number.isNaN(rise) ? 0 : expNegative(Math.min(0, -rise));
      this.acceptance[example]! += probability / chains;
      if (!(this.#uniforms[row + example * chains]! < probability)) continue;
      const [from, to] = [row * latent, (row + 1) * latent];
      this.z.set(z.subarray(from, to), from);
      this.#gradient.set(gradient.subarray(from, to), from);
      this.logLikelihood[row] = logLikelihood[row]!;
    }
  }
}
