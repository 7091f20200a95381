// Who owns which slice of the flat parameters.
import { type PartRange, partStart } from './parts.js';

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
  const units = parameters / SLICE_UNIT;
  return {
    first: partStart(units, ranks, rank) * SLICE_UNIT,
    end: partStart(units, ranks, rank + 1) * SLICE_UNIT,
  };
}
