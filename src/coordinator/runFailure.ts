// The errors that end a run, with what its user has to know: where it stopped, what is left of it, how to go
// on.
import { NotFiniteError, UsageError } from '../errors.js';
import type { RunConfig } from '../runs/runConfig.js';
import type { RunDirectory } from '../runs/runDirectory.js';
import type { WorkerFailure } from './workerPool.js';

/** Training has diverged: what is not finite, which checkpoint is the last good one, and what to try. */
export async function divergence(
  what: string,
  config: RunConfig,
  directory: RunDirectory,
  isGood: (step: number) => boolean,
): Promise<NotFiniteError> {
  const good = (await directory.checkpointSteps()).find(isGood);
  const checkpoint =
    good === undefined
      ? 'There is no good checkpoint.'
      : `The last good checkpoint is ${directory.checkpointPath(good)}.`;
  return new NotFiniteError(
    `${what} ${checkpoint} Training has diverged: start a new run with a smaller --learning-rate than ` +
      `${config.learningRate}, or warm the KL up (--kl-warmup-epochs).`,
  );
}

/**
 * The error of a run that was stopped by another one after `step`: the same kind of error, with the first
 * one's cause.
 * @param saved the checkpoint and the first step whose line of metrics.jsonl is lost, or why there is no
 * checkpoint.
 */
export function stoppedBy(
  error: unknown,
  step: number,
  saved: { readonly path: string; readonly lostFrom: number | undefined } | { readonly reason: unknown },
): Error {
  const rest =
    'path' in saved
      ? `The run stopped after step ${step}, with a checkpoint: ${saved.path}.${lostLines(saved.lostFrom)}`
      : `The run stopped after step ${step}, without a checkpoint: ${messageOf(saved.reason)}`;
  const message = `${messageOf(error)} ${rest}`;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return error instanceof UsageError ? new UsageError(message, { cause }) : new Error(message, { cause });
}

/**
 * The error of a run whose worker died again and again, with how to go on.
 * @param saved the step of the newest checkpoint; undefined where no whole state was left; or why it could
 * not be saved.
 */
export function failedForGood(
  error: WorkerFailure,
  saved: number | undefined | { readonly reason: unknown },
  directory: RunDirectory,
): WorkerFailure {
  if (typeof saved === 'number') {
    error.message +=
      ` The run stopped, with a checkpoint of the state after step ${saved}: ${directory.checkpointPath(saved)}. ` +
      `Go on with --resume ${directory.path}.`;
  } else if (saved === undefined) {
    error.message += ' The run stopped, without a checkpoint: the state in memory is not whole.';
  } else {
    error.message += ` The run stopped, without a checkpoint: ${messageOf(saved.reason)}`;
  }
  return error;
}

function lostLines(from: number | undefined): string {
  return from === undefined ? '' : ` Its lines of metrics.jsonl from step ${from} on are lost.`;
}

/** What is thrown, in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
