// The one thread of a process that speaks MPI. It joins the other processes, then serves requests until the
// main thread ends it: a thread that ends by itself may be gone before its last answer is heard.
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { UsageError } from '../../errors.js';
import { openWorld, type WorldOptions } from '../mpi/mpiWorld.js';
import type { Bytes, Operation, World } from '../mpi/world.js';
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
  | { readonly kind: 'leave' };

export type Answer =
  | { readonly kind: 'joined'; readonly rank: number; readonly size: number; readonly library: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'texts'; readonly texts: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string; readonly isUsage: boolean };

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

function failed(error: unknown): Answer {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', message, isUsage: error instanceof UsageError };
}

/** Serves one request; what fails is told to whoever asked. */
function serve(exchanger: Exchanger, mailbox: Mailbox, port: MessagePort, served: number): void {
  const request = mailbox.next(served);
  if (request !== 'message') {
    exchanger.exchange(request);
    mailbox.endRequest();
    return;
  }
  const { message } = receiveMessageOnPort(port) as { message: Question };
  let answer: Answer;
  try {
    answer = exchanger.answer(message);
  } catch (error) {
    answer = failed(error);
  }
  mailbox.endRequest();
  port.postMessage(answer);
}

function run({ mailbox: buffer, port, world: options }: ExchangeThreadData): void {
  const mailbox = new Mailbox(buffer);
  try {
    const world = openWorld(options);
    const { rank, size, library } = world;
    port.postMessage({ kind: 'joined', rank, size, library } satisfies Answer);
    const exchanger = new Exchanger(world);
    for (let served = 0; ; served = (served + 1) | 0) serve(exchanger, mailbox, port, served);
  } catch (error) {
    const answer = failed(error);
    if (answer.kind === 'failed') mailbox.fail(answer.message);
    port.postMessage(answer);
    mailbox.sleep();
  }
}

run(workerData as ExchangeThreadData);
