// Training steps by both rules on engines of one thread: gradients of the shards in slots, then the
// all-reduce with the update; and the owner-computes rule, its ranks one after the other between the
// barriers.

import assert from 'node:assert/strict';
import type { KlEstimate, Shard } from '#src/backends/backend.js';
import { SimdBackend, simdMemory } from '#src/backends/simd/engine.js';
import { partRange, partStart } from '#src/collective/parts.js';
import { NONE, plus } from '#src/kernels/address.js';
import { Arena } from '#src/kernels/arena.js';
import { bindKernels, type Kernels } from '#src/kernels/kernels.js';
import type { TileName } from '#src/kernels/tiles/tile.js';
import type { Choice } from '#src/model/hyperparameter.js';
import { BERNOULLI, type LikelihoodName } from '#src/model/likelihoods/registry.js';
import type { Model } from '#src/model/model.js';
import { type InferenceName, refinementOf } from '#src/objective/inferences/registry.js';
import type { ObjectiveName } from '#src/objective/registry.js';
import type { SliceUpdate } from '#src/optimizer/optimizer.js';
import { type OptimizerName, optimizerOf, stateNames } from '#src/optimizer/registry.js';
import { sampleFloats } from '../kernels/float32.js';
import { ADAM_DEFAULTS } from '../kernels/scalarAdam.js';
import { drawInputs } from '../reference/smallModels.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;
const WORD = Uint32Array.BYTES_PER_ELEMENT;

/** More units than any rank has. */
const ALL_CLAIMED = 2 ** 20;

const PAGES = 256;
const BETA = 0.7;

/** A NaN around parameters and state: it would spread from where it is added. */
const POISON = 0x7fc5a5a5;
const GUARD = 128;

export interface StepsCase {
  readonly model: Model;
  /** Examples of the steps, one after the other; none has more than the first. */
  readonly batches: readonly number[];
  readonly shards: number;
  readonly samples: number;
  readonly kl: KlEstimate;
  /** Share of the pixels that are not black; default 1. */
  readonly density?: number;
  /** Default: the ELBO. */
  readonly objective?: ObjectiveName;
  /** Default: variational. */
  readonly inference?: Choice<InferenceName>;
  /** Default: Bernoulli. */
  readonly likelihood?: Choice<LikelihoodName>;
  /** Default: Adam. */
  readonly optimizer?: Choice<OptimizerName>;
}

const ADAM: Choice<OptimizerName> = { name: 'adam', values: { ...ADAM_DEFAULTS } };

/** How ranks, one after the other, come to their units: each takes its own, or the first takes all. */
export type Claims = 'own' | 'all';

/** What steps leave behind. */
export interface Outcome {
  readonly parameters: Float32Array;
  /** The state of the optimizer. */
  readonly state: readonly Float32Array[];
  /** The terms of the last step's examples. */
  readonly logLikelihood: Float64Array;
  readonly kl: Float64Array;
  readonly bound: Float64Array;
  readonly acceptance: Float64Array;
}

/** The definition. */
export function stepsInSlots(steps: StepsCase, module: WebAssembly.Module, tile: TileName): Outcome {
  const { model, samples, kl, batches, shards } = steps;
  const { arena, memory, kernels, place, ...run } = prepareRun(steps, module);
  const slotPitch = Math.ceil(model.parameters.size / 16) * 16 * FLOAT;
  const slots = arena.reserve(shards * slotPitch);
  const examples = Math.ceil(batches[0]! / shards);
  const options = {
    ...{ model, samples, kl, tile, examples, parameters: place.parameters, packed: arena.end },
    ...chosen(steps),
  };
  const workspace = simdMemory({ ...options, workspace: NONE }).packedEnd;
  const backend = new SimdBackend(kernels, memory, { ...options, workspace });
  batches.forEach((count, step) => {
    backend.prepare(0, 1);
    for (let shard = 0; shard < shards; shard++) {
      const { first, end } = partRange(count, shards, shard);
      const part = run.shard(first, end - first);
      backend.objectiveGradient(part, BETA, plus(slots, shard * slotPitch));
    }
    begin(run.optimizer, step, count);
    run.optimizer.applySum(place, 0, slots, slotPitch, shards, model.parameters.size);
  });
  return run.outcome();
}

