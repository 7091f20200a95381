// KIL, in full: workers die at random (rank, step, point and kind drawn from a seed), and each run ends with
// the hash of the undisturbed one. `npm run test:kills -- [kills] [seed]` builds first.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generator } from '../build/test/coordinator/parkMiller.js';
import { trainWithFaults } from '../dist/coordinator/train.js';

const [kills = 200, seed = 20_261_128] = process.argv.slice(2).map(Number);
const STEPS = 100;
const A_RUN = 10;

const random = generator(seed);

const recoveries = [];
let again = 0;
let steps = 0;

async function hashOf(model, workers, faults) {
  const directory = await mkdtemp(join(tmpdir(), 'lowerbound-kills-'));
  const onEvent = (event) => {
    if (event.kind !== 'recovered') return;
    recoveries.push(event.milliseconds);
    again += event.stepsLost;
  };
  try {
    const options = {
      model,
      workers,
      maxSteps: STEPS,
      pictures: false,
      out: join(directory, 'run'),
      onEvent,
    };
    return (await trainWithFaults(options, faults)).parametersSha256;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const models = ['mlp', 'cvae', 'iwae'];
const expected = new Map();
for (const model of models) expected.set(model, await hashOf(model, 1, []));
const runs = Math.ceil(kills / A_RUN);
let equal = 0;
for (let run = 0; run < runs; run++) {
  const model = models[run % models.length];
  const workers = 2 + random(7);
  // One death a step, so that each of them is a recovery of its own.
  const at = new Set();
  while (at.size < A_RUN) at.add(random(STEPS));
  const faults = [...at].map((step) => {
    const kind = ['throw', 'exit', 'trap'][random(3)];
    return { kind, rank: random(workers), step, point: random(16), times: 1 };
  });
  const hash = await hashOf(model, workers, faults);
  steps += STEPS;
  const same = hash === expected.get(model);
  if (same) equal++;
  else console.error(`Other bits: ${model}, ${workers} workers, ${JSON.stringify(faults)}`);
}
recoveries.sort((a, b) => a - b);
const worst = recoveries.at(-1);
const median = recoveries[Math.floor(recoveries.length / 2)];
console.log(
  `seed ${seed}: ${runs * A_RUN} deaths in ${runs} runs, ${recoveries.length} recoveries; ${equal} of ${runs} hashes equal`,
);
console.log(`recovery: median ${median?.toFixed(0)} ms, worst ${worst?.toFixed(0)} ms`);
console.log(
  `goodput: ${steps} useful of ${steps + again} steps computed (${((100 * steps) / (steps + again)).toFixed(1)} %)`,
);
process.exitCode = equal === runs && recoveries.length > 0 ? 0 : 1;
