// What the launcher of several processes means for this one.
import { type Launched, launchedBy } from '../collective/mpi/launcher.js';
import { ToldElsewhere, UsageError } from '../errors.js';
import type { ProcessOptions } from './processOptions.js';

/** What the launcher says, where it has started several processes that may work together. */
export function launchedTogether({ mpi }: Pick<ProcessOptions, 'mpi'>): Launched | undefined {
  const launched = mpi === false ? undefined : launchedBy(process.env);
  return launched === undefined || launched.size === 1 ? undefined : launched;
}

/** Whether another process of the same launcher speaks for this one. */
export function hasLeader(options: Pick<ProcessOptions, 'mpi'>): boolean {
  return (launchedTogether(options)?.rank ?? 0) > 0;
}

/**
 * Refuses work that processes do not share, where a launcher has started several: they would write the same
 * files and print the same lines.
 * @param work its name.
 * @throws UsageError in the first process, ToldElsewhere in all others.
 */
export function requireOneProcess(work: string): void {
  const launched = launchedTogether({});
  if (launched === undefined) return;
  const { by, size, rank, variable } = launched;
  const message =
    `${by} has started ${size} processes, but ${work} is the work of one: start it by itself. Where each process is to ` +
    `work for itself, take the variable ${variable} out of its environment.`;
  throw rank === 0 ? new UsageError(message) : new ToldElsewhere(message);
}
