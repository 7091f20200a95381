import { type StopSignal, startedByNohup, takeEarlySignal } from './earlySignals.js';
import { ExitCode } from './exitCode.js';
import { leave } from './leave.js';
import { type OutputLoss, onOutputLost } from './output.js';

/**
 * Milliseconds in which a second Ctrl-C counts as the first: npx passes on the one that the terminal has
 * already sent to every process, so that a single key press arrives twice.
 */
const ECHO = 400;

const CODES: Readonly<Record<StopSignal, number>> = {
  SIGINT: ExitCode.interrupted,
  SIGTERM: ExitCode.terminated,
  SIGHUP: ExitCode.hungUp,
};

/**
 * Turns the first SIGINT, SIGTERM, SIGHUP, or loss of standard output into a request to stop. A second signal
 * leaves the process at once. A signal that came before there was an Interruption counts as the first. Under
 * nohup SIGHUP is ignored.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #tell: (message: string) => void;
  readonly #ignoresHangUp = startedByNohup();
  #exitCode: number | undefined;
  #since = 0;
  #outputLoss: OutputLoss | undefined;

  /** @param tell takes a sentence for the user when the request is made. */
  constructor(tell: (message: string) => void) {
    this.#tell = tell;
    process.on('SIGINT', this.#interrupt);
    process.on('SIGTERM', this.#terminate);
    if (!this.#ignoresHangUp) process.on('SIGHUP', this.#hangUp);
    // Only now: a signal that has arrived and is not told yet is lost where nobody listens for a moment.
    const early = takeEarlySignal();
    onOutputLost((loss) => {
      this.#outputLoss ??= loss;
      this.#request(loss.exitCode);
    });
    if (early !== undefined && !(early === 'SIGHUP' && this.#ignoresHangUp)) this.#signalled(CODES[early]);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code of a run that the interruption stopped; undefined where nobody asked for one. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Undefined where standard output can still be written. */
  get outputLoss(): OutputLoss | undefined {
    return this.#outputLoss;
  }

  /** Signals, and a loss of standard output, do again what they did before. */
  release(): void {
    onOutputLost(undefined);
    process.off('SIGINT', this.#interrupt);
    process.off('SIGTERM', this.#terminate);
    process.off('SIGHUP', this.#hangUp);
  }

  readonly #interrupt = (): void => this.#signalled(ExitCode.interrupted);
  readonly #terminate = (): void => this.#signalled(ExitCode.terminated);
  readonly #hangUp = (): void => this.#signalled(ExitCode.hungUp);

  #signalled(exitCode: number): void {
    if (this.#exitCode === undefined) {
      this.#request(exitCode);
      this.#tell('Stopping after this step, with a checkpoint. Ctrl-C again leaves at once.');
    } else if (performance.now() - this.#since > ECHO) {
      // Behind the ^C of the terminal, so that the shell's prompt begins a line.
      if (process.stderr.isTTY) process.stderr.write('\n');
      leave(exitCode);
    }
  }

  #request(exitCode: number): void {
    if (this.#exitCode !== undefined) return;
    this.#exitCode = exitCode;
    this.#since = performance.now();
    this.#controller.abort();
  }
}

/**
 * Work that a signal ends early, with its progress on standard error.
 * @returns what the work gives, and the exit code of a command that was stopped.
 */
export async function untilInterrupted<T>(
  progress: { readonly end: () => void },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<{ readonly result: T; readonly exitCode: number }> {
  const interruption = new Interruption(() => {});
  try {
    const result = await work(interruption.signal);
    return { result, exitCode: interruption.exitCode ?? ExitCode.interrupted };
  } finally {
    progress.end();
    interruption.release();
  }
}
