// The steps that the peers of lowerbound take.
import type { Session } from '#src/coordinator/session.js';
import { COMPARED_STEPS } from './problem.js';

type TrainSteps = (epoch: number, firstStep: number, endStep: number) => Promise<number>;

/** Trains on and on, epoch after epoch. */
export class Training {
  readonly #session: Session;
  readonly #trainSteps: TrainSteps;
  #step = 0;

  /** @param trainSteps default: in this process alone. */
  constructor(session: Session, trainSteps: TrainSteps = (...range) => session.pool.trainSteps(...range)) {
    this.#session = session;
    this.#trainSteps = trainSteps;
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
      await this.#trainSteps(epoch, this.#step, end);
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

  /** What computes. */
  get version(): string {
    const { arithmetic, tile, revectorized } = this.#session.platform;
    return `Node ${process.versions.node}, ${arithmetic}, ${tile}${revectorized ? ', re-vectorised' : ''}`;
  }
}
