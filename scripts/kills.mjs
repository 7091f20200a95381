// KIL, in full: workers die and whole processes are killed at random, in runs on MNIST, and each run ends
// with the hashes of the undisturbed one. Usage: npm run test:kills -- [KILLS] [SEED]. Half of the kills are
// deaths of workers: rank, step, point and kind are drawn from the seed. The other half are SIGKILLs, at
// moments that are drawn from it, as far as a clock allows.

import { drawFaults, generatorOf, MODELS, WORKERS } from './kills/draw.mjs';
import { Figures } from './kills/figures.mjs';
import { processRun } from './kills/processRun.mjs';
import { RunCost } from './kills/runCost.mjs';
import { differences, reference, workerRun } from './kills/workerRun.mjs';

/** The run of mlp goes over the end of an epoch, with an evaluation. */
const STEPS = { cvae: 150, mlp: 480, iwae: 600 };

/** Kills a run at most. */
const A_RUN = 10;

const [kills = 200, seed = 20_261_128] = process.argv.slice(2).map(Number);
if (!Number.isInteger(kills) || kills < 2)
  throw new Error('The number of kills is a whole number from 2 up.');
const random = generatorOf(seed);
const began = performance.now();
let failed = 0;

const references = [];
for (const model of MODELS) references.push(await reference(model, STEPS[model]));

const half = Math.floor(kills / 2);
await series('deaths of workers', kills - half, workersDie);
await series('SIGKILLs of processes', half, processesAreKilled);
const minutes = (performance.now() - began) / 60_000;
console.log(`seed ${seed}: ${kills} kills, ${failed} runs with other hashes; ${minutes.toFixed(1)} minutes`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs with so many kills in all, over the models in turn, and their figures. */
async function series(title, count, run) {
  const figures = new Figures();
  let [killed, runs, equal] = [0, 0, 0];
  for (; killed < count; runs++) {
    const { steps, expected, ...rest } = references[runs % references.length];
    const cost = new RunCost();
    const most = Math.min(A_RUN, count - killed);
    const { killed: these, found, what } = await run({ ...rest, steps, kills: most, cost });
    figures.add(steps, cost);
    killed += these;
    const other = differences(found, expected);
    if (other.length === 0) equal++;
    else console.error(`Other bits (${other.join(', ')}): ${rest.model}, ${what}`);
  }
  failed += runs - equal;
  console.log(`${title}: ${killed} in ${runs} runs, ${equal} of ${runs} with equal hashes`);
  console.log(`${figures.lines().join('\n')}\n`);
}

async function workersDie({ model, steps, stepsPerEpoch, kills: deaths, cost }) {
  const workers = WORKERS[random(WORKERS.length)];
  const faults = drawFaults(random, { workers, steps, stepsPerEpoch, deaths });
  const found = await workerRun({ model, workers, steps, faults, onEvent: (event) => cost.tell(event) });
  if (cost.deaths.length === 0) throw new Error('No worker died.');
  return { killed: deaths, found, what: `${workers} workers, ${JSON.stringify(faults)}` };
}

async function processesAreKilled({ model, steps, kills: most, cost }) {
  const { killed, found } = await processRun({ model, steps, kills: most, random, cost });
  return { killed, found, what: `${killed} kills` };
}
