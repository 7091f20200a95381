// Why a step was refused, in words: which tensor, which shard.
import { LatentModel } from '../inference/latentModel.js';
import { firstNotFinite } from '../model/finite.js';
import { refinementOf } from '../objective/inferences/registry.js';
import { notFiniteElement, notFiniteTensor } from '../runs/trainingState.js';
import { ShardInput } from '../worker/shardInput.js';
import { EpochSteps, type Step } from '../worker/step.js';
import type { RunState } from './runState.js';

/** Whether the parameters themselves are to blame for a loss that is not finite, or else which shard. */
export function describeLoss(state: RunState, number: number, epoch: number): string {
  const bad = notFiniteTensor(state, state.model.parameters);
  if (bad !== undefined) return `${bad.charAt(0).toUpperCase()}${bad.slice(1)}.`;
  return `The parameters are finite, but too large. ${describeShards(state, number, epoch)}`;
}

/** What an update that is not finite has written, while it is still there. */
export function describeUpdate(state: RunState): string {
  const bad = notFiniteTensor(state, state.model.parameters);
  return bad === undefined ? '' : ` With it, ${bad}.`;
}

/**
 * Computes the gradient of each shard of a step again, by this package's kernels, from the parameters before
 * the step, which must be finite; no rank may run.
 * @returns what is not finite in the first shard that is to blame.
 */
export function describeShards(state: RunState, number: number, epoch: number): string {
  const { settings } = state;
  const step = new EpochSteps(settings, epoch).at(number);
  const model = new LatentModel(state.model, state.parameters, {
    platform: state.platform,
    likelihood: settings.likelihood,
  });
  for (let shard = 0; shard < settings.shards; shard++) {
    const fault = describeShard(state, model, step, shard);
    if (fault !== undefined) return fault;
  }
  const refined = refinementOf(settings.inference) !== undefined;
  return (
    `The gradients of ${refined ? 'the ELBO of ' : ''}all ${settings.shards} shards are finite: what overflows is ` +
    `${refined ? "the decoder's at the draws of HMC, " : ''}their sum or the update.`
  );
}

function describeShard(state: RunState, model: LatentModel, step: Step, shard: number): string | undefined {
  const { settings, layout, memory } = state;
  const place = step.bounds[shard]!;
  const count = step.bounds[shard + 1]! - place;
  if (count === 0) return undefined;
  const regions = layout.ranks[0]!;
  const input = new ShardInput(state.kernels, { layout, model: state.model, settings }, regions);
  input.loadTraining(step.first + place, count, place, step.number, step.epoch);
  const read = (address: number, floats: number) => new Float32Array(memory.buffer, address, floats).slice();
  const { gradient, elbo } = model.elboGradients(
    state.parameters,
    read(regions.x, count * state.model.dimensions),
    read(regions.epsilon, count * settings.samples * state.model.latent),
    { objective: settings.objective, kl: settings.kl, beta: step.beta },
  );
  const bad = notFiniteElement(gradient, state.model.parameters);
  if (bad !== undefined)
    return `The gradient of shard ${shard} is not finite: "${bad.name}" holds ${bad.words}.`;
  if (firstNotFinite(elbo) >= 0) return `The loss of shard ${shard} is not finite; its gradient is.`;
  return undefined;
}
