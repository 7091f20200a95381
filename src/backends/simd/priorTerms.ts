// A prior that the kernels do not have, between them: they compute with N(0, I), and this adds the rest.
import type { Address } from '../../kernels/address.js';
import type { Model } from '../../model/model.js';
import { excessGradient, logExcess } from '../../model/priors/correction.js';
import type { PriorDensity } from '../../model/priors/prior.js';
import { priorDensity, priorOf } from '../../model/priors/registry.js';
import type { Tensor } from '../../products/tensor.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

export interface PriorTermsParts {
  readonly buffer: ArrayBufferLike;
  readonly model: Model;
  /** K. */
  readonly samples: number;
  /** Address of the flat parameter buffer. */
  readonly parameters: Address;
  /** The decoder's input: the draws, and the gradient to them. */
  readonly input: Tensor;
  /** [rows] float32, the weight of each row in its example; absent: 1/K. */
  readonly weights: Address | undefined;
  /** Most rows at a time. */
  readonly rows: number;
}

/** Undefined where the kernels have the model's prior. */
export function createPriorTerms(parts: PriorTermsParts): PriorTerms | undefined {
  return priorOf(parts.model.prior.choice.name).inKernels ? undefined : new PriorTerms(parts);
}

/** Terms of the draws z that the decoder holds, by row, and the gradient of the prior's parameters. */
export class PriorTerms {
  readonly #parts: PriorTermsParts;
  readonly #density: PriorDensity;
  readonly #z: Float32Array;
  readonly #dz: Float32Array;
  readonly #weights: Float32Array | undefined;
  readonly #doubles: Float64Array;
  /** log p(z) − log N(z; 0, I), [rows], and its gradient with respect to z, [rows, latent]. */
  readonly #excess: Float64Array;
  readonly #excessGradient: Float64Array;
  /** The gradient of the rows since `begin`, one number for each parameter. */
  readonly #sums: Float64Array;
  readonly #gradients: Float32Array;

  constructor(parts: PriorTermsParts) {
    const { buffer, model, parameters, input, weights, rows } = parts;
    const count = rows * model.latent;
    this.#parts = parts;
    const flat = new Float32Array(buffer, parameters, model.parameters.size);
    this.#density = priorDensity(model.prior, model.latent, flat);
    this.#z = new Float32Array(buffer, input.activation, count);
    this.#dz = new Float32Array(buffer, input.gradient, count);
    this.#weights = weights === undefined ? undefined : new Float32Array(buffer, weights, rows);
    this.#doubles = new Float64Array(buffer);
    this.#excess = new Float64Array(rows);
    this.#excessGradient = new Float64Array(count);
    this.#sums = new Float64Array(model.prior.size);
    this.#gradients = new Float32Array(buffer);
  }

  /** After the parameters have changed. */
  refresh(): void {
    this.#density.refresh();
  }

  /**
   * Computes the rows' log p(z) − log N(z; 0, I), and takes their mean over the draws off each example's KL
   * (float64).
   */
  forward(kl: Address, examples: number): void {
    const { samples } = this.#parts;
    for (let example = 0; example < examples; example++) {
      let sum = 0;
      for (let row = example * samples; row < (example + 1) * samples; row++) {
        this.#excess[row] = logExcess(this.#density, this.#z, row);
        sum += this.#excess[row]!;
      }
      this.#doubles[kl / DOUBLE + example]! -= sum / samples;
    }
  }

  /** After `forward`: log p(z) in place of log N(z; 0, I), in as many float64 log-ratios. */
  addToLogRatios(logRatio: Address, rows: number): void {
    for (let row = 0; row < rows; row++) this.#doubles[logRatio / DOUBLE + row]! += this.#excess[row]!;
  }

  /** The same in the gradient to z, which is that of the rows' −log p(x, z), each times its weight. */
  addToGradient(rows: number, beta: number): void {
    for (let row = 0; row < rows; row++) this.#addGradient(row, beta * this.#weightOf(row));
  }

  /** At a draw as it stands: its log p(z) − log N(z; 0, I), and `weight` times that in its gradient. */
  addRow(row: number, weight: number): number {
    this.#addGradient(row, weight);
    return logExcess(this.#density, this.#z, row);
  }

  #addGradient(row: number, weight: number): void {
    const { latent } = this.#density;
    excessGradient(this.#density, this.#z, row, this.#excessGradient);
    for (let i = row * latent; i < (row + 1) * latent; i++) {
      this.#dz[i] = this.#dz[i]! - weight * this.#excessGradient[i]!;
    }
  }

  /** Starts a sum. */
  begin(): void {
    this.#sums.fill(0);
  }

  /** Adds d(−beta log p(z))/d(parameter) of rows [first, end), each with its weight. */
  accumulate(first: number, end: number, beta: number): void {
    for (let row = first; row < end; row++) {
      this.#density.addParameterGradient(this.#z, row, -beta * this.#weightOf(row), this.#sums);
    }
  }

  /** Writes the sum, float32. */
  write(target: Address): void {
    this.#gradients.set(this.#sums, target / FLOAT);
  }

  #weightOf(row: number): number {
    return this.#weights?.[row] ?? 1 / this.#parts.samples;
  }
}
