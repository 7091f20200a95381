// Who owns which slice of the flat parameters.
import { type PartRange, partRange } from './parts.js';

/** Floats: slices of the parameter space begin at multiples of a cache line. */
export const SLICE_UNIT = 16;

/** A number of parameters, rounded up to whole cache lines. */
export function paddedParameters(count: number): number {
  return Math.ceil(count / SLICE_UNIT) * SLICE_UNIT;
}

/**
 * The parameters that a rank updates, in floats.
 * @param parameters in all: a multiple of SLICE_UNIT.
 */
export function parameterSlice(parameters: number, ranks: number, rank: number): PartRange {
  const { first, end } = partRange(parameters / SLICE_UNIT, ranks, rank);
  return { first: first * SLICE_UNIT, end: end * SLICE_UNIT };
}
