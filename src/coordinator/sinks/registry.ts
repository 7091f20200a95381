// The one place that says which sinks a run has.
import type { RunDirectory } from '../../runs/runDirectory.js';
import type { TrainOptions } from '../trainOptions.js';
import { callerEvents } from './callerEvents.js';
import { callerHooks } from './callerHooks.js';
import { MetricsFile } from './metricsFile.js';
import type { Sink } from './sink.js';

/**
 * What the caller of `train` gave: told from the first warning on. The terminal's reporters are an `onEvent`
 * of the command.
 */
export function callerSinks({ onEvent, hooks }: Pick<TrainOptions, 'onEvent' | 'hooks'>): Sink[] {
  return [...(onEvent ? [callerEvents(onEvent)] : []), ...(hooks ? [callerHooks(hooks)] : [])];
}

/** What is written to the run's directory: told before the caller, once there is the directory. */
export function directorySinks(
  directory: RunDirectory,
  { logEvery }: Pick<TrainOptions, 'logEvery'>,
): Sink[] {
  return [new MetricsFile(directory, logEvery)];
}
