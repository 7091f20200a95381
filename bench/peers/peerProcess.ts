import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How a peer is started. */
export interface PeerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A peer's first line. */
export interface Ready {
  /** What runs, in which version. */
  readonly version: string;
  /** The losses of the first steps, in nats. */
  readonly losses: readonly number[];
}

/** A peer that says that it cannot compute the case. */
export interface Cannot {
  readonly cannot: string;
}

/** What some steps took. */
export interface Took {
  readonly seconds: number;
  /** The processor time of all of the peer's threads and processes. */
  readonly processorSeconds: number;
}

/** Lines of a failing peer's errors that are worth showing. */
const ERROR_LINES = 3;

/** A process that answers one JSON line to each line of input; it idles in between. */
export class PeerProcess {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<unknown>;
  #errors = '';

  constructor({ program, args, env }: PeerCommand) {
    this.#process = spawn(program, args, { env: { ...process.env, ...env } });
    this.#ended = new Promise((resolve) => {
      this.#process.once('close', resolve);
      this.#process.once('error', (error) => {
        this.#errors += error.message;
        resolve(error);
      });
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-10_000);
    });
    // A peer that has died is noticed by its missing answer.
    this.#process.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error with the peer's own words where it ends instead. */
  async ready(): Promise<Ready | Cannot> {
    return (await this.#answer()) as Ready | Cannot;
  }

  /** Runs steps; returns what they took by the peer's own clocks. */
  async run(steps: number): Promise<Took> {
    this.#process.stdin.write(`${steps}\n`);
    return (await this.#answer()) as Took;
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#ended;
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    await this.#ended;
    const errors = this.#errors.trim().split('\n').slice(-ERROR_LINES).join(' / ');
    throw new Error(errors || 'It ended without a word.');
  }
}
