import { UsageError } from '../errors.js';
import { firstNotFinite } from '../model/finite.js';
import type { ParameterLayout } from '../model/model.js';

/** The flat buffers of a run: all [layout.size], all laid out alike. */
export interface TrainingState {
  readonly parameters: Float32Array;
  /** Adam's first moments. */
  readonly adamM: Float32Array;
  /** Adam's second moments. */
  readonly adamV: Float32Array;
}

/** The buffers' names in a checkpoint: `adam/m/encoder/conv2d/weights`. */
export const TENSOR_GROUPS = { parameters: 'parameters', adamM: 'adam/m', adamV: 'adam/v' } as const;

/** Each buffer with the name of its group of tensors. */
export function buffersOf(state: TrainingState): (readonly [group: string, buffer: Float32Array])[] {
  return [
    [TENSOR_GROUPS.parameters, state.parameters],
    [TENSOR_GROUPS.adamM, state.adamM],
    [TENSOR_GROUPS.adamV, state.adamV],
  ];
}

/**
 * The first tensor that holds a number which is NaN or infinite, in words; undefined where all numbers are
 * finite. Gradients need no look of their own: one that is not finite leaves its mark in the moments.
 */
export function notFiniteTensor(state: TrainingState, { entries }: ParameterLayout): string | undefined {
  for (const [group, buffer] of buffersOf(state)) {
    if (firstNotFinite(buffer) < 0) continue;
    for (const { name, offset, size } of entries) {
      const tensor = buffer.subarray(offset, offset + size);
      const bad = firstNotFinite(tensor);
      if (bad < 0) continue;
      const place = `element ${bad.toLocaleString('en-US')} of ${size.toLocaleString('en-US')}`;
      return `the tensor "${group}/${name}" holds ${tensor[bad]} (${place})`;
    }
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
