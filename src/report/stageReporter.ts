import { SingleBar } from 'cli-progress';
import { formatDuration } from './quantity.js';
import type { Clock } from './reportEvent.js';

/** Milliseconds between two plain lines about the same piece of work. */
const INTERVAL = 10_000;

export interface StageReporterOptions {
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean | undefined };
  /** Default: performance.now. */
  readonly clock?: Clock;
}

/**
 * Work in several pieces, each with an end that may be in sight: a bar with the time left on a terminal, plain lines
 * elsewhere.
 */
export class StageReporter {
  readonly #stream: StageReporterOptions['stream'];
  readonly #clock: Clock;
  readonly #bar: SingleBar;
  #work = '';
  #began = 0;
  #written = 0;

  constructor({ stream, clock }: StageReporterOptions) {
    this.#stream = stream;
    this.#clock = clock ?? (() => performance.now());
    this.#bar = new SingleBar({
      stream,
      format: (_options, { progress }) => `  ${barText(progress)} ${this.#timeLeft(progress)}`,
      clearOnComplete: true,
      // A killed program leaves the terminal as it was.
      hideCursor: false,
      linewrap: true,
    });
  }

  begin(work: string): void {
    this.stop();
    this.#work = work;
    this.#began = this.#clock();
    this.#write(`${work} …`);
  }

  advance(done: number, total: number): void {
    if (this.#stream.isTTY === true) {
      if (this.#bar.isActive) this.#bar.update(done);
      else this.#bar.start(total, done);
    } else if (done < total && this.#clock() - this.#written >= INTERVAL) {
      this.#write(`${this.#work}: ${percent(done / total)}, ${this.#timeLeft(done / total)}`);
    }
  }

  note(sentence: string): void {
    this.stop();
    this.#write(sentence);
  }

  /** Takes the bar away. */
  stop(): void {
    if (this.#bar.isActive) this.#bar.stop();
  }

  #timeLeft(share: number): string {
    if (share <= 0) return '';
    return `${formatDuration((((this.#clock() - this.#began) / 1000) * (1 - share)) / share)} left`;
  }

  #write(line: string): void {
    this.#stream.write(`${line}\n`);
    this.#written = this.#clock();
  }
}

const WIDTH = 40;

function barText(share: number): string {
  const full = Math.floor(Math.min(share, 1) * WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${percent(share)}`;
}

function percent(share: number): string {
  return `${Math.floor(100 * Math.min(share, 1))} %`;
}
