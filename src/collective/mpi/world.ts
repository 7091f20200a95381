// The seam of message passing: processes that have a number each and send each other bytes.
import type { PartRange } from '../parts.js';

/**
 * Bytes that are sent, or that are written to. They may lie in shared memory, and must not be touched while
 * an operation on them is under way.
 */
export type Bytes = Uint8Array;

/** Something that was begun and that ends by itself, while its World is asked about it. */
export interface Operation {
  /** What it is, for messages: e.g. `a barrier`. */
  readonly name: string;
  /**
   * Whether it is over. It goes on only while this is called.
   * @throws ProcessLost where it cannot be over, because a process has died.
   * @throws MpiError where it has failed otherwise.
   */
  isOver(): boolean;
}

/**
 * All processes of a job. Collective operations (barrier, allGather, allToAll and their kin) are begun by all
 * processes, in the same order, with sizes that agree. Bytes are moved and never summed: no order of
 * additions is left to a library.
 */
export interface World {
  /** Those of the processes that are left: see `shrink`. */
  readonly rank: number;
  readonly size: number;
  /** Whether it can go on where a process has died. Elsewhere the launcher ends all of them. */
  readonly heals: boolean;
  /** Name and version of what carries the bytes. */
  readonly library: string;

  /** Sends to one process. @param tag from 0 to 32767: a message is received by its sender and its tag. */
  send(bytes: Bytes, to: number, tag: number): Operation;

  /** Receives from one process. A message that is longer than `bytes` is an error, a shorter one is not. */
  receive(bytes: Bytes, from: number, tag: number): Operation;

  /** Over when all processes have begun it. */
  barrier(): Operation;

  /**
   * Brings all processes the bytes of each. @param all as many times the length of `part` as there are
   * processes.
   */
  allGather(part: Bytes, all: Bytes): Operation;

  /**
   * The same for parts of unequal length, in their places: this process's part is where it belongs.
   * @param parts one a process, in bytes; no two of them overlap.
   */
  allGatherParts(all: Bytes, parts: readonly PartRange[]): Operation;

  /**
   * Brings each process block p of every process, p its rank. Both have one block of equal length a process.
   */
  allToAll(from: Bytes, to: Bytes): Operation;

  /**
   * The same for blocks of unequal length.
   * @param fromParts what goes to each process, in bytes of `from`.
   * @param toParts where what comes from each process is written, in bytes of `to`.
   */
  allToAllParts(
    from: Bytes,
    fromParts: readonly PartRange[],
    to: Bytes,
    toParts: readonly PartRange[],
  ): Operation;

  /**
   * Returns when an operation is over. It looks without a pause at first, and sleeps between its looks later.
   * @param timeLimit milliseconds; default: that of the world.
   * @throws MpiError where the operation fails, or is not over within the time limit.
   */
  wait(operation: Operation, timeLimit?: number): void;

  /**
   * Goes on without the processes that have died. All that are left call it, each after an operation has
   * thrown ProcessLost; it has them all throw. Operations that were begun are over behind it: none of them
   * writes any more. It takes as long as the last one needs to come, whatever the time limit.
   * @throws MpiError where an operation that was begun is not over within the time limit.
   */
  shrink(): void;

  /** Ends all processes of the job, this one included. */
  abort(exitCode: number): void;

  /** Leaves in peace, behind the last operation. All processes call it. */
  close(): void;
}

/** An operation between processes failed; the message is a sentence. */
export class MpiError extends Error {
  override readonly name = 'MpiError';
}

/** A process has died, and the others may go on without it: see World.shrink. */
export class ProcessLost extends Error {
  override readonly name = 'ProcessLost';
}
