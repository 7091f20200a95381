import type { Clock, ReportEvent } from './reportEvent.js';

type Event<Kind extends ReportEvent['kind']> = Extract<ReportEvent, { kind: Kind }>;

/** Training seconds after which a measurement counts 1/e. */
const MEMORY_SECONDS = 10;

/** Sums over the recent past: each new second of training makes the older ones count less. */
interface Recent {
  readonly seconds: number;
  readonly steps: number;
  readonly examples: number;
  /** Σ ELBO · seconds. */
  readonly elbo: number;
  /** Σ bound · seconds, of an objective that reports one. */
  readonly bound: number | undefined;
}

const NOTHING: Recent = { seconds: 0, steps: 0, examples: 0, elbo: 0, bound: undefined };

/** Where a run stands and how fast it goes, as its events tell. */
export class RunStatus {
  readonly #clock: Clock;
  readonly #began: number;
  #started: Event<'started'> | undefined;
  #last = { step: 0, examples: 0, seconds: 0 };
  #recent = NOTHING;
  #evaluationBegan = 0;
  #evaluationSeconds = 0;

  directory = '';
  epoch = 1;
  /** The number of epochs of the whole run, up to its limit on steps. */
  epochs = 1;
  stepsPerEpoch = 1;
  step = 0;
  endStep = 0;
  /** What the run does where it does not train. */
  phase: 'starting' | 'evaluating' | undefined = 'starting';
  #phaseBegan: number;
  checkpoint: Event<'checkpoint'> | undefined;
  picture: string | undefined;
  /** Share of the time in exchanges, where processes train together. */
  exchangeShare: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock();
    this.#phaseBegan = this.#began;
  }

  follow(event: ReportEvent): void {
    switch (event.kind) {
      case 'started':
        this.#start(event);
        break;
      case 'progress':
        this.#progress(event);
        break;
      case 'evaluating':
        this.phase = 'evaluating';
        this.#phaseBegan = this.#clock();
        this.epoch = event.epoch;
        this.step = event.step;
        this.#evaluationBegan = this.#phaseBegan;
        break;
      case 'epoch':
        this.phase = undefined;
        this.#evaluationSeconds = (this.#clock() - this.#evaluationBegan) / 1000;
        break;
      case 'picture':
        this.picture = event.path;
        this.#evaluationSeconds = (this.#clock() - this.#evaluationBegan) / 1000;
        break;
      case 'checkpoint':
        this.checkpoint = event;
        break;
    }
  }

  /** The speed of the recent past; undefined before anything was trained on. */
  get imagesPerSecond(): number | undefined {
    return this.#recent.seconds > 0 ? this.#recent.examples / this.#recent.seconds : undefined;
  }

  /** Mean over the recent batches, nats. */
  get elbo(): number | undefined {
    return this.#recent.seconds > 0 ? this.#recent.elbo / this.#recent.seconds : undefined;
  }

  /** The same of the objective's bound; undefined where the objective is the ELBO, too. */
  get bound(): number | undefined {
    const { bound, seconds } = this.#recent;
    return bound === undefined || seconds === 0 ? undefined : bound / seconds;
  }

  /** Until the whole run is done, evaluations included once one has been seen. */
  get secondsLeft(): number | undefined {
    if (this.#recent.steps === 0) return undefined;
    const training = ((this.endStep - this.step) * this.#recent.seconds) / this.#recent.steps;
    const epochEnds = (step: number) => Math.floor(step / this.stepsPerEpoch);
    return training + (epochEnds(this.endStep) - epochEnds(this.step)) * this.#evaluationSeconds;
  }

  /** Steps of this epoch that are taken. */
  get epochStep(): number {
    return this.step - this.#epochBegin;
  }

  /** Steps that this epoch will have: fewer than others where the run ends within it. */
  get epochSteps(): number {
    return Math.min(this.stepsPerEpoch, this.endStep - this.#epochBegin);
  }

  /** Until the steps of this epoch are taken. */
  get epochSecondsLeft(): number | undefined {
    if (this.#recent.steps === 0) return undefined;
    return ((this.epochSteps - this.epochStep) * this.#recent.seconds) / this.#recent.steps;
  }

  /** In the phase at hand. */
  get phaseSeconds(): number {
    return (this.#clock() - this.#phaseBegan) / 1000;
  }

  get #epochBegin(): number {
    return (this.epoch - 1) * this.stepsPerEpoch;
  }

  /** Since this process began to follow the run. */
  get elapsedSeconds(): number {
    return (this.#clock() - this.#began) / 1000;
  }

  /** Steps that this process has taken. */
  get stepsHere(): number {
    return this.step - (this.#started?.step ?? 0);
  }

  #start(event: Event<'started'>): void {
    this.#started = event;
    this.directory = event.directory;
    // Those that it will have begun: a limit on steps may end it earlier.
    this.epochs = Math.max(Math.ceil(event.endStep / event.stepsPerEpoch), 1);
    this.stepsPerEpoch = event.stepsPerEpoch;
    this.endStep = event.endStep;
    this.step = event.step;
    this.epoch = Math.min(Math.floor(event.step / event.stepsPerEpoch) + 1, this.epochs);
    this.#last = { step: event.step, examples: 0, seconds: 0 };
  }

  #progress(event: Event<'progress'>): void {
    const { epoch, step, examples, seconds, batch } = event;
    this.exchangeShare = event.exchangeShare;
    this.phase = undefined;
    this.epoch = epoch;
    this.step = step;
    const duration = seconds - this.#last.seconds;
    if (duration <= 0) return;
    // What is not finite would stay so for ever.
    const past = Number.isFinite(this.#recent.elbo) ? this.#recent : NOTHING;
    const weight = Math.exp(-duration / MEMORY_SECONDS);
    this.#recent = {
      seconds: past.seconds * weight + duration,
      steps: past.steps * weight + (step - this.#last.step),
      examples: past.examples * weight + (examples - this.#last.examples),
      elbo: past.elbo * weight + batch.elbo * duration,
      bound: batch.bound === undefined ? undefined : (past.bound ?? 0) * weight + batch.bound * duration,
    };
    this.#last = { step, examples, seconds };
  }
}
