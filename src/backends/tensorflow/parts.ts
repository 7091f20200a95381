import { ROWS_AT_ONCE } from '../../kernels/tuning.js';
import { weightedLayers } from '../../model/layers/kinds.js';
import type { Model } from '../../model/model.js';
import type { TfjsBackendName } from './runtime.js';

/**
 * How many shards a backend computes at once: a power of two. `wasm` gives each shard of a dense layer a sum
 * of its own, so that the bits do not depend on it; it has no such kernel for convolutions. `native` sums
 * over all of its examples. `cpu` would gain nothing.
 */
export function mostTfjsParts(
  name: TfjsBackendName,
  model: Model,
  samples: number,
  shardSize: number,
): number {
  if (name === 'cpu') return 1;
  const weighted = weightedLayers([...model.encoder, ...model.decoder]);
  const convolves = weighted.some(({ type }) => type !== 'dense');
  if (name === 'wasm' && convolves) return 1;
  let parts = 1;
  while (2 * parts * shardSize * samples <= ROWS_AT_ONCE) parts *= 2;
  return parts;
}