/**
 * What is tested. `order` has each rank once: so they update.
 * @throws AssertionError where a rank writes outside of its workspace and what it is to write.
 */
export function stepsByOwners(
  steps: StepsCase,
  module: WebAssembly.Module,
  tile: TileName,
  order: readonly number[],
  claims: Claims,
): Outcome {
  const { model, samples, kl, batches, shards } = steps;
  const ranks = order.length;
  const { arena, memory, kernels, place, ...run } = prepareRun(steps, module);
  const firstShards = Array.from({ length: ranks + 1 }, (_, rank) => partStart(shards, ranks, rank));
  const shardBounds = (count: number) =>
    Int32Array.from({ length: shards + 1 }, (_, shard) => partStart(count, shards, shard));
  const examplesOf = (rank: number, bounds: Int32Array) => {
    const first = bounds[firstShards[rank]!]!;
    return [first, bounds[firstShards[rank + 1]!]! - first] as const;
  };
  const examples = Math.max(...order.map((rank) => examplesOf(rank, shardBounds(batches[0]!))[1]));
  const owned = { shards, batchSize: batches[0]! };
  const options = {
    ...{ model, samples, kl, tile, examples, owned, parameters: place.parameters, packed: NONE },
    ...chosen(steps),
  };
  const size = simdMemory({ ...options, workspace: NONE }).workspaceEnd;
  const workspaces = order.map(() => arena.reserve(size));
  const claimed = order.map(() => arena.reserve(WORD));
  const engines = workspaces.map((workspace, rank) => {
    const ownership = {
      memory: place,
      optimizer: run.optimizer,
      ranks: { rank, workspaces, firstShards, claimed },
    };
    return new SimdBackend(kernels, memory, { ...options, workspace }, ownership);
  });
  const writable = [place.parameters, ...place.state].map((at): Span => [at, model.parameters.size * FLOAT]);
  const words = new Uint32Array(memory.buffer);
  const spansOf = (rank: number): Span[] => [
    [workspaces[rank]!, size],
    ...claimed.map((at): Span => [at, WORD]),
  ];
  batches.forEach((count, step) => {
    const bounds = shardBounds(count);
    engines.forEach((engine, rank) => {
      const shard = run.shard(...examplesOf(rank, bounds));
      const { logLikelihood, kl: klAt, bound, refinement } = shard;
      const terms = [logLikelihood, klAt, bound, ...(refinement ? [refinement.acceptance] : [])].map(
        (at): Span => [at, shard.count * DOUBLE],
      );
      onlyWriting(memory, arena.end, [...spansOf(rank), ...terms], () => {
        engine.prepare(rank, ranks);
        engine.owner!.backpropagate(shard, BETA, bounds);
      });
    });
    begin(run.optimizer, step, count);
    for (const rank of order) {
      if (claims === 'own') {
        claimed.forEach((at, owner) => {
          words[at / WORD] = owner === rank ? 0 : ALL_CLAIMED;
        });
      }
      onlyWriting(memory, arena.end, [...spansOf(rank), ...writable], () =>
        engines[rank]!.owner!.update(bounds),
      );
    }
  });
  return run.outcome();
}

/** The state does not begin with 0, so the first step may be the third. */
function begin(optimizer: SliceUpdate, step: number, examples: number): void {
  optimizer.begin(step + 3, 1e-2, 1 / examples);
}

function chosen({ objective = 'elbo', likelihood = BERNOULLI, inference }: StepsCase) {
  return { objective, likelihood, inference } as const;
}

