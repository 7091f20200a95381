import { NONE } from '../../kernels/address.js';
import type { BackendDeclaration, BackendFactory } from '../declaration.js';
import { ownerComputes, SimdBackend, simdMemory } from './engine.js';

/** Our kernels, on the run's memory. */
export const simd: BackendDeclaration = {
  title: 'simd kernels',
  promisesBits: true,
  interruptible: true,
  estimators: 'all',
  inferences: 'all',
  benchmarked: 'each mode',
  isInstalled: () => true,
  prepare: () => {},
  allowsRevectorization: () => true,
  plan: ({ model, samples, batchSize }) => ({
    owned: ownerComputes(model, samples, batchSize),
    mostParts: 1,
  }),
  memory: ({ owned, shards, batchSize, ...options }) => {
    const ends = simdMemory({
      ...options,
      ...(owned ? { owned: { shards, batchSize } } : {}),
      packed: NONE,
      workspace: NONE,
    });
    return { packed: ends.packedEnd, workspace: ends.workspaceEnd };
  },
  load: async () => simdOfRank,
};

const simdOfRank: BackendFactory = (place) => {
  const { kernels, memory, model, samples, kl, objective, estimator, likelihood, tile, examples } = place;
  const { inference, owned, shards, batchSize, slice, packed, optimizer, rank } = place;
  const { workspaces, claimed, firstShards } = place;
  const options = {
    ...{ model, samples, kl, objective, estimator, inference, likelihood, tile, examples, packed },
    ...(owned ? { owned: { shards, batchSize } } : {}),
    parameters: slice.parameters,
    workspace: workspaces[rank]!,
  };
  const ranks = { rank, workspaces, claimed, firstShards };
  return new SimdBackend(kernels, memory, options, { memory: slice, optimizer, ranks });
};
