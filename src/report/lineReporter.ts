import { linesOf, progressLine } from './phrases.js';
import type { Clock, ReportEvent, Reporter } from './reportEvent.js';
import { RunStatus } from './runStatus.js';
import { colorDepth, type OutputStream, type Style, styleFor } from './style.js';
import { columnsOf } from './terminal.js';
import { wrapText } from './wrap.js';

/**
 * Milliseconds after which a line comes at the latest: a log that stands still looks like a run that hangs.
 */
const INTERVAL = 5000;

/** Between two looks at the clock where no event comes: while the run evaluates, or takes a long step. */
const LOOK = 1000;

/** Plain lines, for log files and pipes: progress every few seconds. */
export class LineReporter implements Reporter {
  readonly #stream: OutputStream;
  readonly #clock: Clock;
  readonly #status: RunStatus;
  readonly #style: Style;
  #written: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: OutputStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    this.#status = new RunStatus(clock);
    this.#style = styleFor(colorDepth(stream));
    this.#written = clock();
  }

  report(event: ReportEvent): void {
    this.#status.follow(event);
    for (const line of linesOf(event, this.#status, this.#style)) this.#write(line);
    if (event.kind === 'started') this.#watch();
    if (event.kind === 'finished') this.stop();
    if (event.kind === 'progress') this.#progressIfDue();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #watch(): void {
    this.stop();
    this.#timer = setInterval(() => this.#progressIfDue(), LOOK);
    this.#timer.unref();
  }

  #progressIfDue(): void {
    if (this.#clock() - this.#written >= INTERVAL) this.#write(progressLine(this.#status, this.#style));
  }

  #write(line: string): void {
    this.#stream.write(`${wrapText(line, columnsOf(this.#stream))}\n`);
    this.#written = this.#clock();
  }
}