/** Addresses of parameters, state and the examples of a step in a memory. */
function prepareRun(
  { model, samples, batches, density = 1, optimizer = ADAM, inference }: StepsCase,
  module: WebAssembly.Module,
) {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  const kernels: Kernels = bindKernels(module, memory);
  const arena = new Arena(0);
  const size = model.parameters.size;
  const examples = batches[0]!;
  const inputs = drawInputs(model, examples, samples, 5);
  const floats = (at: number, count: number) => new Float32Array(memory.buffer, at, count);
  const doubles = (at: number, count: number) => new Float64Array(memory.buffer, at, count);
  const set = (values: ArrayLike<number>) => {
    const at = arena.floats(values.length);
    floats(at, values.length).set(values);
    return at;
  };
  const guarded = (values: ArrayLike<number>) => {
    const before = arena.reserve(GUARD);
    const at = set(values);
    const words = new Uint32Array(memory.buffer, before, (arena.end - before) / FLOAT);
    words.fill(POISON, 0, (at - before) / FLOAT);
    words.fill(POISON, (at - before) / FLOAT + values.length);
    return at;
  };
  const transitionDraws = (transitions: number) => ({
    momenta: set(sampleFloats(21, transitions * examples * samples * model.latent)),
    uniforms: set(sampleFloats(22, transitions * examples * 2 * samples).map((value) => Math.abs(value) % 1)),
  });
  const refined = (first: number) => ({
    momenta: plus(place.momenta, first * samples * model.latent * FLOAT),
    uniforms: plus(place.uniforms, first * 2 * samples * FLOAT),
    pitch: examples,
    acceptance: plus(place.acceptance, first * DOUBLE),
  });
  const place = {
    parameters: guarded(inputs.parameters),
    // Not negative: one of them may be a mean of squares.
    state: stateNames(optimizer).map((_, i) =>
      guarded(sampleFloats(8 + i, size).map((value) => Math.abs(value) / 256)),
    ),
    x: set(blacken(inputs.x, density)),
    epsilon: set(inputs.epsilon),
    logLikelihood: arena.doubles(examples),
    kl: arena.doubles(examples),
    bound: arena.doubles(examples),
    acceptance: arena.doubles(examples),
    ...transitionDraws(refinementOf(inference)?.transitions ?? 0),
  };
  const last = batches.at(-1)!;
  return {
    arena,
    memory,
    kernels,
    place,
    optimizer: optimizerOf(optimizer).create(kernels, optimizer.values),
    shard: (first: number, count: number): Shard => ({
      count,
      parts: 1,
      bounds: Int32Array.of(0, count),
      x: plus(place.x, first * model.dimensions * FLOAT),
      epsilon: plus(place.epsilon, first * samples * model.latent * FLOAT),
      logLikelihood: plus(place.logLikelihood, first * DOUBLE),
      kl: plus(place.kl, first * DOUBLE),
      bound: plus(place.bound, first * DOUBLE),
      ...(inference && { refinement: refined(first) }),
    }),
    outcome: (): Outcome => ({
      parameters: floats(place.parameters, size),
      state: place.state.map((at) => floats(at, size)),
      logLikelihood: doubles(place.logLikelihood, last),
      kl: doubles(place.kl, last),
      bound: doubles(place.bound, last),
      acceptance: doubles(place.acceptance, last),
    }),
  };
}

/** The same with pixels set to 0, scattered. */
function blacken(x: ArrayLike<number>, density: number): Float32Array {
  const draws = sampleFloats(10, x.length).map(Math.abs);
  const threshold = draws.toSorted()[Math.floor(draws.length * density)] ?? Number.POSITIVE_INFINITY;
  return Float32Array.from(x, (value, i) => (draws[i]! < threshold ? value : 0));
}

/** An address, and bytes from there on. */
type Span = readonly [number, number];

/** Runs, and asserts that no byte below `end` has changed but those of `spans`. */
function onlyWriting(
  { buffer }: WebAssembly.Memory,
  end: number,
  spans: readonly Span[],
  call: () => void,
): void {
  const bytes = Buffer.from(buffer, 0, end);
  const before = Buffer.from(bytes);
  call();
  let from = 0;
  for (const [address, length] of [...spans].sort(([a], [b]) => a - b).concat([[end, 0]])) {
    assert.ok(
      bytes.compare(before, from, address, from, address) === 0,
      `a byte in [${from}, ${address}) was written, which belongs to nobody or to another rank`,
    );
    from = address + length;
  }
}
