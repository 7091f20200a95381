import { UsageError } from '../errors.js';
import { firstNotFinite } from '../model/finite.js';
import type { ParameterLayout } from '../model/model.js';

/** The flat buffers of a run: all [layout.size], all laid out alike. */
export interface TrainingState {
  readonly parameters: Float32Array;
  /** The optimizer's state tensors by their names, e.g. `adam/m`. */
  readonly optimizerState: ReadonlyMap<string, Float32Array>;
}

/**
 * The flat buffer of the parameters; a tensor's name in a file begins with its buffer's:
 * `adam/m/encoder/conv2d/weights`.
 */
export const PARAMETERS = 'parameters';

/** Each buffer with the name of its group of tensors. */
export function buffersOf({
  parameters,
  optimizerState,
}: TrainingState): (readonly [group: string, buffer: Float32Array])[] {
  return [[PARAMETERS, parameters], ...optimizerState];
}

/**
 * The first tensor that holds a number which is NaN or infinite, in words; undefined where all numbers are
 * finite. Gradients need no look of their own: one that is not finite leaves its mark in the parameters or in
 * the optimizer's state.
 */
export function notFiniteTensor(state: TrainingState, layout: ParameterLayout): string | undefined {
  for (const [group, buffer] of buffersOf(state)) {
    const bad = notFiniteElement(buffer, layout);
    if (bad !== undefined) return `the tensor "${group}/${bad.name}" holds ${bad.words}`;
  }
  return undefined;
}

/** The first tensor of a flat buffer that is not finite, and which number it holds at which place. */
export function notFiniteElement(
  buffer: Float32Array,
  { entries }: ParameterLayout,
): { readonly name: string; readonly words: string } | undefined {
  if (firstNotFinite(buffer) < 0) return undefined;
  for (const { name, offset, size } of entries) {
    const tensor = buffer.subarray(offset, offset + size);
    const bad = firstNotFinite(tensor);
    if (bad < 0) continue;
    const place = `element ${bad.toLocaleString('en-US')} of ${size.toLocaleString('en-US')}`;
    return { name, words: `${tensor[bad]} (${place})` };
  }
  return undefined;
}

/** @throws UsageError where a buffer has not as many floats as the model has parameters. */
export function requireFit(state: TrainingState, { size }: ParameterLayout): void {
  for (const [group, buffer] of buffersOf(state)) {
    if (buffer.length === size) continue;
    throw new UsageError(
      `The state that is to be loaded has ${buffer.length} floats in ${group}, but the model has ${size}: ` +
        'it is the state of another model.',
    );
  }
}
