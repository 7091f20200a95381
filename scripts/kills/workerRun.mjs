// Runs in this process, undisturbed or with workers that die, and what is compared of them.

import { createHash } from 'node:crypto';
import { trainWithFaults } from '../../dist/coordinator/train.js';
import { checkpointHashes, metricsOf, withRun } from '../bits/runs.mjs';
import { BARRIER_TIMEOUT } from './draw.mjs';

/** Steps between two lines of metrics.jsonl, which are compared, too. */
export const LOG_EVERY = 10;

/** SHA-256 of parameters, optimizer's state and metrics of the run in `out` that has ended after `steps`. */
export async function resultOf(out, steps) {
  const metrics = createHash('sha256').update(metricsOf(out).join('\n')).digest('hex');
  return { ...(await checkpointHashes(out, steps)), metrics };
}

/** Trains on MNIST until `steps`, with these faults; returns what is compared. */
export function workerRun({ model, workers, steps, faults = [], checkpointEvery, onEvent }) {
  return withRun(async (out) => {
    const common = {
      pictures: false,
      logEvery: LOG_EVERY,
      barrierTimeout: BARRIER_TIMEOUT,
      epochs: 1000,
      out,
      onEvent,
    };
    await trainWithFaults({ ...common, model, workers, maxSteps: steps, checkpointEvery }, faults);
    return await resultOf(out, steps);
  });
}

/** The undisturbed run on one worker: what is expected of each other, and the steps of an epoch. */
export async function reference(model, steps) {
  let stepsPerEpoch;
  const onEvent = (event) => {
    if (event.kind === 'started') stepsPerEpoch = event.stepsPerEpoch;
  };
  const expected = await workerRun({ model, workers: 1, steps, onEvent });
  return { model, steps, stepsPerEpoch, expected };
}

/** The names of what differs; none where all hashes are equal. */
export function differences(found, expected) {
  return Object.keys(expected).filter((name) => found[name] !== expected[name]);
}
