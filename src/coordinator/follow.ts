// A process behind the first one: it has the same memory and ranks, and does what the first one says.
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { loadRunData } from '../data/registry.js';
import { NotFiniteError, ToldElsewhere } from '../errors.js';
import { parameterHash } from '../runs/checkpoint.js';
import { parseRunConfig } from '../runs/runConfig.js';
import type { Fault } from '../worker/fault.js';
import { shareState } from './exchanges.js';
import { introduce, trainTraits } from './handshake.js';
import {
  beginTogether,
  type EndCommand,
  evaluateTogether,
  nextCommand,
  trainTogether,
} from './leadingPool.js';
import { openSession, type Session } from './session.js';
import type { TrainOptions } from './trainOptions.js';
import type { TrainResult } from './trainResult.js';

/**
 * Trains with the others until the first process ends the run.
 * @throws ToldElsewhere where the first process has failed.
 */
export async function follow(
  group: ProcessGroup,
  options: TrainOptions,
  faults: readonly Fault[],
): Promise<TrainResult> {
  const { prepared, config: given } = await introduce(group, async () => {
    const dataset = loadRunData(options.data, options.shardData);
    return { dataset, traits: trainTraits(options, dataset) };
  });
  const { dataset } = prepared;
  const config = parseRunConfig(given, 'The config of process 0');
  const { workers, revectorize, tile, barrierTimeout } = options;
  const session = openSession({
    ...{ config, dataset, workers, revectorize, tile, barrierTimeout, faults, group },
  });
  try {
    await shareState(group, session.state);
    const end = await obey(group, session, options.signal);
    if (end.failed) {
      await group.leave();
      throw new ToldElsewhere('Process 0 has failed, and says why.', end.isUsage);
    }
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
    if (what.kind === 'epoch') {
      // Where one refuses, the first process ends the run.
      await beginTogether(group, pool, what);
      continue;
    }
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
