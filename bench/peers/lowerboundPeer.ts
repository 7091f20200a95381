// lowerbound as a peer among peers: the run's own path (shared memory, Piscina ranks, barriers), its own
// loading of images, binarisation and noise included. Protocol: docs/peers.md. Arguments: case, workers.

import { loadDataset } from '#src/data/registry.js';
import { caseNamed } from './cases.js';
import { serve } from './conversation.js';
import { COMPARED_STEPS } from './problem.js';
import { startingSession } from './startingSession.js';
import { Training } from './training.js';

const [caseName = '', workers = '1'] = process.argv.slice(2);
const session = await startingSession(caseNamed(caseName), loadDataset(), Number(workers));
const training = new Training(session);
await training.run(COMPARED_STEPS);
await serve(training.version, training.firstLosses(), (steps) => training.run(steps));
await session.close();
