import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { UsageError } from '../../errors.js';
import { exitAtOnce } from '../mpi/foreignLibrary.js';
import type { WorldOptions } from '../mpi/mpiWorld.js';
import { MpiError, ProcessLost } from '../mpi/world.js';
import type { ProcessPlace } from '../processPlace.js';
import type { Answer, ExchangeThreadData, Joined, Question } from './exchangeThread.js';
import { Mailbox } from './mailbox.js';
import type { ExchangeName, ExchangePlan } from './transfers.js';

/** Milliseconds in which a process that exits waits for the end that it has asked for. */
const ABORT_LIMIT = 5000;

/** Milliseconds between the ends that two processes ask for, and most times as long. */
const ABORT_DISTANCE = 1000;
const MOST_DISTANCES = 5;

/** The processes that train a run together, as the main thread of one of them sees them. */
export class ProcessGroup {
  /** Whether the others can go on where one of them dies. */
  readonly heals: boolean;
  /** Name and version of the MPI library. */
  readonly library: string;
  /** How long the others may take for their part of an exchange, milliseconds. */
  readonly timeLimit: number;
  /** Through which the ranks of this process ask for exchanges. */
  readonly mailbox: Mailbox;
  readonly #thread: Worker;
  readonly #port: MessagePort;
  #place: ProcessPlace;
  /** Things that all do together and that are not over. */
  #works = 0;
  #isPlanned = false;
  #hasLeft = false;
  /** Whether something has failed that others cannot go on from. */
  #hasFailed = false;

  private constructor(
    joined: Joined,
    timeLimit: number,
    mailbox: Mailbox,
    thread: Worker,
    port: MessagePort,
  ) {
    this.#place = placeOf(joined);
    this.library = joined.library;
    this.heals = joined.heals;
    this.timeLimit = timeLimit;
    this.mailbox = mailbox;
    this.#thread = thread;
    this.#port = port;
  }

  /**
   * Joins the other processes, in a thread that speaks to them from then on. Once in a process.
   * @throws as openWorld; MpiError where others do not come within the time limit, and no launcher ends all.
   */
  static async join(world: WorldOptions): Promise<ProcessGroup> {
    const mailbox = new Mailbox();
    const { port1: port, port2 } = new MessageChannel();
    const workerData: ExchangeThreadData = { mailbox: mailbox.buffer, port: port2, world };
    const thread = new Worker(new URL('./exchangeThread.js', import.meta.url), {
      workerData,
      transferList: [port2],
    });
    const { launched, timeLimit } = world;
    const late = launched?.isTolerant ? timeLimit : Number.POSITIVE_INFINITY;
    try {
      const joined = await within(late, answerOf(thread, port));
      requireJoined(joined);
      return new ProcessGroup(joined, timeLimit, mailbox, thread, port);
    } catch (error) {
      // A thread that waits inside the library cannot be ended.
      if (error instanceof NeverJoined) {
        port.close();
        thread.unref();
        exitWith((code) => exitAtOnce(code || 1));
      } else await thread.terminate();
      throw error;
    }
  }

  /** Which of the processes this one is: of those that are left where some have died. */
  get place(): ProcessPlace {
    return this.#place;
  }

  /**
   * Goes on without the processes that have died, while no rank runs. All that are left call it, each after
   * it has had a ProcessLost; the exchanges of the run have to be planned anew.
   */
  async heal(): Promise<void> {
    const joined = await this.#ask({ kind: 'heal' });
    requireJoined(joined);
    this.#place = placeOf(joined);
    this.#works = 0;
  }

  /**
   * Does something that all processes do together. Where it fails, the others may be in the middle of it.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#works++;
    const result = await work();
    this.#works--;
    return result;
  }

  /** Whether the others wait for a text: nothing is under way, and nothing has failed in the middle. */
  get isIdle(): boolean {
    return this.#isPlanned && !this.#hasLeft && this.#works === 0 && !this.mailbox.isBusy;
  }

  /**
   * Brings all processes the text of each, in their order.
   * @param timeLimit milliseconds; Infinity where another process may take any time to come; default: that of
   * exchanges.
   */
  async gatherTexts(text: string, timeLimit?: number): Promise<readonly string[]> {
    const answer = await this.#ask({ kind: 'gather texts', text, timeLimit });
    if (answer.kind !== 'texts') throw new Error('The exchange thread has not answered with texts.');
    return answer.texts;
  }

