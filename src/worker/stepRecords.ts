import type { Address } from '../kernels/address.js';
import type { Terms } from './terms.js';

/** What a run remembers of a step. */
export interface StepRecord extends Terms {
  /** Sums of the terms are over so many examples; 0 where the step was skipped. */
  readonly examples: number;
  /** Weight of the KL. */
  readonly beta: number;
  /** The norm of the mean gradient over the examples, before clipping; 0 where none is clipped. */
  readonly gradientNorm: number;
}

/** Numbers of a record. */
const NUMBERS = 7;

const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Bytes of the records of so many steps. */
export function stepRecordsBytes(steps: number): number {
  return steps * NUMBERS * DOUBLE;
}

/**
 * The records of the steps of an epoch, [steps, NUMBERS] float64. Rank 0 writes them, the coordinator reads
 * them.
 */
export class StepRecords {
  readonly #numbers: Float64Array;

  constructor(buffer: ArrayBufferLike, address: Address, steps: number) {
    this.#numbers = new Float64Array(buffer, address, steps * NUMBERS);
  }

  /**
   * All but the gradient's norm, which is known later. A step that is computed again has been complete before
   * and may be read meanwhile, so the norm that it has stays.
   * @param step of the epoch, from 0.
   */
  write(
    step: number,
    { examples, logLikelihood, kl, bound, acceptance, beta }: Omit<StepRecord, 'gradientNorm'>,
  ): void {
    const place = step * NUMBERS;
    this.#numbers[place] = examples;
    this.#numbers[place + 1] = logLikelihood;
    this.#numbers[place + 2] = kl;
    this.#numbers[place + 3] = bound;
    this.#numbers[place + 4] = beta;
    this.#numbers[place + 5] = acceptance;
  }

  /** Written before the step is complete, where gradients are clipped. */
  writeGradientNorm(step: number, gradientNorm: number): void {
    this.#numbers[step * NUMBERS + 6] = gradientNorm;
  }

  /** @param step of the epoch, from 0. */
  read(step: number): StepRecord {
    const place = step * NUMBERS;
    return {
      examples: this.#numbers[place]!,
      logLikelihood: this.#numbers[place + 1]!,
      kl: this.#numbers[place + 2]!,
      bound: this.#numbers[place + 3]!,
      beta: this.#numbers[place + 4]!,
      acceptance: this.#numbers[place + 5]!,
      gradientNorm: this.#numbers[place + 6]!,
    };
  }
}
