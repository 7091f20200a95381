import { BACKENDS } from '../backends/registry.js';
import type { Address } from '../kernels/address.js';
import { Arena } from '../kernels/arena.js';
import type { Model } from '../model/model.js';
import { stateNames } from '../optimizer/registry.js';
import { backendOptions, partStart, type Settings } from './settings.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Floats: slices of the parameter space begin at multiples of a cache line. */
export const SLICE_UNIT = 16;

/** Terms of an example: log-likelihood, KL, bound. */
export const TERMS = 3;

/** Of a step: examples, the sums of the terms, beta. */
export const STEP_METRICS = TERMS + 2;

/** A named part of the run's memory. */
export interface Region {
  readonly name: string;
  readonly address: Address;
  readonly bytes: number;
}

/** Buffers of one rank: the examples of the shard at hand, their noise and terms. */
export interface RankRegions {
  readonly x: Address;
  readonly epsilon: Address;
  readonly logLikelihood: Address;
  readonly kl: Address;
  readonly bound: Address;
  readonly scratch: Address;
  readonly timing: Address;
  /** A word of `Ranks.claimed`, in a cache line of its own. */
  readonly claimed: Address;
  readonly workspace: Address;
}

/** Addresses of everything that the ranks of a run share, and the table of the regions. */
export interface RunLayout {
  readonly control: Address;
  readonly parameters: Address;
  /** Of the optimizer's state tensors, in the order in which it declares them. */
  readonly state: readonly Address[];
  /** One gradient a shard, `slotPitch` bytes apart. */
  readonly slots: Address;
  readonly slotPitch: number;
  /** Whether steps go by the owner-computes rule, without slots (Backend.owner). */
  readonly owned: boolean;
  /** Shards whose gradients a rank computes at once, into the slot of the first of them. */
  readonly parts: number;
  /** Most examples that a rank computes at once: of a shard, of several, or of all its shards. */
  readonly examplesAtOnce: number;
  /** [shards, TERMS] float64: sums of logLikelihood, kl and bound over the shard's examples. */
  readonly shardTerms: Address;
  /** [stepsPerEpoch, STEP_METRICS] float64: examples, sums of logLikelihood, kl and bound, beta. */
  readonly stepMetrics: Address;
  /** [trainCount, dimensions] bytes. */
  readonly trainPixels: Address;
  /** [testCount, dimensions] bytes. */
  readonly testPixels: Address;
  /** [trainCount] u32: this epoch's order of the training examples. */
  readonly order: Address;
  /** [trainCount] u32, rounded up to sixteen: the random words behind the order. */
  readonly orderBits: Address;
  /** [testCount] u32: 0, 1, 2 … */
  readonly testOrder: Address;
  /** [testCount] float64 each. */
  readonly testLogLikelihood: Address;
  readonly testKl: Address;
  readonly testBound: Address;
  readonly packed: Address;
  readonly ranks: readonly RankRegions[];
  readonly regions: readonly Region[];
  /** Bytes in all. */
  readonly bytes: number;
}

/** Most examples of a shard. */
export function shardSize(settings: Settings): number {
  return Math.ceil(settings.batchSize / settings.shards);
}

/** Most examples of one rank in a step. */
function rankSize(settings: Settings, ranks: number): number {
  const { batchSize, shards } = settings;
  let most = 0;
  for (let rank = 0; rank < ranks; rank++) {
    // Any number of examples up to the batch's: a part of one more begins no earlier.
    const shardsOfRank = partStart(shards, ranks, rank + 1) - partStart(shards, ranks, rank);
    most = Math.max(most, Math.ceil((batchSize * shardsOfRank) / shards));
  }
  return most;
}

/**
 * Shards that each rank computes at once: where shards and ranks are powers of two, neighbouring shards make
 * a subtree of the all-reduce, which the rank can sum while the gradients are in its caches.
 */
function partsAtOnce(mostParts: number, { shards }: Settings, ranks: number): number {
  return isPowerOfTwo(shards) && isPowerOfTwo(ranks) ? Math.min(shards / ranks, mostParts) : 1;
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(Math.log2(n));
}

/** Parameters rounded up to whole cache lines. */
export function paddedParameters(model: Model): number {
  return Math.ceil(model.parameters.size / SLICE_UNIT) * SLICE_UNIT;
}

/**
 * Lays out the run's memory.
 * @throws RangeError when it would exceed 4 GiB.
 */
export function planRunMemory(
  model: Model,
  settings: Settings,
  controlWords: number,
  ranks: number,
): RunLayout {
  const arena = new Arena(0);
  const regions: Region[] = [];
  const place = (name: string, bytes: number): Address => {
    const address = arena.reserve(bytes);
    regions.push({ name, address, bytes });
    return address;
  };
  const size = paddedParameters(model);
  const slotPitch = size * FLOAT;
  const backend = BACKENDS[settings.backend];
  const options = backendOptions(model, settings);
  const { owned, mostParts } = backend.plan(options);
  const shared = {
    control: place('control', controlWords * Int32Array.BYTES_PER_ELEMENT),
    parameters: place('parameters', size * FLOAT),
    state: stateNames(settings.optimizer).map((name) => place(name, size * FLOAT)),
    slots: place('gradient slots', owned ? 0 : settings.shards * slotPitch),
    slotPitch,
    shardTerms: place('shard terms', settings.shards * TERMS * DOUBLE),
    stepMetrics: place('step metrics', settings.stepsPerEpoch * STEP_METRICS * DOUBLE),
    trainPixels: place('training images', settings.trainCount * model.dimensions),
    testPixels: place('test images', settings.testCount * model.dimensions),
    order: place('epoch order', settings.trainCount * Uint32Array.BYTES_PER_ELEMENT),
    orderBits: place('epoch order bits', Math.ceil(settings.trainCount / 16) * 64),
    testOrder: place('test order', settings.testCount * Uint32Array.BYTES_PER_ELEMENT),
    testLogLikelihood: place('test log-likelihood', settings.testCount * DOUBLE),
    testKl: place('test KL', settings.testCount * DOUBLE),
    testBound: place('test bound', settings.testCount * DOUBLE),
  };
  const parts = partsAtOnce(mostParts, settings, ranks);
  const most = owned ? rankSize(settings, ranks) : shardSize(settings) * parts;
  const { parameters } = shared;
  const memory = backend.memory({ ...options, owned, examples: most, parameters });
  const packed = place('packed weights', memory.packed);
  const rankRegions = Array.from({ length: ranks }, (_, rank) => ({
    x: place(`rank ${rank}/x`, most * model.dimensions * FLOAT),
    epsilon: place(`rank ${rank}/epsilon`, most * settings.samples * model.latent * FLOAT),
    logLikelihood: place(`rank ${rank}/log-likelihood`, most * DOUBLE),
    kl: place(`rank ${rank}/KL`, most * DOUBLE),
    bound: place(`rank ${rank}/bound`, most * DOUBLE),
    scratch: place(`rank ${rank}/scratch`, 64),
    timing: place(`rank ${rank}/timing`, 8 * DOUBLE),
    claimed: place(`rank ${rank}/claimed`, 64),
    workspace: place(`rank ${rank}/workspace`, memory.workspace),
  }));
  return {
    ...shared,
    owned,
    parts,
    examplesAtOnce: most,
    packed,
    ranks: rankRegions,
    regions,
    bytes: arena.end,
  };
}
