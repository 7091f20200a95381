import { previewLines } from './halfBlocks.js';
import { barLine, linesOf } from './phrases.js';
import type { Clock, ReportEvent, Reporter } from './reportEvent.js';
import { RunStatus } from './runStatus.js';
import { StatusLine } from './statusLine.js';
import { colorDepth, type OutputStream, type Style, styleFor } from './style.js';
import { columnsOf } from './terminal.js';
import { wrapText } from './wrap.js';

/**
 * A progress bar at the bottom of a terminal, below lines for epochs, warnings and notes, and small pictures.
 */
export class BarReporter implements Reporter {
  readonly #stream: OutputStream;
  readonly #status: RunStatus;
  readonly #style: Style;
  readonly #line: StatusLine;

  constructor(stream: OutputStream, clock: Clock) {
    this.#stream = stream;
    this.#status = new RunStatus(clock);
    this.#style = styleFor(colorDepth(stream));
    this.#line = new StatusLine(stream, (width) => barLine(this.#status, width, this.#style));
  }

  report(event: ReportEvent): void {
    this.#status.follow(event);
    // Who stops a run wants the terminal back: no bar from here on.
    if (event.kind === 'finished' || event.kind === 'stopping') this.stop();
    const width = columnsOf(this.#stream);
    const lines =
      event.kind === 'preview'
        ? previewLines(event.rows, { width, depth: colorDepth(this.#stream) })
        : linesOf(event, this.#status, this.#style).map((line) => wrapText(line, width));
    if (lines.length > 0) this.#line.writeAbove(lines.map((line) => `${line}\n`).join(''));
    if (event.kind === 'started') this.#line.show();
  }

  stop(): void {
    this.#line.hide();
  }
}
