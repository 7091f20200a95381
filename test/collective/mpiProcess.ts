// A process that is one of mpi.test.ts. Arguments: library, time limit, folder for what it returns,
// scenarios.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchedBy } from '#src/collective/mpi/launcher.js';
import { openWorld } from '#src/collective/mpi/mpiWorld.js';
import type { Ended } from './collectiveContract.js';
import { type ProcessPlace, WORLD_SCENARIOS, type WorldScenario } from './worldScenarios.js';

const [library, timeLimit, folder, ...scenarios] = process.argv.slice(2) as [string, string, string];

const world = openWorld({ library, timeLimit: Number(timeLimit), launched: launchedBy(process.env) });
// Those that are left of a job get other numbers.
const { rank } = world;
const place: ProcessPlace = { world, shared: (bytes) => new Uint8Array(new SharedArrayBuffer(bytes)) };

async function endOf(scenario: WorldScenario): Promise<Ended> {
  try {
    return { kind: 'returned', value: await WORLD_SCENARIOS[scenario](place) };
  } catch (error) {
    const { name, message } = error as Error;
    return { kind: 'threw', name, message };
  }
}

for (const scenario of scenarios as WorldScenario[]) {
  const ended = await endOf(scenario);
  writeFileSync(join(folder, `${scenario}-${rank}.json`), JSON.stringify(ended));
}
world.close();
