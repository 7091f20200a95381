import { exp, expNegative, log } from '../../arithmetic/exponential.js';
import { type ValuesOf, wholeRange } from '../hyperparameter.js';
import { definePrior, type Numbers, type PriorDensity } from './prior.js';

const LOG_2_PI = 1.8378770664093453;

const hyperparameters = {
  priorComponents: {
    range: wholeRange(1, 1000),
    default: 10,
    describe: 'Gaussians in the mixture, C',
  },
} as const;

/**
 * A mixture of diagonal Gaussians that is learned with the model, p(z) = Σ_c π_c N(z; m_c, diag(exp(v_c))), π
 * = softmax(a) (Tomczak and Welling 2018 compare it with others). It starts with means drawn from N(0, I),
 * unit variances and equal weights.
 */
export const mixture = definePrior({
  title: 'mixture of Gaussians',
  hyperparameters,
  inKernels: false,
  parameters: (latent, { priorComponents }) => [
    { name: 'means', shape: [priorComponents, latent], initializer: 'standardNormal' },
    { name: 'logvars', shape: [priorComponents, latent], initializer: 'zeros' },
    { name: 'logits', shape: [priorComponents], initializer: 'zeros' },
  ],
  create: (latent, values, parameters) => new Mixture(latent, values, parameters),
});

class Mixture implements PriorDensity {
  readonly inKernels = false;
  readonly uniforms = 1;
  readonly latent: number;
  readonly #components: number;
  readonly #parameters: Numbers;
  /** m, [components, latent]. */
  readonly #means: Float64Array;
  /** exp(−v), as many. */
  readonly #precisions: Float64Array;
  /** exp(½ v), as many. */
  readonly #deviations: Float64Array;
  /** π, and log π_c − ½ Σ_j (v_cj + log 2π), [components] each. */
  readonly #shares: Float64Array;
  readonly #constants: Float64Array;
  /** For the row at hand: log π_c N(z; …), then the responsibilities r_c, [components]. */
  readonly #terms: Float64Array;

  constructor(latent: number, { priorComponents }: ValuesOf<typeof hyperparameters>, parameters: Numbers) {
    const size = priorComponents * latent;
    this.latent = latent;
    this.#components = priorComponents;
    this.#parameters = parameters;
    this.#means = new Float64Array(size);
    this.#precisions = new Float64Array(size);
    this.#deviations = new Float64Array(size);
    this.#shares = new Float64Array(priorComponents);
    this.#constants = new Float64Array(priorComponents);
    this.#terms = new Float64Array(priorComponents);
    this.refresh();
  }

  refresh(): void {
    const { latent } = this;
    const size = this.#means.length;
    const logits = 2 * size;
    for (let i = 0; i < size; i++) {
      const logvar = this.#parameters[size + i]!;
      this.#means[i] = this.#parameters[i]!;
      this.#precisions[i] = exp(-logvar);
      this.#deviations[i] = exp(logvar / 2);
    }
    for (let c = 0; c < this.#components; c++) this.#shares[c] = this.#parameters[logits + c]!;
    const logSum = softmax(this.#shares);
    for (let c = 0; c < this.#components; c++) {
      let logvars = latent * LOG_2_PI;
      for (let i = c * latent; i < (c + 1) * latent; i++) logvars += this.#parameters[size + i]!;
      this.#constants[c] = this.#parameters[logits + c]! - logSum - logvars / 2;
    }
  }

  logDensity(z: Numbers, row: number): number {
    return this.#respond(z, row);
  }

  /** Σ_c r_c (m_c − z) / exp(v_c). */
  gradient(z: Numbers, row: number, gradient: Float64Array): void {
    const { latent } = this;
    this.#respond(z, row);
    const first = row * latent;
    for (let j = 0; j < latent; j++) gradient[first + j] = 0;
    for (let c = 0; c < this.#components; c++) {
      const share = this.#terms[c]!;
      for (let j = 0; j < latent; j++) {
        const i = c * latent + j;
        gradient[first + j]! += share * (this.#means[i]! - z[first + j]!) * this.#precisions[i]!;
      }
    }
  }

  /**
   * With d = (z − m_c) / exp(v_c): r_c d to m_c, ½ r_c ((z − m_c) d − 1) to v_c, and r_c − π_c to a_c.
   */
  addParameterGradient(z: Numbers, row: number, weight: number, sums: Float64Array): void {
    const { latent } = this;
    this.#respond(z, row);
    const size = this.#means.length;
    for (let c = 0; c < this.#components; c++) {
      const share = weight * this.#terms[c]!;
      for (let j = 0; j < latent; j++) {
        const i = c * latent + j;
        const difference = z[row * latent + j]! - this.#means[i]!;
        const slope = difference * this.#precisions[i]!;
        sums[i]! += share * slope;
        sums[size + i]! += (share / 2) * (difference * slope - 1);
      }
      sums[2 * size + c]! += share - weight * this.#shares[c]!;
    }
  }

  draw(z: Numbers, uniform: Numbers): void {
    const { latent } = this;
    for (let row = 0; row < uniform.length; row++) {
      const c = this.#component(uniform[row]!);
      for (let j = 0; j < latent; j++) {
        const i = c * latent + j;
        z[row * latent + j] = this.#means[i]! + this.#deviations[i]! * z[row * latent + j]!;
      }
    }
  }

  /** The first one at which the sum of the shares passes `uniform`. */
  #component(uniform: number): number {
    let sum = 0;
    for (let c = 0; c < this.#components - 1; c++) {
      sum += this.#shares[c]!;
      if (uniform < sum) return c;
    }
    return this.#components - 1;
  }

  /** log p(z) of a row; leaves its responsibilities in #terms. */
  #respond(z: Numbers, row: number): number {
    const { latent } = this;
    const first = row * latent;
    for (let c = 0; c < this.#components; c++) {
      const place = c * latent;
      let sum = 0;
      for (let j = 0; j < latent; j++) {
        const difference = z[first + j]! - this.#means[place + j]!;
        sum += difference * difference * this.#precisions[place + j]!;
      }
      this.#terms[c] = this.#constants[c]! - sum / 2;
    }
    return softmax(this.#terms);
  }
}

/** Replaces values by exp(value) / Σ exp; returns log Σ exp. NaN spreads. */
function softmax(values: Float64Array): number {
  let most = values[0]!;
  for (const value of values) if (value > most) most = value;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] = expNegative(values[i]! - most);
    sum += values[i]!;
  }
  for (let i = 0; i < values.length; i++) values[i]! /= sum;
  return most + log(sum);
}
