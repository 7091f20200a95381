import { UsageError } from '../../errors.js';
import type { PartRange } from '../parts.js';
import { RunningTime } from '../runningTime.js';
import { type Abi, abiOf, familyOf, type Handle, shortVersion } from './abi.js';
import {
  type Argument,
  type CType,
  type ForeignLibrary,
  type IntFunction,
  openForeignLibrary,
} from './foreignLibrary.js';
import type { Launched } from './launcher.js';
import { type Bytes, MpiError, type Operation, ProcessLost, type World } from './world.js';

/**
 * Milliseconds in which an operation is looked at without a pause, before the thread sleeps. Time, not looks:
 * where there are more processes than cores, a library gives the core away at each look.
 */
const EAGER = 1;

/**
 * Milliseconds of the first and the longest sleep between two looks. Bytes move while they are looked at, and
 * the buffers of a link hold little: decision 43 has what longer sleeps cost.
 */
const SHORTEST_SLEEP = 0.02;
const LONGEST_SLEEP = 0.1;

/** The longest sleep of a wait without a limit, in which another process does something else. */
const PATIENT_SLEEP = 2;

/**
 * Milliseconds between two looks on a machine with too much to do; a process that was stopped looks later.
 */
const BETWEEN_LOOKS = 200;

/** Most bytes of one message, and of a place in a buffer: MPI counts by int. */
const MOST_BYTES = 2 ** 31 - 1;

/** Bytes of an MPI_Status, or more: 20 to 32 in the libraries that we know. */
const STATUS_BYTES = 128;

/**
 * UCX, which carries the bytes of many libraries, must not touch two things of the process that are V8's,
 * too. - It takes SIGSEGV for a crash. For V8 it is how WebAssembly notices an address out of bounds. - It
 * patches the functions of the heap, and tries that out: it lets the heap grow by a page and shrink again.
 *   What another thread has been given of that page meanwhile is lost, and the process dies later.
 */
const ENVIRONMENT = { UCX_HANDLE_ERRORS: 'none', UCX_MEM_MMAP_HOOK_MODE: 'none' } as const;

/**
 * Milliseconds. MPICH before 4.2 waits in MPI_Finalize for processes that have left its barrier and no longer
 * look (pmodels/mpich#6596), if UCX is still at work on connections over TCP: its own thread ends that work
 * meanwhile. Decision 43.
 */
const BEFORE_FINALIZE = 300;

/** Bytes of the longest text that a library writes, or more. */
const TEXT_BYTES = 8192;

export interface WorldOptions {
  /** Path of the library. */
  readonly library: string;
  /** Milliseconds that an operation may take. */
  readonly timeLimit: number;
  /** What the launcher has said: the library must see the same processes. */
  readonly launched: Launched | undefined;
}

/** A library that is loaded, and not yet initialised. */
export interface LoadedMpi {
  readonly library: ForeignLibrary;
  readonly abi: Abi;
  /** All that the library says of itself. */
  readonly version: string;
}

/**
 * Loads a library and finds out whose it is; no process is told of it.
 * @throws UsageError where it cannot be loaded, or is no MPI library that we know.
 */
export function loadMpi(path: string): LoadedMpi {
  const library = openForeignLibrary(path, ENVIRONMENT);
  if (library.address('MPI_Get_library_version') === undefined) {
    throw new UsageError(`${path} is no MPI library: it has no function MPI_Get_library_version.`);
  }
  const getVersion = library.intFunction('MPI_Get_library_version', ['void *', 'void *']);
  const version = textOf((text, length) => getVersion(text, length));
  return { library, abi: abiOf(library, path, version), version };
}

/**
 * Joins the processes that were started together. Once in a process, in the thread that calls all else.
 * @throws UsageError where the library cannot be used, or sees other processes than the launcher has started.
 * @throws MpiError where it fails.
 */
export function openWorld({ library, timeLimit, launched }: WorldOptions): World {
  const loaded = loadMpi(library);
  if (launched === undefined) return new MpiWorld(loaded, timeLimit, false);
  const name = `${shortVersion(loaded.version)} in ${library}`;
  const advice = 'Name the library that belongs to the launcher with --mpi-library.';
  const family = familyOf(loaded.version);
  if (family !== undefined && launched.family !== undefined && family !== launched.family) {
    throw new UsageError(`${launched.by} has started this process, but the library is ${name}. ${advice}`);
  }
  const world = new MpiWorld(loaded, timeLimit, launched.isTolerant);
  const { rank, size } = world;
  if (launched.size === size && launched.rank === rank) return world;
  // The others are in the same place, and leave by themselves.
  world.close();
  throw new UsageError(
    `${launched.by} has started this process as number ${launched.rank} of ${launched.size}, but for ${name} it is ` +
      `number ${rank} of ${size}: the library does not understand this launcher. ${advice}`,
  );
}

