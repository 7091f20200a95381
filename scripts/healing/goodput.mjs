// What a kill every 10 s costs: a run that loses one process after the other, against undisturbed runs of as
// many processes as it has at each moment.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Job } from '../cluster/jobs.mjs';
import { withFolder } from '../cluster/runs.mjs';
import { sum } from '../kills/runCost.mjs';
import { now } from './deaths.mjs';
import { healingLine } from './run.mjs';

const PROCESSES = 6;

/** Milliseconds between two kills. */
const EVERY = 10_000;

/** Milliseconds of an undisturbed run before it is measured. */
const WARM_UP = 2000;

/** Runs of each sort. */
const ROUNDS = 2;

/** Longer than any run here. */
const OPTIONS = { model: 'cvae', workers: 1, maxSteps: 10_000_000, epochs: 1_000_000 };

/** Prints a table and the goodput. */
export async function goodput({ mpi, random }) {
  const rows = Array.from({ length: PROCESSES }, (_, dead) => ({
    processes: PROCESSES - dead,
    undisturbed: [],
    killed: [],
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { processes, undisturbed } of rows) undisturbed.push(await undisturbedRate(mpi, processes));
    const rates = await killedRates(mpi, random);
    for (const [dead, { killed }] of rows.entries()) killed.push(rates[dead]);
  }
  console.log('| processes | undisturbed | behind a death | share |\n|---|---|---|---|');
  for (const { processes, undisturbed, killed } of rows) {
    const of = `${rate(mean(undisturbed))} | ${rate(mean(killed))} | ${percent(mean(killed), mean(undisturbed))}`;
    console.log(`| ${processes}${processes === PROCESSES ? ', before the first death' : ''} | ${of} |`);
  }
  const [whole, useful] = ['undisturbed', 'killed'].map((name) => sum(rows.map((row) => mean(row[name]))));
  const seconds = (PROCESSES * EVERY) / 1000;
  console.log(
    `goodput by time: ${rate(useful / PROCESSES)} of ${rate(whole / PROCESSES)} over ${seconds} s, ${percent(useful, whole)}`,
  );
}

/** Images a second of a run that nothing disturbs. */
function undisturbedRate(mpi, processes) {
  return watched(mpi, processes, async (steps) => {
    await sleep(WARM_UP);
    const start = steps.mark();
    await sleep(EVERY);
    return steps.rate(start, steps.mark());
  });
}

/** The same of each of the stretches of a run in which a process is killed every 10 s, from the second on. */
function killedRates(mpi, random) {
  return watched(mpi, PROCESSES, async (steps, job) => {
    await sleep(WARM_UP);
    const pids = job.ranks();
    const rates = [];
    let [start, until] = [steps.mark(), now()];
    for (;;) {
      until += EVERY;
      await sleep(until - now());
      const end = steps.mark();
      rates.push(steps.rate(start, end));
      if (rates.length === PROCESSES) return rates;
      start = end;
      const [pid] = pids.splice(random(pids.length), 1);
      process.kill(pid, 'SIGKILL');
    }
  });
}

/** Uses a run that is under way, and ends it. */
function watched(mpi, processes, use) {
  return withFolder(async (folder) => {
    const steps = new Steps();
    const line = healingLine({
      mpi,
      options: { ...OPTIONS, out: join(folder, 'run') },
      processes,
      faults: [],
    });
    const job = new Job({ line, onEvent: (event) => steps.tell(event) });
    try {
      await job.event('progress');
      return await use(steps, job);
    } finally {
      job.end();
      await job.ended;
    }
  });
}

/** The steps that a run has taken: each counts once. */
class Steps {
  #batchSize;
  #last = { step: 0, time: now() };

  tell(event) {
    if (event.kind === 'started') this.#batchSize = event.config.batchSize;
    if (event.kind === 'progress' && event.step > this.#last.step) {
      this.#last = { step: event.step, time: now() };
    }
  }

  /** The steps that are reported at this moment: every 0.1 s, or with each step if that takes longer. */
  mark() {
    return { ...this.#last, time: now() };
  }

  rate(start, end) {
    return (1000 * this.#batchSize * (end.step - start.step)) / (end.time - start.time);
  }
}

const mean = (numbers) => sum(numbers) / numbers.length;
const rate = (images) => `${images.toFixed(0)} images/s`;
const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
