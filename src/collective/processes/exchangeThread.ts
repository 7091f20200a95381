// The one thread of a process that speaks MPI. It joins the other processes, then serves requests until the
// main thread ends it: a thread that ends by itself may be gone before its last answer is heard.
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { UsageError } from '../../errors.js';
import { openWorld, type WorldOptions } from '../mpi/mpiWorld.js';
import { type Bytes, type Operation, ProcessLost, type World } from '../mpi/world.js';
import type { PartRange } from '../parts.js';
import { Mailbox } from './mailbox.js';
import type { Exchange, ExchangePlan, Transfer } from './transfers.js';

/** What the thread is started with. */
export interface ExchangeThreadData {
  readonly mailbox: SharedArrayBuffer;
  readonly port: MessagePort;
  readonly world: WorldOptions;
}

/** What the main thread asks for. */
export type Question =
  | { readonly kind: 'gather texts'; readonly text: string; readonly timeLimit: number | undefined }
  | { readonly kind: 'plan'; readonly memory: SharedArrayBuffer; readonly plan: ExchangePlan }
  | { readonly kind: 'exchange'; readonly name: keyof ExchangePlan }
  /** To go on without the processes that have died, while no rank runs. */
  | { readonly kind: 'heal' }
  /** To end all processes, this one included. */
  | { readonly kind: 'abort' }
  | { readonly kind: 'leave' };

export type Answer =
  | Joined
  | { readonly kind: 'done' }
  | { readonly kind: 'texts'; readonly texts: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string; readonly by: 'user' | 'loss' | 'MPI' };

export interface Joined {
  readonly kind: 'joined';
  readonly rank: number;
  readonly size: number;
  readonly library: string;
  /** See World. */
  readonly heals: boolean;
}

const NOTHING: PartRange = { first: 0, end: 0 };

/** Serves the requests of a process. */
class Exchanger {
  readonly #world: World;
  #memory: Bytes = new Uint8Array();
  #plan: ExchangePlan | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  answer(question: Question): Answer {
    switch (question.kind) {
      case 'gather texts':
        return { kind: 'texts', texts: this.#gatherTexts(question.text, question.timeLimit) };
      case 'plan':
        this.#memory = new Uint8Array(question.memory);
        this.#plan = question.plan;
        break;
      case 'exchange':
        this.exchange(question.name);
        break;
      case 'heal':
        this.#world.shrink();
        return joinedOf(this.#world);
      case 'abort':
        this.#world.abort(1);
        break;
      case 'leave':
        this.#world.close();
        break;
    }
    return { kind: 'done' };
  }

  /** All transfers are begun before the first one is waited for. */
  exchange(name: keyof ExchangePlan): void {
    if (this.#plan === undefined) throw new Error(`There is no plan of what ${name} are.`);
    const exchange: Exchange = this.#plan[name];
    const begun = exchange.map((transfer) => this.#begin(transfer));
    for (const operation of begun) this.#world.wait(operation);
  }

  #begin(transfer: Transfer): Operation {
    if (transfer.kind === 'all-gather') {
      const { view, parts } = this.#view(transfer.parts);
      return this.#world.allGatherParts(view, parts);
    }
    const from = this.#view(transfer.from);
    const to = this.#view(transfer.to);
    return this.#world.allToAllParts(from.view, from.parts, to.view, to.parts);
  }

  /**
   * The bytes from the first to the last part that is not empty, and the parts of them. MPI counts from there
   * by int, and Open MPI takes two buffers that begin at the same byte for one that is sent in place.
   */
  #view(parts: readonly PartRange[]): { readonly view: Bytes; readonly parts: readonly PartRange[] } {
    const full = parts.filter(({ first, end }) => end > first);
    if (full.length === 0) return { view: this.#memory.subarray(0, 0), parts: parts.map(() => NOTHING) };
    const base = Math.min(...full.map(({ first }) => first));
    const last = Math.max(...full.map(({ end }) => end));
    const moved = parts.map(({ first, end }) => {
      return end > first ? { first: first - base, end: end - base } : NOTHING;
    });
    return { view: this.#memory.subarray(base, last), parts: moved };
  }

  #gatherTexts(text: string, timeLimit: number | undefined): string[] {
    const world = this.#world;
    const own = new TextEncoder().encode(text);
    const lengths = new Float64Array(world.size);
    const length = new Uint8Array(Float64Array.of(own.length).buffer);
    world.wait(world.allGather(length, new Uint8Array(lengths.buffer)), timeLimit);
    let end = 0;
    const parts = Array.from(lengths, (bytes): PartRange => {
      const first = end;
      end += bytes;
      return { first, end };
    });
    const all = new Uint8Array(end);
    all.set(own, parts[world.rank]!.first);
    world.wait(world.allGatherParts(all, parts));
    return parts.map((part) => new TextDecoder().decode(all.subarray(part.first, part.end)));
  }
}

function joinedOf({ rank, size, library, heals }: World): Joined {
  return { kind: 'joined', rank, size, library, heals };
}

function failed(error: Error): Answer {
  const by = error instanceof UsageError ? 'user' : error instanceof ProcessLost ? 'loss' : 'MPI';
  return { kind: 'failed', message: error.message, by };
}

/** Answers the main thread; what fails is told to it. */
function answer(exchanger: Exchanger, mailbox: Mailbox, port: MessagePort): void {
  const { message } = receiveMessageOnPort(port) as { message: Question };
  let answered: Answer;
  try {
    answered = exchanger.answer(message);
  } catch (error) {
    answered = failed(error as Error);
  }
  if (answered.kind === 'joined') mailbox.recover();
  else mailbox.endRequest();
  port.postMessage(answered);
}

/**
 * Carries out what a rank asks for. Where it fails the ranks leave; where a process has died, the main thread
 * then heals.
 */
function exchange(exchanger: Exchanger, mailbox: Mailbox, name: keyof ExchangePlan): void {
  try {
    exchanger.exchange(name);
    mailbox.endRequest();
  } catch (error) {
    mailbox.fail(error as Error);
  }
}

function run({ mailbox: buffer, port, world: options }: ExchangeThreadData): void {
  const mailbox = new Mailbox(buffer);
  try {
    const world = openWorld(options);
    port.postMessage(joinedOf(world));
    const exchanger = new Exchanger(world);
    for (let begun = 0; ; begun = (begun + 1) | 0) {
      const request = mailbox.next(begun);
      if (request === 'message') answer(exchanger, mailbox, port);
      else exchange(exchanger, mailbox, request);
    }
  } catch (error) {
    mailbox.fail(error as Error);
    port.postMessage(failed(error as Error));
    mailbox.sleep();
  }
}

run(workerData as ExchangeThreadData);
