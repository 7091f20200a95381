import type { ProcessGroup } from '../collective/processes/processGroup.js';
import type { RunState } from './runState.js';

/** Bytes that the slowest of disks reads in a millisecond: 10 MB/s. */
const SLOWEST = 10_000;

/**
 * How long the others wait for a process that may read all training images from its disk first, milliseconds.
 */
export function readingLimit(
  { timeLimit }: Pick<ProcessGroup, 'timeLimit'>,
  { model, settings }: Pick<RunState, 'model' | 'settings'>,
): number {
  if (!settings.shardData) return timeLimit;
  return timeLimit + (settings.trainCount * model.dimensions) / SLOWEST;
}
