// How the first process has the others do what it does: each call of its pool is a command to all.
import type { ProcessGroup } from '../collective/processes/processGroup.js';
import { NotFiniteError, UsageError } from '../errors.js';
import type { MeanTerms } from '../runs/meanTerms.js';
import type { RunProgress } from '../worker/runProgress.js';
import type { FinishReason } from './events.js';
import type { RunPool } from './workerPool.js';

/** What the first process tells the others to do. */
export type Command =
  | { readonly kind: 'epoch'; readonly epoch: number }
  | {
      readonly kind: 'train';
      readonly epoch: number;
      readonly firstStep: number;
      readonly endStep: number;
    }
  | { readonly kind: 'evaluate' }
  | EndCommand;

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
  | { readonly kind: 'end'; readonly failed: true; readonly isUsage: boolean };

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
  pool: RunPool,
  { epoch }: Extract<Command, { kind: 'epoch' }>,
): Promise<UsageError | undefined> {
  const refusals = await group.during(async () => {
    const refusal = await pool.beginEpoch(epoch).catch((error: unknown) => {
      if (!(error instanceof UsageError)) throw error;
      return error.message;
    });
    return await group.gatherTexts(refusal ?? '', Number.POSITIVE_INFINITY);
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
  pool: RunPool,
  { epoch, firstStep, endStep }: Extract<Command, { kind: 'train' }>,
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
  return next;
}

export async function evaluateTogether(group: ProcessGroup, pool: RunPool): Promise<void> {
  await group.during(() => pool.evaluate());
}

/** The ranks of all processes, as the first one sees them. */
export class LeadingPool implements RunPool {
  readonly #pool: RunPool;
  readonly #group: ProcessGroup;
  readonly #progress: Pick<RunProgress, 'isStopAskedElsewhere'>;
  #stop = () => {};

  constructor(pool: RunPool, group: ProcessGroup, progress: Pick<RunProgress, 'isStopAskedElsewhere'>) {
    this.#pool = pool;
    this.#group = group;
    this.#progress = progress;
  }

  /** Told when the ranks have stopped because another process was asked to, by a signal. */
  set onStop(told: () => void) {
    this.#stop = told;
  }

  set onRecovery(told: RunPool['onRecovery']) {
    this.#pool.onRecovery = told;
  }

  set onSkip(told: RunPool['onSkip']) {
    this.#pool.onSkip = told;
  }

  async beginEpoch(epoch: number): Promise<void> {
    const what = { kind: 'epoch', epoch } as const;
    await command(this.#group, what);
    const refusal = await beginTogether(this.#group, this.#pool, what);
    if (refusal !== undefined) throw refusal;
  }

  async trainSteps(epoch: number, firstStep: number, endStep: number): Promise<number> {
    const what = { kind: 'train', epoch, firstStep, endStep } as const;
    await command(this.#group, what);
    const next = await trainTogether(this.#group, this.#pool, what);
    if (next < endStep && this.#progress.isStopAskedElsewhere) this.#stop();
    return next;
  }

  async evaluate(): Promise<void> {
    await command(this.#group, { kind: 'evaluate' });
    await evaluateTogether(this.#group, this.#pool);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