/**
 * The functions that are called, and the types of their parameters; H is a handle, R the place of a request.
 */
const FUNCTIONS = {
  MPI_Init_thread: ['void *', 'void *', 'int', 'void *'],
  MPI_Comm_set_errhandler: ['H', 'H'],
  MPI_Comm_rank: ['H', 'void *'],
  MPI_Comm_size: ['H', 'void *'],
  MPI_Error_string: ['int', 'void *', 'void *'],
  MPI_Isend: ['void *', 'int', 'H', 'int', 'int', 'H', 'R'],
  MPI_Irecv: ['void *', 'int', 'H', 'int', 'int', 'H', 'R'],
  MPI_Ibarrier: ['H', 'R'],
  MPI_Iallgather: ['void *', 'int', 'H', 'void *', 'int', 'H', 'H', 'R'],
  MPI_Iallgatherv: ['void *', 'int', 'H', 'void *', 'void *', 'void *', 'H', 'H', 'R'],
  MPI_Ialltoall: ['void *', 'int', 'H', 'void *', 'int', 'H', 'H', 'R'],
  MPI_Ialltoallv: ['void *', 'void *', 'void *', 'H', 'void *', 'void *', 'void *', 'H', 'H', 'R'],
  MPI_Test: ['R', 'void *', 'void *'],
  MPI_Abort: ['H', 'int'],
  MPI_Finalize: [],
  // Those with fault tolerance (ULFM) have these; not called elsewhere.
  MPIX_Comm_revoke: ['H'],
  MPIX_Comm_iagree: ['H', 'void *', 'R'],
  MPIX_Comm_shrink: ['H', 'void *'],
} as const satisfies Record<string, readonly (CType | 'H' | 'R')[]>;

type FunctionName = keyof typeof FUNCTIONS;

/** All processes of an MPI job: MPI_COMM_WORLD, and those that are left of it where some have died. */
class MpiWorld implements World {
  rank: number;
  size: number;
  readonly library: string;
  readonly heals: boolean;
  readonly #abi: Abi;
  readonly #timeLimit: number;
  readonly #functions: Readonly<Record<FunctionName, IntFunction>>;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  /** Operations that are not over. */
  readonly #begun = new Set<Operation>();
  /** The communicator. */
  #processes: Handle;

  constructor({ library, abi, version }: LoadedMpi, timeLimit: number, isTolerant: boolean) {
    this.#abi = abi;
    this.#processes = abi.world;
    this.#timeLimit = timeLimit;
    this.library = shortVersion(version);
    this.#functions = functionsOf(library, abi);
    const hasTolerance = library.address('MPIX_Comm_shrink') !== undefined && abi.losses.length > 0;
    this.heals = isTolerant && hasTolerance;
    this.rank = -1;
    this.size = 0;
    const level = new Int32Array(1);
    this.#call('MPI_Init_thread', 0n, 0n, abi.funneled, level);
    this.#enter(abi.world);
  }

