// A process behind the first one: it has the same memory and ranks, and does what the first one says.
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { loadDataset } from '../data/registry.js';
import { NotFiniteError } from '../errors.js';
import { parameterHash } from '../runs/checkpoint.js';
import type { Fault } from '../worker/fault.js';
import { exchangesOf } from './exchanges.js';
import { introduce } from './handshake.js';
import { FailedElsewhere, RefusedTogether } from './joinProcesses.js';
import { type EndCommand, evaluateTogether, nextCommand, trainTogether } from './leadingPool.js';
import { openSession, type Session } from './session.js';
import type { TrainOptions } from './trainOptions.js';
import type { TrainResult } from './trainResult.js';

/**
 * Trains with the others until the first process ends the run.
 * @throws FailedElsewhere where the first process has failed.
 */
export async function follow(
  group: ProcessGroup,
  options: TrainOptions,
  faults: readonly Fault[],
): Promise<TrainResult> {
  const { prepared, config } = await introduce(group, options, async () => ({
    dataset: loadDataset(options.data),
  }));
  const { dataset } = prepared;
  const { workers, revectorize, tile, barrierTimeout } = options;
  const session = openSession({
    ...{ config, dataset, workers, revectorize, tile, barrierTimeout, faults, group },
  });
  try {
    await shareState(group, session);
    const end = await obey(group, session, options.signal);
    await group.leave();
    if (end.failed) throw new FailedElsewhere('Process 0 has failed, and says why.', end.isUsage);
    const { directory, reason, step, test } = end;
    const parameters = Float32Array.from(session.state.parameters);
    const parametersSha256 = parameterHash(parameters);
    const { process } = group.place;
    return { directory, config, reason, step, parametersSha256, parameters, test, process };
  } finally {
    await session.close();
  }
}

/** Carries out the commands of the first process. */
async function obey(
  group: ProcessGroup,
  { state, pool }: Session,
  signal: TrainOptions['signal'],
): Promise<EndCommand> {
  let shuffled = -1;
  const ask = () => state.progress.requestStop();
  signal?.addEventListener('abort', ask);
  for (;;) {
    const what = await nextCommand(group);
    if (what.kind === 'end') {
      signal?.removeEventListener('abort', ask);
      return what;
    }
    if (what.kind === 'evaluate') {
      await evaluateTogether(group, pool);
      continue;
    }
    if (what.epoch !== shuffled) state.shuffle(what.epoch);
    shuffled = what.epoch;
    state.progress.withdrawStop();
    if (signal?.aborted) ask();
    try {
      await trainTogether(group, pool, what);
    } catch (error) {
      // The first process has the same, and decides what becomes of the run.
      if (!(error instanceof NotFiniteError)) throw error;
    }
  }
}

/** Before the first step: all processes begin with the state of the first one. */
export async function shareState(group: ProcessGroup, { state }: Session): Promise<void> {
  await group.during(async () => {
    await group.plan(state.memory.buffer as SharedArrayBuffer, exchangesOf(state));
    await group.exchange('start');
  });
}

/** Does a process's part of a run, behind which its exchange thread has ended. */
export async function inProcess<T>(group: ProcessGroup, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw named(error, group);
  } finally {
    // Where it has not left, it fails alone: its launcher misses it and ends the others.
    await group.desert();
  }
}

/** Says whose error it is, where it is not the first process's. */
function named(error: unknown, { place: { process, processes } }: ProcessGroup): unknown {
  const isTold = error instanceof RefusedTogether || error instanceof FailedElsewhere;
  if (process > 0 && error instanceof Error && !isTold) {
    error.message = `Process ${process} of ${processes}: ${error.message}`;
  }
  return error;
}
