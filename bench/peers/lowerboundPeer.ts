// lowerbound as a peer among peers: the run's own path (shared memory, Piscina ranks, barriers), its own
// loading of images, binarisation and noise included. Protocol: docs/peers.md. Arguments: case, workers.

import type { Session } from '#src/coordinator/session.js';
import { loadDataset } from '#src/data/registry.js';
import { caseNamed } from './cases.js';
import { serve } from './conversation.js';
import { COMPARED_STEPS } from './problem.js';
import { startingSession } from './startingSession.js';

/** Trains on and on, epoch after epoch. */
class Training {
  readonly #session: Session;
  #step = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  async run(steps: number): Promise<void> {
    const { stepsPerEpoch, trainCount, batchSize } = this.#session.state.settings;
    // A short last batch would count as a whole one.
    const whole = Math.floor(trainCount / batchSize);
    for (let rest = steps; rest > 0; ) {
      let epoch = Math.floor(this.#step / stepsPerEpoch);
      if (this.#step - epoch * stepsPerEpoch >= whole) {
        epoch++;
        this.#step = epoch * stepsPerEpoch;
        this.#session.state.shuffle(epoch);
      }
      const end = Math.min(this.#step + rest, epoch * stepsPerEpoch + whole);
      await this.#session.pool.trainSteps(epoch, this.#step, end);
      rest -= end - this.#step;
      this.#step = end;
    }
  }

  /** Losses of the first steps, mean over the batch, nats. */
  firstLosses(): number[] {
    const { stepRecords } = this.#session.state;
    return Array.from({ length: COMPARED_STEPS }, (_, step) => {
      const { examples, logLikelihood, kl } = stepRecords.read(step);
      return (kl - logLikelihood) / examples;
    });
  }
}

const [caseName = '', workers = '1'] = process.argv.slice(2);
const session = await startingSession(caseNamed(caseName), loadDataset(), Number(workers));
const training = new Training(session);
await training.run(COMPARED_STEPS);
const { arithmetic, tile, revectorized } = session.platform;
const version = `Node ${process.versions.node}, ${arithmetic}, ${tile}${revectorized ? ', re-vectorised' : ''}`;
await serve(version, training.firstLosses(), (steps) => training.run(steps));
await session.close();
