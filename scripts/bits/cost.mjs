// What the bit contract costs: CPU time of a step of one worker, portable against fused arithmetic, and 8
// shards with their tree against a single one. Usage: node scripts/bits/cost.mjs, after npm run build.
// The two sides of a comparison alternate within one process; the medians of the rounds are printed.

import { openSession } from '../../dist/coordinator/session.js';
import { requestedConfig } from '../../dist/coordinator/trainOptions.js';
import { loadDataset } from '../../dist/index.js';

const ROUNDS = 7;
const STEPS = { cvae: 8, mlp: 20, iwae: 30 };

const dataset = loadDataset();
console.log('| model | fused, ms CPU a step | portable / fused | 8 shards / 1 shard |\n|---|---|---|---|');
for (const [model, steps] of Object.entries(STEPS)) {
  const base = await open({ model, arithmetic: 'fused' });
  const others = [
    await open({ model, arithmetic: 'portable' }),
    await open({ model, arithmetic: 'fused', shards: 1 }),
  ];
  const times = [base, ...others].map(() => []);
  for (let round = -2; round < ROUNDS; round++) {
    for (const [index, session] of [base, ...others].entries()) {
      const time = await cpuTime(session, steps);
      // The first rounds are V8's compilers'.
      if (round >= 0) times[index].push(time / steps);
    }
  }
  const [fused, portable, oneShard] = times.map(median);
  console.log(
    `| ${model} | ${fused.toFixed(2)} | ${(portable / fused).toFixed(2)} | ${(fused / oneShard).toFixed(2)} |`,
  );
  for (const session of [base, ...others]) await session.close();
}

async function open(options) {
  const config = await requestedConfig(options, dataset, undefined);
  const session = openSession({ config, dataset, workers: 1, revectorize: false });
  session.state.shuffle(0);
  return session;
}

/** Milliseconds of all threads: the other sessions sleep. */
async function cpuTime({ pool }, steps) {
  const before = process.cpuUsage();
  await pool.trainSteps(0, 0, steps);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
