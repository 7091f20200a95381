import { SingleBar } from 'cli-progress';
import { barLine, linesOf } from './phrases.js';
import type { Clock, ReportEvent, Reporter } from './reportEvent.js';
import { RunStatus } from './runStatus.js';

/** A progress bar at the bottom of a terminal, below lines for epochs, warnings and notes. */
export class BarReporter implements Reporter {
  readonly #stream: NodeJS.WritableStream;
  readonly #status: RunStatus;
  readonly #bar: SingleBar;
  #running = false;

  constructor(stream: NodeJS.WritableStream, clock: Clock) {
    this.#stream = stream;
    this.#status = new RunStatus(clock);
    this.#bar = new SingleBar({
      stream,
      clearOnComplete: true,
      // Neither wrapping nor the cursor is switched off: a killed run leaves the terminal as it was.
      linewrap: true,
      hideCursor: false,
      // The last column stays free: some terminals go to the next line after writing it.
      format: (_options, { maxWidth }) => barLine(this.#status, maxWidth - 1),
    });
  }

  report(event: ReportEvent): void {
    this.#status.follow(event);
    const lines = linesOf(event, this.#status);
    if (event.kind === 'finished') this.stop();
    if (lines.length > 0) this.#writeAbove(lines);
    if (event.kind === 'started') this.#start();
    else if (this.#running) this.#bar.update(this.#status.step);
  }

  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#bar.stop();
  }

  #start(): void {
    this.#running = true;
    this.#bar.start(this.#status.endStep, this.#status.step);
  }

  #writeAbove(lines: readonly string[]): void {
    const wasRunning = this.#running;
    this.stop();
    for (const line of lines) this.#stream.write(`${line}\n`);
    if (wasRunning) this.#start();
  }
}
