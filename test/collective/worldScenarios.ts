// What processes do together in the tests of message passing.
import assert from 'node:assert/strict';
import { type Operation, ProcessLost, type World } from '#src/collective/mpi/world.js';
import type { PartRange } from '#src/collective/parts.js';

/** What a process knows of its test. */
export interface ProcessPlace {
  readonly world: World;
  /** Bytes in shared memory, as a run has them, zero at first. */
  shared(bytes: number): Uint8Array;
}

/** Bytes that belong to a sender, a receiver and a place. */
function byteOf(from: number, to: number, place: number): number {
  return (from * 89 + to * 31 + place * 7 + 3) % 251;
}

function bytesOf(from: number, to: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, place) => byteOf(from, to, place));
}

function ranks({ size }: World): number[] {
  return Array.from({ length: size }, (_, rank) => rank);
}

/** Neighbouring parts of these lengths. */
function partsOf(lengths: readonly number[]): PartRange[] {
  let end = 0;
  return lengths.map((length) => {
    const first = end;
    end += length;
    return { first, end };
  });
}

/**
 * Ranks as the world sees them; a barrier and messages around a ring, below and far above what is sent at
 * once.
 */
function ring({ world, shared }: ProcessPlace): { rank: number; size: number; library: string } {
  const { rank, size, library } = world;
  world.wait(world.barrier());
  const next = (rank + 1) % size;
  const previous = (rank + size - 1) % size;
  for (const length of [0, 1, 4096, 3_000_000]) {
    const sent = bytesOf(rank, next, length);
    const received = shared(length);
    const operations = [world.receive(received, previous, 5), world.send(sent, next, 5)];
    for (const operation of operations) world.wait(operation);
    assert.deepEqual(Buffer.from(received), Buffer.from(bytesOf(previous, rank, length)));
  }
  return { rank, size, library };
}

/** Messages are told apart by their tags, in whatever order they are received. */
function tags({ world }: ProcessPlace): void {
  const { rank, size } = world;
  const partner = size - 1 - rank;
  const sends = [1, 2, 3].map((tag) => world.send(Uint8Array.of(rank, tag), partner, tag));
  for (const tag of [3, 1, 2]) {
    // More room than the message needs.
    const bytes = new Uint8Array(4);
    world.wait(world.receive(bytes, partner, tag));
    assert.deepEqual([...bytes], [partner, tag, 0, 0]);
  }
  for (const send of sends) world.wait(send);
}

/** Bytes of every process at every process, equal parts and unequal ones, one of them empty. */
function gathers({ world, shared }: ProcessPlace): void {
  const { rank, size } = world;
  for (const length of [1, 48, 100_000]) {
    const all = shared(length * size);
    world.wait(world.allGather(bytesOf(rank, 0, length), all));
    assert.deepEqual(Buffer.from(all), Buffer.concat(ranks(world).map((from) => bytesOf(from, 0, length))));
  }
  const lengths = ranks(world).map((from) => from * 30_001);
  const parts = partsOf(lengths);
  const all = shared(parts.at(-1)!.end);
  all.set(bytesOf(rank, 0, lengths[rank]!), parts[rank]!.first);
  world.wait(world.allGatherParts(all, parts));
  assert.deepEqual(
    Buffer.from(all),
    Buffer.concat(ranks(world).map((from) => bytesOf(from, 0, lengths[from]!))),
  );
}

/** A block from each process to each, equal ones and unequal ones, some of them empty. */
function exchanges({ world, shared }: ProcessPlace): void {
  const { rank, size } = world;
  for (const length of [1, 64, 70_000]) {
    const to = shared(length * size);
    const from = Buffer.concat(ranks(world).map((other) => bytesOf(rank, other, length)));
    world.wait(world.allToAll(from, to));
    assert.deepEqual(
      Buffer.from(to),
      Buffer.concat(ranks(world).map((other) => bytesOf(other, rank, length))),
    );
  }
  const lengthOf = (from: number, to: number) => (from + 2 * to) * 10_001;
  const sent = partsOf(ranks(world).map((other) => lengthOf(rank, other)));
  const taken = partsOf(ranks(world).map((other) => lengthOf(other, rank)));
  const from = shared(sent.at(-1)!.end);
  for (const [other, { first, end }] of sent.entries()) from.set(bytesOf(rank, other, end - first), first);
  const to = shared(taken.at(-1)!.end);
  world.wait(world.allToAllParts(from, sent, to, taken));
  for (const [other, { first, end }] of taken.entries()) {
    assert.deepEqual(Buffer.from(to.subarray(first, end)), Buffer.from(bytesOf(other, rank, end - first)));
  }
}

/** Two collective operations under way at once, and one that is only looked at. */
function overlapping({ world, shared }: ProcessPlace): void {
  const { rank, size } = world;
  const length = 500_000;
  const first = shared(length * size);
  const second = shared(length * size);
  const operations = [
    world.allGather(bytesOf(rank, 1, length), first),
    world.allGather(bytesOf(rank, 2, length), second),
  ];
  for (const operation of operations.toReversed()) while (!operation.isOver());
  for (const [to, all] of [first, second].entries()) {
    assert.deepEqual(
      Buffer.from(all),
      Buffer.concat(ranks(world).map((from) => bytesOf(from, to + 1, length))),
    );
  }
}

