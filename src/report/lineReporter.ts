import { linesOf, progressLine } from './phrases.js';
import type { Clock, ReportEvent, Reporter } from './reportEvent.js';
import { RunStatus } from './runStatus.js';

/** Between two lines of progress, milliseconds: at least, however short the epochs, and at most, however long. */
const SHORTEST_INTERVAL = 10_000;
const LONGEST_INTERVAL = 60_000;

/** Plain lines, for log files: progress at each tenth of an epoch, where these are neither too close nor too far apart. */
export class LineReporter implements Reporter {
  readonly #stream: NodeJS.WritableStream;
  readonly #clock: Clock;
  readonly #status: RunStatus;
  #written: { readonly time: number; readonly tenth: number };

  constructor(stream: NodeJS.WritableStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    this.#status = new RunStatus(clock);
    this.#written = { time: clock(), tenth: 0 };
  }

  report(event: ReportEvent): void {
    this.#status.follow(event);
    for (const line of linesOf(event, this.#status)) this.#write(line);
    if (event.kind === 'progress' && this.#due()) this.#write(progressLine(this.#status));
  }

  stop(): void {}

  #due(): boolean {
    const passed = this.#clock() - this.#written.time;
    if (passed >= LONGEST_INTERVAL) return true;
    return passed >= SHORTEST_INTERVAL && this.#tenth() > this.#written.tenth;
  }

  /** Tenths of epochs since the run began. */
  #tenth(): number {
    return Math.floor((10 * this.#status.step) / this.#status.stepsPerEpoch);
  }

  #write(line: string): void {
    this.#stream.write(`${line}\n`);
    this.#written = { time: this.#clock(), tenth: this.#tenth() };
  }
}
