// Hamiltonian Monte Carlo (Neal 2011) on p(z) p(x|z)^β, for all chains of all examples at once.
import { expNegative } from '../arithmetic/exponential.js';
import type { ConditionalDensity } from './conditionalDensity.js';

/**
 * Each trajectory has a step size between 1 − JITTER and 1 + JITTER times the example's. Without that, a
 * trajectory as long as a period of the target would end where it began, for ever (Neal 2011, section 3.2).
 */
const JITTER = 0.2;

/** Where the random numbers of a transition are. */
export interface TransitionDraws {
  readonly values: Float32Array;
  /** Index of the first of [rows, latent] standard normal numbers. */
  readonly momenta: number;
  /**
   * Index of the first of [examples, 2 · chains] uniform ones: for each example, as many as it has chains
   * decide on acceptance, and as many the step size.
   */
  readonly uniforms: number;
}

/**
 * Chains in their current states. Positions are float32, as the density's; momenta and energies are float64.
 * A trajectory is reversible up to the rounding of the positions. A chain's bits do not depend on the other
 * examples.
 */
export class HmcTransitions {
  /** [rows, latent]. */
  readonly z: Float32Array;
  /** log p(x|z) of each row, nats. */
  readonly logLikelihood: Float64Array;
  /** In the last transition: mean over the chains of each example of min(1, exp(−ΔH)), [examples]. */
  readonly acceptance: Float64Array;
  readonly #density: ConditionalDensity;
  readonly #leapfrogSteps: number;
  readonly #gradient: Float32Array;
  readonly #momentum: Float64Array;
  readonly #force: Float64Array;
  /** One for each row. */
  readonly #stepSizes: Float64Array;
  readonly #energies: Float64Array;
  #rows = 0;

  /** @param rows most rows. */
  constructor(density: ConditionalDensity, leapfrogSteps: number, rows: number) {
    const { latent, chains } = density;
    this.#density = density;
    this.#leapfrogSteps = leapfrogSteps;
    this.z = new Float32Array(rows * latent);
    this.logLikelihood = new Float64Array(rows);
    this.acceptance = new Float64Array(rows / chains);
    this.#gradient = new Float32Array(rows * latent);
    this.#momentum = new Float64Array(rows * latent);
    this.#force = new Float64Array(rows * latent);
    this.#stepSizes = new Float64Array(rows);
    this.#energies = new Float64Array(rows);
  }

  /** Starts `rows` chains from the density's z, log-likelihood and gradient as they stand. */
  begin(rows: number): void {
    const { latent, z, logLikelihood, gradient } = this.#density;
    this.#rows = rows;
    for (let i = 0; i < rows * latent; i++) {
      this.z[i] = z[i]!;
      this.#gradient[i] = gradient[i]!;
    }
    for (let row = 0; row < rows; row++) this.logLikelihood[row] = logLikelihood[row]!;
  }

  /**
   * One transition that leaves p(z) p(x|z)^beta invariant.
   * @param stepSizes of each example.
   */
  transition(draws: TransitionDraws, beta: number, stepSizes: Float64Array): void {
    const { z, gradient, latent } = this.#density;
    this.#take(draws, stepSizes);
    for (let i = 0; i < this.#rows * latent; i++) z[i] = this.z[i]!;
    for (let row = 0; row < this.#rows; row++) {
      this.#energies[row] = this.#energy(z, this.logLikelihood, row, beta);
    }
    this.#kick(z, this.#gradient, beta, 1 / 2);
    for (let step = 1; step <= this.#leapfrogSteps; step++) {
      this.#drift(z);
      this.#density.evaluate(this.#rows, true);
      this.#kick(z, gradient, beta, step < this.#leapfrogSteps ? 1 : 1 / 2);
    }
    this.#decide(draws, beta);
  }

  /** Momenta, and the step size of each chain. */
  #take({ values, momenta, uniforms }: TransitionDraws, stepSizes: Float64Array): void {
    const { chains, latent } = this.#density;
    for (let i = 0; i < this.#rows * latent; i++) this.#momentum[i] = values[momenta + i]!;
    for (let row = 0; row < this.#rows; row++) {
      const example = Math.floor(row / chains);
      const uniform = values[uniforms + row + (example + 1) * chains]!;
      this.#stepSizes[row] = stepSizes[example]! * (1 + JITTER * (2 * uniform - 1));
    }
  }

  /** momentum += share · ε · d/dz [log p(z) + beta · log p(x|z)]. */
  #kick(z: Float32Array, gradient: Float32Array, beta: number, share: number): void {
    const { latent, prior } = this.#density;
    const [momentum, force] = [this.#momentum, this.#force];
    for (let row = 0; row < this.#rows; row++) {
      prior.gradient(z, row, force);
      const size = share * this.#stepSizes[row]!;
      const end = (row + 1) * latent;
      for (let i = row * latent; i < end; i++) momentum[i]! += size * (force[i]! + beta * gradient[i]!);
    }
  }

  #drift(z: Float32Array): void {
    const { latent } = this.#density;
    const momentum = this.#momentum;
    for (let row = 0; row < this.#rows; row++) {
      const size = this.#stepSizes[row]!;
      const end = (row + 1) * latent;
      for (let i = row * latent; i < end; i++) z[i]! += size * momentum[i]!;
    }
  }

  /** H = ½ |momentum|² − log p(z) − beta · log p(x|z) of one row. */
  #energy(z: Float32Array, logLikelihood: Float64Array, row: number, beta: number): number {
    const { latent, prior } = this.#density;
    const momentum = this.#momentum;
    const end = (row + 1) * latent;
    let squares = 0;
    for (let i = row * latent; i < end; i++) squares += momentum[i]! * momentum[i]!;
    return squares / 2 - prior.logDensity(z, row) - beta * logLikelihood[row]!;
  }

  /** The Metropolis step. */
  #decide({ values, uniforms }: TransitionDraws, beta: number): void {
    const { chains, latent, z, logLikelihood, gradient } = this.#density;
    this.acceptance.fill(0);
    for (let row = 0; row < this.#rows; row++) {
      const example = Math.floor(row / chains);
      const rise = this.#energy(z, logLikelihood, row, beta) - this.#energies[row]!;
      // A trajectory that has run away has an energy that is infinite or NaN: it is refused.
      const probability = Number.isNaN(rise) ? 0 : expNegative(Math.min(0, -rise));
      this.acceptance[example]! += probability / chains;
      if (!(values[uniforms + row + example * chains]! < probability)) continue;
      for (let i = row * latent; i < (row + 1) * latent; i++) {
        this.z[i] = z[i]!;
        this.#gradient[i] = gradient[i]!;
      }
      this.logLikelihood[row] = logLikelihood[row]!;
    }
  }
}
