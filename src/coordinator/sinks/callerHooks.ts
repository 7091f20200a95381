import type { MeanTerms } from '../../runs/meanTerms.js';
import type { Sink, SinkEvent, StepEvent } from './sink.js';
import { callUserFunction } from './userFunction.js';

/**
 * `'stop'` stops the run after the step at hand, with a checkpoint; `train()` then resolves with the reason
 * `stopped`.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook may be a function that returns nothing.
export type HookResult = void | 'stop' | PromiseLike<void | 'stop'>;

export type StepInfo = Omit<StepEvent, 'kind'>;

export interface EpochInfo {
  /** From 1. */
  readonly epoch: number;
  /** Steps taken at its end. */
  readonly step: number;
  /** Means over the epoch's training examples, each measured in its step, in nats. */
  readonly train: MeanTerms;
  /** Means over the test set at the end of the epoch, in nats. */
  readonly test: MeanTerms;
  /** The time of this process's part of the epoch, without evaluation and pictures. */
  readonly seconds: number;
  /** 0 where nothing was trained on, because only the evaluation was left to do. */
  readonly imagesPerSecond: number;
}

export interface CheckpointInfo {
  /** Steps taken. */
  readonly step: number;
  /** The file. */
  readonly path: string;
  /** SHA-256 of the flat parameters. */
  readonly sha256: string;
}

/** Functions of the caller that are told of a run and may stop it. They cannot change what is trained. */
export interface TrainHooks {
  /**
   * Called for every step, in order, from a timer: up to some 100 ms after the step, while later ones are
   * under way. The steps do not wait for it, so that a run that it stops takes those steps, and the hook is
   * called for them, too.
   */
  onStep?(info: StepInfo): HookResult;
  /** Called after the evaluation at the end of each epoch. The next epoch waits for its promise. */
  onEpoch?(info: EpochInfo): HookResult;
  /** Called when a checkpoint has been written. The next epoch waits for its promise. */
  onCheckpoint?(info: CheckpointInfo): HookResult;
}

export const HOOK_NAMES = [
  'onStep',
  'onEpoch',
  'onCheckpoint',
] as const satisfies readonly (keyof TrainHooks)[];

/** The option `hooks`. Methods keep their `this`. */
export function callerHooks(hooks: TrainHooks): Sink {
  return {
    awaited: true,
    take(event) {
      const call = callOf(hooks, event);
      return call && callUserFunction(`The hook ${call.name} threw ${call.when}`, call.run);
    },
  };
}

interface Call {
  readonly name: string;
  readonly when: string;
  readonly run: () => HookResult;
}

function callOf(hooks: TrainHooks, event: SinkEvent): Call | undefined {
  switch (event.kind) {
    case 'step': {
      const { kind: _, ...info } = event;
      return { name: 'onStep', when: `at step ${event.step}`, run: () => hooks.onStep?.(info) };
    }
    case 'epoch': {
      const { kind: _, ...info } = event;
      return { name: 'onEpoch', when: `after epoch ${event.epoch}`, run: () => hooks.onEpoch?.(info) };
    }
    case 'checkpoint': {
      const { kind: _, ...info } = event;
      return {
        name: 'onCheckpoint',
        when: `at the checkpoint of step ${event.step}`,
        run: () => hooks.onCheckpoint?.(info),
      };
    }
    default:
      return undefined;
  }
}