/** Nobody leaves a barrier before the last one has come: when that was, and when this process left. */
function lateProcess({ world }: ProcessPlace): { readonly came: number; readonly left: number } {
  world.wait(world.barrier());
  if (world.rank === world.size - 1) sleep(200);
  const entered = Float64Array.of(Date.now());
  world.wait(world.barrier());
  const left = Date.now();
  const all = new Float64Array(world.size);
  world.wait(world.allGather(new Uint8Array(entered.buffer), new Uint8Array(all.buffer)));
  return { came: Math.max(...all), left };
}

/**
 * Bytes move while an operation is looked at: the longest sleep, milliseconds, that a wait asks for between
 * two looks. It lasts long enough for its sleeps to have their full length.
 */
function looks({ world }: ProcessPlace): number {
  const start = performance.now();
  const sleep = Atomics.wait;
  let longest = 0;
  Atomics.wait = ((words: Int32Array, index: number, value: number, milliseconds = Infinity) => {
    longest = Math.max(longest, milliseconds);
    return sleep(words, index, value, milliseconds);
  }) as typeof sleep;
  try {
    world.wait({ name: 'a test', isOver: () => performance.now() - start > 60 });
  } finally {
    Atomics.wait = sleep;
  }
  return longest;
}

/** What is wrong is an error, and no process hangs for it. */
function mistakes({ world }: ProcessPlace): string[] {
  const { size } = world;
  return [
    messageOf(() => world.send(new Uint8Array(1), size, 0)),
    messageOf(() => world.allGather(new Uint8Array(2), new Uint8Array(3))),
    messageOf(() => world.allGatherParts(new Uint8Array(2), [])),
    messageOf(() => world.allGatherParts(new Uint8Array(2), partsOf(Array.from({ length: size }, () => 3)))),
    messageOf(() => world.allToAll(new Uint8Array(size), new Uint8Array(size + 1))),
  ];
}

/** The last process comes when the time limit of the others is over. */
function absent({ world }: ProcessPlace): string {
  finish(world.barrier());
  const isLast = world.rank === world.size - 1;
  if (isLast) sleep(1500);
  const barrier = world.barrier();
  const message = isLast ? 'late' : messageOf(() => world.wait(barrier));
  // So that all can leave in peace.
  finish(barrier);
  return message;
}

/** Without a time limit. */
function finish(operation: Operation): void {
  while (!operation.isOver()) sleep(1);
}

function messageOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return 'no error';
}

/** WebAssembly's traps are signals, and MPI libraries have handlers of signals, too. */
function traps(): string {
  // (module (memory 1) (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))
  const bytes = Uint8Array.from([
    ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 8, 1, 4],
    ...[108, 111, 97, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11],
  ]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  try {
    (instance.exports.load as (address: number) => number)(1_000_000);
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
}

/**
 * What UCX has found in its environment. It would try its hooks of the heap by a page that another thread may
 * have been given: a crash in one of about a hundred jobs, which no single test can see.
 */
function heapHooks(): string | undefined {
  // C's own environment, in the main thread.
  return process.env.UCX_MEM_MMAP_HOOK_MODE;
}

/** Process 0 ends the job while the others wait for it. */
function aborting({ world }: ProcessPlace): void {
  world.wait(world.barrier());
  if (world.rank === 0) world.abort(7);
  world.wait(world.barrier());
}

/** One process dies by a signal while the others wait for it. */
function killed({ world }: ProcessPlace): void {
  world.wait(world.barrier());
  if (world.rank === world.size - 1) process.kill(process.pid, 'SIGKILL');
  world.wait(world.barrier());
}

/** A process dies when it has hardly come. */
function gone(): void {
  process.kill(process.pid, 'SIGKILL');
}

/**
 * Three of four processes die one after the other in the middle of exchanges, the first one of all among
 * them. Those that are left go on, each with the number that it then has.
 */
function survivors(place: ProcessPlace): { heals: boolean; places: { rank: number; size: number }[] } {
  const { world } = place;
  const number = world.rank;
  const places: { rank: number; size: number }[] = [];
  for (const victim of [1, 0, 3]) {
    assert.throws(() => dieAmidst(place, number === victim), ProcessLost);
    world.shrink();
    for (const scenario of [tags, gathers, exchanges, overlapping]) scenario(place);
    places.push({ rank: world.rank, size: world.size });
  }
  return { heals: world.heals, places };
}

/** All exchange more than is sent at once, until one of them dies with an exchange under way. */
function dieAmidst({ world, shared }: ProcessPlace, dies: boolean): void {
  const length = 1_000_000;
  const all = shared(length * world.size);
  const parts = partsOf(ranks(world).map(() => length));
  for (let round = 0; ; round++) {
    const operations = [
      world.allGatherParts(all, parts),
      world.allGather(Uint8Array.of(1), shared(world.size)),
    ];
    if (dies && round === 5) process.kill(process.pid, 'SIGKILL');
    for (const operation of operations) world.wait(operation);
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

export const WORLD_SCENARIOS = {
  ...{
    ring,
    tags,
    gathers,
    exchanges,
    overlapping,
    lateProcess,
    looks,
    mistakes,
    absent,
    traps,
    heapHooks,
    aborting,
    killed,
    gone,
    survivors,
  },
} as const;
export type WorldScenario = keyof typeof WORLD_SCENARIOS;