  #enter(processes: Handle): void {
    this.#processes = processes;
    this.#call('MPI_Comm_set_errhandler', processes, this.#abi.errorsReturn);
    this.rank = this.#number('MPI_Comm_rank');
    this.size = this.#number('MPI_Comm_size');
  }

  send(bytes: Bytes, to: number, tag: number): Operation {
    const { byte } = this.#abi;
    const processes = this.#processes;
    const name = `a message to process ${to}`;
    return this.#begin(name, 'MPI_Isend', [bytes], bytes, count(bytes), byte, to, tag, processes);
  }

  receive(bytes: Bytes, from: number, tag: number): Operation {
    const { byte } = this.#abi;
    const processes = this.#processes;
    const name = `a message from process ${from}`;
    return this.#begin(name, 'MPI_Irecv', [bytes], bytes, count(bytes), byte, from, tag, processes);
  }

  barrier(): Operation {
    return this.#begin('a barrier', 'MPI_Ibarrier', [], this.#processes);
  }

  allGather(part: Bytes, all: Bytes): Operation {
    requireBlocks(all, this.size, part.length);
    const { byte } = this.#abi;
    const processes = this.#processes;
    const each = count(part);
    count(all);
    const held = [part, all];
    return this.#begin('an all-gather', 'MPI_Iallgather', held, part, each, byte, all, each, byte, processes);
  }

  allGatherParts(all: Bytes, parts: readonly PartRange[]): Operation {
    const { byte, inPlace } = this.#abi;
    const { counts, places } = this.#parts(all, parts);
    const held = [all, counts, places];
    const mine = [inPlace, 0, byte] as const;
    return this.#begin(
      'an all-gather',
      'MPI_Iallgatherv',
      held,
      ...mine,
      all,
      counts,
      places,
      byte,
      this.#processes,
    );
  }

  allToAll(from: Bytes, to: Bytes): Operation {
    const each = Math.floor(from.length / this.size);
    requireBlocks(from, this.size, each);
    requireBlocks(to, this.size, each);
    const { byte } = this.#abi;
    const processes = this.#processes;
    count(from);
    const held = [from, to];
    return this.#begin('an exchange', 'MPI_Ialltoall', held, from, each, byte, to, each, byte, processes);
  }

  allToAllParts(
    from: Bytes,
    fromParts: readonly PartRange[],
    to: Bytes,
    toParts: readonly PartRange[],
  ): Operation {
    const { byte } = this.#abi;
    const processes = this.#processes;
    const sent = this.#parts(from, fromParts);
    const taken = this.#parts(to, toParts);
    const held = [from, sent.counts, sent.places, to, taken.counts, taken.places];
    const values = [
      from,
      sent.counts,
      sent.places,
      byte,
      to,
      taken.counts,
      taken.places,
      byte,
      processes,
    ] as const;
    return this.#begin('an exchange', 'MPI_Ialltoallv', held, ...values);
  }

  wait(operation: Operation, timeLimit: number = this.#timeLimit): void {
    const start = performance.now();
    do {
      if (operation.isOver()) return;
    } while (performance.now() - start < EAGER);
    const waited = new RunningTime(BETWEEN_LOOKS);
    const longest = timeLimit === Number.POSITIVE_INFINITY ? PATIENT_SLEEP : LONGEST_SLEEP;
    for (let pause = SHORTEST_SLEEP; !operation.isOver(); pause = Math.min(2 * pause, longest)) {
      if (waited.total >= timeLimit) {
        throw new MpiError(
          `Process ${this.rank} of ${this.size} has waited ${timeLimit / 1000} s for ${operation.name}: another ` +
            'process stalls or is gone.',
        );
      }
      Atomics.wait(this.#sleeper, 0, 0, pause);
      waited.tick();
    }
  }

  shrink(): void {
    this.#call('MPIX_Comm_revoke', this.#processes);
    for (const operation of this.#begun) this.#waitFor(operation);
    // The next call waits without a limit, so all that are alive come together first.
    const agreed = Int32Array.of(1);
    this.#waitFor(this.#begin('those that are left', 'MPIX_Comm_iagree', [agreed], this.#processes, agreed));
    const left = new BigInt64Array(1);
    this.#call('MPIX_Comm_shrink', this.#processes, left);
    this.#enter(left[0]!);
  }

  /** Returns when an operation is over, or cannot be because a process has died. */
  #waitFor(operation: Operation): void {
    try {
      this.wait(operation);
    } catch (error) {
      if (!(error instanceof ProcessLost)) throw error;
    }
  }

  abort(exitCode: number): void {
    this.#functions.MPI_Abort(this.#processes, exitCode);
  }

  close(): void {
    if (this.heals) {
      // MPI_Finalize may wait for the dead for ever; the launcher does not miss it here.
      this.#waitFor(this.barrier());
      return;
    }
    if (/^MPICH ([1-3]|4\.[01])\./.test(this.library)) Atomics.wait(this.#sleeper, 0, 0, BEFORE_FINALIZE);
    this.#call('MPI_Finalize');
  }

  /** @param held what the library reads and writes until the operation is over. */
  #begin(
    name: string,
    begin: FunctionName,
    held: readonly NodeJS.TypedArray[],
    ...values: readonly (Handle | NodeJS.TypedArray)[]
  ): Operation {
    const request = this.#abi.handle === 'int' ? new Int32Array(1) : new BigInt64Array(1);
    this.#call(begin, ...values, request);
    const status = new Uint8Array(STATUS_BYTES);
    const test = (over: Int32Array) => this.#call('MPI_Test', request, over, status);
    const operation = new Begun(name, test, held, () => this.#begun.delete(operation));
    this.#begun.add(operation);
    return operation;
  }

  /** @throws MpiError, or ProcessLost, with what the library says. */
  #call(name: FunctionName, ...values: readonly Argument[]): void {
    const code = this.#functions[name](...values);
    if (code === 0) return;
    const { MPI_Error_string: describe } = this.#functions;
    const reason = textOf((text, length) => describe(code, text, length))
      .replace(/\s+/g, ' ')
      .replace(/[. ]+$/, '');
    const where = this.rank < 0 ? '' : ` in process ${this.rank} of ${this.size}`;
    const message = `${name} has failed${where}: ${reason}.`;
    throw this.heals && this.#abi.losses.includes(code) ? new ProcessLost(message) : new MpiError(message);
  }

  #number(name: 'MPI_Comm_rank' | 'MPI_Comm_size'): number {
    const value = new Int32Array(1);
    this.#call(name, this.#processes, value);
    return value[0]!;
  }

  /** As MPI takes them. @throws RangeError where they do not fit. */
  #parts(bytes: Bytes, parts: readonly PartRange[]): { counts: Int32Array; places: Int32Array } {
    if (parts.length !== this.size) {
      throw new RangeError(`Found ${parts.length} parts, expected ${this.size}: one a process.`);
    }
    for (const { first, end } of parts) {
      if (first < 0 || end < first || end > bytes.length) {
        throw new RangeError(`Bytes ${first} to ${end} are no part of ${bytes.length} bytes.`);
      }
    }
    count(bytes);
    return {
      counts: Int32Array.from(parts, ({ first, end }) => end - first),
      places: Int32Array.from(parts, ({ first }) => first),
    };
  }
}

