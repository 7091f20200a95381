import { formatDuration } from './quantity.js';
import type { Clock } from './reportEvent.js';
import { StatusLine } from './statusLine.js';
import { colorDepth, type OutputStream, type Style, styleFor } from './style.js';
import { columnsOf } from './terminal.js';
import { wrapText } from './wrap.js';

/** Milliseconds between two plain lines about the same piece of work. */
const INTERVAL = 5000;

export interface StageReporterOptions {
  readonly stream: OutputStream;
  /** Default: performance.now. */
  readonly clock?: Clock;
}

/**
 * Work in several pieces, each with an end that may be in sight: a bar with the time left on a terminal,
 * plain lines elsewhere.
 */
export class StageReporter {
  readonly #stream: OutputStream;
  readonly #clock: Clock;
  readonly #style: Style;
  readonly #line: StatusLine;
  #work = '';
  #share = 0;
  #began = 0;
  #written = 0;

  constructor({ stream, clock }: StageReporterOptions) {
    this.#stream = stream;
    this.#clock = clock ?? (() => performance.now());
    this.#style = styleFor(colorDepth(stream));
    this.#line = new StatusLine(stream, (width) => this.#barText(width));
  }

  /** Says so in a line. */
  begin(work: string): void {
    this.stop();
    this.beginQuietly(work);
    this.#write(`${work} …`);
  }

  /** Says nothing where the work is over before a line is due. */
  beginQuietly(work: string): void {
    this.#work = work;
    this.#began = this.#clock();
    this.#written = this.#began;
  }

  advance(done: number, total: number): void {
    this.#share = total > 0 ? Math.min(done / total, 1) : 0;
    if (this.#stream.isTTY === true) {
      this.#line.show();
    } else if (done < total && this.#clock() - this.#written >= INTERVAL) {
      this.#write([`${this.#work}: ${percent(this.#share)}`, ...this.#timeLeft()].join(', '));
    }
  }

  note(sentence: string): void {
    this.stop();
    this.#write(sentence);
  }

  /** Takes the bar away. */
  stop(): void {
    this.#line.hide();
  }

  #barText(width: number): string {
    const words = [percent(this.#share), ...this.#timeLeft()].join(' ');
    const room = Math.min(width - words.length - 3, WIDEST);
    if (room < NARROWEST) return words.slice(0, Math.max(width, 0));
    const full = Math.floor(this.#share * room);
    const bar = this.#style.good('█'.repeat(full)) + this.#style.faint('░'.repeat(room - full));
    return `  ${bar} ${words}`;
  }

  #timeLeft(): string[] {
    if (this.#share <= 0) return [];
    const passed = (this.#clock() - this.#began) / 1000;
    return [`${formatDuration((passed * (1 - this.#share)) / this.#share)} left`];
  }

  #write(line: string): void {
    this.#stream.write(`${wrapText(line, columnsOf(this.#stream))}\n`);
    this.#written = this.#clock();
  }
}

const WIDEST = 40;
const NARROWEST = 6;

function percent(share: number): string {
  return `${Math.floor(100 * share)} %`;
}
