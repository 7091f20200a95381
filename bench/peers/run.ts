import { RunState } from '#src/coordinator/runState.js';
import { requestedConfig, settingsOf } from '#src/coordinator/trainOptions.js';
import { epochOrder } from '#src/data/epochOrder.js';
import type { Dataset } from '#src/data/source.js';
import { choosePlatform } from '#src/kernels/platform.js';
import { resolveModel } from '#src/model/resolve.js';
import type { Case } from './cases.js';

/** The state that `lowerbound train` starts from for a case: default seed, arithmetic, tile. */
export async function startingState(
  { model, batchSize, samples }: Case,
  dataset: Dataset,
  workers: number,
): Promise<RunState> {
  const config = await requestedConfig({ model, batchSize, samples }, dataset, undefined);
  const resolved = resolveModel(config.model, { latent: config.latent });
  const platform = choosePlatform({ arithmetic: config.arithmetic, revectorize: true });
  const state = new RunState(resolved, settingsOf(config, dataset, platform), platform, dataset, workers);
  state.initialize(dataset);
  orderEpoch(state, 0);
  return state;
}

/** Shuffles the examples for an epoch, as the run does. */
export function orderEpoch({ kernels, memory, order, layout, settings }: RunState, epoch: number): void {
  epochOrder(kernels, memory.buffer, order, layout.orderBits, settings.key, epoch);
}
