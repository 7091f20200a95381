// Which of the processes that train a run together this one is, and which part of anything is its own.
import { floatsOf, sliceUnits } from './parameterSlices.js';
import { type PartRange, partRange } from './parts.js';

export interface ProcessPlace {
  /** In all. */
  readonly processes: number;
  /** Number of this one, from 0. */
  readonly process: number;
}

/** A run in one process. */
export const ALONE: ProcessPlace = { processes: 1, process: 0 };

/** The elements of one process, when `count` elements are cut into a part for each. */
export function processRange(count: number, { processes, process }: ProcessPlace): PartRange {
  return partRange(count, processes, process);
}

/** The elements of one thread: its part of its process's part. */
export function threadRange(count: number, place: ProcessPlace, threads: number, thread: number): PartRange {
  const own = processRange(count, place);
  const { first, end } = partRange(own.end - own.first, threads, thread);
  return { first: own.first + first, end: own.first + end };
}

/**
 * The parameters that a thread updates, in floats.
 * @param parameters in all: whole cache lines.
 */
export function threadSlice(
  parameters: number,
  place: ProcessPlace,
  threads: number,
  thread: number,
): PartRange {
  return floatsOf(threadRange(sliceUnits(parameters), place, threads, thread), parameters);
}
