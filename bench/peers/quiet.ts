import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Took } from './peerProcess.js';

/** Milliseconds over which the processors are watched. */
const WATCH = 200;

/** Share of all cores' time that others may have while a peer is measured or while all peers idle. */
const QUIET = 0.05;

/** Milliseconds after which a measurement begins all the same. */
const PATIENCE = 20_000;

/** Attempts at an undisturbed measurement. */
const ATTEMPTS = 4;

export interface Measurement {
  readonly took: Took;
  /** Share of all cores' time that went to others. */
  readonly disturbance: number;
}

/**
 * Measures when the machine is quiet, and again when it did not stay so; returns the least disturbed
 * measurement.
 */
export async function measureUndisturbed(measure: () => Promise<Took>): Promise<Measurement> {
  let best: Measurement | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await untilQuiet();
    const before = processorTimes();
    const took = await measure();
    const after = processorTimes();
    const others = after.busy - before.busy - took.processorSeconds * 1000;
    const disturbance = Math.max(others, 0) / Math.max(after.total - before.total, 1);
    if (best === undefined || disturbance < best.disturbance) best = { took, disturbance };
    if (disturbance <= QUIET) break;
  }
  return best!;
}

/** Waits until the machine has little else to do: the last peer's thread pool may still spin, too. */
async function untilQuiet(): Promise<void> {
  const limit = performance.now() + PATIENCE;
  for (;;) {
    const before = processorTimes();
    await sleep(WATCH);
    const after = processorTimes();
    const busy = (after.busy - before.busy) / Math.max(after.total - before.total, 1);
    if (busy <= QUIET || performance.now() > limit) return;
  }
}

/** Milliseconds since the machine started, of all cores together. */
function processorTimes(): { busy: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += Object.values(times).reduce((sum, time) => sum + time, 0);
  }
  return { busy: total - idle, total };
}
