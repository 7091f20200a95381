import type { Metrics, RunDirectory } from '../../runs/runDirectory.js';
import type { RunEvent } from '../events.js';
import type { Sink, SinkEvent, StepEvent } from './sink.js';

const DEFAULT_LOG_EVERY = 100;

/** The lines of metrics.jsonl. */
export class MetricsFile implements Sink {
  lostFrom: number | undefined;
  readonly #directory: RunDirectory;
  readonly #every: number;

  /** @param every steps between the lines of batches. */
  constructor(directory: RunDirectory, every = DEFAULT_LOG_EVERY) {
    this.#directory = directory;
    this.#every = every;
  }

  /** @throws UsageError where the file cannot be written. */
  take(event: SinkEvent): void {
    if (event.kind === 'step' && event.step % this.#every === 0) {
      this.lostFrom = event.step;
      this.#directory.appendMetrics(batchMetrics(event));
      this.lostFrom = undefined;
    }
    if (event.kind === 'skipped') this.#directory.appendMetrics(skippedMetrics(event));
    if (event.kind === 'epoch') {
      const { seconds, imagesPerSecond } = event;
      this.#directory.appendMetrics({ ...epochMetrics(event), seconds, imagesPerSecond });
    }
  }
}

/** The line of a step's batch. */
export function batchMetrics({ step, epoch, batch, beta, learningRate }: Omit<StepEvent, 'kind'>): Metrics {
  return { step, kind: 'batch', epoch, ...batch, beta, learningRate };
}

/** The line of a step that was skipped. */
export function skippedMetrics({ step, epoch }: { readonly step: number; readonly epoch: number }): Metrics {
  return { step, kind: 'skipped', epoch };
}

type EpochEvent = Extract<RunEvent, { kind: 'epoch' }>;

/** The line of an epoch, without what the clock decides. */
export function epochMetrics({
  step,
  epoch,
  train,
  test,
}: Pick<EpochEvent, 'step' | 'epoch' | 'train' | 'test'>): Metrics {
  return { step, kind: 'epoch', epoch, train, test };
}
