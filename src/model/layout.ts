import { UsageError } from '../errors.js';
import type { Initializer, ParameterEntry, ParameterLayout, Shape } from './model.js';

/**
 * The most floats a model's parameters may have, and the most that one example's activations may have: 1 GiB
 * each. A spec beyond it is a slip of the pen, better refused than allocated.
 */
export const mostFloats = 2 ** 28;

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Lays tensors end to end in the flat parameter buffer, in the order in which they are added. */
export class ParameterLayoutBuilder {
  readonly #entries: ParameterEntry[] = [];
  #size = 0;

  constructor(readonly model: string) {}

  /** Floats so far. */
  get size(): number {
    return this.#size;
  }

  /** @throws UsageError where the sum passes `mostFloats`. */
  add(name: string, shape: Shape, initializer: Initializer): ParameterEntry {
    const size = sizeOf(shape);
    if (this.#size + size > mostFloats) {
      throw new UsageError(
        `Model "${this.model}": ${name} of shape [${shape.join(', ')}] brings the parameters to ` +
          `${this.#size + size} floats, more than the limit of ${mostFloats}. Use smaller layers.`,
      );
    }
    const entry = { name, shape, offset: this.#size, size, initializer };
    this.#entries.push(entry);
    this.#size += size;
    return entry;
  }

  finish(): ParameterLayout {
    return { entries: this.#entries, size: this.#size };
  }
}

/** Inputs of one output: channels that a layer of this type reads, times the receptive field. */
export function fanInUniform(weights: Shape, type: 'conv2d' | 'conv2dTranspose' | 'dense'): Initializer {
  const inputs = type === 'conv2dTranspose' ? weights.at(-1)! : weights.at(-2)!;
  return { kind: 'fanInUniform', fanIn: inputs * sizeOf(weights.slice(0, -2)) };
}

/**
 * Keras's fans: the last two extents times the receptive field. Of conv2dTranspose's [kh, kw, out, in] they
 * come out exchanged, which Glorot's sum does not notice.
 */
export function glorotUniform(weights: Shape): Initializer {
  const receptiveField = sizeOf(weights.slice(0, -2));
  const [fanIn, fanOut] = [weights.at(-2)!, weights.at(-1)!];
  return { kind: 'glorotUniform', fanIn: fanIn * receptiveField, fanOut: fanOut * receptiveField };
}
