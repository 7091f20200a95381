// Work that one process does, or each of those that a launcher has started together.
import { MpiError, ProcessLost } from '../collective/mpi/world.js';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { ToldElsewhere } from '../errors.js';
import { joinProcesses } from './joinProcesses.js';

/**
 * Joins the other processes, if there are any, does a process's part of the work, and leaves them.
 * @param work may leave the group itself, as where all refuse the work.
 */
export async function together<T>(
  options: Parameters<typeof joinProcesses>[0],
  work: (group: ProcessGroup | undefined) => Promise<T>,
): Promise<T> {
  const group = await joinProcesses(options);
  if (group === undefined) return await work(undefined);
  try {
    const result = await work(group);
    await group.leave();
    return result;
  } catch (error) {
    if (error instanceof ProcessLost) group.giveUp();
    throw named(ofLoss(error), group);
  } finally {
    // Where it has not left, it fails alone: its launcher misses it and ends the others.
    await group.desert();
  }
}

/** Where training goes on without a process this is no error: it was not under way, or this is other work. */
function ofLoss(error: unknown): unknown {
  if (!(error instanceof ProcessLost)) return error;
  return new MpiError(
    `Another process has died, and the work of all has ended: only training goes on without it, from its first ` +
      `step on. ${error.message}`,
  );
}

/** Says whose error it is, where it is not the first process's. */
function named(error: unknown, { place: { process, processes } }: ProcessGroup): unknown {
  if (process > 0 && error instanceof Error && !(error instanceof ToldElsewhere)) {
    error.message = `Process ${process} of ${processes}: ${error.message}`;
  }
  return error;
}
