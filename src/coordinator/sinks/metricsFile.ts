import type { RunDirectory } from '../../runs/runDirectory.js';
import type { Sink, SinkEvent } from './sink.js';

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
      const { step, epoch, batch, beta, learningRate } = event;
      this.lostFrom = step;
      this.#directory.appendMetrics({ step, kind: 'batch', epoch, ...batch, beta, learningRate });
      this.lostFrom = undefined;
    }
    if (event.kind === 'epoch') {
      const { step, epoch, train, test, seconds, imagesPerSecond } = event;
      this.#directory.appendMetrics({ step, kind: 'epoch', epoch, train, test, seconds, imagesPerSecond });
    }
  }
}
