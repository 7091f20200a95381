// What processes exchange during a run, as bytes of the run's memory: made once, carried out at each
// exchange.
import { type Address, plus } from '../../kernels/address.js';
import { parameterSlice, sliceUnits } from '../parameterSlices.js';
import { type PartRange, partRange } from '../parts.js';
import { type ProcessPlace, processRange } from '../processPlace.js';
import { heldSubtrees } from '../sumTree.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Bytes of the run's memory that go from process to process, one part for each; addresses of the memory. */
export type Transfer =
  /** Each process's part of a region reaches all processes, in its place. */
  | { readonly kind: 'all-gather'; readonly parts: readonly PartRange[] }
  /** Part q of `from` reaches process q, which writes it to what its `to` has for the sender. */
  | {
      readonly kind: 'all-to-all';
      readonly from: readonly PartRange[];
      readonly to: readonly PartRange[];
    };

/** An exchange: the processes begin its transfers together, and go on when all are over. */
export type Exchange = readonly Transfer[];

/** The exchanges of a run. */
export interface ExchangePlan {
  /** The terms of all shards, and the sums of the gradients to the owners of the slices. */
  readonly 'shard terms': Exchange;
  /** The squared norms of the units of the slices. */
  readonly 'squared norms': Exchange;
  /** The updated slices of the parameters, and what was decided. */
  readonly parameters: Exchange;
  /** The slices of the optimizer's state. */
  readonly state: Exchange;
  readonly 'test terms': Exchange;
  /** All that a run begins with, or goes on with, from one process. */
  readonly start: Exchange;
}

export type ExchangeName = keyof ExchangePlan;

/** A region that is cut into one part a process, each some whole elements. */
export interface CutRegion {
  readonly address: Address;
  /** Where the elements of a process begin and end, bytes from the address on. */
  range(process: number): PartRange;
}

/** Where the memory has what is exchanged. */
export interface ExchangedRegions {
  readonly parameters: Address;
  readonly state: readonly Address[];
  /** One gradient a shard, `slotPitch` bytes apart. */
  readonly slots: Address;
  readonly slotPitch: number;
  /** Whole cache lines. */
  readonly parameterCount: number;
  readonly shards: number;
  readonly shardTerms: CutRegion;
  /** float64 for each unit of the slices; absent where gradients are not clipped. */
  readonly squaredNorms: Address | undefined;
  readonly decisions: CutRegion;
  readonly testTerms: readonly CutRegion[];
}

/** The plan of one process. @param source the process whose state all begin with. */
export function exchangePlan(regions: ExchangedRegions, place: ProcessPlace, source = 0): ExchangePlan {
  const { parameters, state, parameterCount, shardTerms, squaredNorms, decisions, testTerms } = regions;
  const { processes } = place;
  const gather = ({ address, range }: CutRegion): Transfer => ({
    kind: 'all-gather',
    parts: everyProcess(processes, (process) => moved(range(process), address)),
  });
  const slices = (address: Address): Transfer => {
    return gather({ address, range: (process) => sliceBytes(parameterCount, processes, process) });
  };
  const norms = (address: Address): Transfer => {
    return gather(cutRegion(address, sliceUnits(parameterCount), DOUBLE, processes));
  };
  const fromSource = (address: Address): Transfer => {
    const end = parameterCount * FLOAT;
    return gather({ address, range: (process) => ({ first: 0, end: process === source ? end : 0 }) });
  };
  return {
    'shard terms': [gather(shardTerms), ...sumTransfers(regions, place)],
    'squared norms': squaredNorms === undefined ? [] : [norms(squaredNorms)],
    parameters: [slices(parameters), gather(decisions)],
    state: state.map(slices),
    'test terms': testTerms.map(gather),
    start: [parameters, ...state].map(fromSource),
  };
}

/**
 * The sums of each process's subtrees to the owners of the slices. An owner gets them where they stand in the
 * sender's slots: its own slots of shards that it does not hold are free.
 */
function sumTransfers(regions: ExchangedRegions, { processes, process }: ProcessPlace): Transfer[] {
  const { slots, slotPitch, parameterCount, shards } = regions;
  const subtrees = everyProcess(processes, (other) => {
    return heldSubtrees(shards, partRange(shards, processes, other));
  });
  const rounds = Math.max(...subtrees.map(({ length }) => length));
  const sum = (sender: number, round: number, owner: number): PartRange => {
    const subtree = subtrees[sender]![round];
    // Its own sums are where they are needed.
    if (subtree === undefined || sender === owner) return { first: slots, end: slots };
    const slot = plus(slots, subtree.first * slotPitch);
    return moved(sliceBytes(parameterCount, processes, owner), slot);
  };
  return Array.from({ length: rounds }, (_, round) => ({
    kind: 'all-to-all',
    from: everyProcess(processes, (owner) => sum(process, round, owner)),
    to: everyProcess(processes, (sender) => sum(sender, round, process)),
  }));
}

/** Bytes that a process sends in an exchange, where what all get goes around a ring. */
export function bytesSent(exchange: Exchange, { processes, process }: ProcessPlace): number {
  const size = ({ first, end }: PartRange) => end - first;
  const sum = (parts: readonly PartRange[]) => parts.reduce((total, part) => total + size(part), 0);
  return exchange.reduce((total, transfer) => {
    if (transfer.kind === 'all-to-all') return total + sum(transfer.from);
    // In a ring each part goes past all processes but the one before its own.
    const next = transfer.parts[(process + 1) % processes]!;
    return total + sum(transfer.parts) - size(next);
  }, 0);
}

function sliceBytes(parameters: number, processes: number, process: number): PartRange {
  const { first, end } = parameterSlice(parameters, processes, process);
  return { first: first * FLOAT, end: end * FLOAT };
}

function moved({ first, end }: PartRange, address: Address): PartRange {
  return { first: plus(address, first), end: plus(address, end) };
}

function everyProcess<T>(processes: number, of: (process: number) => T): T[] {
  return Array.from({ length: processes }, (_, process) => of(process));
}

/** The part of a process of a region of equal elements. @param bytes of an element. */
export function cutRegion(address: Address, count: number, bytes: number, processes: number): CutRegion {
  return {
    address,
    range(process) {
      const { first, end } = processRange(count, { processes, process });
      return { first: first * bytes, end: end * bytes };
    },
  };
}
