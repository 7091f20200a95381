import { workerData } from 'piscina';
import type { BackendFactory } from '../backends/declaration.js';
import { BACKENDS } from '../backends/registry.js';
import { RunAborted } from '../collective/collective.js';
import { ProcessLost } from '../collective/mpi/world.js';
import { BarrierWords } from '../collective/sharedMemory/barrier.js';
import { type EvaluateTask, evaluateShare } from './evaluation.js';
import { joinRanks } from './joinRanks.js';
import { Rank, type RunContext } from './rank.js';
import { RefusedStep } from './refusedStep.js';
import { StepLoop, type TrainTask } from './stepLoop.js';

/** What a thread is started with. */
export interface ThreadData extends RunContext {
  /** One word: threads that have loaded their modules, and may be ended. */
  readonly loaded: Int32Array;
}

/** How a rank's task ended; an error is data, so that its rank is never lost on the way. */
export type TaskResult =
  | { readonly kind: 'done'; readonly nextStep: number }
  | { readonly kind: 'aborted' }
  /** The step's loss or update is not finite. No rank's fault: every rank sees it. */
  | { readonly kind: 'refused'; readonly step: number; readonly message: string }
  /** A process of the run has died: every rank of the others sees it. */
  | { readonly kind: 'lost'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string; readonly stack: string | undefined };

Atomics.add((workerData as ThreadData).loaded, 0, 1);

// Threads are not tied to ranks: whichever thread gets a rank's task binds that rank's memory once.
const ranks = new Map<number, Rank>();

// One for all ranks of the thread.
let factory: Promise<BackendFactory> | undefined;

async function rankOf(number: number): Promise<Rank> {
  let rank = ranks.get(number);
  if (rank === undefined) {
    const context = workerData as RunContext;
    const { backend, arithmetic, revectorized, tile } = context.settings;
    factory ??= BACKENDS[backend].load({ arithmetic, revectorize: revectorized, tile });
    rank = new Rank(number, context, await factory);
    ranks.set(number, rank);
  }
  return rank;
}

/** Piscina task: a rank's steps of one epoch. */
export function trainSteps(task: TrainTask): Promise<TaskResult> {
  return guarded(task.rank, (rank) => new StepLoop(rank, task, joinRanks(rank, task)).run());
}

/** Piscina task: a rank's share of the test set. */
export function evaluate(task: EvaluateTask): Promise<TaskResult> {
  return guarded(task.rank, (rank) => {
    evaluateShare(rank, joinRanks(rank, task), task.faults);
    return 0;
  });
}

/** A failing rank tells the others at once: they must not train on half a sum. */
async function guarded(number: number, work: (rank: Rank) => number): Promise<TaskResult> {
  try {
    return { kind: 'done', nextStep: work(await rankOf(number)) };
  } catch (error) {
    if (error instanceof RunAborted) return { kind: 'aborted' };
    const { memory, layout } = workerData as RunContext;
    new BarrierWords(memory.buffer, layout.barrier).abort(number);
    // What the error has left of the rank's engine is not to be trusted.
    ranks.delete(number);
    if (error instanceof RefusedStep) return { kind: 'refused', step: error.step, message: error.message };
    if (error instanceof ProcessLost) return { kind: 'lost', message: error.message };
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { kind: 'failed', message, stack };
  }
}
