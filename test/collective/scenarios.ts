// What ranks do together in the tests of collectives, each in a thread or process of its own.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collective } from '#src/collective/collective.js';
import type { MeasuredGradient } from '#src/optimizer/clipping.js';
import type { SliceUpdate } from '#src/optimizer/optimizer.js';
import type { SquaredNorms } from '#src/worker/squaredNorms.js';
import type { ShardTerms, Terms } from '#src/worker/terms.js';

/** The size of a scenario's run. */
export const SHARDS = 8;
/** Whole cache lines, not whole units of slices, and no multiple of the numbers of ranks that are tried. */
export const PARAMETERS = 16 * 77;
export const UPDATES = 3;
export const UPDATE = { learningRate: 1e-2, scale: 1 / 64 } as const;

/** What a rank of a scenario has. */
export interface RankPlace {
  readonly collective: Collective;
  readonly optimizer: SliceUpdate;
  readonly shardTerms: ShardTerms;
  readonly measured: MeasuredGradient;
  readonly squaredNorms: SquaredNorms;
  /** [PARAMETERS], as this rank sees them. */
  readonly parameters: Float32Array;
  /** The slot of a shard, [PARAMETERS]. */
  slot(shard: number): Float32Array;
}

/** The gradient of a shard in an update. */
export function gradientOf(update: number, shard: number): Float32Array {
  return Float32Array.from({ length: PARAMETERS }, (_, i) => {
    // Sums of these round, so that another order of additions has other bits.
    return (((i + 7 * shard + 13 * update) * 2654435761) % 1009) / 1009 - 0.5;
  });
}

export function termsOf(update: number, shard: number): Terms {
  return {
    logLikelihood: -100 / (shard + 3) - update,
    kl: (shard + 1) / 7,
    bound: shard - 0.1 * update,
    acceptance: shard / 9 + update,
  };
}

/** A copy of the bits. */
export function bitsOf(floats: Float32Array): Uint32Array {
  return new Uint32Array(Float32Array.from(floats).buffer);
}

/** What a rank has seen of an update by the norm. */
export interface SeenNorm {
  readonly norm: number;
  /** Bits of the parameters behind it. */
  readonly parameters: Uint32Array;
}

/** What a rank has seen. */
export interface Seen {
  readonly shards: readonly [number, number];
  /** Bits of the parameters behind each update. */
  readonly parameters: readonly Uint32Array[];
  /** Sums over all shards, of each update. */
  readonly totals: readonly Terms[];
}

/** Updates as a run makes them. */
function updates({ collective, optimizer, shardTerms, parameters, slot }: RankPlace): Seen {
  const { first, end } = collective.shards;
  const seen = { parameters: [] as Uint32Array[], totals: [] as Terms[] };
  for (let update = 0; update < UPDATES; update++) {
    collective.barrier();
    for (let shard = first; shard < end; shard++) {
      slot(shard).set(gradientOf(update, shard));
      shardTerms.write(shard, termsOf(update, shard));
    }
    collective.gather('shard terms');
    seen.totals.push(shardTerms.total());
    optimizer.begin(update + 1, UPDATE.learningRate, UPDATE.scale);
    collective.reduceAndUpdate(optimizer);
    collective.gather('parameters');
    seen.parameters.push(bitsOf(parameters));
  }
  return { shards: [first, end], ...seen };
}

/** Updates whose size depends on the norm of the whole gradient, as it is when gradients are clipped. */
function updatesByNorms({
  collective,
  optimizer,
  measured,
  squaredNorms,
  parameters,
  slot,
}: RankPlace): SeenNorm[] {
  const { first, end } = collective.shards;
  const seen: SeenNorm[] = [];
  for (let update = 0; update < UPDATES; update++) {
    collective.barrier();
    for (let shard = first; shard < end; shard++) slot(shard).set(gradientOf(update, shard));
    collective.gather('shard terms');
    collective.reduceAndUpdate(measured);
    collective.gather('squared norms');
    const norm = squaredNorms.norm();
    optimizer.begin(update + 1, UPDATE.learningRate, 1 / norm);
    measured.update(optimizer);
    collective.gather('parameters');
    seen.push({ norm, parameters: bitsOf(parameters) });
  }
  return seen;
}

/** Rank 1 fails; the others are at a barrier then, or come to one later. */
async function failing({ collective }: RankPlace): Promise<void> {
  collective.barrier();
  if (collective.rank === 1) {
    // So that others sleep at the barrier.
    await sleep(50);
    collective.abort();
  }
  // One that comes late.
  if (collective.rank === 2) await sleep(100);
  collective.barrier();
}

/** Rank 1 stays away from the second barrier. */
async function missing({ collective }: RankPlace): Promise<void> {
  collective.barrier();
  if (collective.rank !== 1) collective.barrier();
}

/**
 * Nobody leaves a barrier before all have come: a rank that is slow at each of them holds all others.
 * Milliseconds from the first barrier to the last one.
 */
async function slowRank({ collective }: RankPlace): Promise<number> {
  collective.barrier();
  const start = performance.now();
  for (let round = 0; round < 4; round++) {
    if (round % collective.ranks === collective.rank) await sleep(40);
    collective.barrier();
  }
  return performance.now() - start;
}

export const SCENARIOS = { updates, updatesByNorms, failing, missing, slowRank } as const;
export type ScenarioName = keyof typeof SCENARIOS;
