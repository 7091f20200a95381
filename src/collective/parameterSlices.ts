// Who owns which slice of the flat parameters.
import { type PartRange, partRange } from './parts.js';

/** Floats of a cache line. */
const LINE = 16;

/**
 * Floats: slices of the parameter space begin at multiples of it, so that what is summed over each such unit
 * has the same bits whoever owns it.
 */
export const SLICE_UNIT = 64;

/** A number of parameters, rounded up to whole cache lines. */
export function paddedParameters(count: number): number {
  return Math.ceil(count / LINE) * LINE;
}

/** Units of so many parameters; the last one may be shorter. */
export function sliceUnits(parameters: number): number {
  return Math.ceil(parameters / SLICE_UNIT);
}

/**
 * The parameters that a rank updates, in floats.
 * @param parameters in all: whole cache lines.
 */
export function parameterSlice(parameters: number, ranks: number, rank: number): PartRange {
  return floatsOf(partRange(sliceUnits(parameters), ranks, rank), parameters);
}

/** The floats of a range of units. @param parameters in all. */
export function floatsOf({ first, end }: PartRange, parameters: number): PartRange {
  return { first: Math.min(first * SLICE_UNIT, parameters), end: Math.min(end * SLICE_UNIT, parameters) };
}
