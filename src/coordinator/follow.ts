// A process behind the first one: it has the same memory and ranks, and does what the first one says.
import { MpiError } from '../collective/mpi/world.js';
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { loadRunData } from '../data/registry.js';
import { NotFiniteError, ToldElsewhere } from '../errors.js';
import { parameterHash } from '../runs/checkpoint.js';
import { parseRunConfig } from '../runs/runConfig.js';
import type { Fault } from '../worker/fault.js';
import { shareState } from './exchanges.js';
import { introduce, trainTraits } from './handshake.js';
import { heal } from './healing.js';
import { type StartOfRun, takeTheLead } from './lead.js';
import {
  beginTogether,
  type Command,
  type EndCommand,
  evaluateTogether,
  nextCommand,
  type Succession,
  trainTogether,
} from './leadingPool.js';
import type { Healing } from './recovery.js';
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
  const { prepared, told } = await introduce(group, async () => {
    const dataset = loadRunData(options.data, options.shardData);
    return { dataset, traits: trainTraits(options, dataset) };
  });
  const { dataset } = prepared;
  const { step, config: given } = told as StartOfRun;
  const config = parseRunConfig(given, 'The config of process 0');
  const { workers, revectorize, tile, barrierTimeout } = options;
  const session = openSession({
    ...{ config, dataset, workers, revectorize, tile, barrierTimeout, faults, group },
  });
  try {
    await shareState(group, session.state, step);
    const end = await obey(group, session, options.signal);
    if (end.kind === 'succeed') {
      const { succession, healing } = end;
      return await takeTheLead(group, session, options, succession, healing);
    }
    if (end.failed) {
      await group.leave();
      throw new ToldElsewhere('Process 0 has failed, and says why.');
    }
    const { directory, reason, step: last, test } = end;
    const parameters = Float32Array.from(session.state.parameters);
    const parametersSha256 = parameterHash(parameters);
    const { process } = group.place;
    return { directory, config, reason, step: last, parametersSha256, parameters, test, process };
  } finally {
    await session.close();
  }
}

/** The first process has died, and this one is the first of those that are left. */
interface Succeed {
  readonly kind: 'succeed';
  readonly succession: Succession;
  readonly healing: Healing;
}

/** Carries out the commands of the first process, until the run ends or this one is the first. */
async function obey(
  group: ProcessGroup,
  session: Session,
  signal: TrainOptions['signal'],
): Promise<EndCommand | Succeed> {
  const follower = new Follower(group, session, signal);
  const ask = () => session.state.progress.requestStop();
  signal?.addEventListener('abort', ask);
  try {
    for (;;) {
      try {
        return await follower.obey();
      } catch (error) {
        const healing = await heal(error, group, session);
        if (group.place.process > 0) continue;
        const { succession } = follower;
        if (succession === undefined) throw new MpiError('Process 0 has died before the first step.');
        return { kind: 'succeed', succession, healing };
      }
    }
  } finally {
    signal?.removeEventListener('abort', ask);
  }
}

class Follower {
  /** As the first process has told last. */
  succession: Succession | undefined;
  readonly #group: ProcessGroup;
  readonly #session: Session;
  readonly #signal: TrainOptions['signal'];

  constructor(group: ProcessGroup, session: Session, signal: TrainOptions['signal']) {
    this.#group = group;
    this.#session = session;
    this.#signal = signal;
  }

  /** @throws ProcessLost where a process has died, and the others may go on. */
  async obey(): Promise<EndCommand> {
    for (;;) {
      const what = await nextCommand(this.#group);
      if (what.kind === 'end') return what;
      const { pool } = this.#session;
      if (what.kind === 'evaluate') await evaluateTogether(this.#group, pool);
      // Where one refuses, the first process ends the run.
      else if (what.kind === 'epoch') await beginTogether(this.#group, this.#session, what);
      else await this.#train(what);
    }
  }

  async #train(what: Extract<Command, { kind: 'train' }>): Promise<void> {
    const { state } = this.#session;
    this.succession = what.succession;
    state.progress.withdrawStop();
    if (this.#signal?.aborted) state.progress.requestStop();
    try {
      await trainTogether(this.#group, this.#session, what);
    } catch (error) {
      // The first process has the same, and decides what becomes of the run.
      if (!(error instanceof NotFiniteError)) throw error;
    }
  }
}