  /** Tells what each exchange of the run moves. */
  async plan(memory: SharedArrayBuffer, plan: ExchangePlan): Promise<void> {
    await this.#ask({ kind: 'plan', memory, plan });
    this.#isPlanned = true;
  }

  /** Carries out an exchange while no rank runs. */
  async exchange(name: ExchangeName): Promise<void> {
    await this.#ask({ kind: 'exchange', name });
  }

  /** Leaves the others in peace, behind the last exchange; all processes call it. */
  async leave(): Promise<void> {
    this.#hasLeft = true;
    await this.#ask({ kind: 'leave' });
    await this.#thread.terminate();
  }

  /** A process has died, and no one goes on without it. */
  giveUp(): void {
    this.#hasFailed = true;
  }

  /**
   * Ends the thread without a word to the others: the launcher ends them when this process is gone, or lets
   * them go on without it. A launcher that does so does not end a process that stalls, nor those that have
   * given up. There this process ends all when it exits itself.
   */
  async desert(): Promise<void> {
    if (!this.heals || !(this.#hasFailed || this.mailbox.hasFailed)) {
      if (this.heals && !this.#hasLeft && this.#place.processes > 1) exitBySignal();
      await this.#thread.terminate();
      return;
    }
    this.#thread.unref();
    process.once('exit', () => {
      // Open MPI 5's launcher hung when several processes asked for the end at once: others are gone by then.
      pause(ABORT_DISTANCE * Math.min(this.#place.process, MOST_DISTANCES));
      this.#port.postMessage({ kind: 'abort' } satisfies Question);
      this.mailbox.request('message');
      pause(ABORT_LIMIT);
    });
  }

  async #ask(question: Question): Promise<Answer> {
    const answer = answerOf(this.#thread, this.#port);
    this.#port.postMessage(question);
    this.mailbox.request('message');
    try {
      return await answer;
    } catch (error) {
      this.#hasFailed ||= error instanceof MpiError;
      throw error;
    }
  }
}

/** Node does nothing else meanwhile. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Open MPI tells processes that go on of no other death: they would wait for one that has exited. */
function exitBySignal(): void {
  exitWith(() => process.kill(process.pid, 'SIGKILL'));
}

/** Node prints an error that nobody has caught only behind the event `exit`. */
function exitWith(end: (code: number) => void): void {
  process.once('uncaughtExceptionMonitor', (error) => console.error(error));
  process.once('exit', end);
}

/** Other processes have not come. */
class NeverJoined extends MpiError {}

/** @throws NeverJoined where the answer takes more milliseconds than that. */
async function within(limit: number, answer: Promise<Answer>): Promise<Answer> {
  if (limit === Number.POSITIVE_INFINITY) return await answer;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message =
      `This process has waited ${limit / 1000} s for the others to begin: one of them has died before, or its ` +
      'start takes longer (--barrier-timeout).';
    timer = setTimeout(() => reject(new NeverJoined(message)), limit);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function placeOf({ rank, size }: Joined): ProcessPlace {
  return { processes: size, process: rank };
}

function requireJoined(answer: Answer): asserts answer is Joined {
  if (answer.kind !== 'joined') throw new Error('The exchange thread has not said which process this is.');
}

/**
 * The next answer of the exchange thread.
 * @throws UsageError, ProcessLost or MpiError with what it says where it has failed.
 */
async function answerOf(thread: Worker, port: MessagePort): Promise<Answer> {
  const answer = await new Promise<Answer>((resolve, reject) => {
    const ended = () => reject(new MpiError('The thread that speaks to the other processes has ended.'));
    port.once('message', (message: Answer) => {
      thread.off('error', reject);
      thread.off('exit', ended);
      resolve(message);
    });
    thread.once('error', reject);
    thread.once('exit', ended);
  });
  if (answer.kind !== 'failed') return answer;
  switch (answer.by) {
    case 'user':
      throw new UsageError(answer.message);
    case 'loss':
      throw new ProcessLost(answer.message);
    case 'MPI':
      throw new MpiError(answer.message);
  }
}
