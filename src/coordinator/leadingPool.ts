// How the first process has the others do what it does: each call of its pool is a command to all.
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { NotFiniteError, UsageError } from '../errors.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import type { ProcessIdentity } from '../runs/processIdentity.js';
import type { EpochStart } from './epochSums.js';
import type { FinishReason } from './events.js';
import { keepCopy } from './exchanges.js';
import { heal } from './healing.js';
import { readingLimit } from './readingLimit.js';
import type { Healing } from './recovery.js';
import type { Session } from './session.js';
import type { RunPool } from './workerPool.js';

/** What the first process tells the others to do. */
export type Command =
  | { readonly kind: 'epoch'; readonly epoch: number }
  | {
      readonly kind: 'train';
      readonly epoch: number;
      readonly firstStep: number;
      readonly endStep: number;
      readonly succession: Succession;
    }
  | { readonly kind: 'evaluate' }
  | EndCommand;

/** What a process needs to take the lead when the first one has died. */
export interface Succession {
  /** The run's directory, and the process that has the lock of it. */
  readonly directory: string;
  readonly leader: ProcessIdentity;
  readonly begun: EpochStart;
}

/** The run is over; `failed`: the first process says why. */
export type EndCommand =
  | {
      readonly kind: 'end';
      readonly failed: false;
      readonly directory: string;
      readonly reason: FinishReason;
      readonly step: number;
      readonly test: MeanTerms | undefined;
    }
  | { readonly kind: 'end'; readonly failed: true };

/** Processes behind the first one wait for its next command, however long that takes. */
export async function nextCommand(group: ProcessGroup): Promise<Command> {
  const [text] = await group.gatherTexts('', Number.POSITIVE_INFINITY);
  return JSON.parse(text!) as Command;
}

export async function command(group: ProcessGroup, what: Command): Promise<void> {
  await group.gatherTexts(JSON.stringify(what));
}

/**
 * Makes an epoch's examples ready. To read them may take one process longer than another: all wait.
 * @returns in all of them why the run ends, where one can no longer read its images.
 */
export async function beginTogether(
  group: ProcessGroup,
  { pool, state }: Session,
  { epoch }: Extract<Command, { kind: 'epoch' }>,
): Promise<UsageError | undefined> {
  const refusals = await group.during(async () => {
    const refusal = await pool.beginEpoch(epoch).catch((error: unknown) => {
      if (!(error instanceof UsageError)) throw error;
      return error.message;
    });
    return await group.gatherTexts(refusal ?? '', readingLimit(group, state));
  });
  const by = refusals.findIndex((refusal) => refusal !== '');
  if (by === -1) return undefined;
  const speaker = by === 0 ? '' : `Process ${by} of ${group.place.processes}: `;
  return new UsageError(speaker + refusals[by]);
}

/**
 * Trains, and makes the state of the optimizer whole in every memory, whose slices processes keep up to date
 * each for itself.
 */
export async function trainTogether(
  group: ProcessGroup,
  { pool, state }: Session,
  { epoch, firstStep, endStep }: Omit<Extract<Command, { kind: 'train' }>, 'succession'>,
): Promise<number> {
  let refusal: NotFiniteError | undefined;
  const next = await group.during(async () => {
    const reached = await pool.trainSteps(epoch, firstStep, endStep).catch((error: unknown) => {
      if (!(error instanceof NotFiniteError)) throw error;
      // All processes refuse the same step; the state before it may be saved.
      refusal = error;
      return firstStep;
    });
    await group.exchange('state');
    return reached;
  });
  if (refusal !== undefined) throw refusal;
  keepCopy(state, next);
  return next;
}

export async function evaluateTogether(group: ProcessGroup, pool: RunPool): Promise<void> {
  await group.during(() => pool.evaluate());
}

/** Tells the others how the run has ended. */
export async function endTogether(group: ProcessGroup, session: Session, end: EndCommand): Promise<void> {
  for (;;) {
    try {
      await command(group, end);
      return;
    } catch (error) {
      await heal(error, group, session);
    }
  }
}

/** The ranks of all processes, as the first one sees them. Where processes die, those that are left go on. */
export class LeadingPool implements RunPool {
  /** Told when processes have died, and the others go on. */
  onHeal: (healing: Healing) => void = () => {};
  readonly #session: Session;
  readonly #group: ProcessGroup;
  readonly #succession: () => Succession;
  #stop = () => {};

  /** @param succession asked at each call of `trainSteps`. */
  constructor(session: Session, group: ProcessGroup, succession: () => Succession) {
    this.#session = session;
    this.#group = group;
    this.#succession = succession;
  }

  /** Told when the ranks have stopped because another process was asked to, by a signal. */
  set onStop(told: () => void) {
    this.#stop = told;
  }

  set onRecovery(told: RunPool['onRecovery']) {
    this.#session.pool.onRecovery = told;
  }

  set onSkip(told: RunPool['onSkip']) {
    this.#session.pool.onSkip = told;
  }

  async beginEpoch(epoch: number): Promise<void> {
    const what = { kind: 'epoch', epoch } as const;
    await this.#healing(async () => {
      await command(this.#group, what);
      const refusal = await beginTogether(this.#group, this.#session, what);
      if (refusal !== undefined) throw refusal;
    });
  }

  async trainSteps(epoch: number, firstStep: number, endStep: number): Promise<number> {
    const succession = this.#succession();
    let next = firstStep;
    const work = async () => {
      if (next === endStep) return;
      const what = { kind: 'train', epoch, firstStep: next, endStep, succession } as const;
      await command(this.#group, what);
      next = await trainTogether(this.#group, this.#session, what);
    };
    await this.#healing(work, (step) => {
      next = step;
    });
    if (next < endStep && this.#session.state.progress.isStopAskedElsewhere) this.#stop();
    return next;
  }

  async evaluate(): Promise<void> {
    const { pool } = this.#session;
    await this.#healing(async () => {
      await command(this.#group, { kind: 'evaluate' });
      await evaluateTogether(this.#group, pool);
    });
  }

  async close(): Promise<void> {
    await this.#session.pool.close();
  }

  /**
   * Begins work again where processes have died.
   * @param goBack told the step that the state is before; absent where no other one can be: work that changes
   * no parameter begins when this process has a copy of the state.
   */
  async #healing(work: () => Promise<void>, goBack?: (step: number) => void): Promise<void> {
    const { recovery } = this.#session.state;
    const before = recovery.copiedBefore;
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        const healing = await heal(error, this.#group, this.#session);
        if (goBack === undefined && healing.step !== before) {
          throw new Error(`The state is the one before step ${healing.step}, not ${before}.`);
        }
        goBack?.(healing.step);
        this.onHeal(healing);
      }
    }
  }
}
