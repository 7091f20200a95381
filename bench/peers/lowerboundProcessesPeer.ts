// Several processes of lowerbound as one peer, started by MPI's launcher with one thread each. Protocol:
// docs/peers.md; process 0 speaks. Arguments: case, path of the MPI library.

import { launchedBy } from '#src/collective/mpi/launcher.js';
import { ProcessGroup } from '#src/collective/processes/processGroup.js';
import { shareState } from '#src/coordinator/exchanges.js';
import { trainTogether } from '#src/coordinator/leadingPool.js';
import { loadDataset } from '#src/data/registry.js';
import { caseNamed } from './cases.js';
import { ownProcessorSeconds, serve } from './conversation.js';
import { COMPARED_STEPS } from './problem.js';
import { startingSession } from './startingSession.js';
import { Training } from './training.js';

/** Milliseconds. */
const TIME_LIMIT = 60_000;

const [caseName = '', library = ''] = process.argv.slice(2);
const launched = launchedBy(process.env);
const group = await ProcessGroup.join({ library, timeLimit: TIME_LIMIT, launched });
const session = await startingSession(caseNamed(caseName), loadDataset(), 1, group);
await shareState(group, session.state, 0);
const training = new Training(session, (epoch, firstStep, endStep) => {
  return trainTogether(group, session, { kind: 'train', epoch, firstStep, endStep });
});

/** What all processes have used, seconds. */
let processorSeconds = 0;

/** All processes run as many steps as process 0 says. @returns their number. */
async function runTogether(steps: number): Promise<number> {
  const [told] = await group.gatherTexts(String(steps), Number.POSITIVE_INFINITY);
  const count = Number(told);
  await training.run(count);
  const used = await group.gatherTexts(String(ownProcessorSeconds()));
  processorSeconds = used.reduce((sum, text) => sum + Number(text), 0);
  return count;
}

await training.run(COMPARED_STEPS);
if (group.place.process === 0) {
  const version = `${training.version}, ${group.library}`;
  const run = async (steps: number) => {
    await runTogether(steps);
  };
  await serve(version, training.firstLosses(), run, () => processorSeconds);
  await runTogether(0);
} else {
  while ((await runTogether(0)) > 0);
}
await session.close();
await group.leave();
