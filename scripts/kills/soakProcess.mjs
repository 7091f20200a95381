// The process of a soak: tells its parent (scripts/soak.mjs) of each step forward, of its memory, and of the
// result. Usage: node soakProcess.mjs MINUTES SEED

import { setImmediate } from 'node:timers/promises';
import { drawFaults, generatorOf, MODELS, shuffled, WORKERS } from './draw.mjs';
import { Figures } from './figures.mjs';
import { RunCost } from './runCost.mjs';
import { differences, reference, workerRun } from './workerRun.mjs';

/**
 * Steps of a run, and deaths in it: one every two or three seconds on two cores. The run of mlp goes over the
 * end of an epoch, with an evaluation.
 */
const STEPS = { cvae: 60, mlp: 480, iwae: 600 };
const DEATHS = { cvae: 1, mlp: 3, iwae: 1 };

/** A soak of fewer minutes than this has shorter runs, so that it comes to as many passes. */
const FULL_MINUTES = 10;
const LEAST_STEPS = 20;

/** Between two samples of the memory, milliseconds. */
const SAMPLE = 500;

/** A checkpoint is written behind the run each so many steps at most; the number is drawn for each run. */
const RAREST_CHECKPOINT = 100;

const [minutes, seed] = process.argv.slice(2).map(Number);
const random = generatorOf(seed);
const end = performance.now() + 60_000 * minutes;
const figures = new Figures();
let [pass, runs, equal] = [0, 0, 0];
const tell = (message) => process.send(message);
const sampling = setInterval(() => tell({ kind: 'memory', pass, rss: process.memoryUsage.rss() }), SAMPLE);

const references = new Map();
for (const model of MODELS) {
  const steps = Math.max(LEAST_STEPS, Math.ceil(STEPS[model] * Math.min(1, minutes / FULL_MINUTES)));
  tell({ kind: 'run', what: `the undisturbed run of ${model}` });
  references.set(model, await reference(model, steps));
}
const all = MODELS.flatMap((model) => WORKERS.map((workers) => ({ model, workers })));
while (performance.now() < end) {
  pass++;
  const before = { runs, deaths: figures.deaths.length };
  for (const one of shuffled(random, all)) {
    if (performance.now() >= end) break;
    await run(one);
    await collect();
  }
  if (runs - before.runs === all.length) {
    tell({ kind: 'pass', pass, runs: all.length, deaths: figures.deaths.length - before.deaths });
  }
}
clearInterval(sampling);
tell({ kind: 'result', runs, equal, deaths: figures.deaths.length, lines: figures.lines() });
process.disconnect();

/**
 * Frees the shared memory of the run that is over. V8 sees an object of a few bytes in it, so it would leave
 * those of several runs to a later collection, and the samples would say when that was.
 */
async function collect() {
  globalThis.gc();
  // What the threads held is given back by tasks of the event loop.
  await setImmediate();
  globalThis.gc();
}

async function run({ model, workers }) {
  const { steps, stepsPerEpoch, expected } = references.get(model);
  const faults = drawFaults(random, { workers, steps, stepsPerEpoch, deaths: DEATHS[model] });
  const checkpointEvery = 1 + random(RAREST_CHECKPOINT);
  const what = `${model}, ${workers} workers, a checkpoint each ${checkpointEvery} steps, ${JSON.stringify(faults)}`;
  tell({ kind: 'run', what });
  const cost = new RunCost();
  const onEvent = (event) => {
    cost.tell(event);
    if (event.kind !== 'recovered') tell({ kind: 'advance' });
  };
  const found = await workerRun({ model, workers, steps, faults, checkpointEvery, onEvent });
  figures.add(steps, cost);
  runs++;
  const other = differences(found, expected);
  if (other.length === 0) equal++;
  else console.error(`Other bits (${other.join(', ')}): ${what}`);
}
