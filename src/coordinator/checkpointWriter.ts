// Checkpoints are written from a copy, so that the ranks stand still for the copy alone.
import { setImmediate as turn } from 'node:timers/promises';
import type { Checkpoint } from '../runs/checkpoint.js';

/**
 * Writes one checkpoint at a time. Hashes, encoding and the disk's time fall into what the run does next.
 */
export class CheckpointWriter {
  readonly #write: (checkpoint: Checkpoint) => Promise<void>;
  /** By the name of the state; the parameters' is empty. Kept: new memory costs more than the copy. */
  readonly #copies = new Map<string, Float32Array>();
  #writing: Promise<void> | undefined;
  #failure: { readonly reason: unknown } | undefined;

  /** @param write hashes, encodes and writes a checkpoint whose buffers nobody changes. */
  constructor(write: (checkpoint: Checkpoint) => Promise<void>) {
    this.#write = write;
  }

  /** Whether a checkpoint is being written. */
  get isBusy(): boolean {
    return this.#writing !== undefined;
  }

  /** Whether a write has failed; `settled` throws why. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Copies the buffers, which no rank may change during the call, and begins to write them.
   *
   * @throws Error while another one is being written: see `settled`.
   */
  begin(checkpoint: Checkpoint): void {
    if (this.#writing !== undefined) throw new Error('A checkpoint is being written already.');
    this.#writing = this.#run(this.#copyOf(checkpoint));
  }

  /** Waits for the write at hand, whatever becomes of it. */
  async finished(): Promise<void> {
    await this.#writing;
  }

  /**
   * Waits for the write at hand.
   * @throws what a write has failed with; once.
   */
  async settled(): Promise<void> {
    await this.#writing;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.reason;
  }

  #copyOf({ parameters, optimizerState, ...rest }: Checkpoint): Checkpoint {
    return {
      ...rest,
      parameters: this.#copy('', parameters),
      optimizerState: new Map([...optimizerState].map(([name, state]) => [name, this.#copy(name, state)])),
    };
  }

  #copy(name: string, buffer: Float32Array): Float32Array {
    let copy = this.#copies.get(name);
    if (copy?.length !== buffer.length) {
      copy = new Float32Array(buffer.length);
      this.#copies.set(name, copy);
    }
    copy.set(buffer);
    return copy;
  }

  async #run(checkpoint: Checkpoint): Promise<void> {
    try {
      // The ranks are sent on first: to hash and encode takes this thread some milliseconds.
      await turn();
      await this.#write(checkpoint);
    } catch (reason) {
      this.#failure = { reason };
    } finally {
      this.#writing = undefined;
    }
  }
}