class Begun implements Operation {
  readonly #test: (over: Int32Array) => void;
  readonly #over = new Int32Array(1);
  /** What the library reads and writes: it stays in memory until the operation is over. */
  #held: readonly NodeJS.TypedArray[] | undefined;

  readonly #end: () => void;

  /**
   * @param test sets a word where the operation is over, and throws where it has failed.
   * @param end told when it is over or has failed.
   */
  constructor(
    readonly name: string,
    test: (over: Int32Array) => void,
    held: readonly NodeJS.TypedArray[],
    end: () => void,
  ) {
    this.#test = test;
    this.#held = held;
    this.#end = end;
  }

  isOver(): boolean {
    if (this.#held === undefined) return true;
    try {
      this.#test(this.#over);
    } catch (error) {
      this.#end();
      throw error;
    }
    if (this.#over[0] === 0) return false;
    this.#held = undefined;
    this.#end();
    return true;
  }
}

function functionsOf(library: ForeignLibrary, { handle }: Abi): Record<FunctionName, IntFunction> {
  const typeOf = (type: CType | 'H' | 'R'): CType => (type === 'H' ? handle : type === 'R' ? 'void *' : type);
  const known = Object.entries(FUNCTIONS).filter(
    ([name]) => !name.startsWith('MPIX_') || library.address(name) !== undefined,
  );
  return Object.fromEntries(
    known.map(([name, types]) => [name, library.intFunction(name, types.map(typeOf))]),
  ) as Record<FunctionName, IntFunction>;
}

/** @throws RangeError where there are more bytes than MPI can count. */
function count({ length }: Bytes): number {
  if (length > MOST_BYTES)
    throw new RangeError(`MPI moves at most ${MOST_BYTES} bytes at once, not ${length}.`);
  return length;
}

/** @throws RangeError where these are no blocks of so many bytes. */
function requireBlocks({ length }: Bytes, blocks: number, each: number): void {
  if (length === blocks * each) return;
  throw new RangeError(`Found ${length} bytes, expected ${blocks * each}: ${blocks} blocks of ${each}.`);
}

/** A text that a function writes with its length. */
function textOf(write: (text: Uint8Array, length: Int32Array) => number): string {
  const text = Buffer.alloc(TEXT_BYTES);
  const length = new Int32Array(1);
  write(text, length);
  return text.toString('utf8', 0, length[0]);
}
