import { jsonLine } from '../jsonLine.js';
import type { Clock, ReportEvent, Reporter } from './reportEvent.js';

/** Between two progress events, milliseconds. */
const PROGRESS_INTERVAL = 1000;

/** One JSON object a line, and nothing else. */
export class JsonReporter implements Reporter {
  readonly #stream: NodeJS.WritableStream;
  readonly #clock: Clock;
  #nextProgress = Number.NEGATIVE_INFINITY;

  constructor(stream: NodeJS.WritableStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  report(event: ReportEvent): void {
    // For eyes alone.
    if (event.kind === 'preview') return;
    if (event.kind === 'progress') {
      const now = this.#clock();
      if (now < this.#nextProgress) return;
      this.#nextProgress = now + PROGRESS_INTERVAL;
    }
    this.#stream.write(`${jsonLine(event)}\n`);
  }

  stop(): void {}
}
