import { readOptions } from '../model/optionReader.js';
import type { Fault } from '../worker/fault.js';
import { follow } from './follow.js';
import { lead, leadOthers } from './lead.js';
import { together } from './together.js';
import { TRAIN_OPTIONS, type TrainOptions } from './trainOptions.js';
import type { TrainResult } from './trainResult.js';

export type { TrainResult } from './trainResult.js';

/**
 * Trains a variational autoencoder by reparameterised ELBO gradients over worker threads, and writes the
 * run's directory (config, metrics, checkpoints, pictures). The parameters' bits depend on the config alone,
 * not on the number of workers.
 *
 * @throws UsageError for options, data or directories that do not fit.
 * @throws WorkerFailure naming rank and step when a worker throws, exits or stalls again and again, after a
 * checkpoint of the last good state is written.
 * @throws NotFiniteError naming the step when the loss, a parameter or a test ELBO is NaN or infinite;
 * nothing of it is saved.
 * @throws Error when `onEvent` or a hook throws, with that as its cause, after the ranks have stopped and a
 * checkpoint is written.
 */
export function train(options: TrainOptions = {}): Promise<TrainResult> {
  return trainWithFaults(options, []);
}

/**
 * The same with things that go wrong on purpose in ranks: for tests of recovery, no part of the library.
 */
export async function trainWithFaults(given: TrainOptions, faults: readonly Fault[]): Promise<TrainResult> {
  const options = readOptions(given, TRAIN_OPTIONS, 'train()');
  return await together(options, (group) => {
    if (group === undefined) return lead(options, faults);
    const { process } = group.place;
    const own = faults.filter((fault) => (fault.process ?? process) === process);
    return process === 0 ? leadOthers(group, options, own) : follow(group, options, own);
  });
}
