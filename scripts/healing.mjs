// HEA: processes of runs by several processes are killed by SIGKILL where the others can go on without them
// (Open MPI 5, mpirun --with-ft ulfm), down to one or two. Each run ends with the parameters, the checkpoints
// and the metrics of the undisturbed one in one process. Usage:
//   npm run test:healing -- [KILLS] [SEED]       kills at moments drawn from the seed
//   npm run test:healing -- --goodput [SEED]     what a kill every 10 s costs; on an idle machine
// LOWERBOUND_MPI names installations of MPI.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { canHeal } from '../build/test/collective/mpiJobs.js';
import { setupMpi } from '../dist/setup/mpi.js';
import { goodput } from './healing/goodput.mjs';
import { killAtRandom } from './healing/kills.mjs';
import { generatorOf } from './kills/draw.mjs';

const KILLS = 50;
const SEED = 20_261_129;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { goodput: { type: 'boolean' } },
});
const numbers = positionals.map(Number);
const [kills = KILLS] = values.goodput ? [] : numbers.splice(0, 1);
if (!Number.isInteger(kills) || kills < 1) {
  throw new Error('The number of kills is a whole number from 1 up.');
}
const [seed = SEED] = numbers;
const random = generatorOf(seed);

const reports = await setupMpi();
const mpi = reports.find((one) => one.works && canHeal(one));
if (mpi === undefined) {
  throw new Error('No library with fault tolerance (Open MPI 5) works here: see LOWERBOUND_MPI.');
}
const began = performance.now();
console.log(`Node ${process.versions.node}, ${availableParallelism()} cores, ${mpi.version}; seed ${seed}\n`);
if (values.goodput) await goodput({ mpi, random });
else if (!(await killAtRandom({ mpi, random, kills }))) process.exitCode = 1;
console.log(`\n${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
