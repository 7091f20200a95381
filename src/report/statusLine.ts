import type { OutputStream } from './style.js';
import { columnsOf } from './terminal.js';

/** Milliseconds between two drawings. */
const INTERVAL = 100;

/** Columns that stay free: for the `^C` that a terminal writes behind the line, and for the cursor. */
const FREE = 3;

const ERASE = '\r\u001b[2K';

/**
 * One line at the bottom of a terminal that is drawn again as it changes. Neither wrapping nor the cursor is
 * switched off: a killed program leaves the terminal as it was.
 */
export class StatusLine {
  readonly #stream: OutputStream;
  readonly #text: (width: number) => string;
  #timer: NodeJS.Timeout | undefined;
  #drawn = '';

  /** @param text what the line says, in at most `width` columns. */
  constructor(stream: OutputStream, text: (width: number) => string) {
    this.#stream = stream;
    this.#text = text;
  }

  get shown(): boolean {
    return this.#timer !== undefined;
  }

  show(): void {
    if (this.shown) return;
    this.#drawn = '';
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), INTERVAL);
    this.#timer.unref();
  }

  /** Leaves an empty line. */
  hide(): void {
    if (!this.shown) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stream.write(ERASE);
  }

  /** Writes lines above it. */
  writeAbove(text: string): void {
    const { shown } = this;
    this.hide();
    this.#stream.write(text);
    if (shown) this.show();
  }

  #draw(): void {
    const text = this.#text(columnsOf(this.#stream) - FREE);
    if (text === this.#drawn) return;
    this.#drawn = text;
    this.#stream.write(`${ERASE}${text}`);
  }
}
