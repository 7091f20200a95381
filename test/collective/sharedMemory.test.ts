import { collectiveContract, type Ended } from './collectiveContract.js';
import { makeRun, startRank } from './rankThreads.js';
import type { ScenarioName } from './scenarios.js';

async function runScenario(ranks: number, scenario: ScenarioName, timeLimit: number): Promise<Ended[]> {
  const run = makeRun(0);
  return Promise.all(
    Array.from({ length: ranks }, (_, rank) => startRank({ ...run, rank, ranks, timeLimit, scenario })),
  );
}

collectiveContract({
  title: 'shared memory',
  counts: [1, 2, 3, 4, 8],
  isOneMemory: true,
  run: runScenario,
});
