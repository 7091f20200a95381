/** Means over examples, in nats. */
export interface ReportedTerms {
  readonly elbo: number;
  /** Mean of (1/K) Σ_k log p(x|z_k). */
  readonly logLikelihood: number;
  readonly kl: number;
  /** The objective's bound, where it is not the ELBO. */
  readonly bound?: number;
  /** Mean acceptance probability of HMC, where it trains the decoder. */
  readonly acceptance?: number;
  /** Mean norm of the gradients, and share of those that were clipped, where they are. */
  readonly gradientNorm?: number;
  readonly clipped?: number;
}

/**
 * Images to be shown in a terminal: `above` each of them, and `below` it, both [count, height, width,
 * channels], in [0, 1].
 */
export interface PreviewRows {
  readonly title: string;
  readonly height: number;
  readonly width: number;
  /** 1 (grey) or 3 (red, green, blue). */
  readonly channels: number;
  readonly above: Float32Array;
  readonly below: Float32Array;
}

/**
 * What can be reported: the events of a training run, as far as people or machines are told of them, and
 * notes. Epochs count from 1, steps are those taken. JSON carries every property of an event, also those not
 * named here.
 */
export type ReportEvent =
  | {
      readonly kind: 'started';
      readonly directory: string;
      readonly config: { readonly epochs: number };
      readonly parameters: number;
      readonly workers: number;
      readonly processes: number;
      readonly stepsPerEpoch: number;
      /** Steps that the run will have taken when it is done. */
      readonly endStep: number;
      /** Taken before, by the run that is resumed. */
      readonly step: number;
      readonly trainCount: number;
      readonly testCount: number;
      readonly memoryBytes: number;
    }
  | {
      readonly kind: 'progress';
      readonly epoch: number;
      readonly step: number;
      /** Examples trained on in this process, in all, and seconds spent training on them. */
      readonly examples: number;
      readonly seconds: number;
      /** Share of the time that its first rank has waited for others, where processes train together. */
      readonly exchangeShare?: number;
      readonly batch: ReportedTerms;
    }
  | { readonly kind: 'evaluating'; readonly epoch: number; readonly step: number }
  | {
      readonly kind: 'epoch';
      readonly epoch: number;
      readonly step: number;
      readonly train: ReportedTerms;
      readonly test: ReportedTerms;
      readonly seconds: number;
      /** 0 where nothing was trained on, because only the evaluation was left to do. */
      readonly imagesPerSecond: number;
    }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string; readonly sha256: string }
  | {
      readonly kind: 'picture';
      readonly path: string;
      /** True for the first one of this process alone. */
      readonly first?: boolean;
    }
  | { readonly kind: 'preview'; readonly epoch: number; readonly rows: PreviewRows }
  | {
      /** A worker died, and the run goes on as if it had not. */
      readonly kind: 'recovered';
      readonly rank: number;
      readonly step: number;
      /** A sentence. */
      readonly cause: string;
      readonly stepsLost: number;
      readonly milliseconds: number;
    }
  | {
      /** Processes of the run have died, and it goes on without them. */
      readonly kind: 'healed';
      readonly lost: number;
      readonly processes: number;
      readonly step: number;
      readonly stepsLost: number;
      readonly milliseconds: number;
    }
  | {
      /** A step was NaN or infinite, and changed nothing (`onNan: 'skip'`). */
      readonly kind: 'skipped';
      readonly epoch: number;
      readonly step: number;
      /** Sentences. */
      readonly cause: string;
    }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'note'; readonly message: string }
  /** The run was asked to stop, and will. */
  | { readonly kind: 'stopping'; readonly message: string }
  | {
      readonly kind: 'finished';
      readonly reason: 'done' | 'maxSteps' | 'stopped';
      readonly step: number;
    };

/** Tells of a run as it goes on. */
export interface Reporter {
  report(event: ReportEvent): void;
  /** Takes the progress bar away, if there is one: also where the run failed. May be called twice. */
  stop(): void;
}

/** Milliseconds since some fixed time. */
export type Clock = () => number;
